// SPDX-License-Identifier: MIT
// RateWindow: how fast a counter grew over the last minute. Fed about once a second.
#pragma once

#include <cstdint>
#include <deque>

#include "base/clock.h"

namespace tmdbc {

class RateWindow {
 public:
  explicit RateWindow(Duration span = std::chrono::seconds(60)) : span_(span) {}

  // `count` never falls.
  void Add(MonoTime at, std::int64_t count) {
    if (!samples_.empty() && at <= samples_.back().at) return;
    samples_.push_back({at, count});
    // One sample older than the span stays: the window reaches back to it.
    while (samples_.size() > 2 && samples_[1].at <= at - span_) samples_.pop_front();
  }

  // A second; 0 until there are two samples.
  double PerSecond() const {
    if (samples_.size() < 2) return 0;
    const std::chrono::duration<double> time = samples_.back().at - samples_.front().at;
    return double(samples_.back().count - samples_.front().count) / time.count();
  }

 private:
  struct Sample {
    MonoTime at;
    std::int64_t count;
  };
  const Duration span_;
  std::deque<Sample> samples_;
};

}  // namespace tmdbc
