// SPDX-License-Identifier: MIT
// IdReceiver: the port through which a collector takes ids out of the queue. The contract is SQS's: at least
// once, visibility timeout, receive count, delay, dead letters. It promises no order and no merging; what the
// local queue does beyond it stands in queue_desk.h.
//
// A Settle(), Release() or Bury() is durable when it returns. A power cut (not a crash of the process) may
// forget a Receive() or an Extend(): then the message is simply waiting again. A restart makes what was in
// flight visible at once (QueueOptions::free_on_open); its receive count stays, so a message that kills its
// reader ends as a dead letter.
//
// Delays and visibility run on the monotonic clock: setting the wall clock neither hastens nor freezes a
// message. They are cut to QueueOptions::longest_hidden, the longest that a restart under a wrong wall clock can
// hold a message back.
//
// One thread. Errors: kNoSpace, kIo, kCorrupt; each names the act, and the call has then changed nothing.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct QueueOptions {
  int max_receives = 10;  // a message received this often and not settled becomes a dead letter
  // True: the opener knows that nobody holds anything any more. False: what is in flight stays so, and its
  // receipts stay good.
  bool free_on_open = true;
  // What a message is hidden for, or delayed by, when somebody asks for longer.
  Duration longest_hidden = std::chrono::hours(1);

  Duration Bounded(Duration hidden) const { return std::clamp(hidden, Duration::zero(), longest_hidden); }
};

using Receipt = std::uint64_t;

struct Message {
  MediaId id;
  float popularity = 0;
  int receive_count = 0;  // this receive included
  Receipt receipt = 0;    // names this receive: void once the message became visible again
};

class IdReceiver {
 public:
  virtual ~IdReceiver() = default;

  // Up to `max` messages, hidden from others for `visibility`; each receive raises the message's count. A
  // message whose turn it is after max_receives receives without being settled becomes a dead letter instead.
  virtual Result<std::vector<Message>> Receive(int max, std::chrono::seconds visibility) = 0;

  // The work is done: gone from the queue (or, sent again meanwhile, waiting once more). An unknown or void
  // receipt is ignored, because the message may be fetched again: at least once. So do the next three.
  virtual Result<void> Settle(std::span<const Receipt> receipts) = 0;

  // Visible again after `delay`. With `uncount` the receive is not counted: waiting for the rate limit, an
  // outage or a stop is not the message's fault.
  virtual Result<void> Release(std::span<const Receipt> receipts, Duration delay, bool uncount) = 0;

  // Hidden for `visibility` from now on (heartbeat).
  virtual Result<void> Extend(std::span<const Receipt> receipts, std::chrono::seconds visibility) = 0;

  // To the dead letters. `reason` is for a person: "get tv:1399: HTTP 503 after 5 tries".
  virtual Result<void> Bury(Receipt receipt, std::string_view reason) = 0;

  // When the next Receive() may find something: now while a message waits, else when the next delayed or
  // hidden one becomes visible; empty when there is neither. Wall time.
  virtual Result<std::optional<Time>> NextVisible() = 0;
};

}  // namespace tmdbc
