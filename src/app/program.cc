// SPDX-License-Identifier: MIT
#include "app/program.h"

#include <cstdlib>
#include <string_view>

#include "app/command_line.h"
#include "app/output.h"
#include "base/words.h"
#include "settings/settings_list.h"

namespace tmdbc {
namespace {

const char* Environment(const char* name) {
  return std::getenv(name);
}

// How to print that the command line or the settings themselves are wrong: as LOG_FORMAT says,
// where that can be read all the same.
LogFormat FormatBeforeSettings(int argc, const char* const* argv) {
  constexpr std::string_view kFlag = "--log-format=";
  const char* value = Environment("LOG_FORMAT");
  std::string text = value ? value : "";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with(kFlag)) text = word.substr(kFlag.size());
  }
  return Lower(text) == "json" ? LogFormat::kJson : LogFormat::kText;
}

// With --debug: every setting and schedule, of every command.
void TellSettings(const Settings& settings) {
  const SystemClock clock;
  Log log(stderr, settings.log_level, settings.log_format, clock);
  if (!log.enabled(LogLevel::kDebug)) return;
  for (const std::string& line : SettingsLines(settings)) log.Debug(line);
}

// `format`: in what form the caller has to tell an error.
Result<int> Run(int argc, const char* const* argv, LogFormat& format) {
  format = FormatBeforeSettings(argc, argv);
  auto parsed = ParseCommandLine(argc, argv);
  if (!parsed) return std::unexpected(parsed.error());
  if (const auto* help = std::get_if<HelpText>(&*parsed)) {
    TRY(WriteOut(help->text));
    return kExitDone;
  }
  auto& invocation = std::get<Invocation>(*parsed);
  if (invocation.command->without_settings) return invocation.command->run({}, invocation.arguments);
  TRY_ASSIGN(const Settings settings, LoadSettings({.config_path = std::move(invocation.config_path),
                                                    .environment = Environment,
                                                    .flags = std::move(invocation.flags)}));
  format = settings.log_format;
  TellSettings(settings);
  return invocation.command->run(settings, invocation.arguments);
}

}  // namespace

int RunProgram(int argc, const char* const* argv) {
  LogFormat format = LogFormat::kText;
  const auto code = Run(argc, argv, format);
  if (code) return *code;
  PrintError(code.error(), format);
  return ExitCodeOf(code.error().code);
}

}  // namespace tmdbc
