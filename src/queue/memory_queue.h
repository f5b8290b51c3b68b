// SPDX-License-Identifier: MIT
// MemoryIdQueue: the queue in plain containers: IdSender, IdReceiver and QueueDesk as the SQLite queue is,
// only that nothing is durable and no transaction is joined (a Settle() within a commit that fails later is
// not undone). For a collector whose work comes as one message of ids, and as the model that the SQLite queue
// is compared with. A copy is a snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "queue/id_receiver.h"
#include "queue/id_sender.h"
#include "queue/queue_desk.h"

namespace tmdbc {

class MemoryIdQueue final : public IdSender, public IdReceiver, public QueueDesk {
 public:
  explicit MemoryIdQueue(const Clock& clock, QueueOptions options = {}) : clock_(clock), options_(options) {}

  // What a restart of the process does: whatever is in flight is visible at once.
  void FreeLeases();

  Result<std::int64_t> Send(std::span<const QueueItem> items) override;
  Result<std::vector<Message>> Receive(int max, std::chrono::seconds visibility) override;
  Result<void> Settle(std::span<const Receipt> receipts) override;
  Result<void> Release(std::span<const Receipt> receipts, Duration delay, bool uncount) override;
  Result<void> Extend(std::span<const Receipt> receipts, std::chrono::seconds visibility) override;
  Result<void> Bury(Receipt receipt, std::string_view reason) override;
  Result<std::vector<DeadLetter>> DeadLetters(std::optional<MediaType> type, int max) override;
  Result<std::vector<QueueItem>> Peek(std::optional<MediaType> type, int max) override;
  Result<std::int64_t> Redrive(std::optional<MediaType> type, Time died_before) override;
  Result<std::int64_t> Purge(std::optional<MediaType> type, bool dead) override;
  Result<std::map<MediaType, QueueCounts>> Counts() override;
  Result<std::optional<Time>> NextVisible() override;
  Result<std::optional<Time>> OldestSent() override;

 private:
  // The receive order.
  struct Place {
    float popularity;
    MediaId id;
    bool operator<(const Place& other) const {
      return popularity != other.popularity ? popularity > other.popularity : id < other.id;
    }
  };
  struct Facts {
    int receives = 0;
    std::uint64_t sending = 0;  // which Send() it came with; a later one is greater
    Time sent{};
  };
  struct Hidden {
    Place place;
    Facts facts;
    MonoTime visible_at;
    bool held;           // in flight; otherwise delayed
    bool again = false;  // in flight, and sent again since
  };

  // The message in flight under that receipt; end() when the receipt is unknown or void.
  std::map<Receipt, Hidden>::iterator Held(Receipt receipt);
  // An id that is in the queue was sent again; `popularity` is the one that it has there.
  void Merge(const QueueItem& item, float& popularity);
  void AddDead(const Place& place, int receives, std::string_view reason);
  // Moves what is due from hidden_ to waiting_.
  void Surface();

  const Clock& clock_;
  const QueueOptions options_;
  std::map<MediaId, float> popularity_;  // of every id in the three below
  std::map<Place, Facts> waiting_;
  std::map<Receipt, Hidden> hidden_;
  std::vector<DeadLetter> dead_;  // oldest first
  Receipt last_receipt_ = 0;
  std::uint64_t last_sending_ = 0;
};

}  // namespace tmdbc
