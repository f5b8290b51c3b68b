// SPDX-License-Identifier: MIT
// SqliteIdQueue: the local queue, in tables of catalog.db (queue_tables.h). It is IdSender, IdReceiver and
// QueueDesk at once, and keeps what each promises. The tables are all there is, but for one set in memory that
// is derived from them, so what a crash leaves is exactly the last committed state.
//
// A call made inside Database::Transact() joins that transaction; when the call fails, that transaction must
// fail too. Whether an id is in the queue is asked of a compressed bitmap (under 2 MB for 5 million ids) that
// the first Send() reads from the tables. An outer transaction may roll back behind our back: therefore
// whatever adds or removes an id also writes a ticket, a number that this process never uses twice, and the
// bitmap is dropped when the ticket in the tables is not the one it was last brought up to. Receipts are
// tickets too, so none ever names two receives.
//
// One thread, and one SqliteIdQueue at a time (the lock on DATA_DIR sees to that); any number of
// SqliteQueueViews beside it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/sqlite.h"
#include "queue/id_receiver.h"
#include "queue/id_sender.h"
#include "queue/queue_desk.h"
#include "queue/queue_tables.h"
#include "queue/sqlite_queue_view.h"

namespace tmdbc {

class SqliteIdQueue final : public IdSender, public IdReceiver, public QueueDesk {
 public:
  // Creates the tables when they are missing and makes what a killed process had received visible. `db` is
  // open for writing; both references outlive the queue.
  static Result<std::unique_ptr<SqliteIdQueue>> Open(Database& db, const Clock& clock,
                                                     QueueOptions options = {});
  ~SqliteIdQueue() override;

  // Sorts `items` itself. A sequence of sends that goes from the most popular to the least is appended; in
  // any other order each send writes all over the table, which for 5 million ids takes about seven times the
  // CPU.
  Result<std::int64_t> Send(std::span<const QueueItem> items) override;

  Result<std::vector<Message>> Receive(int max, std::chrono::seconds visibility) override;
  Result<void> Settle(std::span<const Receipt> receipts) override;
  Result<void> Release(std::span<const Receipt> receipts, Duration delay, bool uncount) override;
  Result<void> Extend(std::span<const Receipt> receipts, std::chrono::seconds visibility) override;
  Result<void> Bury(Receipt receipt, std::string_view reason) override;
  Result<std::optional<Time>> NextVisible() override { return view_.NextVisible(); }

  Result<std::map<MediaType, QueueCounts>> Counts() override { return view_.Counts(); }
  Result<std::vector<QueueItem>> Peek(std::optional<MediaType> type, int max) override {
    return view_.Peek(type, max);
  }
  Result<std::vector<DeadLetter>> DeadLetters(std::optional<MediaType> type, int max) override {
    return view_.DeadLetters(type, max);
  }
  Result<std::optional<Time>> OldestSent() override { return view_.OldestSent(); }
  Result<std::int64_t> Redrive(std::optional<MediaType> type, Time died_before) override;
  Result<std::int64_t> Purge(std::optional<MediaType> type, bool dead) override;

 private:
  using Counters = std::array<std::int64_t, kQueueTypes>;  // rows of queue_ready by type; [0]: the ticket
  struct Row;                                              // of queue_ready
  struct Fresh;                                            // what of a row Send() decides
  class Members;
  enum class Sync : std::uint8_t { kDurable, kLazy };

  SqliteIdQueue(Database& db, const Clock& clock, QueueOptions options);

  // Runs `work` in a transaction, with counters_ as the tables have them, and writes back what it changed of
  // them. An error names `act`.
  Result<void> Change(std::string_view act, Sync sync, const std::function<Result<void>()>& work);
  Result<void> Transact(const std::function<Result<void>()>& work);
  std::int64_t NewTicket();

  Result<std::int64_t> NewBatch(std::int64_t messages);
  Result<void> LeaveBatches(const std::map<std::int64_t, std::int64_t>& messages);

  Result<void> LoadMembers();
  Result<void> Append(std::span<const Fresh> sorted, std::int64_t batch);
  // Of ids that were in the queue before this send: raises them, marks those in flight to go once more.
  Result<void> Merge(std::vector<Fresh> met);
  Result<void> MergeLeased(std::vector<Fresh>& met);
  Result<void> Raise(std::span<const Fresh> met);

  Result<void> Surface(Time now);
  Result<std::vector<Row>> TakeReady(int max);
  Result<void> AddDead(const Row& row, std::string_view reason);
  // The message in flight under `receipt` leaves queue_lease; empty when the receipt is unknown or void.
  Result<std::optional<Row>> TakeLease(Receipt receipt, Time now);

  // Constant after construction.
  Database& db_;
  const Clock& clock_;
  const QueueOptions options_;
  SqliteQueueView view_;
  QueueStatements statements_;

  Counters counters_{};               // good within Change() only
  std::int64_t last_ticket_ = 0;      // the highest seen or given, rolled back ones included
  std::unique_ptr<Members> members_;  // every id in the queue; null: not loaded
  std::int64_t members_ticket_ = 0;   // the ticket of the state that members_ describes
};

}  // namespace tmdbc
