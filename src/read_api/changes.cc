// SPDX-License-Identifier: MIT
#include "read_api/changes.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "read_api/discover.h"
#include "read_api/paging.h"
#include "titles/find.h"
#include "tmdb/media_traits.h"

namespace tmdbc::read_api {
namespace {

constexpr std::int64_t kChangesAPage = 100;
constexpr std::int32_t kLongestSpan = 14;  // days
constexpr std::int64_t kDay = 86'400;      // seconds
constexpr std::chrono::minutes kChangesMaxAge{5};

}  // namespace

Answer Changes(Call& call) {
  const Query& query = call.query();
  const auto start = query.Get("start_date"), end = query.Get("end_date");
  const auto first = DayNumber(start.value_or("")), last = DayNumber(end.value_or(""));
  if ((start && !first) || (end && !last)) return ErrorAnswer(23);
  const auto page = PageOf(query);
  if (!page) return ErrorAnswer(22);
  // Without days: the last 24 hours. From a day on: as far as one answer may reach. Up to a day: it and the one before.
  std::int64_t to = std::chrono::floor<std::chrono::seconds>(call.now()).time_since_epoch().count() + 1;
  if (last) to = (std::int64_t(*last) + 1) * kDay;
  if (first && !last) to = std::min(to, (std::int64_t(*first) + kLongestSpan + 1) * kDay);
  const std::int64_t from = first ? std::int64_t(*first) * kDay : to - (last ? 2 : 1) * kDay;
  if (from >= to || to - from > (kLongestSpan + 1) * kDay) return ErrorAnswer(20);
  const titles::Titles* const index = call.Titles();
  if (index == nullptr) return IndexAwaited();
  const auto found = titles::ChangedBetween(*index, *ParseMediaType(call.part(0)), from, to,
                                            std::size_t((*page - 1) * kChangesAPage), kChangesAPage);
  std::string rows;
  for (const titles::ChangedTitle& one : found.rows) {
    rows += fmt::format(R"({}{{"id":{},"adult":{},"softcore":{}}})", rows.empty() ? "" : ",", one.id, one.adult, one.softcore);
  }
  return {.body = fmt::format(R"({{"results":[{}],"page":{},"total_pages":{},"total_results":{}}})", rows, *page,
                              std::max<std::int64_t>(1, (found.total + kChangesAPage - 1) / kChangesAPage), found.total),
          .fidelity = Fidelity::kApproximate,
          .max_age = kChangesMaxAge};
}

}  // namespace tmdbc::read_api
