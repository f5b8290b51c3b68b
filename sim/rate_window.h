// SPDX-License-Identifier: MIT
// RateWindow: how many requests an address sent in any second, to the strictest reading of "R requests a
// second": the window slides, so any two moments less than a second apart belong to some window. Arrivals may
// be told slightly out of order.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "base/clock.h"

namespace tmdbc::sim {

// The arrivals of the last seconds, and the most that any second held.
class SlidingSecond {
 public:
  // The most arrivals that any second around `at` would hold with one more at `at`.
  int CountWith(MonoTime at) const;
  void Add(MonoTime at);
  int most() const { return most_; }

 private:
  std::deque<MonoTime> times_;  // ascending
  int most_ = 0;
};

class RateWindow {
 public:
  // 0: everything is allowed, and still counted.
  explicit RateWindow(int requests_per_second) : limit_(requests_per_second) {}

  // False: this request is one too many. Only allowed ones count towards the limit, as a client that hammers
  // on would otherwise never get through again.
  bool Arrive(const std::string& address, MonoTime at);
  // Of all addresses, refused ones counted in.
  int most_in_a_second() const;
  // Forgets the most that was seen, not the arrivals that the limit still needs.
  void ResetMost();

 private:
  struct Address {
    SlidingSecond all, allowed;
  };
  const int limit_;
  std::map<std::string, Address> addresses_;
};

}  // namespace tmdbc::sim
