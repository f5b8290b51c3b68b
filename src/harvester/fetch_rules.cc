// SPDX-License-Identifier: MIT
#include "harvester/fetch_rules.h"

#include <algorithm>

#include "harvester/watermarks.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr std::int64_t kWidest = 6;  // 32 days

bool IsDead(const IdState& state) {
  return state.standing == Standing::kTombstone || state.standing == Standing::kMissing;
}

// By a clock that ran ahead: nobody knows how long ago that was. A day is forgiven, as clocks are.
bool IsToCome(Time at, Time now) {
  return at > now + kClockIsOff;
}

bool HasPassed(Duration wait, Time since, Time now) {
  return now >= since + wait || IsToCome(since, now);
}

}  // namespace

Duration AskAgainAfter(std::int64_t answers) {
  const auto step = std::clamp<std::int64_t>(answers, 1, kWidest) - 1;
  return days(1 << step) - hours(2);
}

bool FeedNeedsFetch(const IdState& state, AdultMark adult, int sighted_in, Time settled_at, Time now) {
  if (state.standing == Standing::kUnknown) return true;
  // To be sure also within the day that is forgiven elsewhere: a fetch too many, no change too few.
  const bool dated = state.verified_at <= now;
  if (sighted_in > 0 && dated && state.verified_at >= settled_at) return false;
  const bool lately = dated && now - state.verified_at < kCacheLag;
  if (sighted_in >= kReadingsBeforeOften && lately && now < settled_at) return false;
  if (!IsDead(state) || adult != AdultMark::kNull) return true;
  return HasPassed(AskAgainAfter(state.gone_answers), state.verified_at, now);
}

bool ListIsDue(const IdState& state, Time now) {
  if (state.standing == Standing::kUnknown) return true;
  return HasPassed(IsDead(state) ? AskAgainAfter(state.gone_answers) : days(7) - hours(2), state.verified_at, now);
}

bool ReturnIsDue(const IdState& state, bool new_export, Time now) {
  if (!IsDead(state) || state.gone_answers >= kDeadAnswers) return false;
  if (new_export && state.gone_answers <= 1) return true;
  return HasPassed(AskAgainAfter(state.gone_answers), state.verified_at, now);
}

bool CandidateIsDue(const IdState& state, Time accepted, const std::optional<Orphan>& orphan, Time now) {
  if (state.standing != Standing::kLive) return false;
  if (state.verified_at >= accepted && !IsToCome(state.verified_at, now)) return false;
  if (!orphan || state.verified_at < orphan->last_checked) return true;
  return HasPassed(AskAgainAfter(orphan->attempts), state.verified_at, now);
}

Orphan AskedAgain(const IdState& state, const std::optional<Orphan>& orphan, Time now) {
  if (!orphan) return {.attempts = 1, .last_checked = now};
  const bool answered = state.verified_at >= orphan->last_checked;
  return {.attempts = orphan->attempts + (answered ? 1 : 0), .last_checked = now};
}

}  // namespace tmdbc
