// SPDX-License-Identifier: MIT
#include "app/command.h"
#include "app/output.h"
#include "settings/settings_docs.h"
#include "settings/settings_list.h"

namespace tmdbc {

Result<int> SettingsCommand(const Settings& settings, const Arguments& arguments) {
  if (arguments.Has("--has-key")) return settings.tmdb_api_key.empty() ? kExitPartly : kExitDone;
  std::string text;
  if (arguments.Has("--markdown")) {
    text = SettingsMarkdown();
  } else if (arguments.Has("--env-example")) {
    text = EnvExample();
  } else if (arguments.Has("--json")) {
    text = SettingsJson(settings) + "\n";
  } else {
    for (const std::string& line : SettingsLines(settings)) text += line + "\n";
  }
  TRY(WriteOut(text));
  return kExitDone;
}

}  // namespace tmdbc
