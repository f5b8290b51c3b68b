// SPDX-License-Identifier: MIT
// The table of endpoints: which path is answered by which function.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "read_api/call.h"

namespace tmdbc::read_api {

// What may stand in for an answer where the mirror lacks something.
enum class Beyond : std::uint8_t {
  kNothing,  // it is ours, or a ranking over all that is stored
  kRecords,  // records that are fetched
  kTmdb,     // TMDB's own answer, too
};

// A row of the table of endpoints: the parts of its path; "*" stands for any one part.
struct Route {
  std::vector<std::string_view> pattern;
  Endpoint endpoint;
  Beyond beyond = Beyond::kNothing;
};

// The first row that fits that path ("movie", "550", "credits"); null when none does.
const Route* FindRoute(std::span<const std::string> path);

}  // namespace tmdbc::read_api
