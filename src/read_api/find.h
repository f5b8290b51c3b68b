// SPDX-License-Identifier: MIT
// find/{id}: what bears another site's id; and the film of an IMDb id.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "read_api/call.h"

namespace tmdbc::read_api {

Answer Find(Call& call);

// The film of "tt0137523"; nothing when the index has none, or is not there yet (then call.Titles() is null).
std::optional<std::int64_t> MovieOfImdb(Call& call, std::string_view imdb_id);

}  // namespace tmdbc::read_api
