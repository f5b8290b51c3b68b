// SPDX-License-Identifier: MIT
// StopSignals: SIGTERM and SIGINT ask for a clean stop; a second one ends the process at once with 128 + its
// number.
#pragma once

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

 private:
  StopFlag flag_;
};

}  // namespace tmdbc
