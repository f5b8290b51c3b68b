// SPDX-License-Identifier: MIT
// DrainResult: why a drain ended, and what it learned of TMDB: enough to say from it alone what the exit code
// is, whether a later try may help, and what a person is told. A value.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace tmdbc {

enum class DrainEnd : std::uint8_t {
  kDrained,  // nothing waiting, delayed or in flight
  kStopped,  // the stop flag
  kDenied,   // TMDB refuses the key, which it never accepted in this process: trying again will not help
  kKeyLost,  // TMDB accepted the key, then refused it for a quarter of an hour: later it may accept it again
  kUnreachable,  // never answered, or an outage that did not end; `answered` tells which
  kStoreFailed,  // the store cannot be written, for another reason than a full disk
};

struct DrainResult {
  DrainEnd end = DrainEnd::kDrained;
  std::string reason = {};  // for a person, unless drained or stopped
  Hint hint = Hint::kNone;  // what that person can do
  bool answered = false;    // TMDB answered something in this drain: what fails then is an outage
  bool key_proven = false;  // TMDB has accepted the key, in this drain or before it
};

}  // namespace tmdbc
