// SPDX-License-Identifier: MIT
// Retry-After (RFC 9110 10.2.3): how long a server asks to be left alone.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace tmdbc::http {

// No server is obeyed for longer.
inline constexpr Duration kLongestRetryAfter = std::chrono::hours(1);

// Seconds ("0", "120", and "1.5" although no RFC has it) or an HTTP-date in any of its three forms (RFC
// 9110 5.6.7), seen from `now`. What is negative or past is 0; longer than an hour is an hour. nullopt when
// absent or neither.
std::optional<Duration> ParseRetryAfter(std::string_view value, Time now);

}  // namespace tmdbc::http
