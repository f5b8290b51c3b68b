// SPDX-License-Identifier: MIT
// completions and manual: what the package installs beside the program, printed from the same tables as
// --help.
#include "app/command.h"
#include "app/completions.h"
#include "app/manual.h"
#include "app/output.h"

namespace tmdbc {

Result<int> CompletionsCommand(const Settings&, const Arguments& arguments) {
  TRY_ASSIGN(const std::string script, CompletionScript(arguments.Get("SHELL").value_or("")));
  TRY(WriteOut(script));
  return kExitDone;
}

Result<int> ManualCommand(const Settings&, const Arguments& arguments) {
  TRY(WriteOut(arguments.Has("--settings") ? SettingsManual() : CommandsManual()));
  return kExitDone;
}

}  // namespace tmdbc
