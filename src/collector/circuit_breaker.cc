// SPDX-License-Identifier: MIT
#include "collector/circuit_breaker.h"

#include <algorithm>

namespace tmdbc {

void CircuitBreaker::Close() {
  open_ = probing_ = false;
  in_a_row_ = outcomes_ = 0;
  failed_.reset();
}

void CircuitBreaker::Succeeded(bool probe) {
  if (open_) {
    if (probe) Close();
    return;
  }
  in_a_row_ = 0;
  failed_ <<= 1;
  outcomes_ = std::min(outcomes_ + 1, kWindow);
}

bool CircuitBreaker::Failed(bool probe, MonoTime now) {
  if (open_) {
    if (probe) {
      probing_ = false;
      next_probe_ = now + distance_;
      distance_ = std::min(distance_ * 2, kLastDistance);
    }
    return false;
  }
  if (in_a_row_++ == 0) failing_since_ = now;
  failed_ <<= 1;
  failed_.set(0);
  outcomes_ = std::min(outcomes_ + 1, kWindow);
  open_ =
      in_a_row_ >= kInARow || (outcomes_ == kWindow && static_cast<int>(failed_.count()) >= kMostFailures);
  if (open_) {
    next_probe_ = now + kFirstDistance;
    distance_ = 2 * kFirstDistance;
  }
  return open_;
}

}  // namespace tmdbc
