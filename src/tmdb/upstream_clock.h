// SPDX-License-Identifier: MIT
// UpstreamClock: the clock that dates what TMDB has answered. It is the machine's, but where that is known to be more
// than a day behind TMDB's Date it is TMDB's: a record fetched by a machine that stands at 1970 is not 56 years old,
// and must not be purged for its age once the clock is set. A date in the future does no such harm
// (harvester/freshness.h takes it for due), so a Date that is behind is not followed: it may be a proxy's. One thread.
#pragma once

#include "base/clock.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

class UpstreamClock final : public Clock {
 public:
  // Both outlive it.
  UpstreamClock(const Clock& machine, const UpstreamDate& date) : machine_(machine), date_(date) {}

  Time Now() const override {
    const Duration ahead = date_.Skew().value_or(Duration(0));
    return machine_.Now() - (ahead < -kClockIsOff ? ahead : Duration(0));
  }
  MonoTime Mono() const override { return machine_.Mono(); }

 private:
  const Clock& machine_;
  const UpstreamDate& date_;
};

}  // namespace tmdbc
