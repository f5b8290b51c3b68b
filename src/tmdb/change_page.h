// SPDX-License-Identifier: MIT
// TMDB's change feeds, /movie/changes, /tv/changes, /person/changes: which request asks for a page of a day, what a
// page says, and what an answer means that is none. Pure. Source: docs/tmdb-facts.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/http.h"
#include "tmdb/detail_plan.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// "Old windows stay readable": from here on (docs/tmdb-facts.md).
inline constexpr std::chrono::sys_days kFirstChangesDay{std::chrono::year(2012) / 10 / 5};

// Of one window TMDB gives no page behind this one (code 22), whatever total_pages says.
inline constexpr int kMaxChangePages = 500;

// Page `page` (from 1) of the ids that changed on that UTC day. Both bounds of a window are inclusive, so the
// day is its own start and end.
http::Request MakeChangesRequest(const ApiAccess& access, MediaType type, std::chrono::sys_days day,
                                 int page);

// What is known of `adult`, which TMDB joins in when it is asked: null means that the id is gone by now
// (docs/tmdb-facts.md), a hint and no proof.
enum class AdultMark : std::uint8_t { kNo, kYes, kNull };

struct ChangeRow {
  std::int64_t id = 0;  // 1..kMaxId
  AdultMark adult = AdultMark::kNo;
  bool operator==(const ChangeRow&) const = default;
};

struct ChangePage {
  std::vector<ChangeRow> rows;     // in the order of the page, repeats included
  std::int64_t rows_in_all = 0;    // with those left out
  std::int64_t unreadable = 0;     // of those left out: not a null id, but no id either (20 digits, a text)
  std::int64_t total_pages = 0;    // as TMDB says; 0 where it says nothing
  std::int64_t total_results = 0;  // the same; never to be trusted alone: in 2022 it was 1 with 2,687 rows
};

// `body` decoded. kCorrupt when it is not whole JSON, has no `results` array, or is another page than `page`.
Result<ChangePage> ParseChangePage(const std::string& body, int page);

// What came instead of a page.
enum class PageTrouble : std::uint8_t {
  kThrottled,   // 429
  kDenied,      // the key is no good: asking on would not help
  kNoSuchPage,  // TMDB's code 22: there is no page behind the 500th
  kHopeless,    // asked the same way again the answer will be the same
  kTryAgain,    // 5xx, HTML, whatever may pass
};
// Of a status that is not 200, with its decoded body.
PageTrouble JudgeChangesStatus(int status, std::string_view body);

}  // namespace tmdbc
