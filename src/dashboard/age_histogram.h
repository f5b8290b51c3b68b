// SPDX-License-Identifier: MIT
// AgeHistogram: how long ago TMDB was seen to agree with each live record, in so many days. Reads every id (0.3 s a
// million): not for requests.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/stop.h"
#include "storage/ledger.h"

namespace tmdbc::dashboard {

// A record belongs to the first of these that it is younger than. 30 days is the policy's bound, 180 TMDB's
// (docs/freshness.md).
inline constexpr std::array kAgeBoundsDays = {1, 3, 7, 14, 30, 60, 90, 150, 180};

struct AgeHistogram {
  struct OfType {
    std::array<std::int64_t, kAgeBoundsDays.size() + 1> counts{};  // the last: older than all bounds
    std::optional<Time> oldest;
  };
  std::map<MediaType, OfType> types;  // those that have live records

  void Add(MediaType type, Time verified_at, Time now);
};

Result<AgeHistogram> ReadAges(RecordLedger& ledger, Time now, const StopFlag& stop);

// {"at":"...","bounds_days":[1,...],"types":{"movie":{"counts":[...],"oldest":"..."}}}.
std::string AgesJson(const AgeHistogram& ages, Time at);

}  // namespace tmdbc::dashboard
