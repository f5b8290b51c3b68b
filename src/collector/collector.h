// SPDX-License-Identifier: MIT
// Collector: receive -> fetch -> store -> settle, in one loop in one thread. It starts as many requests as the limiter and
// the transport's room allow, waits for the next outcome, settles it by the disposition table, and commits in
// groups. A message is acknowledged in the same transaction that makes its record durable.
// Sources: DESIGN sections 6 and 7, TMDB.md sections 2 and 6.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/rate_limiter.h"
#include "base/stop.h"
#include "http/http.h"
#include "queue/id_queue.h"
#include "storage/record_store.h"
#include "tmdb/detail_fetch.h"

namespace tmdbc {

struct CollectorOptions {
  int concurrency = 5;           // fetches under way; the transport caps the connections at 20 whatever this says
  int max_tries = 5;             // of one request, not counting 429s and outages
  Duration give_up_unanswered = std::chrono::seconds(12);  // nothing ever answered since the start: exit code 3
  Duration give_up_outage = std::chrono::minutes(10);      // nothing useful for this long: stop, exit code 3
  Duration stop_grace = std::chrono::milliseconds(3500);   // after a stop request, for what is in flight
};

// Counters since the collector was made. For progress, summary, metrics.
struct CollectorStats {
  std::int64_t requests = 0;        // sent to TMDB
  std::int64_t throttled = 0;       // 429s among the answers
  std::int64_t retries = 0;
  std::int64_t bytes_received = 0;
  std::int64_t settled = 0;         // messages acknowledged durably
  std::int64_t gone = 0;            // of these: 404
  std::int64_t dead = 0;            // dead-lettered
  std::map<std::string, std::int64_t> errors;  // by class: "http 503", "timeout", "truncated"...
  std::array<std::int64_t, 7> changes{};       // records by Change (index = enum value), as committed
  std::map<MediaType, std::int64_t> records;   // written, by type
};

// Why Drain() ended.
enum class DrainEnd : std::uint8_t {
  kDrained,      // nothing waiting, delayed or in flight
  kStopped,      // the stop flag
  kDenied,       // 401 code 7 or 10...: the key is no good
  kUnreachable,  // never answered, or an outage that did not end
  kStoreFailed,  // the store cannot be written and it is not for want of room
};

struct DrainResult {
  DrainEnd end = DrainEnd::kDrained;
  std::string reason;  // for a person, unless drained or stopped
};

class Collector {
 public:
  // All references outlive the collector. `on_progress` (may be empty) is called from the loop at least once a second while
  // Drain() runs. `on_commit` (may be empty) runs inside each commit's transaction.
  Collector(const Clock& clock, http::HttpTransport& transport, IdQueue& queue, RecordStore& store, RateLimiter& limiter,
            Log& log, std::mt19937_64& random, ApiAccess access, Namespaces namespaces, CollectorOptions options);

  std::function<void(const CollectorStats&)> on_progress;
  std::function<Result<void>(const CollectorStats&)> on_commit;

  // Works until the queue is empty, delayed retries included. Everything in flight is settled or released when it returns.
  DrainResult Drain(const StopFlag& stop);

  const CollectorStats& stats() const { return stats_; }

 private:
  CollectorStats stats_;
};

}  // namespace tmdbc
