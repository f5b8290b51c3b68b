// SPDX-License-Identifier: MIT
// CircuitBreaker: tells an outage from single failures. Closed: everything goes. Open (10 failures in a row,
// or 80 % of the last 20): one probe at a time, 1 s apart, then twice as far up to 30 s, until one is
// answered usefully. One thread.
#pragma once

#include <bitset>
#include <cstdint>

#include "base/clock.h"

namespace tmdbc {

class CircuitBreaker {
 public:
  static constexpr int kInARow = 10;
  static constexpr int kWindow = 20;
  static constexpr int kMostFailures = 16;  // of kWindow
  static constexpr Duration kFirstDistance = std::chrono::seconds(1);
  static constexpr Duration kLastDistance = std::chrono::seconds(30);

  bool open() const { return open_; }
  // Closed, but the last word was a failure: it would be good to know more.
  bool failing() const { return !open_ && in_a_row_ > 0; }
  // Since when nothing useful was answered; meaningful while open.
  MonoTime open_since() const { return failing_since_; }
  // When open: the next probe may go at this time; MonoTime::max() while one is under way.
  MonoTime next_probe() const { return probing_ ? MonoTime::max() : next_probe_; }
  // Requires open(). The next Succeeded() or Failed() with probe = true is about it.
  void ProbeStarted() { probing_ = true; }
  // The probe, if there is one, says nothing (cancelled, 429): another may go.
  void ProbeAbandoned() { probing_ = false; }

  // What came of a request. While open only the probe's outcome counts: what was already under way when it
  // opened tells of before.
  void Succeeded(bool probe);
  // True when this failure opened it.
  bool Failed(bool probe, MonoTime now);

 private:
  void Close();

  bool open_ = false;
  bool probing_ = false;
  MonoTime next_probe_{};
  Duration distance_{};
  MonoTime failing_since_{};
  int in_a_row_ = 0;
  std::bitset<kWindow> failed_;  // of the last kWindow outcomes
  int outcomes_ = 0;             // at most kWindow
};

}  // namespace tmdbc
