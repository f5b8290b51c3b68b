// SPDX-License-Identifier: MIT
#include "app/program.h"

#include <cstdlib>

#include "app/command_line.h"
#include "app/output.h"

namespace tmdbc {
namespace {

Result<int> Run(int argc, const char* const* argv) {
  TRY_ASSIGN(auto parsed, ParseCommandLine(argc, argv));
  if (const auto* help = std::get_if<HelpText>(&parsed)) {
    TRY(WriteOut(help->text));
    return kExitDone;
  }
  auto& invocation = std::get<Invocation>(parsed);
  TRY_ASSIGN(const Settings settings,
             LoadSettings({.config_path = std::move(invocation.config_path),
                           .environment = [](const char* name) -> const char* { return std::getenv(name); },
                           .flags = std::move(invocation.flags)}));
  return invocation.command->run(settings, invocation.arguments);
}

}  // namespace

int RunProgram(int argc, const char* const* argv) {
  const auto code = Run(argc, argv);
  if (code) return *code;
  PrintError(code.error().message);
  return ExitCodeOf(code.error().code);
}

}  // namespace tmdbc
