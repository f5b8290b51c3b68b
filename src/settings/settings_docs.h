// SPDX-License-Identifier: MIT
// The files of the repository that are printed from the settings table; a test compares them. To renew them:
//   tmdb-collector settings --markdown > docs/configuration.md
//   tmdb-collector settings --env-example > .env.example
#pragma once

#include <string>

namespace tmdbc {

std::string SettingsMarkdown();
std::string EnvExample();

}  // namespace tmdbc
