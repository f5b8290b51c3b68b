// SPDX-License-Identifier: MIT
// What of a request TMDB itself is asked, when its own answer is wanted. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "read_api/api_request.h"

namespace tmdbc::read_api {

inline constexpr std::size_t kLongestUpstreamTarget = 1000;

// "movie/550/reviews?language=de&page=2": the path, and of the query what TMDB reads on such paths, in one spelling, so
// that what a client makes up is neither sent nor asked for twice. It never holds who asks (api_key, session_id).
// Nothing when it is longer than kLongestUpstreamTarget.
std::optional<std::string> UpstreamTarget(const ApiRequest& request);

}  // namespace tmdbc::read_api
