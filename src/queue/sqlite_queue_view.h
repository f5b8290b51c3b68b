// SPDX-License-Identifier: MIT
// SqliteQueueView: the queue in catalog.db for those who only look, `status` beside a running `run` for one.
// Tables that do not exist yet are an empty queue; they are looked for again at each call.
//
// One thread. `db` may be Mode::kReadOnly; another process may write meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/sqlite.h"
#include "queue/id_receiver.h"
#include "queue/queue_desk.h"

namespace tmdbc {

class SqliteQueueView final : public QueueView {
 public:
  // Both references outlive the view.
  SqliteQueueView(Database& db, const Clock& clock, QueueOptions options = {});

  Result<std::map<MediaType, QueueCounts>> Counts() override;
  Result<std::vector<QueueItem>> Peek(std::optional<MediaType> type, int max) override;
  Result<std::vector<DeadLetter>> DeadLetters(std::optional<MediaType> type, int max) override;
  Result<std::optional<Time>> OldestSent() override;
  // As IdReceiver::NextVisible().
  Result<std::optional<Time>> NextVisible();

  // What the times in the tables are compared with: wall time when the view was made, carried on by the
  // monotonic clock.
  Time Tick() const { return opened_wall_ + (clock_.Mono() - opened_mono_); }

 private:
  // The statement of `sql`, prepared by the first call that names it; null while there are no tables to read.
  Result<Statement*> Use(const std::string& sql);

  Database& db_;
  const Clock& clock_;
  const QueueOptions options_;
  const Time opened_wall_;
  const MonoTime opened_mono_;
  std::map<std::string, Statement> statements_;
};

}  // namespace tmdbc
