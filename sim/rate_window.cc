// SPDX-License-Identifier: MIT
#include "rate_window.h"

#include <algorithm>

namespace tmdbc::sim {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
// Arrivals that are told later than this after younger ones are not put in order any more.
constexpr Duration kKept = std::chrono::seconds(3);

}  // namespace

int SlidingSecond::CountWith(MonoTime at) const {
  // Every window that holds `at` and ends at an arrival, or at `at` itself.
  auto end = std::upper_bound(times_.begin(), times_.end(), at);
  auto begin = std::upper_bound(times_.begin(), end, at - kSecond);
  int most = static_cast<int>(end - begin) + 1;
  for (; end != times_.end() && *end < at + kSecond; ++end) {
    while (*begin <= *end - kSecond) ++begin;
    most = std::max(most, static_cast<int>(end - begin) + 2);
  }
  return most;
}

void SlidingSecond::Add(MonoTime at) {
  most_ = std::max(most_, CountWith(at));
  times_.insert(std::upper_bound(times_.begin(), times_.end(), at), at);
  while (times_.front() < times_.back() - kKept) times_.pop_front();
}

bool RateWindow::Arrive(const std::string& address, MonoTime at) {
  Address& seen = addresses_[address];
  seen.all.Add(at);
  if (limit_ > 0 && seen.allowed.CountWith(at) > limit_) return false;
  seen.allowed.Add(at);
  return true;
}

int RateWindow::most_in_a_second() const {
  int most = 0;
  for (const auto& [name, address] : addresses_) most = std::max(most, address.all.most());
  return most;
}

void RateWindow::ResetMost() {
  for (auto& [name, address] : addresses_) address.all = SlidingSecond();
}

}  // namespace tmdbc::sim
