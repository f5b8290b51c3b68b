// SPDX-License-Identifier: MIT
// What a response's bytes mean: its body with the Content-Encoding undone. We send Accept-Encoding: gzip and
// nothing else.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "http/http.h"

namespace tmdbc::http {

inline constexpr std::size_t kMaxDecodedBody = 64 << 20;

// The body as its sender meant it, at most `max_decoded` bytes. The bytes decide, not the header: in May 2026
// TMDB's CDN sent gzip without Content-Encoding for two days (docs/tmdb-facts.md), and the opposite costs
// nothing to bear. What begins as gzip is inflated; anything else is taken as it is, unless it is said to be
// in an encoding that we did not ask for. kCorrupt when it does not inflate to its end with the right
// checksum, or to more than allowed (compression.h has the ratio).
Result<std::string> DecodeBody(const Response& response, std::size_t max_decoded = kMaxDecodedBody);

}  // namespace tmdbc::http
