// SPDX-License-Identifier: MIT
// Backoff: how far apart tries are. Full jitter
// (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter): uniform between a small
// floor and base * 2^(failures - 1), so that what failed together does not come back together.
#pragma once

#include <random>

#include "base/clock.h"

namespace tmdbc {

struct Backoff {
  Duration base = std::chrono::seconds(1);
  Duration cap = std::chrono::seconds(60);
  Duration floor = std::chrono::milliseconds(50);

  // The wait after the `failures`-th failure in a row (from 1): uniform in [floor, max(floor,
  // Bound(failures))].
  Duration Delay(int failures, std::mt19937_64& random) const;
  // min(cap, base * 2^(failures - 1))
  Duration Bound(int failures) const;
};

}  // namespace tmdbc
