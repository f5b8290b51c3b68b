// SPDX-License-Identifier: MIT
#include "scheduler/scheduler.h"

#include <algorithm>

namespace tmdbc {
namespace {

constexpr Duration kAfterFailure = std::chrono::minutes(15);
constexpr int kFailed = 3;  // the exit code for an upstream or a store that is unusable
// A clock that is put back by more was wrong before: what it says has run is of no use.
constexpr Duration kClockWasWrong = std::chrono::hours(24);

std::optional<std::int64_t> ToMicros(std::optional<Time> time) {
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

std::optional<Time> TimeAt(const Statement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return Time(Duration(row.Int(column)));
}

// The first time in its rhythm after what has run.
std::optional<Time> NextInRhythm(const ScheduleExpression& expression, const ScheduleState& state) {
  const Time started = state.started.value_or(*state.planned);
  if (expression.kind() != ScheduleExpression::Kind::kRate)
    return expression.Next(std::max(*state.planned, started));
  // A run that began late moves nothing: the times stay whole intervals apart.
  const Duration interval = expression.interval();
  const Duration late = std::max(started - *state.planned, Duration(0));
  return *state.planned + (late / interval + 1) * interval;
}

Result<void> CreateScheduleRuns(Database& catalog) {
  return catalog.Execute(
      "CREATE TABLE IF NOT EXISTS schedule_runs(name TEXT PRIMARY KEY, planned INTEGER NOT NULL, "
      "started INTEGER NOT NULL, ended INTEGER, exit_code INTEGER)");
}

}  // namespace

Result<std::map<std::string, ScheduleState>> ReadScheduleRuns(Database& catalog) {
  std::map<std::string, ScheduleState> runs;
  TRY_ASSIGN(Statement exists,
             catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='schedule_runs'"));
  TRY_ASSIGN(const bool found, exists.Step());
  if (!found) return runs;
  TRY_ASSIGN(Statement rows,
             catalog.Prepare("SELECT name, planned, started, ended, exit_code FROM schedule_runs"));
  while (true) {
    TRY_ASSIGN(const bool row, rows.Step());
    if (!row) return runs;
    ScheduleState& state = runs[std::string(rows.Text(0))];
    state = {.planned = TimeAt(rows, 1), .started = TimeAt(rows, 2), .ended = TimeAt(rows, 3)};
    if (!rows.IsNull(4)) state.exit_code = int(rows.Int(4));
  }
}

Result<void> WriteScheduleRuns(Database& catalog, const std::map<std::string, ScheduleState>& runs) {
  TRY(CreateScheduleRuns(catalog));
  TRY_ASSIGN(Statement put,
             catalog.Prepare("INSERT OR REPLACE INTO schedule_runs(name, planned, started, ended, "
                             "exit_code) VALUES(?1, ?2, ?3, ?4, ?5)"));
  for (const auto& [name, state] : runs) {
    TRY(put.Bind(name, ToMicros(state.planned), ToMicros(state.started), ToMicros(state.ended), state.exit_code)
            .Run());
  }
  return {};
}

std::optional<Time> DueAt(const ScheduleExpression& expression, const ScheduleState& state, Time now) {
  if (!state.planned) {
    return expression.kind() == ScheduleExpression::Kind::kAt ? expression.Next(Time::min()) : now;
  }
  if (!state.ended) return now;
  const auto next = NextInRhythm(expression, state);
  if (state.exit_code != kFailed) return next;
  return std::min(next.value_or(Time::max()), *state.ended + kAfterFailure);
}

ScheduleState WithoutFuture(const ScheduleExpression& expression, ScheduleState state, Time now) {
  if (!state.planned) return state;
  // A rate has no times of its own: it begins again, the next run an interval from now. The others would run
  // again at a time at which they have run.
  const bool is_rate = expression.kind() == ScheduleExpression::Kind::kRate;
  if (std::max(*state.planned, *state.started) > (is_rate ? now : now + kClockWasWrong)) {
    state.planned = state.started = now;
  }
  if (state.ended) state.ended = std::min(*state.ended, now);
  return state;
}

ScheduleState BegunAt(const ScheduleExpression& expression, const ScheduleState& state, Time now) {
  if (!state.planned)
    return {.planned = std::min(DueAt(expression, state, now).value_or(now), now), .started = now};
  // One that is tried again keeps its time.
  ScheduleState begun{.planned = state.planned, .started = now};
  const auto next = NextInRhythm(expression, state);
  if (!next || *next > now) return begun;
  begun.planned = next;
  if (expression.kind() == ScheduleExpression::Kind::kRate) {
    // The last of those that were missed.
    const Duration interval = expression.interval();
    *begun.planned += (now - *next) / interval * interval;
  }
  return begun;
}

Result<Scheduler> Scheduler::Open(Database& catalog, const Clock& clock, std::vector<Schedule> schedules) {
  Scheduler scheduler(catalog, clock);
  TRY(CreateScheduleRuns(catalog));
  TRY_ASSIGN(scheduler.states_, ReadScheduleRuns(catalog));
  TRY(scheduler.Replace(std::move(schedules)));
  return scheduler;
}

Result<void> Scheduler::Replace(std::vector<Schedule> schedules) {
  schedules_ = std::move(schedules);
  for (auto state = states_.begin(); state != states_.end();) {
    if (InEffect(state->first)) {
      ++state;
      continue;
    }
    TRY_ASSIGN(Statement forget, catalog_.Prepare("DELETE FROM schedule_runs WHERE name = ?1"));
    TRY(forget.Bind(state->first).Run());
    state = states_.erase(state);
  }
  return {};
}

Result<std::optional<std::string>> Scheduler::Due() {
  const Time now = clock_.Now();
  const Schedule* due = nullptr;
  Time longest = now;
  for (const Schedule& schedule : schedules_) {
    const ScheduleState state = WithoutFuture(schedule.expression, states_[schedule.name], now);
    if (state != states_[schedule.name]) TRY(Write(schedule.name, state));
    const auto at = DueAt(schedule.expression, Foreseen(schedule.name, state), now);
    if (at && (due == nullptr ? *at <= now : *at < longest)) {
      due = &schedule;
      longest = *at;
    }
  }
  return due ? std::optional(due->name) : std::nullopt;
}

Time Scheduler::NextAt() const {
  Time next = Time::max();
  for (const Schedule& schedule : schedules_) {
    const auto state = states_.find(schedule.name);
    const auto at = DueAt(schedule.expression,
                          state == states_.end() ? ScheduleState() : Foreseen(schedule.name, state->second),
                          clock_.Now());
    next = std::min(next, at.value_or(Time::max()));
  }
  return next;
}

Result<void> Scheduler::Begin(const std::string& name) {
  const auto schedule = std::ranges::find(schedules_, name, &Schedule::name);
  if (schedule == schedules_.end()) return Fail(ErrorCode::kInternal, "begin: there is no schedule {}", name);
  TRY(Write(name, BegunAt(schedule->expression, states_[name], clock_.Now())));
  under_way_ = name;
  return {};
}

Result<void> Scheduler::End(const std::string& name, int exit_code) {
  if (!InEffect(name)) {
    under_way_.reset();
    return {};
  }
  ScheduleState state = states_[name];
  // A clock that was put back meanwhile does not make it end before it began.
  state.ended = std::max(clock_.Now(), state.started.value_or(Time::min()));
  state.exit_code = exit_code;
  under_way_.reset();
  return Write(name, state);
}

bool Scheduler::InEffect(const std::string& name) const {
  return std::ranges::find(schedules_, name, &Schedule::name) != schedules_.end();
}

ScheduleState Scheduler::Foreseen(const std::string& name, ScheduleState state) const {
  if (under_way_ == name) {
    state.ended = state.started;
    state.exit_code = 0;
  }
  return state;
}

Result<void> Scheduler::Write(const std::string& name, const ScheduleState& state) {
  TRY(WriteScheduleRuns(catalog_, {{name, state}}));
  states_[name] = state;
  return {};
}

}  // namespace tmdbc
