// SPDX-License-Identifier: MIT
// What a person at the desk can see and do with the local queue, and what the local queue promises beyond
// IdSender and IdReceiver. A queue far away (SQS) has none of it.
//
// - The highest popularity comes first; ids of equal popularity in ascending order.
// - One message per (type, id). A second send of an id that is in the queue merges with the first: the higher
//   popularity counts, so that what has become urgent does not wait in its old place; its age and its receive
//   count stay. An id in flight may have been fetched before what the second send knows of: when its message
//   is settled it waits once more, with a receive count of 0. A dead letter stays dead until Redrive(): a send
//   does not wake it.
//
// What a call changed is durable when it returns. One thread. Errors: kNoSpace, kIo, kCorrupt; each names the
// act, and the call has then changed nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "queue/id_sender.h"
#include "tmdb/media_id.h"

namespace tmdbc {

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

// Looks only. Each call sees one state of the queue.
class QueueView {
 public:
  virtual ~QueueView() = default;

  // A type without any message is left out.
  virtual Result<std::map<MediaType, QueueCounts>> Counts() = 0;
  // What would be received next, in that order. All types when `type` is empty; so in all calls below.
  virtual Result<std::vector<QueueItem>> Peek(std::optional<MediaType> type, int max) = 0;
  // Newest first.
  virtual Result<std::vector<DeadLetter>> DeadLetters(std::optional<MediaType> type, int max) = 0;
  // When the message that has been in the queue longest was sent (dead letters are not in it); empty when the
  // queue is empty.
  virtual Result<std::optional<Time>> OldestSent() = 0;
};

class QueueDesk : public QueueView {
 public:
  // Dead letters that died before then wait again, as if sent now, with a receive count of 0; also those dated in the
  // future, by a clock that ran ahead. Returns how many.
  virtual Result<std::int64_t> Redrive(std::optional<MediaType> type, Time died_before) = 0;
  // Forgets every message that is not dead, or (dead = true) every dead letter. Returns how many.
  virtual Result<std::int64_t> Purge(std::optional<MediaType> type, bool dead) = 0;
};

}  // namespace tmdbc
