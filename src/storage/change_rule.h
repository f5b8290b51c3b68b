// SPDX-License-Identifier: MIT
// What a fetch means for a record that is, or is not, in the store already. Pure functions.
//
//   current view        answer                            change
//   -                   a document                        insert, version 1
//   live                other content                     update, version + 1
//   live                same content, other statistics    stats, same version: replaces the view, no step of
//   the history live                all the same                      unchanged: verified_at only tombstone
//   a document                        restore, version + 1 live                404 delete, version + 1
//   tombstone           404                               unchanged
//   -                   404                               unchanged; counted in the ledger of missing ids
//   any, verified later than the answer was fetched       stale: nothing at all
//
// Stale answers are real: a batch of retries, or TMDB's cache, may deliver an old body after a newer one. But
// a view whose time lies more than a day ahead of our clock was written while the clock was wrong; it does
// not hold back what comes after.
#pragma once

#include <optional>

#include "base/clock.h"
#include "storage/record_index.h"

namespace tmdbc {

inline constexpr Duration kClockSlack = std::chrono::days(1);

struct Verdict {
  Change change = Change::kUnchanged;
  std::int64_t version = 0;  // of the view afterwards
  bool stale = false;
};

// `current` empty: never stored. `now`: our clock.
Verdict Classify(const std::optional<IndexRow>& current, const ContentHash& hash, Time fetched_at, Time now);
Verdict ClassifyGone(const std::optional<IndexRow>& current, Time at, Time now);

}  // namespace tmdbc
