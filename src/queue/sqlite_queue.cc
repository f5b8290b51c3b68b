// SPDX-License-Identifier: MIT
#include "queue/sqlite_queue.h"

#include <algorithm>
#include <limits>
#include <roaring/roaring64map.hh>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "queue/queue_rank.h"

namespace tmdbc {

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

// The ids of every message, dead ones included.
class SqliteIdQueue::Members {
 public:
  // False when it was there already.
  bool Add(MediaId id) { return sets_[Place(id)].addChecked(std::uint64_t(id.id)); }
  void Remove(MediaId id) { sets_[Place(id)].remove(std::uint64_t(id.id)); }

 private:
  static std::size_t Place(MediaId id) { return std::size_t(id.type) % kQueueTypes; }
  std::array<Roaring64Map, kQueueTypes> sets_;
};

SqliteIdQueue::SqliteIdQueue(Database& db, const Clock& clock, QueueOptions options)
    : db_(db), clock_(clock), options_(options), view_(db, clock, options) {}

SqliteIdQueue::~SqliteIdQueue() = default;

Result<std::unique_ptr<SqliteIdQueue>> SqliteIdQueue::Open(Database& db, const Clock& clock,
                                                           QueueOptions options) {
  std::unique_ptr<SqliteIdQueue> queue(new SqliteIdQueue(db, clock, options));
  const auto open = [&]() -> Result<void> {
    TRY(MakeQueueTables(db));
    // What was in flight is nobody's now, unless others hold it. What is delayed beyond any delay was written
    // under a wall clock that ran ahead.
    const Time now = queue->view_.Tick();
    TRY_ASSIGN(Statement free,
               db.Prepare("UPDATE queue_lease SET held=0, visible_at=?1 WHERE (held=1 AND ?3) OR visible_at>?2"));
    TRY(free.Bind(QueueTime(now), QueueTime(now + options.longest_hidden), options.free_on_open).Run());
    return queue->statements_.Prepare(db);
  };
  if (auto opened = db.Transact(open); !opened) return QueueError("open the id queue", opened.error());
  return queue;
}

// --- transactions ---

std::int64_t SqliteIdQueue::NewTicket() {
  counters_[kTicketKey] = ++last_ticket_;
  return last_ticket_;
}

Result<void> SqliteIdQueue::Transact(const std::function<Result<void>()>& work) {
  return db_.Transact([&]() -> Result<void> {
    counters_ = {};
    Statement& load = statements_.load_counters.Bind();
    for (;;) {
      TRY_ASSIGN(const bool row, load.Step());
      if (!row) break;
      const auto key = std::size_t(load.Int(0));
      if (key >= kQueueTypes) return Fail(ErrorCode::kCorrupt, "queue_counter: unknown key {}", key);
      counters_[key] = load.Int(1);
    }
    last_ticket_ = std::max(last_ticket_, counters_[kTicketKey]);
    if (members_ticket_ != counters_[kTicketKey]) members_.reset();
    const Counters before = counters_;
    TRY(work());
    for (std::size_t key = 0; key < kQueueTypes; ++key) {
      if (counters_[key] != before[key]) TRY(statements_.store_counter.Bind(key, counters_[key]).Run());
    }
    members_ticket_ = counters_[kTicketKey];
    return {};
  });
}

Result<void> SqliteIdQueue::Change(std::string_view act, Sync sync,
                                   const std::function<Result<void>()>& work) {
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
    return QueueError(act, done.error());
  }
  return {};
}

// --- batches ---

Result<std::int64_t> SqliteIdQueue::NewBatch(std::int64_t messages) {
  Statement& insert = statements_.new_batch.Bind(QueueTime(clock_.Now()), messages);
  TRY_ASSIGN(const bool row, insert.Step());
  if (!row) return Fail(ErrorCode::kInternal, "queue_batch: no number given");
  const std::int64_t batch = insert.Int(0);
  TRY(insert.Step());  // to its end: only then is the row written for good
  return batch;
}

Result<void> SqliteIdQueue::LeaveBatches(const std::map<std::int64_t, std::int64_t>& messages) {
  for (const auto& [batch, count] : messages) {
    TRY(statements_.end_batch.Bind(batch, count).Run());
    if (db_.Changes() == 0) TRY(statements_.leave_batch.Bind(batch, count).Run());
  }
  return {};
}

// --- send ---

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
    Statement* insert = &statements_.insert_row;
    if (many) {
      TRY_ASSIGN(insert, statements_.InsertRows(db_));
    }
    const std::size_t rows = many ? kRowsPerInsert : 1;
    insert->Bind(type, batch);
    int index = 2;
    for (const Fresh& row : sorted.first(rows)) {
      insert->BindAt(++index, std::int64_t(row.rank));
      insert->BindAt(++index, row.id);
    }
    TRY(insert->Run());
    sorted = sorted.subspan(rows);
  }
  return {};
}

Result<void> SqliteIdQueue::Merge(std::vector<Fresh> met) {
  if (met.empty()) return {};
  TRY(MergeLeased(met));
  // By id, for the look-ups then go along the index and find its pages at hand; of a repeated id the most
  // popular first.
  std::ranges::sort(met, std::less(), [](const Fresh& row) { return std::tuple(row.type, row.id, row.rank); });
  const auto same = [](const Fresh& a, const Fresh& b) { return a.type == b.type && a.id == b.id; };
  met.erase(std::unique(met.begin(), met.end(), same), met.end());
  return Raise(met);
}

// What is in flight or delayed; it leaves `met`. That is never much; what waits may be millions.
Result<void> SqliteIdQueue::MergeLeased(std::vector<Fresh>& met) {
  std::unordered_map<MediaId, Receipt> leased;
  Statement& leases = statements_.leases.Bind();
  for (;;) {
    TRY_ASSIGN(const bool row, leases.Step());
    if (!row) break;
    leased.emplace(MediaId{MediaType(leases.Int(0)), leases.Int(1)}, Receipt(leases.Int(2)));
  }
  if (leased.empty()) return {};
  const Time now = view_.Tick();
  std::vector<Fresh> others;
  for (const Fresh& row : met) {
    const auto lease = leased.find({row.type, row.id});
    if (lease == leased.end()) {
      others.push_back(row);
    } else {
      TRY(statements_.merge_lease.Bind(lease->second, std::int64_t(row.rank), QueueTime(now)).Run());
    }
  }
  met = std::move(others);
  return {};
}

// What waits with a lower popularity takes the place of the higher one. A dead letter waits nowhere.
Result<void> SqliteIdQueue::Raise(std::span<const Fresh> met) {
  if (met.empty()) return {};
  TRY(MakeQueueIdIndex(db_));
  struct Move {
    Fresh to;
    std::int64_t rank;
  };
  std::vector<Move> moves;
  for (const Fresh& row : met) {
    Statement& find = statements_.find_ready.Bind(row.type, row.id);
    TRY_ASSIGN(const bool waits, find.Step());
    if (waits && std::int64_t(row.rank) < find.Int(0)) moves.push_back({row, find.Int(0)});
    find.Reset();
  }
  std::ranges::sort(moves, std::less(), &Move::to);
  for (const Move& move : moves) {
    TRY(statements_.raise.Bind(move.to.type, move.rank, move.to.id, std::int64_t(move.to.rank)).Run());
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
    if (rows.empty()) return Merge(std::move(met));
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
    return Merge(std::move(met));
  };
  TRY(Change(fmt::format("send {} ids to the queue", items.size()), Sync::kDurable, work));
  return added;
}

// --- receive and settle ---

// Moves what is due from queue_lease back to queue_ready, to its place in the order.
Result<void> SqliteIdQueue::Surface(Time now) {
  Statement& due = statements_.due_by_type.Bind(QueueTime(now));
  bool any = false;
  for (;;) {
    TRY_ASSIGN(const bool row, due.Step());
    if (!row) break;
    any = true;
    counters_[std::size_t(due.Int(0)) % kQueueTypes] += due.Int(1);
  }
  if (!any) return {};
  TRY(statements_.surface.Bind(QueueTime(now)).Run());
  return statements_.drop_due.Bind(QueueTime(now)).Run();
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
  for (std::size_t type = 1; type < kQueueTypes; ++type) {
    if (counters_[type] == 0) continue;
    TRY_ASSIGN(Statement* const head, statements_.Head(db_, type));
    walks.push_back({&head->Bind(type), {.type = MediaType(type)}});
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
    TRY(statements_.drop_taken.Bind(walk.last.type, walk.last.rank, walk.last.id).Run());
    if (db_.Changes() != walk.taken) {
      return Fail(ErrorCode::kCorrupt, "queue_ready: {} rows read, {} found again", walk.taken,
                  db_.Changes());
    }
    counters_[std::size_t(walk.last.type)] -= walk.taken;
  }
  return rows;
}

Result<void> SqliteIdQueue::AddDead(const Row& row, std::string_view reason) {
  return statements_.add_dead
      .Bind(NewTicket(), row.type, row.rank, row.id, row.receives, QueueTime(clock_.Now()), reason)
      .Run();
}

Result<std::vector<Message>> SqliteIdQueue::Receive(int max, std::chrono::seconds visibility) {
  std::vector<Message> messages;
  const auto work = [&]() -> Result<void> {
    const Time now = view_.Tick();
    TRY(Surface(now));
    TRY_ASSIGN(const std::vector<Row> rows, TakeReady(max));
    std::map<std::int64_t, std::int64_t> left;  // messages by batch
    for (const Row& row : rows) {
      if (row.receives >= options_.max_receives) {
        TRY(AddDead(row, fmt::format("received {} times and never settled", row.receives)));
        ++left[row.batch];
        continue;
      }
      const std::int64_t receipt = NewTicket();
      const int receives = row.receives + 1;
      TRY(statements_.lease
              .Bind(receipt, row.type, row.rank, row.id, row.batch, receives,
                    QueueTime(now + options_.Bounded(visibility)))
              .Run());
      messages.push_back({{row.type, row.id}, PopularityOfRank(row.rank), receives, Receipt(receipt)});
    }
    return LeaveBatches(left);
  };
  TRY(Change("receive from the queue", Sync::kLazy, work));
  return messages;
}

Result<std::optional<SqliteIdQueue::Row>> SqliteIdQueue::TakeLease(Receipt receipt, Time now) {
  Statement& find = statements_.find_lease.Bind(receipt, QueueTime(now));
  TRY_ASSIGN(const bool found, find.Step());
  if (!found) return std::nullopt;
  const Row row{MediaType(find.Int(0)), find.Int(1),     find.Int(2), find.Int(3),
                int(find.Int(4)),       find.Int(5) != 0};
  find.Reset();
  TRY(statements_.drop_lease.Bind(receipt).Run());
  return row;
}

Result<void> SqliteIdQueue::Settle(std::span<const Receipt> receipts) {
  return Change(fmt::format("settle {} messages of the queue", receipts.size()), Sync::kDurable,
                [&]() -> Result<void> {
                  const Time now = view_.Tick();
                  std::map<std::int64_t, std::int64_t> left;
                  for (const Receipt receipt : receipts) {
                    TRY_ASSIGN(const std::optional<Row> row, TakeLease(receipt, now));
                    if (!row) continue;
                    if (row->again) {
                      ++counters_[std::size_t(row->type)];
                      TRY(statements_.insert_row.Bind(row->type, row->batch, row->rank, row->id).Run());
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
        const Time now = view_.Tick();
        for (const Receipt receipt : receipts) {
          TRY(statements_.release.Bind(receipt, QueueTime(now), QueueTime(now + options_.Bounded(delay)), int(uncount))
                  .Run());
        }
        return {};
      });
}

Result<void> SqliteIdQueue::Extend(std::span<const Receipt> receipts, std::chrono::seconds visibility) {
  return Change(
      fmt::format("extend {} messages of the queue", receipts.size()), Sync::kLazy, [&]() -> Result<void> {
        const Time now = view_.Tick();
        for (const Receipt receipt : receipts) {
          TRY(statements_.extend.Bind(receipt, QueueTime(now), QueueTime(now + options_.Bounded(visibility))).Run());
        }
        return {};
      });
}

Result<void> SqliteIdQueue::Bury(Receipt receipt, std::string_view reason) {
  return Change("bury a message of the queue", Sync::kDurable, [&]() -> Result<void> {
    TRY_ASSIGN(const std::optional<Row> row, TakeLease(receipt, view_.Tick()));
    if (!row) return {};
    TRY(AddDead(*row, reason));
    return LeaveBatches({{row->batch, 1}});
  });
}

// --- redrive and purge ---

Result<std::int64_t> SqliteIdQueue::Redrive(std::optional<MediaType> type, Time died_before) {
  std::int64_t redriven = 0;
  const auto before = QueueTime(died_before), now = QueueTime(clock_.Now());
  const auto work = [&]() -> Result<void> {
    Statement& by_type = statements_.dead_by_type.Bind(type, before, now);
    for (;;) {
      TRY_ASSIGN(const bool row, by_type.Step());
      if (!row) break;
      counters_[std::size_t(by_type.Int(0)) % kQueueTypes] += by_type.Int(1);
      redriven += by_type.Int(1);
    }
    if (redriven == 0) return {};
    TRY_ASSIGN(const std::int64_t batch, NewBatch(redriven));
    TRY(statements_.redrive.Bind(type, before, now, batch).Run());
    return statements_.drop_redriven.Bind(type, before, now).Run();
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
    if (dead) return drop_rows(statements_.purge_dead.Bind(type));
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

}  // namespace tmdbc
