// SPDX-License-Identifier: MIT
// What a fetch means for a record that is, or is not, in the store already. Pure functions.
//
//   current view    answer                              decision
//   -               a document                          insert, version 1
//   live            other content                       update, version + 1
//   live            same content, other statistics      stats, same version: replaces the view, no step
//   live            all the same                        unchanged: only verified_at is new
//   tombstone       a document                          restore, version + 1
//   live            404                                 delete, version + 1
//   tombstone       404                                 unchanged
//   -               404                                 unchanged; counted in the ledger of missing ids
//
// The later answer wins, whatever the clock says: what is handed in last is what TMDB said last, unless answers may
// come late (IsStale() below). A clock that was set back between two answers does not hold the second one back; its
// line is dated one millisecond after the line before it, so that the times of a history always ascend.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "storage/record_index.h"

namespace tmdbc {

struct ChangeDecision {
  Change change = Change::kUnchanged;
  std::int64_t version = 0;  // of the view afterwards
  Time fetched_at{};         // of the line, when one is written
};

// `current` empty: never stored. `at`: when the answer came, by the clock of that moment.
ChangeDecision Classify(const std::optional<IndexRow>& current, const ContentHash& hash, Time at);

// Whether an answer of that time says nothing new, where answers come late or twice, as bundles do: the id was answered
// for at the same time or after it. `answered`: when TMDB last did, as far as is known. What is dated after `now` was
// dated by a clock that ran ahead: it must not keep out what comes until then.
bool IsStale(const std::optional<Time>& answered, Time at, Time now);

// How a line that follows the current view is dated.
Time TimeOfNextLine(const std::optional<IndexRow>& current, Time at);

}  // namespace tmdbc
