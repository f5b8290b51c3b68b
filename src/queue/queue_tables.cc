// SPDX-License-Identifier: MIT
#include "queue/queue_tables.h"

#include <string>

namespace tmdbc {
namespace {

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS queue_ready(
  type INTEGER NOT NULL, rank INTEGER NOT NULL, id INTEGER NOT NULL,
  batch INTEGER NOT NULL, receives INTEGER NOT NULL,
  PRIMARY KEY(type, rank, id)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue_lease(
  receipt INTEGER PRIMARY KEY, type INTEGER NOT NULL, rank INTEGER NOT NULL, id INTEGER NOT NULL,
  batch INTEGER NOT NULL, receives INTEGER NOT NULL, visible_at INTEGER NOT NULL, held INTEGER NOT NULL,
  again INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS queue_lease_visible ON queue_lease(visible_at);
CREATE TABLE IF NOT EXISTS queue_dead(
  ticket INTEGER PRIMARY KEY, type INTEGER NOT NULL, rank INTEGER NOT NULL, id INTEGER NOT NULL,
  receives INTEGER NOT NULL, died_at INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS queue_batch(
  batch INTEGER PRIMARY KEY, sent_at INTEGER NOT NULL, messages INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS queue_counter(key INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;
)sql";

constexpr char kMakeIdIndex[] = "CREATE INDEX IF NOT EXISTS queue_ready_id ON queue_ready(type, id)";
constexpr char kDropIdIndex[] = "DROP INDEX IF EXISTS queue_ready_id";

// Queues made before a message could be sent again while it was in flight lack the column.
constexpr char kHasAgain[] = "SELECT count(*) FROM pragma_table_info('queue_lease') WHERE name='again'";
constexpr char kAddAgain[] = "ALTER TABLE queue_lease ADD COLUMN again INTEGER NOT NULL DEFAULT 0";

// The number of a batch is reused only when no message carries it any more; the lowest is always the oldest.
constexpr char kNewBatch[] = R"sql(
  INSERT INTO queue_batch(batch, sent_at, messages)
  SELECT coalesce(max(batch), 0) + 1, ?1, ?2 FROM queue_batch RETURNING batch)sql";

constexpr char kSurface[] = R"sql(
  INSERT INTO queue_ready(type, rank, id, batch, receives)
  SELECT type, rank, id, batch, receives FROM queue_lease WHERE visible_at<=?1 ORDER BY type, rank, id)sql";

constexpr char kLease[] = R"sql(
  INSERT INTO queue_lease(receipt, type, rank, id, batch, receives, visible_at, held)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1))sql";
// A receipt counts while its message is held and hidden.
constexpr char kFindLease[] = R"sql(
  SELECT type, rank, id, batch, receives, again FROM queue_lease
  WHERE receipt=?1 AND held=1 AND visible_at>?2)sql";
constexpr char kRelease[] = R"sql(
  UPDATE queue_lease SET held=0, visible_at=?3, receives=receives-?4
  WHERE receipt=?1 AND held=1 AND visible_at>?2)sql";
constexpr char kExtend[] = R"sql(
  UPDATE queue_lease SET visible_at=?3 WHERE receipt=?1 AND held=1 AND visible_at>?2)sql";
constexpr char kMergeLease[] = R"sql(
  UPDATE queue_lease SET rank=min(rank, ?2), again=(held AND visible_at>?3) WHERE receipt=?1)sql";

constexpr char kAddDead[] = R"sql(
  INSERT INTO queue_dead(ticket, type, rank, id, receives, died_at, reason)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7))sql";
constexpr char kDeadByType[] = R"sql(
  SELECT type, count(*) FROM queue_dead
  WHERE (?1 IS NULL OR type=?1) AND (died_at<?2 OR died_at>?3) GROUP BY type)sql";
constexpr char kRedrive[] = R"sql(
  INSERT INTO queue_ready(type, rank, id, batch, receives)
  SELECT type, rank, id, ?4, 0 FROM queue_dead
  WHERE (?1 IS NULL OR type=?1) AND (died_at<?2 OR died_at>?3) ORDER BY type, rank, id)sql";

// "INSERT INTO queue_ready VALUES (?1,?3,?4,?2,0),(?1,?5,?6,?2,0)...": type, batch, then rank and id of each
// row.
std::string InsertSql(int rows) {
  std::string sql = "INSERT INTO queue_ready(type, rank, id, batch, receives) VALUES ";
  for (int i = 0; i < rows; ++i) {
    sql += fmt::format("{}(?1,?{},?{},?2,0)", i == 0 ? "" : ",", 2 * i + 3, 2 * i + 4);
  }
  return sql;
}

Result<bool> IsNone(Database& db, std::string_view count) {
  TRY_ASSIGN(Statement read, db.Prepare(count));
  TRY(read.Step());
  return read.Int(0) == 0;
}

}  // namespace

std::unexpected<Error> QueueError(std::string_view act, const Error& error) {
  std::string_view why = error.message;
  // The first: behind it SQLite's words may have one of their own, "database or disk is full (File too large: ...)".
  if (const auto colon = why.find(": "); colon != why.npos && error.code != ErrorCode::kInternal) {
    why.remove_prefix(colon + 2);
  }
  return Fail(error.code, error.hint, "{}: {}", act, why);
}

Result<void> MakeQueueTables(Database& db) {
  TRY(db.Execute(kSchema));
  TRY_ASSIGN(const bool is_old, IsNone(db, kHasAgain));
  if (is_old) TRY(db.Execute(kAddAgain));
  TRY_ASSIGN(const bool none_waits, IsNone(db, "SELECT EXISTS(SELECT 1 FROM queue_ready)"));
  return none_waits ? db.Execute(kDropIdIndex) : Result<void>{};
}

Result<void> MakeQueueIdIndex(Database& db) {
  return db.Execute(kMakeIdIndex);
}

Result<void> QueueStatements::Prepare(Database& db) {
  const auto prepare = [&](Statement& statement, std::string_view sql) -> Result<void> {
    TRY_ASSIGN(statement, db.Prepare(sql));
    return {};
  };
  TRY(prepare(load_counters, "SELECT key, value FROM queue_counter"));
  TRY(prepare(store_counter, "INSERT OR REPLACE INTO queue_counter(key, value) VALUES (?1, ?2)"));
  TRY(prepare(insert_row, InsertSql(1)));
  TRY(prepare(new_batch, kNewBatch));
  TRY(prepare(end_batch, "DELETE FROM queue_batch WHERE batch=?1 AND messages<=?2"));
  TRY(prepare(leave_batch, "UPDATE queue_batch SET messages=messages-?2 WHERE batch=?1"));
  TRY(prepare(due_by_type, "SELECT type, count(*) FROM queue_lease WHERE visible_at<=?1 GROUP BY type"));
  TRY(prepare(surface, kSurface));
  TRY(prepare(drop_due, "DELETE FROM queue_lease WHERE visible_at<=?1"));
  TRY(prepare(drop_taken, "DELETE FROM queue_ready WHERE type=?1 AND (rank, id)<=(?2, ?3)"));
  TRY(prepare(lease, kLease));
  TRY(prepare(find_lease, kFindLease));
  TRY(prepare(drop_lease, "DELETE FROM queue_lease WHERE receipt=?1"));
  TRY(prepare(release, kRelease));
  TRY(prepare(extend, kExtend));
  TRY(prepare(leases, "SELECT type, id, receipt FROM queue_lease"));
  TRY(prepare(merge_lease, kMergeLease));
  TRY(prepare(find_ready, "SELECT rank FROM queue_ready WHERE type=?1 AND id=?2"));
  TRY(prepare(raise, "UPDATE queue_ready SET rank=?4 WHERE type=?1 AND rank=?2 AND id=?3"));
  TRY(prepare(add_dead, kAddDead));
  TRY(prepare(dead_by_type, kDeadByType));
  TRY(prepare(redrive, kRedrive));
  TRY(prepare(drop_redriven,
              "DELETE FROM queue_dead WHERE (?1 IS NULL OR type=?1) AND (died_at<?2 OR died_at>?3)"));
  TRY(prepare(purge_dead, "DELETE FROM queue_dead WHERE ?1 IS NULL OR type=?1"));
  return {};
}

Result<Statement*> QueueStatements::InsertRows(Database& db) {
  if (!insert_rows_) {
    TRY_ASSIGN(insert_rows_, db.Prepare(InsertSql(kRowsPerInsert)));
  }
  return &*insert_rows_;
}

Result<Statement*> QueueStatements::Head(Database& db, std::size_t type) {
  if (!heads_[type]) {
    TRY_ASSIGN(heads_[type],
               db.Prepare("SELECT rank, id, batch, receives FROM queue_ready WHERE type=?1 ORDER BY rank, id"));
  }
  return &*heads_[type];
}

}  // namespace tmdbc
