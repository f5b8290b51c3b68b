// SPDX-License-Identifier: MIT
// What document.h asks of bodies, asked of values that are parsed already: a body is parsed once, whatever is wanted of
// it.
#pragma once

#include <simdjson.h>

#include <string_view>
#include <vector>

#include "tmdb/document.h"

namespace tmdbc {

// HashContent(). `left_out` (may be null) names members of the outermost object that are passed over as if they were
// not there.
ContentHash HashParsed(simdjson::dom::element value, bool (*left_out)(std::string_view name) = nullptr);

// EpisodesOf().
std::vector<EpisodeRef> EpisodesOf(simdjson::dom::element season);

}  // namespace tmdbc
