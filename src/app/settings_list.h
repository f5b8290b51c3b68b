// SPDX-License-Identifier: MIT
// Every setting with the value in force and where it came from, secrets hidden: for `settings` and --debug.
#pragma once

#include <vector>

#include "app/settings.h"

namespace tmdbc {

// In the order of the table; of those that nobody gave the source is "default".
std::vector<GivenSetting> AllSettings(const Settings& settings);

}  // namespace tmdbc
