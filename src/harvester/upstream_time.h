// SPDX-License-Identifier: MIT
// What time a harvest goes by. The local clock may be a month ahead, or stand at 1970 until the network sets it: a
// watermark that followed it would pass days that have not been, or walk decades of them again. So progress is bounded
// by the time that TMDB is known to have reached (tmdb/upstream_date.h), and the latest such time is kept in
// catalog.db (table harvest_upstream_date) from one run to the next. The rules are pure. One thread.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "base/sqlite.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

// Up to when TMDB can have something to read: `now`, but never beyond what TMDB itself has reached, and its own time
// when the local clock is off by more than a day. Before the first answer of this run it is the
// later of `now` and what an earlier run knew: a day too many that is asked for costs one page.
Time ReadUntil(const UpstreamDate& upstream, Time now);

// Up to when progress may be remembered. Empty when the local clock is off by more than a day: nothing is remembered
// then, and the next run reads the same days again.
std::optional<Time> ProgressUntil(const UpstreamDate& upstream, Time now);

// A watermark lies in the future when it is beyond all that TMDB is known to have reached: it was set by a clock that
// was ahead, and days may have been passed while they were still to come. The day to go back to: that before
// `export_in_force`, or the last that TMDB is `known` to have reached, whichever is earlier; without either today.
// Empty when the watermark is sound.
std::optional<std::chrono::sys_days> SoundWatermark(std::chrono::sys_days watermark, std::optional<Time> known,
                                                    std::optional<std::chrono::sys_days> export_in_force, Time now);

// The time that TMDB was known to have reached when it was last written; empty when it never was. May be asked of a
// database that is open for reading only.
Result<std::optional<Time>> ReadUpstreamTime(Database& catalog);

// For the harvester.
Result<void> CreateUpstreamTime(Database& catalog);
Result<void> PutUpstreamTime(Database& catalog, const UpstreamDate& upstream);

}  // namespace tmdbc
