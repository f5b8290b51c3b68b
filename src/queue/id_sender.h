// SPDX-License-Identifier: MIT
// IdSender: the port through which ids that need a fetch enter the queue. The harvester sends; a collector
// takes them out through IdReceiver.
//
// What Send() has returned is durable, where the queue is: it survives a crash and a power cut.
// One thread. Errors: kNoSpace, kIo, kCorrupt; each names the act, and the call has then changed nothing.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct QueueItem {
  MediaId id;
  float popularity = 0;  // finite, >= 0; a queue that orders its messages gives the highest first
};

class IdSender {
 public:
  virtual ~IdSender() = default;

  // All of them or none. Returns how many new messages that made: a queue that merges (queue_desk.h) does not
  // count an id that was in it already.
  virtual Result<std::int64_t> Send(std::span<const QueueItem> items) = 0;
};

}  // namespace tmdbc
