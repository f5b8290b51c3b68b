// SPDX-License-Identifier: MIT
#include "duckdb/interrupt_on_stop.h"

#include <chrono>

namespace tmdbc::duckdb {

InterruptOnStop::InterruptOnStop(const StopFlag& stop, const Connection& connection)
    : thread_([this, &stop, &connection] {
        std::unique_lock lock(mutex_);
        while (!changed_.wait_for(lock, std::chrono::milliseconds(50), [this] { return done_; })) {
          // Again and again: an interrupt between two statements ends neither.
          if (stop.requested()) connection.Interrupt();
        }
      }) {}

InterruptOnStop::~InterruptOnStop() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

}  // namespace tmdbc::duckdb
