// SPDX-License-Identifier: MIT
// What was most popular on the last days, of films, shows and persons: TMDB's exports replace each other, so a short list
// a day is kept in a file of its own, TYPE.past beside the index. docs/title-index.md has the bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "titles/titles.h"

namespace tmdbc::titles {

inline constexpr std::size_t kPastTitles = 10'000;
inline constexpr std::size_t kPastDays = 9;  // a week ago, and one day that failed

using PastList = std::vector<std::shared_ptr<const PastPopularity>>;  // by ascending day

std::string PackPast(const PastList& days);
// kCorrupt when it is anything else than PackPast() makes.
Result<PastList> UnpackPast(std::string_view bytes);

// The list of a day: the most popular of `type`.
PastPopularity TopOf(const TypeTitles& type, std::int32_t day);
// With that day, in place of what was known of it; the oldest go.
void AddDay(PastList& days, PastPopularity today);

}  // namespace tmdbc::titles
