// SPDX-License-Identifier: MIT
#include "storage/store_intake.h"

#include <algorithm>
#include <utility>

#include "storage/change_rule.h"

namespace tmdbc {

namespace {

// Deletions of this time count together.
constexpr Duration kGuardedTime = std::chrono::days(1);
// Before something is held the day is counted again, unless that was done so short a time ago.
constexpr Duration kCountAgain = std::chrono::hours(1);
// TMDB's export lists a dead id now and then. More than this many in a row, and never a live one, are answers
// of something else, such as an API whose path lacks its /3.
constexpr std::int64_t kGoneOfNothing = 50;

}  // namespace

StoreIntake::StoreIntake(const Clock& clock, RecordWriter& writer, RecordLedger& ledger,
                         StoreIntakeOptions options)
    : clock_(clock),
      writer_(writer),
      ledger_(ledger),
      accepted_(options.accept_deletions),
      late_(options.answers_come_late) {}

Result<std::vector<std::int64_t>> StoreIntake::SeasonNumbers(std::int64_t tv_id) {
  return ledger_.SeasonNumbers(tv_id);
}

Result<void> StoreIntake::Fetched(MediaId id, std::vector<Document> documents, const SeasonList& seasons,
                                  Time at) {
  fetched_any_ = true;
  TRY_ASSIGN(const bool stale_list, StaleList(id, at));
  for (Document& document : documents) {
    const MediaId its = document.id;
    TRY_ASSIGN(const bool stale, Stale(its, document.fetched_at));
    if (stale) continue;
    TRY_ASSIGN(const Change change, writer_.Put(std::move(document)));
    Note(its.type, change);
  }
  if (id.type != MediaType::kTv || !seasons.given || stale_list) return {};
  TRY_ASSIGN(const auto live, writer_.LiveSeasons(id.id));
  for (const RecordWriter::LiveSeason& season : live) {
    const SeasonStanding standing = StandingOf(season.id.id, season.number, season.holds_number, seasons);
    if (standing == SeasonStanding::kListed) continue;
    TRY_ASSIGN(const bool stale, Stale(season.id, at));
    if (stale) continue;
    switch (standing) {
      case SeasonStanding::kListed:
        break;
      case SeasonStanding::kNotListed:
        TRY(Delete(season.id, at, DeletionEvidence::kNotListed));
        break;
      case SeasonStanding::kUnclear:
        TRY(Delete(season.id, at, DeletionEvidence::kUnclear));
        break;
    }
  }
  return {};
}

Result<bool> StoreIntake::Stale(MediaId id, Time at) {
  if (!late_) return false;
  TRY_ASSIGN(const auto answered, writer_.AnsweredAt(id));
  const bool stale = IsStale(answered, ToMillis(at), clock_.Now());
  if (stale) ++pending_.stale;
  return stale;
}

// A show's list of the same moment is not stale: its writer may have died before the show's seasons. What is only
// verified is dated together with its neighbours of a second.
Result<bool> StoreIntake::StaleList(MediaId id, Time at) {
  if (!late_ || id.type != MediaType::kTv) return false;
  TRY_ASSIGN(const auto answered, writer_.AnsweredAt(id));
  return IsStale(answered, ToMillis(at) + std::chrono::seconds(1), clock_.Now());
}

Result<void> StoreIntake::SeasonsGone(MediaId show, Time at) {
  TRY_ASSIGN(const bool live, writer_.IsLive(show));
  if (live) return {};
  TRY_ASSIGN(const auto seasons, writer_.LiveSeasons(show.id));
  for (const RecordWriter::LiveSeason& season : seasons) {
    TRY_ASSIGN(const bool stale, Stale(season.id, at));
    if (!stale) TRY(Delete(season.id, at, DeletionEvidence::kNotFound));
  }
  return {};
}

Result<void> StoreIntake::Gone(MediaId id, Time at) {
  TRY_ASSIGN(const bool stale, Stale(id, at));
  // A show that is gone takes its seasons along: the writer of that may have died before them.
  if (stale) return id.type == MediaType::kTv ? SeasonsGone(id, at) : Result<void>();
  TRY_ASSIGN(const bool live, writer_.IsLive(id));
  if (live) return Delete(id, at, DeletionEvidence::kNotFound);
  if (!fetched_any_ && unknown_gone_ >= kGoneOfNothing) {
    TRY_ASSIGN(const bool known, AnythingKnown());
    if (!known)
      return Fail(ErrorCode::kUnavailable, "store {}: so far TMDB had none of the ids", ToString(id));
  }
  TRY(writer_.PutGone(id, at));
  ++unknown_gone_;
  ++pending_.gone[id.type];
  return {};
}

Result<void> StoreIntake::Delete(MediaId id, Time at, DeletionEvidence evidence) {
  TRY_ASSIGN(const DeletionDecision decision, Decide(id.type, evidence));
  if (decision == DeletionDecision::kUnknown) return {};
  if (decision == DeletionDecision::kHold) {
    TRY(writer_.HoldDeletion(id, at));
    ++day_->counts[id.type].held;
    ++pending_.held[id.type];
    ++pending_.gone[id.type];
    return {};
  }
  std::int64_t seasons = 0;  // that go with their show
  if (id.type == MediaType::kTv) {
    TRY_ASSIGN(const auto live, writer_.LiveSeasons(id.id));
    seasons = std::ssize(live);
  }
  TRY_ASSIGN(const Change change, writer_.PutGone(id, at, evidence));
  ++pending_.gone[id.type];
  if (change != Change::kDelete) return {};  // it was verified later than that answer
  Note(id.type, change);
  ++day_->counts[id.type].deleted;
  ++undone_[id.type];
  if (seasons > 0) {
    pending_.changes[{MediaType::kSeason, Change::kDelete}] += seasons;
    pending_.gone[MediaType::kSeason] += seasons;
  }
  return {};
}

Result<DeletionDecision> StoreIntake::Decide(MediaType type, DeletionEvidence evidence) {
  if (!day_) TRY(CountDay());
  const DeletionDecision decision = DecideDeletion(type, evidence, day_->counts[type]);
  // What was counted earlier may have left the day, or what was held may be back.
  if (decision != DeletionDecision::kHold || clock_.Mono() - day_->counted_at < kCountAgain) return decision;
  TRY(CountDay());
  return DecideDeletion(type, evidence, day_->counts[type]);
}

Result<void> StoreIntake::CountDay() {
  // Agreed to under a clock that was ahead: else the guard would count nothing until that time has come.
  TRY_ASSIGN(const auto agreed, ledger_.DeletionsAcceptedAt());
  if (agreed && *agreed > clock_.Now() + kGuardedTime) TRY(ledger_.AcceptDeletions(clock_.Now()));
  TRY_ASSIGN(const auto counts, ledger_.Counts());
  TRY_ASSIGN(const auto deleted, ledger_.DeletionsSince(clock_.Now() - kGuardedTime));
  Day day{.counts = {}, .counted_at = clock_.Mono()};
  for (const MediaType type : kRecordTypes) day.counts[type].accepted = accepted_;
  for (const auto& [type, count] : counts) {
    day.counts[type].live = count.live;
    day.counts[type].held = count.held;
  }
  for (const auto& [type, count] : deleted) {
    day.counts[type].live += count;
    day.counts[type].deleted = count;
  }
  for (const auto& [type, count] : undone_) day.counts[type].deleted += count;
  day_ = std::move(day);
  return {};
}

Result<bool> StoreIntake::AnythingKnown() {
  if (!day_) TRY(CountDay());
  return std::ranges::any_of(day_->counts, [](const auto& type) { return type.second.live > 0; });
}

Result<void> StoreIntake::Commit(const Settle& settle) {
  const auto committed = writer_.Commit([&]() -> Result<void> {
    // What a person agreed to is not counted against what comes after it.
    if (accepted_ && !undone_.empty()) TRY(ledger_.AcceptDeletions(clock_.Now()));
    return settle(pending_);
  });
  if (!committed) return committed;
  pending_ = {};
  undone_.clear();
  return {};
}

}  // namespace tmdbc
