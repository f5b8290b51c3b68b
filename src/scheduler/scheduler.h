// SPDX-License-Identifier: MIT
// Scheduler: which of several named schedules is due, from what they say, what has run, and the time. What
// has run is in catalog.db (table schedule_runs, times in microseconds since 1970), so that downtime, a kill
// or a suspended machine loses nothing:
//
// - A schedule that was never run is due at once (at() at its time).
// - However many times were missed, it is due once; then it goes on in its own rhythm.
// - A run that was begun and not ended (killed, stopped) is due again. One that ended with exit code 3 (TMDB
//   or the store unusable) is due again after 15 minutes, or sooner when its next time comes.
// - A clock that is put back runs nothing again that has run; one that stood wrong by more than a day is not
//   waited for. A clock that is put forward makes due what it passed over, once.
// - The table has the schedules in effect and no others: what has run under a name that is given up is
//   forgotten, so that nobody waits for it (`status`, the alert for runs that are overdue).
//
// The caller runs what is due one at a time, so no schedule overlaps itself. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "scheduler/schedule_expression.h"

namespace tmdbc {

// A row of schedule_runs.
struct ScheduleState {
  // Of the last run that began. All empty: there was none.
  std::optional<Time> planned = {};  // when it had been due
  std::optional<Time> started = {};
  // Empty while it is under way, and when it never came to its end.
  std::optional<Time> ended = {};
  std::optional<int> exit_code = {};

  bool operator==(const ScheduleState&) const = default;
};

// What has run, by name. Any process may ask, also with a database open for reading only.
Result<std::map<std::string, ScheduleState>> ReadScheduleRuns(Database& catalog);
// In place of what the table says of these names; makes the table. May join a transaction.
Result<void> WriteScheduleRuns(Database& catalog, const std::map<std::string, ScheduleState>& runs);

// When it is due; at or before `now`: now. Empty: never again. Pure.
std::optional<Time> DueAt(const ScheduleExpression& expression, const ScheduleState& state, Time now);
// The state to go on with: another when it speaks of times still to come, for the clock was put back. Pure.
ScheduleState WithoutFuture(const ScheduleExpression& expression, ScheduleState state, Time now);
// The state when a run begins now. Pure.
ScheduleState BegunAt(const ScheduleExpression& expression, const ScheduleState& state, Time now);

struct Schedule {
  std::string name;
  ScheduleExpression expression;
};

class Scheduler {
 public:
  // Reads what has run, as Replace() does. Both references outlive the scheduler. Names differ.
  static Result<Scheduler> Open(Database& catalog, const Clock& clock, std::vector<Schedule> schedules);

  // Others from now on. What has run under their names stays known, under all other names it is forgotten:
  // durably, unless an error says that it is not; calling it again is all there is to do then.
  Result<void> Replace(std::vector<Schedule> schedules);

  // The name of the schedule that is due for longest, among equals the first; empty when none is.
  Result<std::optional<std::string>> Due();
  // Whether one is; touches nothing.
  bool IsDue() const { return NextAt() <= clock_.Now(); }
  // When the next one is due; Time::max() when none ever is again.
  Time NextAt() const;
  const std::vector<Schedule>& schedules() const { return schedules_; }

  // The run of a schedule begins; it came to its end (one that was stopped did not). Durable when
  // they return. In between it is due only when its next time has come. The end of one that was
  // given up meanwhile leaves no trace.
  Result<void> Begin(const std::string& name);
  Result<void> End(const std::string& name, int exit_code);

 private:
  Scheduler(Database& catalog, const Clock& clock) : catalog_(catalog), clock_(clock) {}
  // `state` as if the run that is under way had ended well.
  ScheduleState Foreseen(const std::string& name, ScheduleState state) const;
  Result<void> Write(const std::string& name, const ScheduleState& state);
  bool InEffect(const std::string& name) const;

  Database& catalog_;
  const Clock& clock_;
  std::vector<Schedule> schedules_;
  std::optional<std::string> under_way_;         // begun and not ended by this process
  std::map<std::string, ScheduleState> states_;  // by name; of no others than the table has, or empty ones
};

}  // namespace tmdbc
