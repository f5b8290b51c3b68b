// SPDX-License-Identifier: MIT
#include "app/settings_list.h"

#include <algorithm>

namespace tmdbc {

std::vector<GivenSetting> AllSettings(const Settings& settings) {
  std::vector<GivenSetting> all;
  for (const Setting& setting : SettingsTable()) {
    const auto given = std::ranges::find(settings.given, setting.name, &GivenSetting::name);
    if (given != settings.given.end()) {
      all.push_back(*given);
    } else {
      all.push_back({std::string(setting.name), FallbackOf(setting), "default"});
    }
  }
  return all;
}

}  // namespace tmdbc
