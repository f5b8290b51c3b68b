// SPDX-License-Identifier: MIT
// Collector: receive -> fetch -> store -> settle, in one loop in one thread. It starts as many requests as
// the limiter and the transport's room allow, waits for the next outcome, settles it by the disposition
// table, and commits in groups. A message is acknowledged in the same transaction that makes its record
// durable. Sources: DESIGN sections 6 and 7, TMDB.md sections 2 and 6.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rate_limiter.h"
#include "base/result.h"
#include "base/stop.h"
#include "collector/circuit_breaker.h"
#include "collector/deletion_guard.h"
#include "collector/disposition.h"
#include "collector/retry_budget.h"
#include "http/http.h"
#include "queue/id_queue.h"
#include "storage/record_store.h"
#include "tmdb/detail_fetch.h"

namespace tmdbc {

struct CollectorOptions {
  int concurrency = 5;  // fetches under way; the transport caps the connections at 20 whatever this says
  int max_tries = 5;    // of one request, not counting 429s and outages
  // Nothing ever answered since the start, or nothing that speaks as TMDB does: exit code 3.
  Duration give_up_unanswered = std::chrono::seconds(12);
  Duration give_up_outage = std::chrono::minutes(10);     // nothing useful for this long: stop, exit code 3
  Duration stop_grace = std::chrono::milliseconds(3500);  // after a stop request, for what is in flight
  bool accept_deletions = false;  // however many: a person has agreed (deletion_guard.h)
};

// Counters since the collector was made. For progress, summary, metrics.
struct CollectorStats {
  std::int64_t requests = 0;   // sent to TMDB
  std::int64_t throttled = 0;  // 429s among the answers
  std::int64_t retries = 0;
  std::int64_t bytes_received = 0;
  std::int64_t settled = 0;                    // messages acknowledged durably
  std::int64_t gone = 0;                       // of these: 404
  std::int64_t dead = 0;                       // dead-lettered
  std::map<std::string, std::int64_t> errors;  // by class: "http 503", "timeout", "truncated"...
  std::array<std::int64_t, 7> changes{};       // records by Change (index = enum value), as committed
  std::map<MediaType, std::int64_t> records;   // written, by type
  std::map<std::pair<MediaType, Change>, std::int64_t> changes_by_type;  // the same as `changes`
  // 404s of live records that stay until --accept-deletions, by type: too many went at once. Also in `gone`.
  std::map<MediaType, std::int64_t> held;
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
  // All references outlive the collector. `on_progress` (may be empty) is called from the loop at least once
  // a second while Drain() runs. `on_commit` (may be empty) runs inside each commit's transaction, with the
  // counters as they are once it succeeds.
  Collector(const Clock& clock, http::HttpTransport& transport, IdQueue& queue, RecordStore& store,
            RateLimiter& limiter, Log& log, std::mt19937_64& random, ApiAccess access, Namespaces namespaces,
            CollectorOptions options);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  std::function<void(const CollectorStats&)> on_progress;
  std::function<Result<void>(const CollectorStats&)> on_commit;

  // Works until the queue is empty, delayed retries included. Everything in flight is settled or released
  // when it returns. Seals nothing: that is for who ends the run.
  DrainResult Drain(const StopFlag& stop);

  const CollectorStats& stats() const { return stats_; }

 private:
  // A message that is being worked on. Its parts already fetched stay in `fetch` while others are tried
  // again.
  struct Work {
    Message message;
    DetailFetch fetch;
    int open_calls = 0;    // of its requests: in flight, ready, or waiting to be tried again
    bool settled = false;  // stored, gone or buried: what still comes of its requests is dropped
    bool again = false;    // once its last request has ended it starts anew
  };

  // One request of a message, from its first try until it is answered. Without a message: the question for an
  // id that does not exist, asked to learn whether TMDB answers at all.
  struct Request {
    Work* work = nullptr;
    DetailFetch::NumberedCall call;
    int tries = 0;                        // that count against it
    int failures = 0;                     // all: for the backoff
    int throttles = 0;                    // 429s
    int own_throttles = 0;                // of these, those between which TMDB answered others usefully
    std::int64_t throttled_at_start = 0;  // starts_ when the last 429 came
    bool throttled_last = false;          // what it waits for is no retry
    std::int64_t failed_at_start = 0;     // starts_ when it failed last
    MonoTime due{};                       // while it waits to be tried again
  };

  struct Flight {
    Request request;
    RateLimiter::Ticket ticket;
    std::int64_t start;  // its number
    bool probe;          // sent alone, to learn whether an outage or a storm of 429s is over
    bool cut = false;    // cancelled by us so that another may try
  };

  // What the next commit settles.
  struct Batch {
    std::vector<Receipt> receipts;
    std::vector<std::pair<Receipt, std::string>> buried;
    std::optional<MonoTime> since;
    // What it adds to the counters.
    std::int64_t gone = 0;
    std::array<std::int64_t, 7> changes{};
    std::map<MediaType, std::int64_t> records, held;
    std::map<std::pair<MediaType, Change>, std::int64_t> changes_by_type;
  };

  // --- the loop and its ends: collector.cc
  void GuardDeletions();
  bool CommitDue() const;
  bool BatchEmpty() const { return !batch_.since && !store_.CommitDeadline(); }
  void Commit();
  void Heartbeat();
  void Progress();
  void GiveUpWhenUnreachable();
  void GiveUpWhenNeverAnswered();
  bool Drained();
  MonoTime WakeUpAt();
  void WindDown();
  void ReleaseHeld();
  void End(DrainEnd end, std::string reason);
  // What became of a write to the store or the queue: true when it went well; otherwise the disk is full, and
  // we wait for room, or the run is over.
  bool Written(const Result<void>& result);
  void RoomAgain();

  // --- what goes out: collector_requests.cc
  bool WantsMessages() const;
  void Receive();
  void StartWhatMayGo();
  // The earliest time at which Start() could have something to do; MonoTime::max() when an outcome has to
  // come first.
  MonoTime NextStart();
  std::optional<Request> NextRequest();
  // When the first of those that wait may go. Requires one.
  MonoTime RetryAt();
  // The first request of a received message; its others become ready. Empty when there is nothing to ask for.
  std::optional<Request> Begin(Message message);
  void AddCalls(Work& work);
  void Start(Request request);
  // Trouble: one request at a time, to learn whether it is over.
  bool Probing() const { return breaker_.open() || storm_; }
  // Nothing can be concluded before TMDB has answered something: unless something useful comes within a
  // second, it is asked for an id that does not exist.
  void WantProof();
  Request ProofRequest();

  // --- what comes back: collector_requests.cc
  void Settle(http::Outcome outcome);
  bool IsSuspect(const Request& request) const;
  Observed Observe(Request& request, http::Outcome& outcome);
  void SettleUseful(Flight flight, Verdict verdict);
  void SettleThrottled(Flight flight, const http::Response& response);
  void PauseAll(const http::Response& response);
  void WaitForRetry(Request request, Duration wait);
  void SettleFailed(Flight flight, Verdict verdict, const Observed& observed);
  // True when it is an outage: then the failure is not the id's.
  bool IsOutage(const Flight& flight, const Observed& observed, bool suspect);
  void ForgiveStreak();
  void StoreFetched(Work& work);
  bool StoreDocuments(Work& work);
  void StoreGone(Work& work);
  void HoldDeletion(Work& work);
  // The store could not take what became of it: it is asked for once more, unless that ended the drain.
  void NotStored(Work& work, const Error& error);
  void Bury(Work& work, std::string reason);
  void Acknowledge(Work& work);
  void Settled(Work& work);
  void CallClosed(Work& work);
  void Trouble(const Observed& observed);

  // Constant after construction.
  const Clock& clock_;
  http::HttpTransport& transport_;
  IdQueue& queue_;
  RecordStore& store_;
  RateLimiter& limiter_;
  Log& log_;
  std::mt19937_64& random_;
  const ApiAccess access_;
  const Namespaces namespaces_;
  const CollectorOptions options_;
  const std::size_t most_works_;

  std::unordered_map<MediaId, std::unique_ptr<Work>> works_;
  std::deque<Message> fresh_;     // received, nothing started
  std::deque<Request> ready_;     // may go at once: further calls of what is begun, and after a 429
  std::vector<Request> waiting_;  // to be tried again: a heap, the earliest `due` first
  std::unordered_map<http::RequestId, Flight> flights_;
  Batch batch_;
  CollectorStats stats_;

  CircuitBreaker breaker_;
  RetryBudget budget_;
  bool store_is_empty_ = false;  // of live records, when the drain began
  bool fetched_any_ = false;     // details, since the collector was made
  int unknown_gone_ = 0;         // 404s of ids that are not stored, before that
  DeletionGuard guard_;
  std::set<MediaType> told_held_;  // types of which the log says that deletions are held
  std::int64_t starts_ = 0;        // requests started
  std::int64_t useful_start_ = 0;  // which of them was the last to be answered usefully
  bool key_proven_ = false;
  // Since the collector was made:
  bool answered_ = false;       // by anything
  bool spoken_ = false;         // by what may be TMDB
  bool proof_foreign_ = false;  // the question for a non-existing id was answered as TMDB would not
  MonoTime second_opinion_at_{};
  bool second_opinion_ = false;  // it goes next
  std::optional<MonoTime> first_start_;
  // Then an id that does not exist may be asked for; empty while nobody wants to know, or it is under way.
  std::optional<MonoTime> proof_at_;
  bool storm_ = false;    // the last word was 429: one request at a time until one is answered otherwise
  bool probing_ = false;  // such a one is under way
  int storms_ = 0;        // pauses since the last useful answer
  MonoTime storm_pause_until_{};
  std::optional<MonoTime> trouble_since_;  // the first failure or 429 since the last useful answer
  std::string last_trouble_;               // "HTTP 503"

  bool no_room_ = false;     // the disk is full: nothing starts
  MonoTime try_write_at_{};  // then
  MonoTime receive_at_{};    // the queue had nothing to give: look again then
  MonoTime heartbeat_at_{};
  MonoTime progress_at_{};
  bool winding_down_ = false;  // what is cancelled now was cancelled by us
  std::optional<DrainResult> ending_;
};

}  // namespace tmdbc
