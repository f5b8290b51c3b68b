// SPDX-License-Identifier: MIT
// The man pages, in man(7)'s language, made from the tables of commands and settings: tmdb-collector(1) and
// tmdb-collector.toml(5). Pure; any thread.
#pragma once

#include <string>

namespace tmdbc {

std::string CommandsManual();  // section 1
std::string SettingsManual();  // section 5

}  // namespace tmdbc
