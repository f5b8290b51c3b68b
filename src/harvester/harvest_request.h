// SPDX-License-Identifier: MIT
// HarvestRequest: what somebody asks a harvest for, on a command line, in an event or by a schedule; and the one
// place that says what of it cannot be done, now or ever. Pure; any thread.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "harvester/harvest_report.h"
#include "tmdb/change_page.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct HarvestRequest {
  HarvestMode mode = HarvestMode::kAuto;
  std::vector<MediaType> types = {};
  std::vector<std::int64_t> ids = {};  // not empty: these ids of the one type, whatever the mode
  std::optional<std::chrono::sys_days> since = {}, until = {};
  std::optional<std::int64_t> limit = {};  // of new ids a type
};

// How the one who asked calls the parts: "--limit" and "--mode=changes", or "limit" and "mode changes".
struct RequestWords {
  std::string_view dashes, equals;
};
inline constexpr RequestWords kFlagWords{"--", "="};
inline constexpr RequestWords kMemberWords{"", " "};

// Why it can never be done, as the end of a sentence; empty when it can.
inline std::string WhyImpossible(const HarvestRequest& request, RequestWords words) {
  const bool changes = request.mode == HarvestMode::kChanges;
  const auto with = [&](std::string_view part, std::string_view mode) {
    return fmt::format("{0}{1} goes with {0}mode{2}{3}", words.dashes, part, words.equals, mode);
  };
  if (!request.ids.empty()) {
    if (request.mode != HarvestMode::kAuto) return with("ids", "ids");
    if (request.types.size() != 1)
      return fmt::format("{0}ids are of one type: name it in {0}types", words.dashes);
    if (request.limit) return fmt::format("{0}limit goes with the exports, not with {0}ids", words.dashes);
  }
  if (!changes && request.since) return with("since", "changes");
  if (!changes && request.until) return with("until", "changes");
  if (changes && request.limit) {
    return fmt::format("{0}limit goes with the exports, not with {0}mode{1}changes", words.dashes,
                       words.equals);
  }
  for (const auto& day : {request.since, request.until}) {
    if (day && *day < kFirstChangesDay)
      return fmt::format("{0}since and {0}until are days from {1} on", words.dashes,
                         FormatDate(kFirstChangesDay));
  }
  if (request.since && request.until && *request.until < *request.since)
    return fmt::format("{0}until is before {0}since", words.dashes);
  if (changes && std::ranges::none_of(request.types, HasChangeFeed)) {
    return fmt::format(
        "only movie, tv and person have a change feed: with these {0}types use {0}mode{1}export",
        words.dashes, words.equals);
  }
  return "";
}

}  // namespace tmdbc
