// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "app/command.h"
#include "app/output.h"
#include "app/settings_docs.h"
#include "app/settings_list.h"

namespace tmdbc {

Result<int> SettingsCommand(const Settings& settings, const Arguments& arguments) {
  std::string text;
  if (arguments.Has("--markdown")) {
    text = SettingsMarkdown();
  } else if (arguments.Has("--env-example")) {
    text = EnvExample();
  } else {
    for (const GivenSetting& setting : AllSettings(settings))
      text += fmt::format("{}={} ({})\n", setting.name, setting.text, setting.source);
  }
  TRY(WriteOut(text));
  return kExitDone;
}

}  // namespace tmdbc
