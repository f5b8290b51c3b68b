// SPDX-License-Identifier: MIT
// RateLimiter: at most R requests in any second at the server, and as close to R as that allows.
//
// Pace: T = 1 / (0.99 R). A request may go when (a) 0.9 T have passed since the last one and (b) N T have passed since the N-th
// last one, N = max(1, floor(R)). (b) is what the server counts: N + 1 sends span at least N T = N / (0.99 R) >= 1.0101 s, so no
// second holds more than R while arrivals jitter by less than 10 ms. (a) keeps the sends even and, being a little
// shorter than T, lets the pace catch up after the loop was late (a slow fsync) without a burst.
// A slot counts from when its request went on the wire, not from when it was granted: connecting takes time, and a
// request that is still connecting could arrive at any moment, so it counts as sent now.
// The margin of 1 % widens with every 429 and narrows again slowly; a 429 pauses everyone (Pause).
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>

#include "base/clock.h"

namespace tmdbc {

// One thread.
class RateLimiter {
 public:
  using Ticket = std::uint64_t;

  RateLimiter(double requests_per_second, const Clock& clock);

  // The earliest time at which Take() is allowed; at or before Mono() means now. While granted requests have not been sent yet
  // the answer may move; ask again after each wait.
  MonoTime NextSlot() const;
  // Takes a slot. Requires NextSlot() <= Mono().
  Ticket Take();
  // The request of the ticket is going on the wire now.
  void Sent(Ticket ticket);
  // The request ended before it was sent (could not connect): its slot is free again.
  void Unused(Ticket ticket);

  // The server answered 429: nothing is sent for `delay`, and the pace widens (half as fast, then back additively with each
  // answered request; the steady pace keeps a wider margin for a while). A pause under way is never shortened.
  void Throttled(Duration delay);
  // The server answered something else.
  void Answered();
  // Nothing is sent before `until` (circuit breaker, outage).
  void PauseUntil(MonoTime until);

  double requests_per_second() const { return rate_; }
  // The pace now in force, at most 0.99 R.
  double pace() const;

 private:
  const double rate_;
  const Clock& clock_;
  // implementation: see rate_limiter.cc
  double slow_down_ = 1;   // multiplies T after a 429; 1 = full pace
  double margin_ = 0.01;   // of R left unused
  MonoTime paused_until_{};
  std::deque<MonoTime> sent_;               // the last N send times, oldest first
  std::unordered_set<Ticket> connecting_;   // granted, not sent yet
  MonoTime last_grant_{};
  Ticket next_ticket_ = 1;
};

}  // namespace tmdbc
