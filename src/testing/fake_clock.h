// SPDX-License-Identifier: MIT
// FakeClock: time that passes when a test says so.
#pragma once

#include "base/clock.h"

namespace tmdbc::testing {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(Time start = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)))
      : now_(start), mono_(std::chrono::hours(1)) {}
  Time Now() const override { return now_; }
  MonoTime Mono() const override { return mono_; }

  void Advance(Duration by) {
    now_ += by;
    mono_ += by;
  }
  // The monotonic clock goes to `to` (never back); wall time follows.
  void AdvanceTo(MonoTime to) {
    if (to > mono_) Advance(to - mono_);
  }
  // Wall time alone: what an operator or NTP does.
  void JumpWall(Duration by) { now_ += by; }

 private:
  Time now_;
  MonoTime mono_;
};

}  // namespace tmdbc::testing
