// SPDX-License-Identifier: MIT
// StopFlag: set by a signal handler, read by the loops. Every loop looks at it at least once a second. A
// flag may have another behind it: then it is also set when that one is.
#pragma once

#include <atomic>

namespace tmdbc {

class StopFlag {
 public:
  // `behind` (may be null) outlives this one.
  explicit StopFlag(const StopFlag* behind = nullptr) : behind_(behind) {}

  // Async-signal-safe.
  void Request() { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const {
    return requested_.load(std::memory_order_relaxed) || (behind_ != nullptr && behind_->requested());
  }

 private:
  static_assert(std::atomic<bool>::is_always_lock_free);
  std::atomic<bool> requested_{false};
  const StopFlag* const behind_;
};

}  // namespace tmdbc
