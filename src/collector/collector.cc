// SPDX-License-Identifier: MIT
// The loop, the commits and the ends of a drain. What goes out: collector_requests.cc; what comes back:
// collector_outcomes.cc.
#include "collector/collector.h"

#include <algorithm>
#include <utility>

#include "base/waiting.h"

namespace tmdbc {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The stop flag is looked at this often.
constexpr Duration kTick = milliseconds(250);
constexpr Duration kProgressEvery = seconds(1);
constexpr Duration kRoomEvery = seconds(3);
constexpr Duration kHeartbeatEvery = minutes(5);  // well within kVisibility
// From the answer to the commit that settles it, whether the store has something new of it or not.
constexpr Duration kSettleWithin = seconds(1);
constexpr Duration kCancelWithin = milliseconds(500);

}  // namespace

Collector::Collector(const Clock& clock, http::PacedRequester& requester, IdReceiver& queue, Intake& intake,
                     Log& log, std::mt19937_64& random, ApiAccess access, Namespaces namespaces,
                     const CollectorOptions& options)
    : clock_(clock),
      requester_(requester),
      queue_(queue),
      intake_(intake),
      log_(log),
      random_(random),
      access_(std::move(access)),
      namespaces_(std::move(namespaces)),
      season_extras_(options.season_extras),
      options_(options),
      most_works_(std::max<std::size_t>(64, 4 * static_cast<std::size_t>(options.concurrency))),
      sent_before_(requester.sent()),
      health_({.server = access_.base_url,
               .give_up_unanswered = options.give_up_unanswered,
               .give_up_outage = options.give_up_outage,
               .key_proven = options.key_proven}),
      budget_(clock, requester.requests_per_second()) {}

DrainResult Collector::Drain(const StopFlag& stop) {
  ending_.reset();
  health_.Begin();
  receive_at_ = progress_at_ = clock_.Mono();
  heartbeat_at_ = clock_.Mono() + kHeartbeatEvery;
  while (!ending_) {
    if (stop.requested()) {
      End({.end = DrainEnd::kStopped});
      break;
    }
    if (WantsMessages()) Receive();
    StartWhatMayGo();
    if (ending_) break;
    if (Drained()) {
      End({.end = DrainEnd::kDrained});
      break;
    }
    Take(requester_.Wait(WakeUpAt()));
    CommitWhenDue();
    Heartbeat();
    Progress();
    CheckHealth();
  }
  WindDown();
  ending_->answered = health_.answered();
  ending_->key_proven = health_.key_proven();
  return *ending_;
}

void Collector::End(DrainResult ending) {
  // The first reason stands, but a store that fails while we stop is worth more than the wish to stop.
  if (ending_ && (ending_->end != DrainEnd::kStopped || ending.end != DrainEnd::kStoreFailed)) return;
  ending_ = std::move(ending);
}

// --- waiting ---

MonoTime Collector::WakeUpAt() {
  MonoTime at = std::min({clock_.Mono() + kTick, NextStart(), progress_at_});
  if (!heard_.empty()) at = std::min(at, heard_.front().finished + kSettleTogetherWithin);
  if (no_room_) {
    at = std::min(at, std::max(try_write_at_, clock_.Mono()));
  } else {
    if (const auto deadline = intake_.CommitDeadline()) at = std::min(at, *deadline);
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
  stats_.requests = requester_.sent() - sent_before_;
  if (on_progress) on_progress(stats_);
}

void Collector::CheckHealth() {
  const MonoTime now = clock_.Mono();
  if (health_.HangsAlone(now) && flights_.size() >= static_cast<std::size_t>(options_.concurrency)) {
    auto& [id, flight] = *flights_.begin();
    if (!std::exchange(flight.cut, true)) requester_.Cancel(id);
  }
  if (auto ending = health_.GiveUp(now)) End(*std::move(ending));
}

// --- committing ---

bool Collector::CommitDue() const {
  if (BatchEmpty()) return false;
  if (no_room_) return clock_.Mono() >= try_write_at_;
  return intake_.CommitDue() || (batch_.since && clock_.Mono() - *batch_.since >= kSettleWithin);
}

void Collector::CommitWhenDue() {
  if (!CommitDue()) return;
  SettleHeard();  // what came meanwhile goes along
  Commit();
}

void Collector::Commit() {
  CollectorStats after;
  const auto committed = intake_.Commit([&](const IntakeReport& report) -> Result<void> {
    after = StatsWith(report);
    if (!batch_.receipts.empty()) TRY(queue_.Settle(batch_.receipts));
    for (const auto& [receipt, reason] : batch_.buried) TRY(queue_.Bury(receipt, reason));
    if (on_commit) TRY(on_commit(after));
    return {};
  });
  if (!Written(committed)) return;
  RoomAgain();
  for (const auto& [type, count] : after.held) {
    if (!stats_.held.contains(type))
      log_.Warn("more records than usual are gone at TMDB: they are kept until a person agrees",
                {{"type", Name(type)}});
  }
  stats_ = std::move(after);
  batch_ = {};
}

CollectorStats Collector::StatsWith(const IntakeReport& report) const {
  CollectorStats after = stats_;
  after.requests = requester_.sent() - sent_before_;
  after.settled += static_cast<std::int64_t>(batch_.receipts.size());
  after.dead += static_cast<std::int64_t>(batch_.buried.size());
  for (const auto& [key, count] : report.changes) {
    after.changes_by_type[key] += count;
    after.changes[static_cast<std::size_t>(key.second)] += count;
    if (key.second != Change::kUnchanged) after.records[key.first] += count;
  }
  for (const auto& [type, count] : report.gone) after.gone += count;
  for (const auto& [type, count] : report.held) after.held[type] += count;
  return after;
}

bool Collector::Written(const Result<void>& result) {
  if (result) return true;
  const Error& error = result.error();
  if (!MayPass(error)) {
    End({.end = DrainEnd::kStoreFailed, .reason = error.message, .hint = error.hint});
    return false;
  }
  if (!no_room_) {
    log_.Error(WhyWeWait(error, "the run then goes on by itself; nothing is acknowledged that is not stored"),
               {{"error", error.message}});
  }
  no_room_ = true;
  try_write_at_ = clock_.Mono() + kRoomEvery;
  return false;
}

void Collector::RoomAgain() {
  if (no_room_) log_.Info("the store can be written again: going on");
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
  if (MayPass(extended.error())) {
    heartbeat_at_ = now + kRoomEvery;
  } else {
    Written(extended);
  }
}

// --- ending ---

void Collector::WindDown() {
  winding_down_ = true;
  SettleHeard();
  const bool may_finish = ending_->end == DrainEnd::kStopped;
  const MonoTime grace_until = clock_.Mono() + (may_finish ? options_.stop_grace : Duration(0));
  while (!flights_.empty() && clock_.Mono() < grace_until) {
    Take(requester_.Wait(std::min(grace_until, clock_.Mono() + kTick)));
    CommitWhenDue();
  }
  for (const auto& [id, flight] : flights_) requester_.Cancel(id);
  const MonoTime cancel_until = clock_.Mono() + kCancelWithin;
  while (!flights_.empty() && clock_.Mono() < cancel_until) {
    Take(requester_.Wait(cancel_until));
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
  winding_down_ = false;
  stats_.requests = requester_.sent() - sent_before_;
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
