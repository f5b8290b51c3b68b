// SPDX-License-Identifier: MIT
// Whole numbers that JSON spells as real ones: 90.0, 9e1. Pure; any thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

namespace tmdbc {

// 90 of 90.0; nothing of 90.5, of what is not finite, and from 2^53 on, where a double may stand for another number.
inline std::optional<std::int64_t> WholeNumberOf(double real) {
  constexpr double kEnd = 9'007'199'254'740'992;
  if (real != std::trunc(real) || !(std::abs(real) < kEnd)) return std::nullopt;
  return std::int64_t(real);
}

}  // namespace tmdbc
