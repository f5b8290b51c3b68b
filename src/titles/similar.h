// SPDX-License-Identifier: MIT
// Titles that are near another: by the keywords that they share, the rarer the more, half as much for a genre; then of
// the same original language, then the more popular. Any thread.
#pragma once

#include "titles/search.h"
#include "titles/titles.h"

namespace tmdbc::titles {

// Of the same type, never itself, never adult ones of one that is not. At most kMaxSimilar are ranked.
inline constexpr std::size_t kMaxSimilar = 2'000;
FoundPage Similar(const Titles& titles, MediaId id, std::size_t skip, std::size_t count);

}  // namespace tmdbc::titles
