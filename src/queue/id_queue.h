// SPDX-License-Identifier: MIT
// IdQueue: the durable queue of ids still to be fetched; the contract is SQS's (at least once, visibility
// timeout, receive count, dead letters, delay, purge, redrive). Highest popularity first, ids of equal
// popularity in ascending order.
//
// One message per (type, id): a second send of an id that is in the queue merges with the first. The higher
// popularity counts, so that what has become urgent does not wait in its old place; its age and its receive
// count stay. An id in flight may have been fetched before what the second send knows of: when its message is
// settled by Delete() it waits once more, with a receive count of 0. A dead letter stays as it is, in its
// grave, until Redrive(): a send does not wake it.
//
// What a call changed is durable when it returns, with one exception: a power cut (not a crash of the
// process) may forget a Receive() or an Extend(), and then the message is simply waiting again. A restart
// makes what was in flight visible at once; its receive count stays, so a message that kills its reader is
// buried in the end.
//
// Delays and visibility run on the monotonic clock: setting the wall clock neither hastens nor freezes a
// message. They are cut to kMaxHidden, the longest that a restart under a wrong wall clock can hold a message
// back.
//
// One thread. Errors: kNoSpace, kIo, kCorrupt; each names the act, and the call has then changed nothing.
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

struct QueueOptions {
  int max_receives = 10;  // a message received this often and not settled is buried instead of received again
};

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
  bool operator==(const QueueCounts&) const = default;
};

class IdQueue {
 public:
  static constexpr Duration kMaxHidden = std::chrono::hours(1);

  virtual ~IdQueue() = default;

  // All of them or none. Returns how many were not in the queue yet. An id that is twice in `items` merges
  // too.
  virtual Result<std::int64_t> Send(std::span<const QueueItem> items) = 0;

  // Up to `max` messages, hidden from others for `visibility`; each receive raises the message's count. A
  // message whose turn it is after max_receives receives without being settled goes to the dead letters
  // instead.
  virtual Result<std::vector<Message>> Receive(int max, std::chrono::seconds visibility) = 0;

  // Settled: gone from the queue (or, sent again meanwhile, waiting once more). An unknown or void receipt is
  // ignored (the message may be fetched again: at least once); so it is by the next three.
  virtual Result<void> Delete(std::span<const Receipt> receipts) = 0;

  // Visible again after `delay`. With `uncount` the receive is not counted: waiting for the rate limit, an
  // outage or a stop is not the message's fault.
  virtual Result<void> Release(std::span<const Receipt> receipts, Duration delay, bool uncount) = 0;

  // Hidden for `visibility` from now on (heartbeat).
  virtual Result<void> Extend(std::span<const Receipt> receipts, std::chrono::seconds visibility) = 0;

  virtual Result<void> Bury(Receipt receipt, std::string_view reason) = 0;

  // Newest first. All types when `type` is empty.
  virtual Result<std::vector<DeadLetter>> DeadLetters(std::optional<MediaType> type, int max) = 0;
  // What would be received next, in that order, without receiving it.
  virtual Result<std::vector<QueueItem>> Peek(std::optional<MediaType> type, int max) = 0;
  // Dead letters that died before then wait again, as if sent now, with a receive count of 0. Returns how
  // many.
  virtual Result<std::int64_t> Redrive(std::optional<MediaType> type, Time died_before) = 0;
  // Forgets every message that is not dead, or (dead = true) every dead one. Returns how many.
  virtual Result<std::int64_t> Purge(std::optional<MediaType> type, bool dead) = 0;

  // Types without any message are left out.
  virtual Result<std::map<MediaType, QueueCounts>> Counts() = 0;
  // When a Receive() has something to look at: now while a message waits, else when the next delayed or
  // hidden one becomes visible; empty when there is none of either. Wall time.
  virtual Result<std::optional<Time>> NextVisible() = 0;
  // When the message that has been in the queue longest was sent (dead ones are not in it); empty when the
  // queue is empty.
  virtual Result<std::optional<Time>> OldestSent() = 0;
};

}  // namespace tmdbc
