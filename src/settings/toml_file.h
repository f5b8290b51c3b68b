// SPDX-License-Identifier: MIT
// tmdb-collector.toml: the settings in lower case, under headings that are there for the reader: a key means
// the same under each of them and may be given once. Beside them any number of [[schedule]] tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "settings/settings.h"

namespace tmdbc {

// Every setting of the file with the source "path:line", each value as the text that an environment variable
// would hold (a list joined with commas). Empty texts count as not set. kInvalid names the place; unknown
// keys and headings are refused. The [[schedule]] tables go to `schedules`, unless that is null: what they
// may hold is ResolveSettings()'s to say.
Result<std::vector<GivenSetting>> ParseTomlSettings(std::string_view text, const std::string& path,
                                                    std::vector<GivenSchedule>* schedules = nullptr);

}  // namespace tmdbc
