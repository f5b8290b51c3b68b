// SPDX-License-Identifier: MIT
// RetryBudget: retries are at most 20 % of the requests, so that a server in trouble is not asked more than
// one in order. A token bucket: a fifth of the allowed rate comes in as time goes, every retry takes one.
// Filled by time and not by first tries, so that ids that fail every time delay the others by no more than
// that fifth, and the last retries of a run still go. One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/clock.h"

namespace tmdbc {

class RetryBudget {
 public:
  static constexpr double kShare = 0.2;
  static constexpr double kLeastPerSecond = 0.5;
  static constexpr double kMost = 20;

  RetryBudget(const Clock& clock, double requests_per_second)
      : clock_(clock),
        per_second_(std::max(kLeastPerSecond, kShare * requests_per_second)),
        filled_at_(clock.Mono()) {}

  // When the next retry may go, at or before Mono() for now.
  MonoTime NextRetry() {
    Fill();
    // Rounded up, with a grain for what doubles lose: at that time there is a whole token.
    return filled_at_ +
           Duration(tokens_ >= 1
                        ? 0
                        : static_cast<std::int64_t>(std::ceil((1 - tokens_) / per_second_ * 1e6)) + 1);
  }
  // Requires NextRetry() <= Mono().
  void Retry() { tokens_ -= 1; }

 private:
  void Fill() {
    const MonoTime now = clock_.Mono();
    tokens_ =
        std::min(kMost, tokens_ + std::chrono::duration<double>(now - filled_at_).count() * per_second_);
    filled_at_ = now;
  }

  const Clock& clock_;
  const double per_second_;
  double tokens_ = kMost;
  MonoTime filled_at_;
};

}  // namespace tmdbc
