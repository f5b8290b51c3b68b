// SPDX-License-Identifier: MIT
#include "queue/sqlite_queue.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <roaring/roaring64map.hh>
#include <unordered_map>

namespace tmdbc {
namespace {

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS queue_ready(
  type INTEGER NOT NULL, rank INTEGER NOT NULL, id INTEGER NOT NULL, batch INTEGER NOT NULL, receives INTEGER NOT NULL,
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

// Of queues made before a message could be sent again while it was in flight.
constexpr char kHasAgain[] = "SELECT count(*) FROM pragma_table_info('queue_lease') WHERE name='again'";
constexpr char kAddAgain[] = "ALTER TABLE queue_lease ADD COLUMN again INTEGER NOT NULL DEFAULT 0";

// Where an id waits, for Merge(). To keep it up makes a harvest of millions several times as expensive: so it
// is made by the first send that meets an id which is in the queue, and dropped by an Open() that finds
// nothing waiting.
constexpr char kMakeIdIndex[] = "CREATE INDEX IF NOT EXISTS queue_ready_id ON queue_ready(type, id)";
constexpr char kDropIdIndex[] = "DROP INDEX IF EXISTS queue_ready_id";

constexpr std::size_t kTicket = 0;

// Measured for 5 million rows: 25 rows an INSERT take 20 % more CPU than 100, 500 rows 25 % more.
constexpr int kRowsPerInsert = 100;

// The bits of a float >= 0, read as an integer, order as the floats do. Rank turns them round: the most
// popular first.
constexpr std::uint32_t kInfinityBits = 0x7f80'0000;

std::uint32_t RankOf(float popularity) {
  // Anything that is no number above 0 (NaN too) counts as 0, so that no float can break the order.
  return kInfinityBits - std::bit_cast<std::uint32_t>(popularity > 0 ? popularity : 0.0F);
}

float PopularityOf(std::int64_t rank) {
  return std::bit_cast<float>(kInfinityBits - std::uint32_t(rank));
}

std::int64_t Micros(Time time) {
  return time.time_since_epoch().count();
}

Duration Bounded(Duration hidden) {
  return std::clamp(hidden, Duration::zero(), IdQueue::kMaxHidden);
}

// SQLite's errors begin with the statement, which here can be kilobytes long and tells a user nothing.
Error Named(std::string_view act, Error error) {
  std::string_view why = error.message;
  if (const auto colon = why.rfind(": "); colon != why.npos && error.code != ErrorCode::kInternal) {
    why.remove_prefix(colon + 2);
  }
  return {error.code, fmt::format("{}: {}", act, why)};
}

// "INSERT INTO queue_ready VALUES (?1,?3,?4,?2,0),(?1,?5,?6,?2,0)...": type, batch, then rank and id of each
// row.
std::string InsertSql(int rows) {
  std::string sql = "INSERT INTO queue_ready(type, rank, id, batch, receives) VALUES ";
  for (int i = 0; i < rows; ++i) {
    sql += fmt::format("{}(?1,?{},?{},?2,0)", i == 0 ? "" : ",", 2 * i + 3, 2 * i + 4);
  }
  return sql;
}

// One SELECT a type, each a walk along the key, and one for what is due in queue_lease: one statement, so one
// snapshot.
std::string PeekSql(std::size_t types) {
  std::string sql;
  for (std::size_t type = 1; type < types; ++type) {
    sql += fmt::format(
        "SELECT * FROM (SELECT type, rank, id FROM queue_ready WHERE type={0} AND (?1 IS NULL OR ?1={0}) AND "
        "receives<?3 "
        "ORDER BY rank, id LIMIT ?2) UNION ALL ",
        type);
  }
  return sql +
         "SELECT * FROM (SELECT type, rank, id FROM queue_lease WHERE visible_at<=?4 AND (?1 IS NULL OR "
         "?1=type) AND "
         "receives<?3 ORDER BY rank, type, id LIMIT ?2) ORDER BY 2, 1, 3 LIMIT ?2";
}

}  // namespace

struct SqliteIdQueue::Row {
  MediaType type{};
  std::int64_t rank = 0;
  std::int64_t id = 0;
  std::int64_t batch = 0;
  int receives = 0;
  bool again = false;  // of one in flight

  bool Before(const Row& other) const {  // the receive order
    if (rank != other.rank) return rank < other.rank;
    return type != other.type ? type < other.type : id < other.id;
  }
};

// 16 bytes, for there may be many.
struct SqliteIdQueue::Fresh {
  std::int64_t id;
  std::uint32_t rank;
  MediaType type;

  bool operator<(const Fresh& other) const {  // the order of queue_ready
    if (type != other.type) return type < other.type;
    return rank != other.rank ? rank < other.rank : id < other.id;
  }
};

struct SqliteIdQueue::Statements {
  Statement load_counters, store_counter;
  Statement insert_rows, insert_row;
  Statement new_batch, end_batch, leave_batch;
  Statement due_by_type, surface, drop_due;
  std::array<Statement, kTypes> heads;  // a walk along queue_ready for each type, open at the same time
  Statement drop_taken;
  Statement lease, find_lease, drop_lease, release, extend;
  Statement leases, merge_lease, find_ready, raise;
  Statement inter, dead_by_type, redrive, drop_redriven, purge_dead;
};

struct SqliteIdQueue::Reads {
  Statement counts, peek, dead, next_visible, oldest;
};

// The ids of every message, dead ones included.
class SqliteIdQueue::Members {
 public:
  // False when it was there already.
  bool Add(MediaId id) { return sets_[Place(id)].addChecked(std::uint64_t(id.id)); }
  void Remove(MediaId id) { sets_[Place(id)].remove(std::uint64_t(id.id)); }

 private:
  static std::size_t Place(MediaId id) { return std::size_t(id.type) % kTypes; }
  std::array<Roaring64Map, kTypes> sets_;
};

SqliteIdQueue::SqliteIdQueue(Database& db, const Clock& clock, QueueOptions options, bool writable)
    : db_(db),
      clock_(clock),
      options_(options),
      writable_(writable),
      opened_wall_(clock.Now()),
      opened_mono_(clock.Mono()) {}

SqliteIdQueue::~SqliteIdQueue() = default;

Result<std::unique_ptr<SqliteIdQueue>> SqliteIdQueue::OpenReadOnly(Database& db, const Clock& clock,
                                                                   QueueOptions options) {
  return std::unique_ptr<SqliteIdQueue>(new SqliteIdQueue(db, clock, options, false));
}

Result<std::unique_ptr<SqliteIdQueue>> SqliteIdQueue::Open(Database& db, const Clock& clock,
                                                           QueueOptions options) {
  std::unique_ptr<SqliteIdQueue> queue(new SqliteIdQueue(db, clock, options, true));
  const auto open = [&]() -> Result<void> {
    TRY(db.Execute(kSchema));
    TRY_ASSIGN(Statement has_again, db.Prepare(kHasAgain));
    TRY(has_again.Step());
    const bool is_old = has_again.Int(0) == 0;
    has_again.Reset();
    if (is_old) TRY(db.Execute(kAddAgain));
    TRY_ASSIGN(Statement ready, db.Prepare("SELECT EXISTS(SELECT 1 FROM queue_ready)"));
    TRY(ready.Step());
    const bool none_waits = ready.Int(0) == 0;
    ready.Reset();
    if (none_waits) TRY(db.Execute(kDropIdIndex));
    // What was in flight is nobody's now. What is delayed beyond any delay was written under a wall clock
    // that ran ahead.
    const Time now = queue->Tick();
    TRY_ASSIGN(Statement free,
               db.Prepare("UPDATE queue_lease SET held=0, visible_at=?1 WHERE held=1 OR visible_at>?2"));
    TRY(free.Bind(Micros(now), Micros(now + kMaxHidden)).Run());

    queue->statements_ = std::make_unique<Statements>();
    Statements& s = *queue->statements_;
    const auto prepare = [&](Statement& statement, std::string_view sql) -> Result<void> {
      TRY_ASSIGN(statement, db.Prepare(sql));
      return {};
    };
    TRY(prepare(s.load_counters, "SELECT key, value FROM queue_counter"));
    TRY(prepare(s.store_counter, "INSERT OR REPLACE INTO queue_counter(key, value) VALUES (?1, ?2)"));
    TRY(prepare(s.insert_rows, InsertSql(kRowsPerInsert)));
    TRY(prepare(s.insert_row, InsertSql(1)));
    // The number of a batch is reused only when no message carries it any more; the lowest is always the
    // oldest.
    TRY(prepare(
        s.new_batch,
        "INSERT INTO queue_batch(batch, sent_at, messages) SELECT coalesce(max(batch), 0) + 1, ?1, ?2 "
        "FROM queue_batch RETURNING batch"));
    TRY(prepare(s.end_batch, "DELETE FROM queue_batch WHERE batch=?1 AND messages<=?2"));
    TRY(prepare(s.leave_batch, "UPDATE queue_batch SET messages=messages-?2 WHERE batch=?1"));
    TRY(prepare(s.due_by_type, "SELECT type, count(*) FROM queue_lease WHERE visible_at<=?1 GROUP BY type"));
    TRY(prepare(
        s.surface,
        "INSERT INTO queue_ready(type, rank, id, batch, receives) SELECT type, rank, id, batch, receives "
        "FROM queue_lease WHERE visible_at<=?1 ORDER BY type, rank, id"));
    TRY(prepare(s.drop_due, "DELETE FROM queue_lease WHERE visible_at<=?1"));
    for (Statement& head : s.heads) {
      TRY(prepare(head, "SELECT rank, id, batch, receives FROM queue_ready WHERE type=?1 ORDER BY rank, id"));
    }
    TRY(prepare(s.drop_taken, "DELETE FROM queue_ready WHERE type=?1 AND (rank, id)<=(?2, ?3)"));
    TRY(prepare(s.lease,
                "INSERT INTO queue_lease(receipt, type, rank, id, batch, receives, visible_at, held) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)"));
    TRY(prepare(s.find_lease,
                "SELECT type, rank, id, batch, receives, again FROM queue_lease WHERE receipt=?1 AND held=1 "
                "AND visible_at>?2"));
    TRY(prepare(s.drop_lease, "DELETE FROM queue_lease WHERE receipt=?1"));
    TRY(prepare(s.release,
                "UPDATE queue_lease SET held=0, visible_at=?3, receives=receives-?4 "
                "WHERE receipt=?1 AND held=1 AND visible_at>?2"));
    TRY(prepare(s.extend,
                "UPDATE queue_lease SET visible_at=?3 WHERE receipt=?1 AND held=1 AND visible_at>?2"));
    TRY(prepare(s.leases, "SELECT type, id, receipt FROM queue_lease"));
    TRY(prepare(
        s.merge_lease,
        "UPDATE queue_lease SET rank=min(rank, ?2), again=(held AND visible_at>?3) WHERE receipt=?1"));
    TRY(prepare(s.find_ready, "SELECT rank FROM queue_ready WHERE type=?1 AND id=?2"));
    TRY(prepare(s.raise, "UPDATE queue_ready SET rank=?4 WHERE type=?1 AND rank=?2 AND id=?3"));
    TRY(prepare(s.inter,
                "INSERT INTO queue_dead(ticket, type, rank, id, receives, died_at, reason) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
    TRY(prepare(
        s.dead_by_type,
        "SELECT type, count(*) FROM queue_dead WHERE (?1 IS NULL OR type=?1) AND died_at<?2 GROUP BY type"));
    TRY(prepare(s.redrive,
                "INSERT INTO queue_ready(type, rank, id, batch, receives) SELECT type, rank, id, ?3, 0 "
                "FROM queue_dead WHERE (?1 IS NULL OR type=?1) AND died_at<?2 ORDER BY type, rank, id"));
    TRY(prepare(s.drop_redriven, "DELETE FROM queue_dead WHERE (?1 IS NULL OR type=?1) AND died_at<?2"));
    TRY(prepare(s.purge_dead, "DELETE FROM queue_dead WHERE ?1 IS NULL OR type=?1"));
    return {};
  };
  if (auto opened = db.Transact(open); !opened) {
    return std::unexpected(Named("open the id queue", std::move(opened).error()));
  }
  return queue;
}

// --- transactions
// ------------------------------------------------------------------------------------------------------

std::int64_t SqliteIdQueue::NewTicket() {
  counters_[kTicket] = ++last_ticket_;
  return last_ticket_;
}

Result<void> SqliteIdQueue::Transact(const std::function<Result<void>()>& work) {
  return db_.Transact([&]() -> Result<void> {
    counters_ = {};
    Statement& load = statements_->load_counters.Bind();
    for (;;) {
      TRY_ASSIGN(const bool row, load.Step());
      if (!row) break;
      const auto key = std::size_t(load.Int(0));
      if (key >= kTypes) return Fail(ErrorCode::kCorrupt, "queue_counter: unknown key {}", key);
      counters_[key] = load.Int(1);
    }
    last_ticket_ = std::max(last_ticket_, counters_[kTicket]);
    if (members_ticket_ != counters_[kTicket]) members_.reset();
    const Counters before = counters_;
    TRY(work());
    for (std::size_t key = 0; key < kTypes; ++key) {
      if (counters_[key] != before[key]) TRY(statements_->store_counter.Bind(key, counters_[key]).Run());
    }
    members_ticket_ = counters_[kTicket];
    return {};
  });
}

Result<void> SqliteIdQueue::Change(std::string_view act, Sync sync,
                                   const std::function<Result<void>()>& work) {
  if (!writable_) return Fail(ErrorCode::kInternal, "{}: the queue is open for reading only", act);
  // In WAL mode NORMAL leaves the fsync to the next durable commit, which makes everything before it durable
  // too.
  const bool lazy = sync == Sync::kLazy && !db_.InTransaction();
  Result<void> done;
  if (lazy) done = db_.Execute("PRAGMA synchronous=NORMAL");
  if (done) done = Transact(work);
  if (lazy) {
    if (auto restored = db_.Execute("PRAGMA synchronous=FULL"); !restored && done) done = restored;
  }
  if (!done) {
    members_.reset();  // it may have met ids that were never queued
    return std::unexpected(Named(act, std::move(done).error()));
  }
  return {};
}

// --- batches
// -----------------------------------------------------------------------------------------------------------

Result<std::int64_t> SqliteIdQueue::NewBatch(std::int64_t messages) {
  Statement& insert = statements_->new_batch.Bind(Micros(clock_.Now()), messages);
  TRY_ASSIGN(const bool row, insert.Step());
  if (!row) return Fail(ErrorCode::kInternal, "queue_batch: no number given");
  const std::int64_t batch = insert.Int(0);
  TRY(insert.Step());  // to its end: only then is the row written for good
  return batch;
}

Result<void> SqliteIdQueue::LeaveBatches(const std::map<std::int64_t, std::int64_t>& messages) {
  for (const auto& [batch, count] : messages) {
    TRY(statements_->end_batch.Bind(batch, count).Run());
    if (db_.Changes() == 0) TRY(statements_->leave_batch.Bind(batch, count).Run());
  }
  return {};
}

// --- send
// --------------------------------------------------------------------------------------------------------------

Result<void> SqliteIdQueue::LoadMembers() {
  auto members = std::make_unique<Members>();
  TRY_ASSIGN(Statement all,
             db_.Prepare("SELECT type, id FROM queue_ready UNION ALL SELECT type, id FROM queue_lease "
                         "UNION ALL SELECT type, id FROM queue_dead"));
  for (;;) {
    TRY_ASSIGN(const bool row, all.Step());
    if (!row) break;
    members->Add({MediaType(all.Int(0)), all.Int(1)});
  }
  members_ = std::move(members);
  return {};
}

// All of one type.
Result<void> SqliteIdQueue::Append(std::span<const Fresh> sorted, std::int64_t batch) {
  const MediaType type = sorted.front().type;
  counters_[std::size_t(type)] += std::int64_t(sorted.size());
  while (!sorted.empty()) {
    const bool many = sorted.size() >= kRowsPerInsert;
    Statement& insert = many ? statements_->insert_rows : statements_->insert_row;
    const std::size_t rows = many ? kRowsPerInsert : 1;
    insert.Bind(type, batch);
    int index = 2;
    for (const Fresh& row : sorted.first(rows)) {
      insert.BindAt(++index, std::int64_t(row.rank));
      insert.BindAt(++index, row.id);
    }
    TRY(insert.Run());
    sorted = sorted.subspan(rows);
  }
  return {};
}

Result<void> SqliteIdQueue::Merge(std::span<const Fresh> met) {
  if (met.empty()) return {};
  const Time now = Tick();
  // What is in flight or delayed is never much; what waits may be millions.
  std::unordered_map<MediaId, Receipt> leased;
  Statement& leases = statements_->leases.Bind();
  for (;;) {
    TRY_ASSIGN(const bool row, leases.Step());
    if (!row) break;
    leased.emplace(MediaId{MediaType(leases.Int(0)), leases.Int(1)}, Receipt(leases.Int(2)));
  }
  TRY(db_.Execute(kMakeIdIndex));
  for (const Fresh& row : met) {
    if (const auto lease = leased.find({row.type, row.id}); lease != leased.end()) {
      TRY(statements_->merge_lease.Bind(lease->second, std::int64_t(row.rank), Micros(now)).Run());
      continue;
    }
    Statement& find = statements_->find_ready.Bind(row.type, row.id);
    TRY_ASSIGN(const bool waits, find.Step());
    const std::int64_t rank = waits ? find.Int(0) : 0;  // a dead one is better than any
    find.Reset();
    if (std::int64_t(row.rank) >= rank) continue;
    TRY(statements_->raise.Bind(row.type, rank, row.id, std::int64_t(row.rank)).Run());
  }
  return {};
}

Result<std::int64_t> SqliteIdQueue::Send(std::span<const QueueItem> items) {
  std::int64_t added = 0;
  const auto work = [&]() -> Result<void> {
    if (!members_) TRY(LoadMembers());
    std::vector<Fresh> rows, met;
    rows.reserve(items.size());
    for (const QueueItem& item : items) {
      (members_->Add(item.id) ? rows : met).push_back({item.id.id, RankOf(item.popularity), item.id.type});
    }
    if (rows.empty()) return Merge(met);
    if (!std::ranges::is_sorted(rows, std::less())) std::ranges::sort(rows, std::less());

    added = std::int64_t(rows.size());
    NewTicket();
    TRY_ASSIGN(const std::int64_t batch, NewBatch(added));
    for (std::span<const Fresh> rest(rows); !rest.empty();) {
      const auto other_type = [&](const Fresh& row) { return row.type != rest.front().type; };
      const auto of_type = rest.first(std::size_t(std::ranges::find_if(rest, other_type) - rest.begin()));
      TRY(Append(of_type, batch));
      rest = rest.subspan(of_type.size());
    }
    return Merge(met);
  };
  TRY(Change(fmt::format("send {} ids to the queue", items.size()), Sync::kDurable, work));
  return added;
}

// --- receive and settle
// ------------------------------------------------------------------------------------------------

// Moves what is due from queue_lease back to queue_ready, to its place in the order.
Result<void> SqliteIdQueue::Surface(Time now) {
  Statement& due = statements_->due_by_type.Bind(Micros(now));
  bool any = false;
  for (;;) {
    TRY_ASSIGN(const bool row, due.Step());
    if (!row) break;
    any = true;
    counters_[std::size_t(due.Int(0)) % kTypes] += due.Int(1);
  }
  if (!any) return {};
  TRY(statements_->surface.Bind(Micros(now)).Run());
  return statements_->drop_due.Bind(Micros(now)).Run();
}

// Takes rows out of queue_ready in the receive order until `max` of them may be received: those that may not
// lie between them. Each type's key is the receive order already, so this merges a few sorted walks.
Result<std::vector<SqliteIdQueue::Row>> SqliteIdQueue::TakeReady(int max) {
  struct Walk {
    Statement* statement;
    Row head;
    Row last{};  // taken
    std::int64_t taken = 0;
  };
  std::vector<Walk> walks;
  const auto advance = [](Walk& walk) -> Result<bool> {
    TRY_ASSIGN(const bool row, walk.statement->Step());
    if (row) {
      Statement& s = *walk.statement;
      walk.head = {walk.head.type, s.Int(0), s.Int(1), s.Int(2), int(s.Int(3))};
    } else {
      walk.head.rank = std::numeric_limits<std::int64_t>::max();
    }
    return row;
  };
  for (std::size_t type = 1; type < kTypes; ++type) {
    if (counters_[type] == 0) continue;
    walks.push_back({&statements_->heads[type].Bind(type), {.type = MediaType(type)}});
    TRY(advance(walks.back()));
  }

  std::vector<Row> rows;
  for (int receivable = 0; receivable < max && !walks.empty();) {
    Walk& next =
        *std::ranges::min_element(walks, [](const Walk& a, const Walk& b) { return a.head.Before(b.head); });
    if (next.head.rank == std::numeric_limits<std::int64_t>::max()) break;
    rows.push_back(next.head);
    next.last = next.head;
    ++next.taken;
    if (next.head.receives < options_.max_receives) ++receivable;
    TRY(advance(next));
  }
  for (Walk& walk : walks) walk.statement->Reset();

  for (const Walk& walk : walks) {
    if (walk.taken == 0) continue;
    TRY(statements_->drop_taken.Bind(walk.last.type, walk.last.rank, walk.last.id).Run());
    if (db_.Changes() != walk.taken) {
      return Fail(ErrorCode::kCorrupt, "queue_ready: {} rows read, {} found again", walk.taken,
                  db_.Changes());
    }
    counters_[std::size_t(walk.last.type)] -= walk.taken;
  }
  return rows;
}

Result<void> SqliteIdQueue::Inter(const Row& row, std::string_view reason) {
  return statements_->inter
      .Bind(NewTicket(), row.type, row.rank, row.id, row.receives, Micros(clock_.Now()), reason)
      .Run();
}

Result<std::vector<Message>> SqliteIdQueue::Receive(int max, std::chrono::seconds visibility) {
  std::vector<Message> messages;
  const auto work = [&]() -> Result<void> {
    const Time now = Tick();
    TRY(Surface(now));
    TRY_ASSIGN(const std::vector<Row> rows, TakeReady(max));
    std::map<std::int64_t, std::int64_t> left;  // messages by batch
    for (const Row& row : rows) {
      if (row.receives >= options_.max_receives) {
        TRY(Inter(row, fmt::format("received {} times and never settled", row.receives)));
        ++left[row.batch];
        continue;
      }
      const std::int64_t receipt = NewTicket();
      const int receives = row.receives + 1;
      TRY(statements_->lease
              .Bind(receipt, row.type, row.rank, row.id, row.batch, receives,
                    Micros(now + Bounded(visibility)))
              .Run());
      messages.push_back({{row.type, row.id}, PopularityOf(row.rank), receives, Receipt(receipt)});
    }
    return LeaveBatches(left);
  };
  TRY(Change("receive from the queue", Sync::kLazy, work));
  return messages;
}

Result<std::optional<SqliteIdQueue::Row>> SqliteIdQueue::TakeLease(Receipt receipt, Time now) {
  Statement& find = statements_->find_lease.Bind(receipt, Micros(now));
  TRY_ASSIGN(const bool found, find.Step());
  if (!found) return std::nullopt;
  const Row row{MediaType(find.Int(0)), find.Int(1),     find.Int(2), find.Int(3),
                int(find.Int(4)),       find.Int(5) != 0};
  find.Reset();
  TRY(statements_->drop_lease.Bind(receipt).Run());
  return row;
}

Result<void> SqliteIdQueue::Delete(std::span<const Receipt> receipts) {
  return Change(fmt::format("delete {} messages from the queue", receipts.size()), Sync::kDurable,
                [&]() -> Result<void> {
                  const Time now = Tick();
                  std::map<std::int64_t, std::int64_t> left;
                  for (const Receipt receipt : receipts) {
                    TRY_ASSIGN(const std::optional<Row> row, TakeLease(receipt, now));
                    if (!row) continue;
                    if (row->again) {
                      ++counters_[std::size_t(row->type)];
                      TRY(statements_->insert_row.Bind(row->type, row->batch, row->rank, row->id).Run());
                      continue;
                    }
                    ++left[row->batch];
                    if (members_) members_->Remove({row->type, row->id});
                  }
                  if (left.empty()) return {};
                  NewTicket();
                  return LeaveBatches(left);
                });
}

Result<void> SqliteIdQueue::Release(std::span<const Receipt> receipts, Duration delay, bool uncount) {
  return Change(
      fmt::format("release {} messages to the queue", receipts.size()), Sync::kDurable,
      [&]() -> Result<void> {
        const Time now = Tick();
        for (const Receipt receipt : receipts) {
          TRY(statements_->release.Bind(receipt, Micros(now), Micros(now + Bounded(delay)), int(uncount))
                  .Run());
        }
        return {};
      });
}

Result<void> SqliteIdQueue::Extend(std::span<const Receipt> receipts, std::chrono::seconds visibility) {
  return Change(
      fmt::format("extend {} messages of the queue", receipts.size()), Sync::kLazy, [&]() -> Result<void> {
        const Time now = Tick();
        for (const Receipt receipt : receipts) {
          TRY(statements_->extend.Bind(receipt, Micros(now), Micros(now + Bounded(visibility))).Run());
        }
        return {};
      });
}

Result<void> SqliteIdQueue::Bury(Receipt receipt, std::string_view reason) {
  return Change("bury a message of the queue", Sync::kDurable, [&]() -> Result<void> {
    TRY_ASSIGN(const std::optional<Row> row, TakeLease(receipt, Tick()));
    if (!row) return {};
    TRY(Inter(*row, reason));
    return LeaveBatches({{row->batch, 1}});
  });
}

// --- redrive and purge
// -------------------------------------------------------------------------------------------------

Result<std::int64_t> SqliteIdQueue::Redrive(std::optional<MediaType> type, Time died_before) {
  std::int64_t redriven = 0;
  const auto work = [&]() -> Result<void> {
    Statement& by_type = statements_->dead_by_type.Bind(type, Micros(died_before));
    for (;;) {
      TRY_ASSIGN(const bool row, by_type.Step());
      if (!row) break;
      counters_[std::size_t(by_type.Int(0)) % kTypes] += by_type.Int(1);
      redriven += by_type.Int(1);
    }
    if (redriven == 0) return {};
    TRY_ASSIGN(const std::int64_t batch, NewBatch(redriven));
    TRY(statements_->redrive.Bind(type, Micros(died_before), batch).Run());
    return statements_->drop_redriven.Bind(type, Micros(died_before)).Run();
  };
  TRY(Change("redrive dead letters", Sync::kDurable, work));
  return redriven;
}

Result<std::int64_t> SqliteIdQueue::Purge(std::optional<MediaType> type, bool dead) {
  std::int64_t purged = 0;
  const auto drop_rows = [&](Statement& drop) -> Result<void> {
    TRY(drop.Run());
    purged += db_.Changes();
    return {};
  };
  const auto work = [&]() -> Result<void> {
    NewTicket();
    members_.reset();
    if (dead) return drop_rows(statements_->purge_dead.Bind(type));
    if (!type) {
      // Without a condition SQLite frees whole pages instead of deleting row by row.
      for (const char* sql : {"DELETE FROM queue_ready", "DELETE FROM queue_lease"}) {
        TRY_ASSIGN(Statement drop, db_.Prepare(sql));
        TRY(drop_rows(drop));
      }
      std::fill(counters_.begin() + 1, counters_.end(), 0);
      return db_.Execute("DELETE FROM queue_batch");
    }
    TRY_ASSIGN(Statement batches, db_.Prepare("SELECT batch FROM queue_ready WHERE type=?1 UNION ALL "
                                              "SELECT batch FROM queue_lease WHERE type=?1"));
    batches.Bind(*type);
    std::map<std::int64_t, std::int64_t> left;
    for (;;) {
      TRY_ASSIGN(const bool row, batches.Step());
      if (!row) break;
      ++left[batches.Int(0)];
    }
    TRY(LeaveBatches(left));
    for (const char* sql :
         {"DELETE FROM queue_ready WHERE type=?1", "DELETE FROM queue_lease WHERE type=?1"}) {
      TRY_ASSIGN(Statement drop, db_.Prepare(sql));
      TRY(drop_rows(drop.Bind(*type)));
    }
    counters_[std::size_t(*type)] = 0;
    return {};
  };
  TRY(Change("purge the queue", Sync::kDurable, work));
  return purged;
}

// --- reading
// -----------------------------------------------------------------------------------------------------------

Result<bool> SqliteIdQueue::PrepareReads() {
  if (reads_) return true;
  TRY_ASSIGN(Statement tables,
             db_.Prepare("SELECT count(*) FROM sqlite_schema WHERE type='table' AND name='queue_counter'"));
  TRY(tables.Step());
  if (tables.Int(0) == 0) return false;
  tables.Reset();
  auto reads = std::make_unique<Reads>();
  TRY_ASSIGN(
      reads->counts,
      db_.Prepare(
          "SELECT 0, key, value FROM queue_counter WHERE key>0 UNION ALL "
          "SELECT iif(visible_at<=?1, 0, 1+held), type, count(*) FROM queue_lease GROUP BY 1, 2 UNION ALL "
          "SELECT 3, type, count(*) FROM queue_dead GROUP BY type"));
  TRY_ASSIGN(reads->peek, db_.Prepare(PeekSql(kTypes)));
  TRY_ASSIGN(reads->dead, db_.Prepare("SELECT type, rank, id, receives, died_at, reason FROM queue_dead "
                                      "WHERE ?1 IS NULL OR type=?1 ORDER BY ticket DESC LIMIT ?2"));
  TRY_ASSIGN(reads->next_visible,
             db_.Prepare("SELECT iif((SELECT sum(value) FROM queue_counter WHERE key>0)>0, 0, "
                         "(SELECT min(visible_at) FROM queue_lease))"));
  TRY_ASSIGN(reads->oldest, db_.Prepare("SELECT sent_at FROM queue_batch ORDER BY batch LIMIT 1"));
  reads_ = std::move(reads);
  return true;
}

Result<std::map<MediaType, QueueCounts>> SqliteIdQueue::Counts() {
  std::map<MediaType, QueueCounts> counts;
  TRY_ASSIGN(const bool tables, PrepareReads());
  if (!tables) return counts;
  Statement& read = reads_->counts.Bind(Micros(Tick()));
  constexpr std::int64_t QueueCounts::* kStates[] = {&QueueCounts::waiting, &QueueCounts::delayed,
                                                     &QueueCounts::in_flight, &QueueCounts::dead};
  for (;;) {
    TRY_ASSIGN(const bool row, read.Step());
    if (!row) break;
    if (read.Int(2) > 0) counts[MediaType(read.Int(1))].*kStates[read.Int(0)] += read.Int(2);
  }
  return counts;
}

Result<std::vector<QueueItem>> SqliteIdQueue::Peek(std::optional<MediaType> type, int max) {
  std::vector<QueueItem> items;
  TRY_ASSIGN(const bool tables, PrepareReads());
  if (!tables) return items;
  Statement& read = reads_->peek.Bind(type, std::max(max, 0), options_.max_receives, Micros(Tick()));
  for (;;) {
    TRY_ASSIGN(const bool row, read.Step());
    if (!row) break;
    items.push_back({{MediaType(read.Int(0)), read.Int(2)}, PopularityOf(read.Int(1))});
  }
  return items;
}

Result<std::vector<DeadLetter>> SqliteIdQueue::DeadLetters(std::optional<MediaType> type, int max) {
  std::vector<DeadLetter> letters;
  TRY_ASSIGN(const bool tables, PrepareReads());
  if (!tables) return letters;
  Statement& read = reads_->dead.Bind(type, std::max(max, 0));
  for (;;) {
    TRY_ASSIGN(const bool row, read.Step());
    if (!row) break;
    letters.push_back({.id = {MediaType(read.Int(0)), read.Int(2)},
                       .popularity = PopularityOf(read.Int(1)),
                       .receive_count = int(read.Int(3)),
                       .reason = std::string(read.Text(5)),
                       .died = Time(Duration(read.Int(4)))});
  }
  return letters;
}

Result<std::optional<Time>> SqliteIdQueue::NextVisible() {
  TRY_ASSIGN(const bool tables, PrepareReads());
  if (!tables) return std::nullopt;
  Statement& read = reads_->next_visible.Bind();
  TRY(read.Step());
  std::optional<Time> next;
  if (!read.IsNull(0)) {
    next = clock_.Now() + std::max(Time(Duration(read.Int(0))) - Tick(), Duration::zero());
  }
  read.Reset();
  return next;
}

Result<std::optional<Time>> SqliteIdQueue::OldestSent() {
  TRY_ASSIGN(const bool tables, PrepareReads());
  if (!tables) return std::nullopt;
  TRY_ASSIGN(const bool row, reads_->oldest.Bind().Step());
  if (!row) return std::nullopt;
  const Time sent{Duration(reads_->oldest.Int(0))};
  reads_->oldest.Reset();
  return sent;
}

}  // namespace tmdbc
