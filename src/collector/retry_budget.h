// SPDX-License-Identifier: MIT
// RetryBudget: retries are at most 20 % of the requests, so that a server in trouble is not asked more than one in order.
// A token bucket: every first try puts in a fifth, every retry takes one. Half a token a second comes on top, so that the
// last retries of a run, when there are no first tries any more, still go. One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/clock.h"

namespace tmdbc {

class RetryBudget {
 public:
  static constexpr double kShare = 0.2;
  static constexpr double kPerSecond = 0.5;
  static constexpr double kMost = 20;

  explicit RetryBudget(const Clock& clock) : clock_(clock), filled_at_(clock.Mono()) {}

  void FirstTry() { tokens_ = std::min(kMost, tokens_ + kShare); }
  // When the next retry may go, at or before Mono() for now.
  MonoTime NextRetry() {
    Fill();
    // Rounded up, with a grain for what doubles lose: at that time there is a whole token.
    return filled_at_ + Duration(tokens_ >= 1 ? 0 : static_cast<std::int64_t>(std::ceil((1 - tokens_) / kPerSecond * 1e6)) + 1);
  }
  // Requires NextRetry() <= Mono().
  void Retry() { tokens_ -= 1; }

 private:
  void Fill() {
    const MonoTime now = clock_.Mono();
    tokens_ = std::min(kMost, tokens_ + std::chrono::duration<double>(now - filled_at_).count() * kPerSecond);
    filled_at_ = now;
  }

  const Clock& clock_;
  double tokens_ = kMost;
  MonoTime filled_at_;
};

}  // namespace tmdbc
