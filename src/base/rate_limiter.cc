// SPDX-License-Identifier: MIT
#include "base/rate_limiter.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace tmdbc {

namespace {

constexpr double kMargin = 1 - kUsedRate;
constexpr double kMaxMargin = 0.5;
constexpr double kMarginPer429 = 0.02;
constexpr double kMarginRecovery = 0.001 / 60;  // a second
constexpr double kSpeedRecovery = 0.5 / 8;      // a second
constexpr double kCatchUp = 0.9;                // of T
constexpr Duration kLateness = std::chrono::milliseconds(10);
constexpr double kGroupsPerSecond = 10;
constexpr std::size_t kLargestGroup = 5;
constexpr Duration kStorm = std::chrono::seconds(1);
// The slowest pace that 429s can bring about, so that recovery is always a matter of seconds.
constexpr double kMinPace = 0.5;

std::size_t WindowOf(double requests_per_second) {
  return static_cast<std::size_t>(std::max(1.0, std::ceil(requests_per_second)));
}

}  // namespace

RateLimiter::RateLimiter(double requests_per_second, const Clock& clock, int most_under_way)
    : clock_(clock),
      largest_group_(std::clamp<std::size_t>(static_cast<std::size_t>(most_under_way) / 4, 1, kLargestGroup)),
      rate_(requests_per_second),
      window_(WindowOf(requests_per_second)),
      group_(GroupOf(requests_per_second)),
      margin_(kMargin),
      paused_until_(clock.Mono()),
      storm_until_(paused_until_),
      recovered_at_(paused_until_),
      even_next_(paused_until_) {
  assert(requests_per_second > 0);
}

void RateLimiter::SetRate(double requests_per_second) {
  assert(requests_per_second > 0);
  rate_ = requests_per_second;
  window_ = WindowOf(requests_per_second);
  group_ = GroupOf(requests_per_second);
  taken_ = 0;
  // A wait that a slow rate had begun does not last into a fast one.
  even_next_ = std::min(even_next_, clock_.Mono() + Interval(1));
}

// A window is so many whole groups: else one would wait in vain for the rest of another.
std::size_t RateLimiter::GroupOf(double requests_per_second) const {
  const std::size_t window = WindowOf(requests_per_second);
  std::size_t group = std::clamp<std::size_t>(static_cast<std::size_t>(requests_per_second / kGroupsPerSecond), 1,
                                              largest_group_);
  while (window % group != 0) --group;
  return group;
}

Duration RateLimiter::Interval(double slots) const {
  return Duration(static_cast<std::int64_t>(std::ceil(slots / pace() * 1e6)));
}

MonoTime RateLimiter::NextSlot() const {
  const MonoTime next = std::max(paused_until_, even_next_);
  const Duration window = Interval(static_cast<double>(window_));
  if (unsent_.size() >= window_) return std::max(next, clock_.Mono() + window);
  const std::size_t counted = window_ - unsent_.size();
  if (sent_.size() < counted) return next;
  // Of a group the last is the one that the window holds back.
  const std::size_t held_by = sent_.size() - counted + std::max(together(), taken_ + 1) - taken_ - 1;
  return std::max(next, sent_[std::min(held_by, sent_.size() - 1)] + window);
}

std::size_t RateLimiter::together() const {
  return sent_.size() < window_ || margin_ > kMargin ? 1 : group_;
}

RateLimiter::Ticket RateLimiter::Take() {
  const MonoTime now = clock_.Mono();
  assert(NextSlot() <= now);
  // Of the first second nothing is to be caught up, and the process that a restart replaced may have used its
  // last one fully, with a group at either end: at an even pace, a little slower, the two together stay within it.
  const double window = static_cast<double>(window_);
  const double spacing = sent_.size() < window_ ? (window + static_cast<double>(group_ - 1)) / window : kCatchUp;
  if (++taken_ >= together()) {
    even_next_ = std::max(even_next_, now - kLateness) + Interval(spacing * static_cast<double>(taken_));
    taken_ = 0;
  }
  unsent_.push_back(next_ticket_);
  return next_ticket_++;
}

void RateLimiter::Sent(Ticket ticket) {
  std::erase(unsent_, ticket);
  while (sent_.size() >= window_) sent_.pop_front();
  sent_.push_back(clock_.Mono());
}

void RateLimiter::Unused(Ticket ticket) {
  std::erase(unsent_, ticket);
}

void RateLimiter::Throttled(Duration delay) {
  const MonoTime now = clock_.Mono();
  if (now >= storm_until_) {
    speed_ = std::max(speed_ / 2, std::min(1.0, kMinPace / rate_));
    margin_ = std::min(kMaxMargin, margin_ + kMarginPer429);
    storm_until_ = now + kStorm;
  }
  PauseUntil(now + delay);
  // What was in flight when the pause began may be answered 429 a moment after its end, too.
  storm_until_ = std::max(storm_until_, paused_until_);
  recovered_at_ = std::max(recovered_at_, paused_until_);
}

void RateLimiter::Answered() {
  const MonoTime now = clock_.Mono();
  if (now <= recovered_at_) return;
  // Minutes without a 429 do not prove that the server takes more.
  const double seconds = std::min(10.0, std::chrono::duration<double>(now - recovered_at_).count());
  recovered_at_ = now;
  speed_ = std::min(1.0, speed_ + seconds * kSpeedRecovery);
  margin_ = std::max(kMargin, margin_ - seconds * kMarginRecovery);
}

void RateLimiter::PauseUntil(MonoTime until) {
  paused_until_ = std::max(paused_until_, until);
}

}  // namespace tmdbc
