// SPDX-License-Identifier: MIT
// The loop, the commits and the ends of a drain. What goes out and what comes back: collector_requests.cc.
#include "collector/collector.h"

#include <algorithm>
#include <utility>

namespace tmdbc {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Whoever waits looks at the stop flag this often.
constexpr Duration kTick = milliseconds(250);
constexpr Duration kProgressEvery = seconds(1);
constexpr Duration kRoomEvery = seconds(3);
// Well within the visibility timeout of 15 minutes (kVisibility in collector_requests.cc).
constexpr seconds kVisibility = minutes(15);
constexpr Duration kHeartbeatEvery = minutes(5);
// Of settlements that the store does not know of: dead letters, shows without a record.
constexpr Duration kSettleWithin = seconds(1);
constexpr Duration kCancelWithin = milliseconds(500);
// Deletions of this time count together (deletion_guard.h).
constexpr Duration kGuardedTime = std::chrono::days(1);

}  // namespace

Collector::Collector(const Clock& clock, http::HttpTransport& transport, IdQueue& queue, RecordStore& store,
                     RateLimiter& limiter, Log& log, std::mt19937_64& random, ApiAccess access,
                     Namespaces namespaces, CollectorOptions options)
    : clock_(clock),
      transport_(transport),
      queue_(queue),
      store_(store),
      limiter_(limiter),
      log_(log),
      random_(random),
      access_(std::move(access)),
      namespaces_(std::move(namespaces)),
      options_(options),
      most_works_(std::max<std::size_t>(64, 4 * static_cast<std::size_t>(options.concurrency))),
      breaker_(clock),
      budget_(clock, limiter.requests_per_second()) {}

DrainResult Collector::Drain(const StopFlag& stop) {
  ending_.reset();
  trouble_since_.reset();
  receive_at_ = progress_at_ = clock_.Mono();
  heartbeat_at_ = clock_.Mono() + kHeartbeatEvery;
  GuardDeletions();
  while (!ending_) {
    if (stop.requested()) {
      End(DrainEnd::kStopped, "");
      break;
    }
    if (WantsMessages()) Receive();
    StartWhatMayGo();
    if (ending_) break;
    if (Drained()) {
      End(DrainEnd::kDrained, "");
      break;
    }
    for (http::Outcome& outcome : transport_.Wait(WakeUpAt())) Settle(std::move(outcome));
    if (CommitDue()) Commit();
    Heartbeat();
    Progress();
    GiveUpWhenUnreachable();
  }
  WindDown();
  return *ending_;
}

void Collector::GuardDeletions() {
  const auto counts = store_.Counts();
  if (!counts) {
    Written(std::unexpected(counts.error()));
    return;
  }
  const auto gone = store_.DeletionsSince(clock_.Now() - kGuardedTime);
  if (!gone) {
    Written(std::unexpected(gone.error()));
    return;
  }
  std::map<MediaType, DeletionGuard::Before> before;
  for (const auto& [type, count] : *counts) {
    const auto deleted = gone->find(type);
    const std::int64_t of_type = deleted == gone->end() ? 0 : deleted->second;
    before[type] = {.live = count.live + of_type, .gone = of_type, .held = count.held};
  }
  store_is_empty_ = std::ranges::all_of(before, [](const auto& type) { return type.second.live == 0; });
  guard_ = DeletionGuard(std::move(before), options_.accept_deletions);
  told_held_.clear();
}

void Collector::End(DrainEnd end, std::string reason) {
  // The first reason stands, but a store that fails while we stop is worth more than the wish to stop.
  if (ending_ && (ending_->end != DrainEnd::kStopped || end != DrainEnd::kStoreFailed)) return;
  ending_ = DrainResult{end, std::move(reason)};
}

// --- waiting
// -----------------------------------------------------------------------------------------------------------------

MonoTime Collector::WakeUpAt() {
  MonoTime at = std::min({clock_.Mono() + kTick, NextStart(), progress_at_});
  if (no_room_) {
    at = std::min(at, std::max(try_write_at_, clock_.Mono()));
  } else {
    if (const auto deadline = store_.CommitDeadline()) at = std::min(at, *deadline);
    if (batch_.since) at = std::min(at, *batch_.since + kSettleWithin);
  }
  if (!no_room_ && works_.empty() && fresh_.empty()) at = std::min(at, receive_at_);
  return at;
}

bool Collector::Drained() {
  if (!works_.empty() || !fresh_.empty()) return false;
  if (no_room_ && clock_.Mono() < try_write_at_) return false;
  if (!no_room_ || BatchEmpty()) {
    Receive();
    if (ending_ || no_room_ || !fresh_.empty()) return false;
  }
  if (!BatchEmpty()) {
    // There is nothing to work on: what waits for company in the batch waits in vain.
    Commit();
    if (ending_ || !BatchEmpty()) return false;
  }
  const auto visible = queue_.NextVisible();
  if (!visible) return Written(std::unexpected(visible.error()));
  if (!*visible) return true;
  receive_at_ = clock_.Mono() + std::clamp<Duration>(**visible - clock_.Now(), milliseconds(10), seconds(1));
  return false;
}

void Collector::Progress() {
  if (clock_.Mono() < progress_at_) return;
  progress_at_ = clock_.Mono() + kProgressEvery;
  if (on_progress) on_progress(stats_);
}

void Collector::GiveUpWhenNeverAnswered() {
  const MonoTime now = clock_.Mono();
  if (!first_start_ || now - *first_start_ < options_.give_up_unanswered / 2) return;
  if (now >= second_opinion_at_) {
    // One request may hang, and one id may be answered strangely.
    second_opinion_at_ = now + options_.give_up_unanswered / 4;
    second_opinion_ = true;
    if (starts_ == 1 && flights_.size() >= static_cast<std::size_t>(options_.concurrency)) {
      flights_.begin()->second.cut = true;
      transport_.Cancel(flights_.begin()->first);
    }
  }
  if (now - *first_start_ < options_.give_up_unanswered) return;
  if (answered_ && proof_foreign_) {
    End(DrainEnd::kUnreachable, fmt::format("{} does not answer as TMDB does ({}): check TMDB_API_BASE_URL",
                                            access_.base_url, last_trouble_));
  } else if (!answered_ && starts_ >= 2) {
    End(DrainEnd::kUnreachable, fmt::format("{} never answered: {}", access_.base_url,
                                            last_trouble_.empty() ? "no answer" : last_trouble_));
  }
}

void Collector::GiveUpWhenUnreachable() {
  if (!spoken_) GiveUpWhenNeverAnswered();
  const MonoTime now = clock_.Mono();
  if (trouble_since_ && Probing() && now - *trouble_since_ >= options_.give_up_outage) {
    End(DrainEnd::kUnreachable,
        fmt::format("{} has answered nothing useful for {} minutes, the last was: {}", access_.base_url,
                    std::chrono::floor<minutes>(now - *trouble_since_).count(), last_trouble_));
  }
}

// --- committing
// --------------------------------------------------------------------------------------------------------------

bool Collector::CommitDue() const {
  if (BatchEmpty()) return false;
  if (no_room_) return clock_.Mono() >= try_write_at_;
  return store_.CommitDue() || (batch_.since && clock_.Mono() - *batch_.since >= kSettleWithin);
}

void Collector::Commit() {
  CollectorStats after = stats_;
  after.settled += static_cast<std::int64_t>(batch_.receipts.size());
  after.dead += static_cast<std::int64_t>(batch_.buried.size());
  after.gone += batch_.gone;
  for (std::size_t i = 0; i < after.changes.size(); ++i) after.changes[i] += batch_.changes[i];
  for (const auto& [type, count] : batch_.records) after.records[type] += count;
  for (const auto& [key, count] : batch_.changes_by_type) after.changes_by_type[key] += count;
  for (const auto& [type, count] : batch_.held) after.held[type] += count;

  const auto committed = store_.Commit([&]() -> Result<void> {
    if (!batch_.receipts.empty()) TRY(queue_.Delete(batch_.receipts));
    for (const auto& [receipt, reason] : batch_.buried) TRY(queue_.Bury(receipt, reason));
    if (on_commit) TRY(on_commit(after));
    return {};
  });
  if (!Written(committed)) return;
  RoomAgain();
  stats_ = std::move(after);
  batch_ = {};
}

bool Collector::Written(const Result<void>& result) {
  if (result) return true;
  if (result.error().code != ErrorCode::kNoSpace) {
    End(DrainEnd::kStoreFailed, result.error().message);
    return false;
  }
  if (!no_room_) {
    log_.Error(
        "the disk is full: free some space, the run then goes on by itself; nothing is acknowledged that is "
        "not stored",
        {{"error", result.error().message}});
  }
  no_room_ = true;
  try_write_at_ = clock_.Mono() + kRoomEvery;
  return false;
}

void Collector::RoomAgain() {
  if (no_room_) log_.Info("there is room again: going on");
  no_room_ = false;
}

void Collector::Heartbeat() {
  const MonoTime now = clock_.Mono();
  if (now < heartbeat_at_) return;
  heartbeat_at_ = now + kHeartbeatEvery;
  std::vector<Receipt> receipts = batch_.receipts;
  for (const auto& [receipt, reason] : batch_.buried) receipts.push_back(receipt);
  for (const auto& [id, work] : works_) receipts.push_back(work->message.receipt);
  for (const Message& message : fresh_) receipts.push_back(message.receipt);
  if (receipts.empty()) return;
  const auto extended = queue_.Extend(receipts, kVisibility);
  if (extended) return;
  // Without room it is tried again soon; nothing else has to wait for it.
  if (extended.error().code == ErrorCode::kNoSpace) {
    heartbeat_at_ = now + kRoomEvery;
  } else {
    Written(extended);
  }
}

// --- ending
// ------------------------------------------------------------------------------------------------------------------

void Collector::WindDown() {
  winding_down_ = true;
  const bool may_finish = ending_->end == DrainEnd::kStopped;
  const MonoTime grace_until = clock_.Mono() + (may_finish ? options_.stop_grace : Duration(0));
  while (!flights_.empty() && clock_.Mono() < grace_until) {
    for (http::Outcome& outcome : transport_.Wait(std::min(grace_until, clock_.Mono() + kTick)))
      Settle(std::move(outcome));
    if (CommitDue()) Commit();
  }
  for (const auto& [id, flight] : flights_) transport_.Cancel(id);
  const MonoTime cancel_until = clock_.Mono() + kCancelWithin;
  while (!flights_.empty() && clock_.Mono() < cancel_until) {
    for (http::Outcome& outcome : transport_.Wait(cancel_until)) Settle(std::move(outcome));
  }
  ReleaseHeld();
  if (!BatchEmpty() && ending_->end != DrainEnd::kStoreFailed) Commit();
  if (batch_.since) {
    log_.Warn("what was fetched last could not be stored: its ids stay in the queue",
              {{"ids", batch_.receipts.size() + batch_.buried.size()}});
    std::vector<Receipt> receipts = std::move(batch_.receipts);
    for (const auto& [receipt, reason] : batch_.buried) receipts.push_back(receipt);
    // Best effort: where this fails too, a restart frees them.
    (void)queue_.Release(receipts, Duration(0), true);
    batch_ = {};
  }
  if (options_.accept_deletions) {
    // Best effort: at worst a person is asked once more.
    (void)store_.AcceptDeletions(clock_.Now());
  }
  breaker_.ProbeAbandoned();
  winding_down_ = storm_ = probing_ = false;
  proof_at_.reset();
  second_opinion_ = false;
  if (on_progress) on_progress(stats_);
}

void Collector::ReleaseHeld() {
  std::vector<Receipt> receipts;
  for (const auto& [id, work] : works_) {
    if (!work->settled || work->again) receipts.push_back(work->message.receipt);
  }
  for (const Message& message : fresh_) receipts.push_back(message.receipt);
  flights_.clear();
  ready_.clear();
  waiting_.clear();
  works_.clear();
  fresh_.clear();
  if (receipts.empty()) return;
  if (const auto released = queue_.Release(receipts, Duration(0), true); !released) {
    log_.Warn("ids in flight could not be given back to the queue: they wait for a restart or 15 minutes",
              {{"ids", receipts.size()}, {"error", released.error().message}});
  }
}

}  // namespace tmdbc
