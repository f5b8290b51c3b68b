// SPDX-License-Identifier: MIT
// StopSignals: SIGTERM and SIGINT ask for a clean stop; a second one ends the process at once with 128 + its
// number. SIGHUP, which comes when the terminal has gone, asks for a stop, too, unless it was ignored when the process
// began (nohup). When asked to, SIGHUP means that the settings are to be read again, as long as the terminal is there.
#pragma once

#include <atomic>

#include "base/stop.h"

namespace tmdbc {

// At most one at a time in a process: a signal handler has no argument but the signal.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  const StopFlag& flag() const { return flag_; }

  void ReloadOnHangup();
  bool reload_requested() const { return reload_.load(std::memory_order_relaxed); }
  // Whether it was since the last call.
  bool TakeReload() { return reload_.exchange(false, std::memory_order_relaxed); }

 private:
  static void OnSignal(int signal);

  StopFlag flag_;
  std::atomic<bool> reload_{false};
  bool reload_on_hangup_ = false;
  bool on_terminal_ = false;
};

}  // namespace tmdbc
