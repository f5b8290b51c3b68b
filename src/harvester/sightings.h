// SPDX-License-Identifier: MIT
// The sightings: which ids the feed of a day listed at an earlier reading (table harvest_sightings of
// catalog.db). An id that is listed for the first time is news whatever the clocks say: ours may be wrong,
// and a feed may list late what it dates early. Kept from the watermark on only, a few days' worth. One
// thread.
#pragma once

#include <chrono>

#include <roaring/roaring.hh>

#include "base/clock.h"
#include "base/sqlite.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct Sightings {
  Roaring ids;
  int readings = 0;  // of that day so far
};

Result<void> CreateSightings(Database& catalog);
Result<Sightings> ReadSightings(Database& catalog, MediaType type, std::chrono::sys_days day);
// In place of what was kept of that day; the caller has queued them. May join a transaction.
Result<void> PutSightings(Database& catalog, MediaType type, std::chrono::sys_days day,
                          const Sightings& seen);
// Of the days before `day`.
Result<void> ForgetSightings(Database& catalog, MediaType type, std::chrono::sys_days day);

}  // namespace tmdbc
