// SPDX-License-Identifier: MIT
// BatchChannel: the port through which batches of ids reach the collectors: an SQS FIFO queue whose message groups are
// the lanes. It may lose, repeat and reorder what it carries: nothing rests on it but speed (docs/decisions/cloud.md).
//
// One thread. Errors: kDenied; else kIo, after the retries that make sense.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "cloud/id_batch.h"

namespace tmdbc {

struct ChannelCounts {
  std::int64_t waiting = 0;
  std::int64_t in_flight = 0;
  std::int64_t dead = 0;  // in the queue of dead letters
};

class BatchChannel {
 public:
  virtual ~BatchChannel() = default;
  // In that order within each lane. After an error some may have been sent: all of them may be sent again.
  virtual Result<void> Send(std::span<const IdBatch> batches) = 0;
  // Approximate, and up to a minute old.
  virtual Result<ChannelCounts> Count() = 0;
};

}  // namespace tmdbc
