// SPDX-License-Identifier: MIT
// CareStatus: what the last care for old records came to (harvester/expiry.h), in catalog.db, so that `status` and the
// metrics can show it: also that nothing could be purged, and why. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/sqlite.h"
#include "harvester/expiry.h"

namespace tmdbc {

struct CareStatus {
  Time at{};
  CareObstacle obstacle = CareObstacle::kNone;  // the counts are 0 then
  std::int64_t purged = 0;                      // records
  std::int64_t files = 0;                       // purged, that had been kept aside
  std::int64_t held = 0;                        // that wait for a person: too many at once
  std::int64_t unasked = 0;  // older than may be kept, and kept because TMDB has not answered or refused them since
  bool operator==(const CareStatus&) const = default;
};

// "no_date"; empty for kNone.
std::string_view NameOf(CareObstacle obstacle);
// A sentence's beginning for a person; empty for kNone.
std::string_view WordsOf(CareObstacle obstacle);
// "2 records purged, 5 wait until TMDB was asked for them"; empty when there is nothing to tell.
std::string CareText(const CareStatus& status);

// Empty when there was none yet. May be asked of a database that is open for reading only.
Result<std::optional<CareStatus>> ReadCareStatus(Database& catalog);
Result<void> WriteCareStatus(Database& catalog, const CareStatus& status);

}  // namespace tmdbc
