// SPDX-License-Identifier: MIT
// KeepAlive: how long an idle connection may be used again. A server closes what has been idle for longer than
// it likes; a request that is sent in that moment is lost and has to be asked again. After three of these within
// ten minutes connections are kept less long, in the end not at all; ten minutes without one win a step back.
// Pure; one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "base/clock.h"

namespace tmdbc::http {

class KeepAlive {
 public:
  // 118 s is libcurl's own; servers allow 5 to 75 (nginx 75, Apache 5, CloudFront 60 to its origin).
  static constexpr std::array kSteps = {std::chrono::seconds(118), std::chrono::seconds(10),
                                        std::chrono::seconds(1), std::chrono::seconds(0)};
  static constexpr int kFew = 3;
  static constexpr Duration kForgetAfter = std::chrono::minutes(10);

  // A connection broke under a request before the answer began, after it had carried another.
  void Stale(MonoTime now) {
    Forget(now);
    last_ = now;
    if (++stale_ < kFew) return;
    stale_ = 0;
    if (step_ + 1 < kSteps.size()) ++step_;
  }
  // One that has been idle for longer is not used again; 0: none is.
  std::chrono::seconds Limit(MonoTime now) {
    Forget(now);
    return kSteps[step_];
  }

 private:
  void Forget(MonoTime now) {
    if (step_ == 0 && stale_ == 0) return;
    for (; now - last_ >= kForgetAfter && (step_ > 0 || stale_ > 0); last_ += kForgetAfter) {
      stale_ = 0;
      if (step_ > 0) --step_;
    }
  }

  std::size_t step_ = 0;
  int stale_ = 0;
  MonoTime last_{};
};

}  // namespace tmdbc::http
