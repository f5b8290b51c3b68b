// SPDX-License-Identifier: MIT
// discover/{movie,tv}, and what the lists that are made of it share.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "read_api/call.h"
#include "titles/discover.h"

namespace tmdbc::read_api {

Answer Discover(Call& call);

// What one page of a list needs: which titles, in which order, what stands before the page, how near it is to TMDB's.
struct ListRequest {
  MediaType type{};
  titles::DiscoverFilter filter = {};
  titles::SortBy sort = titles::SortBy::kPopularity;
  bool descending = true;
  std::string_view first = {};  // a member before "page"
  Fidelity fidelity = Fidelity::kDerived;
};
std::string PageOfList(Call& call, const titles::Titles& index, std::int64_t page, const ListRequest& request);
// The page that the call asks for.
Answer ListPage(Call& call, const ListRequest& request);

// The year "2026"; nothing for other text.
std::optional<int> YearFrom(std::string_view text);
// The days of "2026-11-22", and of the year "2026", since 1970; nothing for other text.
std::optional<std::int32_t> DayNumber(std::string_view text);
std::optional<titles::Span<std::int32_t>> DaysOfYear(std::string_view text);
// Today, in UTC.
std::int32_t TodayOf(const Call& call);

}  // namespace tmdbc::read_api
