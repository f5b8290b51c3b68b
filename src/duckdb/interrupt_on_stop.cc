// SPDX-License-Identifier: MIT
#include "duckdb/interrupt_on_stop.h"

#include <chrono>
#include <utility>

namespace tmdbc::duckdb {
namespace {

constexpr std::chrono::milliseconds kLook{50};
constexpr int kMostInterrupts = 20;

}  // namespace

InterruptOnStop::InterruptOnStop(const StopFlag& stop, const Connection& connection,
                                 std::function<void()> gives_up)
    : thread_([this, &stop, &connection, gives_up = std::move(gives_up)] {
        std::unique_lock lock(mutex_);
        int interrupts = 0;
        while (!changed_.wait_for(lock, kLook, [this] { return done_; })) {
          if (!stop.requested()) continue;
          // Again and again: an interrupt between two statements ends neither.
          connection.Interrupt();
          if (++interrupts == kMostInterrupts && gives_up) gives_up();
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
