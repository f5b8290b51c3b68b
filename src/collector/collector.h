// SPDX-License-Identifier: MIT
// Collector: receive -> fetch -> hand in -> settle, in one loop in one thread. It starts as many requests as
// the rate, the connections and the health of the upstream allow, waits for the next outcome, settles it by
// the disposition table, and commits in groups. A message is acknowledged in the same commit that makes its
// records durable, so a kill at any moment loses nothing and repeats only what was not acknowledged. Whose
// fault a failure is: docs/decisions/retries.md.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/stop.h"
#include "collector/disposition.h"
#include "collector/drain_result.h"
#include "collector/retry_budget.h"
#include "collector/upstream_health.h"
#include "http/paced_requester.h"
#include "queue/id_receiver.h"
#include "storage/intake.h"
#include "tmdb/detail_fetch.h"

namespace tmdbc {

struct CollectorOptions {
  int concurrency = 5;  // fetches under way; the transport caps the connections at 20 whatever this says
  int max_tries = 5;    // of one request, not counting 429s and outages
  // Nothing ever answered since the start, or nothing that speaks as TMDB does: the end.
  Duration give_up_unanswered = std::chrono::seconds(12);
  Duration give_up_outage = std::chrono::minutes(10);     // nothing useful for this long: the end
  Duration stop_grace = std::chrono::milliseconds(3500);  // after a stop request, for what is in flight
  SeasonExtras season_extras = {};  // what further requests bring along for a show's seasons
  bool key_proven = false;          // TMDB accepted the key earlier in this process: a refusal may pass
};

inline constexpr std::size_t kChangeKinds = static_cast<std::size_t>(Change::kUnchanged) + 1;

// Counters since the collector was made. For progress, summary, metrics.
struct CollectorStats {
  std::int64_t requests = 0;   // sent to TMDB
  std::int64_t throttled = 0;  // 429s among the answers
  std::int64_t retries = 0;
  std::int64_t bytes_received = 0;
  std::int64_t settled = 0;                          // messages acknowledged durably
  std::int64_t gone = 0;                             // things that TMDB has no more, seasons among them
  std::int64_t dead = 0;                             // messages that became dead letters
  std::map<std::string, std::int64_t> errors;        // by class: "http 503", "timeout", "truncated"...
  std::array<std::int64_t, kChangeKinds> changes{};  // records by Change (index = enum value), as committed
  std::map<MediaType, std::int64_t> records;         // written, by type
  std::map<std::pair<MediaType, Change>, std::int64_t> changes_by_type;  // the same as `changes`
  // Live records that are gone at TMDB and stay until a person agrees, by type: too many went at once. Also
  // in `gone`.
  std::map<MediaType, std::int64_t> held;
};

class Collector {
 public:
  // All references outlive the collector; nobody else waits for the requester while Drain() runs.
  Collector(const Clock& clock, http::PacedRequester& requester, IdReceiver& queue, Intake& intake, Log& log,
            std::mt19937_64& random, ApiAccess access, Namespaces namespaces, const CollectorOptions& options);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // Called from the loop at least once a second while Drain() runs; may be empty.
  std::function<void(const CollectorStats&)> on_progress;
  // Runs inside each commit, with the counters as they are once it succeeds; may be empty.
  std::function<Result<void>(const CollectorStats&)> on_commit;

  // Works until the queue is empty, delayed retries included. Everything in flight is settled or released
  // when it returns. Seals nothing: the end of the run does.
  DrainResult Drain(const StopFlag& stop);

  const CollectorStats& stats() const { return stats_; }
  // Whether TMDB takes names within a season, as its last answers showed (SeasonExtras::nested): for the next
  // collector.
  bool nested_names() const { return season_extras_.nested; }

 private:
  struct Work;

  // What was received is hidden from others for so long, and again with each heartbeat.
  static constexpr std::chrono::seconds kVisibility = std::chrono::minutes(15);

  // Answers are settled together: so many, so many bytes, or those of so long a time.
  static constexpr std::size_t kSettleTogether = 16;
  static constexpr std::uint64_t kMostHeardBytes = 1 << 20;
  static constexpr std::chrono::milliseconds kSettleTogetherWithin{500};

  // One request of a message, from its first try until it is answered. Without a message: a proof, the
  // question for an id that does not exist (UpstreamHealth).
  struct Request {
    Work* work = nullptr;
    DetailFetch::NumberedCall call;
    int tries = 0;                  // that count against it
    int failures = 0;               // all: for the backoff
    std::int64_t failed_at = 0;     // the newest request when it failed last
    int throttles = 0;              // 429s
    int own_throttles = 0;          // of these, those between which TMDB answered others usefully
    std::int64_t throttled_at = 0;  // the newest request when the last 429 came
    bool excused = false;           // what it waits for is not a retry
    bool part = false;              // of a call that was too heavy
    bool broke = false;             // no answer came last time: no connection is to blame for that twice
    MonoTime due{};                 // while it waits to be tried again
  };

  // A message that is being worked on. Its parts already fetched stay in `fetch` while others are tried
  // again.
  struct Work {
    Message message;
    DetailFetch fetch;
    int open_calls = 0;          // of its requests: in flight, ready, waiting to be tried again, or later
    std::vector<Request> later;  // parts of a heavy call that go once one of them was answered
    bool settled = false;        // stored, gone or a dead letter: what still comes of its requests is dropped
    bool again = false;          // once its last request has ended it starts from the beginning
    std::string lacking;         // why what came of it lacks a part; empty when it is whole
  };

  struct Flight {
    Request request;
    UpstreamHealth::Sent sent;
    bool cut = false;  // cancelled by us so that another may try
  };

  // What the next commit settles.
  struct Batch {
    std::vector<Receipt> receipts;
    std::vector<std::pair<Receipt, std::string>> buried;
    std::optional<MonoTime> since;  // when the first answer came of what is settled here
  };

  // --- the loop and its ends: collector.cc ---
  bool CommitDue() const;
  void CommitWhenDue();
  bool BatchEmpty() const { return !batch_.since && !intake_.CommitDeadline(); }
  void Commit();
  CollectorStats StatsWith(const IntakeReport& report) const;
  void Heartbeat();
  void Progress();
  void CheckHealth();
  bool Drained();
  MonoTime WakeUpAt();
  void WindDown();
  void ReleaseHeld();
  void End(DrainResult ending);
  // What became of a write to the store or the queue: true when it went well; otherwise it passes by itself (a
  // full disk, say), and we wait for room, or the run is over.
  bool Written(const Result<void>& result);
  void RoomAgain();

  // --- what goes out: collector_requests.cc ---
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
  Request ProofRequest();

  // --- what comes back: collector_outcomes.cc ---
  // Keeps what can wait for company, and settles all that is kept once that is due.
  void Take(std::vector<http::Outcome> outcomes);
  bool SettleDue() const;
  void SettleHeard();
  void Settle(http::Outcome outcome);
  bool IsSuspect(const Request& request) const;
  Observed Observe(Request& request, http::Outcome& outcome);
  void SettleUseful(const Flight& flight, Disposition disposition);
  void SettleThrottled(Flight flight, const UpstreamHealth::Word& word, const http::Response& response);
  void SettleRefused(Flight flight, const UpstreamHealth::Word& word);
  void SettleFailed(Flight flight, Disposition disposition, const Observed& observed,
                    UpstreamHealth::Word word);
  UpstreamHealth::Turn Hear(const Flight& flight, const UpstreamHealth::Word& word);
  void ForgiveStreak();
  void WaitForRetry(Request request, Duration wait);
  // The call is asked in two parts from now on. False when there is nothing left to part.
  bool AskInParts(const Request& request);
  // A call of the work is answered, or done without.
  void Answered(Work& work);
  void GiveUpOn(Request& request, const Observed& observed);
  void StoreFetched(Work& work);
  void StoreGone(Work& work);
  // The store did not take what became of it: it is asked for once more, unless that ended the drain.
  void NotStored(Work& work, const Error& error);
  void Bury(Work& work, std::string reason);
  void Acknowledge(Work& work);
  void Settled(Work& work);
  void CallClosed(Work& work);

  // Constant after construction.
  const Clock& clock_;
  http::PacedRequester& requester_;
  IdReceiver& queue_;
  Intake& intake_;
  Log& log_;
  std::mt19937_64& random_;
  const ApiAccess access_;
  const Namespaces namespaces_;
  SeasonExtras season_extras_;  // `nested` is learnt
  const CollectorOptions options_;
  const std::size_t most_works_;
  const std::int64_t sent_before_;  // by the requester, when the collector was made

  // What is asked for.
  std::unordered_map<MediaId, std::unique_ptr<Work>> works_;
  std::deque<Message> fresh_;     // received, nothing started
  std::deque<Request> ready_;     // may go at once: further calls of what is begun
  std::vector<Request> waiting_;  // to be tried again: a heap, the earliest `due` first
  std::unordered_map<http::RequestId, Flight> flights_;  // those of `heard_` among them
  std::vector<http::Outcome> heard_;  // answers that wait to be settled together, the oldest first
  std::uint64_t heard_bytes_ = 0;

  // Whether and when to ask.
  UpstreamHealth health_;
  RetryBudget budget_;
  MonoTime receive_at_{};  // the queue had nothing to give: look again then

  // What is to be settled, and what was.
  Batch batch_;
  CollectorStats stats_;
  bool no_room_ = false;     // the disk is full, or another program holds the database: nothing starts
  MonoTime try_write_at_{};  // then

  // The loop.
  MonoTime heartbeat_at_{};
  MonoTime progress_at_{};
  bool winding_down_ = false;  // what is cancelled now was cancelled by us
  std::optional<DrainResult> ending_;
};

}  // namespace tmdbc
