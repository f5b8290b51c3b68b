// SPDX-License-Identifier: MIT
// RateLimiter: at most R requests in any second at the server, and as close to R as that allows.
//
// Pace: T = 1 / (0.98 R), N = ceil(R). A request may go when
//   (a) 0.9 T have passed since the last one went (or could have gone, if the loop was at most 10 ms late),
//   and (b) N T have passed since the N-th last one was sent.
// (b) is what the server counts: N + 1 sends span at least N T >= 1.0204 s, so no second holds more than R
// while arrivals jitter by less than 20 ms. For a fractional R the promise is: no N / R seconds hold more
// than N, so no second more than ceil(R) (2.5: three in any 1.2 s). Below one a second: never two within 1 /
// R seconds. (a) keeps the sends even and, being a little shorter than T, lets the pace catch up after the
// loop was late (a slow fsync) without a burst; for the first N requests it is T.
//
// From 20 a second on, requests go in small groups, ten groups a second at most, so that a program wakes, finds its
// caches cold, once for several. (a) is then about groups, and one goes when (b) allows its last. Not in the first
// second, nor where a 429 was met lately.
// docs/decisions/rate-limiter.md says why this is not a bare GCRA. A slot counts from when its request went
// on the wire, not from when it was granted: connecting takes time, and a request that is still connecting
// could arrive at any moment, so until it is sent it counts as sent now. The margin of 2 % widens with every
// 429 and narrows again slowly; a 429 pauses everyone.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/clock.h"

namespace tmdbc {

// So much of the rate is used when all is well: what a forecast goes by.
inline constexpr double kUsedRate = 0.98;

// One thread.
class RateLimiter {
 public:
  using Ticket = std::uint64_t;

  // `requests_per_second` is from 0.1 to 1000, here and in SetRate(). Of the requests that the caller has under way at
  // most, a group is a quarter at most: with few of them each answer makes room for what is asked next.
  RateLimiter(double requests_per_second, const Clock& clock, int most_under_way = 20);

  // The earliest time at which Take() is allowed; at or before Mono() means now. While granted requests have
  // not been sent yet the answer may move; ask again after each wait.
  MonoTime NextSlot() const;
  // Takes a slot. Requires NextSlot() <= Mono().
  Ticket Take();
  // The request of the ticket is going on the wire now. Called again for the same ticket (a transport that
  // repeats a request on a fresh connection) it counts once more.
  void Sent(Ticket ticket);
  // The request ended. If it was never sent (could not connect), its slot is free again.
  void Unused(Ticket ticket);

  // The server answered 429: nothing is sent for `delay`, and the pace is halved, then recovers additively
  // with the answers (half of R in 8 s); the margin stays wider by 2 % of R for some twenty minutes. The
  // other 429s of the same storm, those that come during the pause or within a second, change nothing but the
  // length of the pause. A pause under way is never shortened.
  void Throttled(Duration delay);
  // The server answered something else.
  void Answered();
  // Nothing is sent before `until` (circuit breaker, outage).
  void PauseUntil(MonoTime until);

  // Another rate from now on. What was sent still counts; a pause under way and what was learned of 429s
  // stay.
  void SetRate(double requests_per_second);

  double requests_per_second() const { return rate_; }
  // The pace now in force, requests a second, at most kUsedRate of R.
  double pace() const { return rate_ * (1 - margin_) * speed_; }
  // How many requests may go at one time: the size of a group now.
  std::size_t together() const;

 private:
  Duration Interval(double slots) const;
  std::size_t GroupOf(double requests_per_second) const;

  const Clock& clock_;
  const std::size_t largest_group_;
  double rate_;
  std::size_t window_;  // N
  std::size_t group_;   // a divisor of N

  double speed_ = 1;  // lowered by a 429, recovers in seconds
  double margin_;     // part of R left unused: raised by a 429, recovers in minutes
  MonoTime paused_until_;
  MonoTime storm_until_;        // 429s before this belong to one that was counted
  MonoTime recovered_at_;       // when speed_ and margin_ were last raised
  MonoTime even_next_;          // (a)
  std::size_t taken_ = 0;       // of the group that goes at even_next_
  std::deque<MonoTime> sent_;   // the last N send times, oldest first
  std::vector<Ticket> unsent_;  // granted, not sent yet
  Ticket next_ticket_ = 1;
};

}  // namespace tmdbc
