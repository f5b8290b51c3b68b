// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "app/command.h"
#include "app/output.h"
#include "app/settings_docs.h"

namespace tmdbc {

Result<int> SettingsCommand(const Settings& settings, const Arguments& arguments) {
  std::string text;
  if (arguments.Has("--markdown")) {
    text = SettingsMarkdown();
  } else if (arguments.Has("--env-example")) {
    text = EnvExample();
  } else {
    for (const Setting& setting : SettingsTable()) {
      const auto given = std::ranges::find(settings.given, setting.name, &GivenSetting::name);
      text += given == settings.given.end()
                  ? fmt::format("{}={} (default)\n", setting.name, FallbackOf(setting))
                  : fmt::format("{}={} ({})\n", given->name, given->text, given->source);
    }
  }
  TRY(WriteOut(text));
  return kExitDone;
}

}  // namespace tmdbc
