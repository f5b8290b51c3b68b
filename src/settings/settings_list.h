// SPDX-License-Identifier: MIT
// Every setting with the value in force and where it came from, secrets hidden: for `settings` and --debug.
#pragma once

#include <string>
#include <vector>

#include "settings/settings.h"

namespace tmdbc {

// In the order of the table; of those that nobody gave the source is "default".
std::vector<GivenSetting> AllSettings(const Settings& settings);

// Those and the schedules that `run` follows, a line each: "LOG_LEVEL=info (default)",
// "schedule films=rate(2 hours), mode changes, types movie,tv (tmdb-collector.toml:5)".
std::vector<std::string> SettingsLines(const Settings& settings);
// The same as one object:
// {"settings":[{"name","value","source"}],"schedules":[{"name","expression","timezone",
// "mode","types","limit","source"}]}; types are those that are harvested, limit is null where there is none.
std::string SettingsJson(const Settings& settings);

}  // namespace tmdbc
