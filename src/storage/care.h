// SPDX-License-Identifier: MIT
// The care of a mirror: TMDB lets nothing be kept for more than six months without a refresh
// (docs/tmdb-facts.md). What nears that age is asked for again first of all; what was asked and has no answer
// by then is purged. One pure decision for every type that is stored, whatever is harvested; plus the purge
// itself, of records and of files that were kept aside. One thread.
//
// `now` is not the local clock alone: the earlier of it and the latest date that TMDB has said.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/stop.h"
#include "storage/ledger.h"
#include "storage/record_writer.h"

namespace tmdbc {

inline constexpr Duration kFallsDue = std::chrono::days(170);
inline constexpr Duration kMayBeKept = std::chrono::days(180);  // six months are 181 days at least

// Whether TMDB has not confirmed a record for so long that it is asked for before anything else, whatever the
// budget of requests: the harvest queues by this (harvester/freshness.h), CareFor() judges by it.
constexpr bool FallsDue(Duration unverified) { return unverified >= kFallsDue; }

enum class CareDecision : std::uint8_t {
  kKeep,   // confirmed not so long ago
  kAsk,    // it is to be asked for again; until that has happened it stays, however old it is
  kPurge,  // it was asked for since it fell due, there was no answer, and the time is up
};

// `asked_at`: when TMDB was last asked for it in vain; empty: not since it was last confirmed.
CareDecision CareFor(Time verified_at, std::optional<Time> asked_at, Time now);

// Whether so many at once need a person's word, as deletions do: more than 20, and more than 5 % of the type.
// That is trouble on the way to TMDB more often than trouble of the records.
bool IsTooManyToPurge(std::int64_t purges, std::int64_t live);

using AskedInVain = std::function<std::optional<Time>(MediaId id)>;

// What CareFor() says of a type's live records.
struct CarePlan {
  std::vector<std::int64_t> purge;  // ascending
  std::int64_t live = 0;
  std::int64_t unasked = 0;  // older than may be kept, and kept until TMDB has been asked
};
// A stop request ends it at once; the plan is then of a part of them.
Result<CarePlan> PlanCare(RecordLedger& ledger, MediaType type, Time now, const AskedInVain& asked,
                          const StopFlag& stop = StopFlag());

// Removes files that were kept aside (kept_aside.h) and hold anything older than may be kept: what is in them belongs
// to no record, so nothing will ever confirm it. Returns their paths.
Result<std::vector<std::string>> PurgeAsides(FileSystem& files, Database& catalog, Time now);

// Writes a `purge` record for each of the ids (a show with its seasons) that is live, and commits; how many it came to:
// a stop request leaves out the rest. Requires an empty batch.
Result<std::int64_t> Purge(RecordWriter& writer, MediaType type, std::span<const std::int64_t> ids, Time at,
                           const StopFlag& stop = StopFlag());

}  // namespace tmdbc
