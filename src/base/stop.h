// SPDX-License-Identifier: MIT
// StopFlag: set by a signal handler, read by the loops. Whoever waits looks at it at least once a second.
#pragma once

#include <atomic>

namespace tmdbc {

class StopFlag {
 public:
  // Async-signal-safe.
  void Request() { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

 private:
  static_assert(std::atomic<bool>::is_always_lock_free);
  std::atomic<bool> requested_{false};
};

}  // namespace tmdbc
