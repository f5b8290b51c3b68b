// SPDX-License-Identifier: MIT
// RecordLedger: what the store knows of ids, without their data. The harvester and care ask it what is known,
// missing, old or held. It reads the index tables of catalog.db alone. One thread.
//
// It sees what has been committed, not the batch of a RecordWriter. Where nothing has been stored yet it
// gives kNotFound with a sentence that says so.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/sqlite.h"
#include "base/stop.h"
#include "storage/record.h"
#include "storage/record_index.h"

namespace tmdbc {

class RecordLedger {
 public:
  // `catalog` outlives the ledger. Nothing is read yet.
  explicit RecordLedger(Database& catalog) : index_(catalog) {}

  Result<IdState> StateOf(MediaId id);

  // The visits take some 0.3 s a million ids. A stop request ends one before the next id, without an error: a
  // caller that gives a flag looks at it afterwards, for then not all has been visited.
  //
  // Every id of the type that is not unknown, ascending.
  Result<void> VisitStates(MediaType type, const std::function<void(const IdState&)>& visit,
                           const StopFlag& stop = StopFlag());
  // Ids that need no first fetch: stored (live or not) or known to be missing, ascending.
  Result<void> VisitKnownIds(MediaType type, const std::function<void(std::int64_t)>& visit,
                             const StopFlag& stop = StopFlag());
  // Every live record of the type, ascending.
  Result<void> VisitLive(MediaType type, const std::function<void(const LiveRecord&)>& visit,
                         const StopFlag& stop = StopFlag());

  // How many live records of the type there are: 0.05 s a million.
  Result<std::int64_t> CountLive(MediaType type);
  // The numbers of the live seasons that are stored for a show, ascending; empty when it is unknown.
  Result<std::vector<std::int64_t>> SeasonNumbers(std::int64_t tv_id);
  // Types that have anything, in the order of kRecordTypes. Reads the whole index (0.1 s a million records):
  // not for loops.
  Result<std::vector<std::pair<MediaType, TypeCounts>>> Counts();

  // The ids whose deletion is held, ascending.
  Result<std::vector<std::int64_t>> HeldDeletions(MediaType type);
  // The shows that have seasons whose deletion is held, ascending: a season is asked for with its show.
  Result<std::vector<std::int64_t>> ShowsOfHeldSeasons();
  // How many records of each type became tombstones at `since` or later, and after the last
  // AcceptDeletions().
  Result<std::map<MediaType, std::int64_t>> DeletionsSince(Time since);
  // A person has agreed to what was deleted until then. Durable when it returns. Needs a catalog that is open
  // for writing.
  Result<void> AcceptDeletions(Time at);
  // When that was last done, in milliseconds; empty: never.
  Result<std::optional<Time>> DeletionsAcceptedAt();

 private:
  RecordIndex index_;
};

}  // namespace tmdbc
