// SPDX-License-Identifier: MIT
// VirtualClock: the wall time of a simulated world: it starts at an epoch, runs so many times as fast as the
// machine's, and can be set forward. Monotonic time stays the machine's: latencies, limits and timeouts are
// those of real connections. One thread.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace tmdbc::sim {

class VirtualClock final : public Clock {
 public:
  // `real` outlives it. `speed` >= 1.
  VirtualClock(const Clock& real, Time epoch, double speed)
      : real_(real), start_(real.Mono()), epoch_(epoch), speed_(speed) {}

  Time Now() const override {
    const auto passed = static_cast<double>((real_.Mono() - start_).count()) * speed_;
    return epoch_ + skipped_ + Duration(static_cast<std::int64_t>(passed));
  }
  MonoTime Mono() const override { return real_.Mono(); }

  void Advance(Duration by) { skipped_ += std::max(by, Duration(0)); }

 private:
  const Clock& real_;
  const MonoTime start_;
  const Time epoch_;
  const double speed_;
  Duration skipped_{};
};

}  // namespace tmdbc::sim
