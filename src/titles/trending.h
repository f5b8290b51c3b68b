// SPDX-License-Identifier: MIT
// Trending: the titles by popularity less half of what it was a day or a week before, but never less than nothing; then
// by popularity. Without the popularity of then, by popularity. Any thread.
#pragma once

#include <span>

#include "titles/search.h"
#include "titles/titles.h"

namespace tmdbc::titles {

enum class Since : std::uint8_t { kDay, kWeek };

// Of these types in one ranking; adult ones are left out. At most kMaxTrending of them count.
inline constexpr std::int64_t kMaxTrending = 10'000;
FoundPage Trending(const Titles& titles, std::span<const MediaType> types, Since since, std::size_t skip,
                   std::size_t count);

}  // namespace tmdbc::titles
