// SPDX-License-Identifier: MIT
// UpstreamDate: what day TMDB says it is. The local clock may be a month ahead or stand at 1970; no step of progress
// and no purge may rest on it alone, so decisions take their time from Bounded() and ask ClockIsOff().
//
// Fed with every answer of TMDB's API and of its export host, it keeps the latest `Date` (RFC 9110 6.6.1) and how far
// the local clock was from it. An answer out of a cache is dated as old as it is: its `Age` (RFC 9111 5.1) is added,
// and what is older than the latest changes nothing. Between answers it stands still: after an idle time ask TMDB
// something first, then decide. A Date may be wrong too, for a server or a proxy has a clock of its own: what most
// answers contradict does not count, nor does what TMDB's papers contradict (Published). A value; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/clock.h"
#include "http/http.h"

namespace tmdbc {

// How far a decision may go beyond TMDB's own date: answers take a while, and a cache may have kept one.
inline constexpr Duration kUpstreamDateTolerance = std::chrono::hours(1);
// A local clock that differs by more is said to the operator and not acted upon.
inline constexpr Duration kClockIsOff = std::chrono::days(1);
// No machine is that far behind: a Date beyond it is not a date of TMDB's, whatever the local clock says.
inline constexpr std::chrono::sys_days kLastBelievableDay{std::chrono::year(2126) / 1 / 1};

class UpstreamDate {
 public:
  // `known`: a time that TMDB is known to have reached, from an earlier run: the last latest(), or the day of the
  // export in force.
  explicit UpstreamDate(std::optional<Time> known = std::nullopt) : latest_(known) {}

  // An answer, whatever its status, that came at `received` by the local clock. It says nothing without a Date that can
  // be read, or with one before the first day of TMDB's change feeds or after the last that can be believed: that is
  // the clock of a server that has none.
  void Saw(const http::Response& response, Time received);
  // TMDB has reached `time`: for what its other papers say, such as the day of an export.
  void Reached(Time time);
  // TMDB publishes the export of `day`, which is the local clock's, and none of the days that the Dates tell. So they
  // are of another clock: what was heard is forgotten, and from now on a Date that differs from the local clock by more
  // than a day is passed over.
  void Published(std::chrono::sys_days day);

  // The latest time that TMDB is known to have reached; empty when it has said nothing yet. What an earlier answer or
  // run has said does not count once the answers and the local clock both are before it by more than a day.
  std::optional<Time> latest() const { return latest_; }
  // `now`, but never more than `tolerance` after latest(). With nothing said yet it is `now`.
  Time Bounded(Time now, Duration tolerance = kUpstreamDateTolerance) const;

  // How far the local clock is ahead of TMDB's (negative: behind it): the median over the last nine answers, so that
  // neither an old copy out of a cache nor one wild Date decides (of two that differ the one that is nearer to the local
  // clock does). Empty before the first answer.
  std::optional<Duration> Skew() const;
  // It is known to differ by more than `limit`.
  bool ClockIsOff(Duration limit = kClockIsOff) const;
  // Which day it is cannot be told: the clocks differ, or no Date could be believed and there was one, or `now` by the
  // local clock cannot be believed either. Answers without any Date leave it to the local clock.
  bool IsDayUnknown(Time now) const;

 private:
  std::optional<Time> latest_;
  struct Answer {
    Time time;  // by TMDB's clock
    Duration skew{};
  };

  std::array<Answer, 9> ring_{};
  std::size_t answers_ = 0;
  bool local_is_right_ = false;
  bool passed_over_ = false;  // a Date that cannot be one of TMDB's
};

}  // namespace tmdbc
