// SPDX-License-Identifier: MIT
// The watermarks of the change feeds in catalog.db (table harvest_watermarks). The watermark of a type is a
// UTC day: every change of the days before it has been queued durably; that day and later ones are read again
// at the next harvest. It moves after the ids are in the queue, never before, so that a crash reads a day
// twice and loses none. One thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "base/clock.h"
#include "base/sqlite.h"
#include "tmdb/media_id.h"

namespace tmdbc {

using Watermarks = std::map<MediaType, std::chrono::sys_days>;

// Types without one are left out; empty when nothing was harvested yet. Any process may ask, also with a
// database open for reading only.
Result<Watermarks> ReadWatermarks(Database& catalog);

// For the harvester.
Result<void> CreateWatermarks(Database& catalog);
Result<void> SetWatermark(Database& catalog, MediaType type, std::chrono::sys_days day);

// TMDB serves bodies from its caches for up to eight hours (docs/tmdb-facts.md).
inline constexpr std::chrono::hours kCacheLag{8};

// From when on an answer is sure to know every change of `day`.
inline Time SettledAt(std::chrono::sys_days day) {
  return Time(day + std::chrono::days(1)) + kCacheLag;
}

// The watermark after all days up to and including `day` have been queued by a reading that began at `began`:
// the day after it, but never one that may still get changes, or whose changes may still be served stale.
std::chrono::sys_days WatermarkAfter(std::chrono::sys_days day, Time began);

}  // namespace tmdbc
