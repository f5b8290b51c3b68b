// SPDX-License-Identifier: MIT
// The tables of the SQLite queue in catalog.db, their first letters queue_, and the statements that write
// them. For the other files of this folder only.
//
//   queue_ready     every message that was visible when last looked at. Its key (type, rank, id) is the
//                   receive order of a type, and a harvest sends in that order, so most of it is appended.
//   queue_lease     the messages in flight or delayed, by receipt; Receive() moves what became visible back
//                   to queue_ready.
//   queue_dead      the dead letters, oldest first.
//   queue_batch     one row a Send() that still has messages in the queue: for OldestSent().
//   queue_counter   a few numbers, on one page: key 0 the last ticket, key n the rows of queue_ready of media
//                   type n.
//
// Times are microseconds since 1970 (QueueTime).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/sqlite.h"

namespace tmdbc {

inline constexpr std::size_t kQueueTypes = 16;  // above every MediaType
inline constexpr std::size_t kTicketKey = 0;    // of queue_counter

// Measured for 5 million rows: 25 rows an INSERT take 20 % more CPU than 100, 500 rows 25 % more.
inline constexpr int kRowsPerInsert = 100;

inline std::int64_t QueueTime(Time time) {
  return time.time_since_epoch().count();
}

// SQLite's errors begin with the statement, which here can be kilobytes long and tells a user nothing: its
// place is taken by `act`.
std::unexpected<Error> QueueError(std::string_view act, const Error& error);

// Makes what is missing. Drops the index by id when nothing waits.
Result<void> MakeQueueTables(Database& db);

// The index by id: where an id waits. To keep it up makes a harvest of millions several times as expensive, so
// it is made by the first send that meets an id which is in the queue already.
Result<void> MakeQueueIdIndex(Database& db);

struct QueueStatements {
  Statement load_counters, store_counter;
  Statement insert_row;
  Statement new_batch, end_batch, leave_batch;
  Statement due_by_type, surface, drop_due;
  Statement drop_taken;
  Statement lease, find_lease, drop_lease, release, extend;
  Statement leases, merge_lease, find_ready, raise;
  Statement add_dead, dead_by_type, redrive, drop_redriven, purge_dead;

  Result<void> Prepare(Database& db);

  // These cost as much as all the others, and a queue that is opened for a moment needs few of them: they are prepared
  // when they are first asked for.
  Result<Statement*> InsertRows(Database& db);
  // A walk along queue_ready for each type, open at the same time.
  Result<Statement*> Head(Database& db, std::size_t type);

 private:
  std::optional<Statement> insert_rows_;
  std::array<std::optional<Statement>, kQueueTypes> heads_;
};

}  // namespace tmdbc
