// SPDX-License-Identifier: MIT
// IdQueue: the durable queue of ids still to be fetched; the contract is SQS's (at least once, visibility timeout, receive
// count, dead letters, delay, purge, redrive). One message per (type, id): a second send of an id that is waiting, delayed, in
// flight or dead merges with the first. Highest popularity first, ids of equal popularity in ascending order.
// What a call changed is durable when it returns. One thread. Errors: kNoSpace, kIo, kCorrupt; each names the act.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct QueueItem {
  MediaId id;
  float popularity = 0;  // finite, >= 0
};

using Receipt = std::uint64_t;

struct Message {
  MediaId id;
  float popularity = 0;
  int receive_count = 0;  // this receive included
  Receipt receipt = 0;    // names this receive: void once the message became visible again
};

struct DeadLetter {
  MediaId id;
  float popularity = 0;
  int receive_count = 0;
  std::string reason;  // "get tv:1399: HTTP 503 after 5 tries"
  Time died{};
};

struct QueueCounts {
  std::int64_t waiting = 0;    // could be received now
  std::int64_t delayed = 0;    // becomes visible later
  std::int64_t in_flight = 0;  // received, not settled
  std::int64_t dead = 0;
};

class IdQueue {
 public:
  virtual ~IdQueue() = default;

  // All of them or none. Returns how many were not in the queue yet.
  virtual Result<std::int64_t> Send(std::span<const QueueItem> items) = 0;

  // Up to `max` messages, hidden from others for `visibility`; each receive raises the message's count. A message that was
  // received more than max_receives times without being settled goes to the dead letters instead.
  virtual Result<std::vector<Message>> Receive(int max, std::chrono::seconds visibility) = 0;

  // Settled: gone from the queue. An unknown or void receipt is ignored (the message may be fetched again: at least once).
  virtual Result<void> Delete(std::span<const Receipt> receipts) = 0;

  // Visible again after `delay`. With `uncount` the receive is not counted: waiting for the rate limit, an outage or a stop
  // is not the message's fault.
  virtual Result<void> Release(std::span<const Receipt> receipts, Duration delay, bool uncount) = 0;

  // Hidden for `visibility` from now on (heartbeat).
  virtual Result<void> Extend(std::span<const Receipt> receipts, std::chrono::seconds visibility) = 0;

  virtual Result<void> Bury(Receipt receipt, std::string_view reason) = 0;

  // Newest first. All types when `type` is empty.
  virtual Result<std::vector<DeadLetter>> DeadLetters(std::optional<MediaType> type, int max) = 0;
  // What would be received next, in that order, without receiving it.
  virtual Result<std::vector<QueueItem>> Peek(std::optional<MediaType> type, int max) = 0;
  // Dead letters wait again, with a receive count of 0. Returns how many.
  virtual Result<std::int64_t> Redrive(std::optional<MediaType> type) = 0;
  // Forgets every message that is not dead, or (dead = true) every dead one. Returns how many.
  virtual Result<std::int64_t> Purge(std::optional<MediaType> type, bool dead) = 0;

  virtual Result<std::map<MediaType, QueueCounts>> Counts() = 0;
  // When the next delayed or hidden message becomes visible; empty when there is none. Wall time.
  virtual Result<std::optional<Time>> NextVisible() = 0;
  // When the message that has been in the queue longest was sent; empty when the queue is empty.
  virtual Result<std::optional<Time>> OldestSent() = 0;
};

}  // namespace tmdbc
