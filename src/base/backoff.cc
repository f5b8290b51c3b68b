// SPDX-License-Identifier: MIT
#include "base/backoff.h"

#include <algorithm>

namespace tmdbc {

Duration Backoff::Bound(int failures) const {
  Duration bound = base;
  for (int i = 1; i < failures && bound < cap; ++i) bound *= 2;
  return std::min(bound, cap);
}

Duration Backoff::Delay(int failures, std::mt19937_64& random) const {
  const Duration high = std::max(floor, Bound(failures));
  return Duration(std::uniform_int_distribution<std::int64_t>(floor.count(), high.count())(random));
}

}  // namespace tmdbc
