// SPDX-License-Identifier: MIT
#include "tmdb/upstream_date.h"

#include <algorithm>
#include <charconv>

#include "http/http_date.h"
#include "tmdb/change_page.h"

namespace tmdbc {
namespace {

// TMDB's caches keep nothing for longer than eight hours: an older age is a mistake.
constexpr Duration kOldestAge = std::chrono::days(1);

// How long the answer lay in a cache: 0 when it did not; empty when that cannot be read (RFC 9111 5.1: seconds).
std::optional<Duration> AgeOf(const http::Response& response) {
  const std::string_view text = response.header("age");
  if (text.empty()) return Duration(0);
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const Duration age = std::chrono::seconds(seconds);
  return age <= kOldestAge ? std::optional(age) : std::nullopt;
}

bool IsBelievable(Time time) {
  return time >= Time(kFirstChangesDay) && time <= Time(kLastBelievableDay);
}

}  // namespace

void UpstreamDate::Saw(const http::Response& response, Time received) {
  const std::optional<Time> date = http::ParseHttpDate(response.header("date"), received);
  const std::optional<Duration> age = AgeOf(response);
  if (!date || !age) return;
  const Time time = *date + *age;
  if (!IsBelievable(time)) {
    passed_over_ = true;
    return;
  }
  if (local_is_right_ && std::chrono::abs(received - time) > kClockIsOff) return;
  ring_[answers_++ % ring_.size()] = {.time = time, .skew = received - time};
  const Duration skew = *Skew();
  Time newest = Time::min();
  for (std::size_t i = 0; i < std::min(answers_, ring_.size()); ++i) {
    if (std::chrono::abs(ring_[i].skew - skew) <= kClockIsOff) newest = std::max(newest, ring_[i].time);
  }
  if (latest_ && *latest_ > std::max(newest, received) + kClockIsOff) latest_ = newest;
  Reached(newest);
}

void UpstreamDate::Published(std::chrono::sys_days day) {
  local_is_right_ = true;
  answers_ = 0;
  latest_ = Time(day);
}

void UpstreamDate::Reached(Time time) {
  if (!latest_ || time > *latest_) latest_ = time;
}

Time UpstreamDate::Bounded(Time now, Duration tolerance) const {
  return latest_ ? std::min(now, *latest_ + tolerance) : now;
}

std::optional<Duration> UpstreamDate::Skew() const {
  if (answers_ == 0) return std::nullopt;
  const std::size_t count = std::min(answers_, ring_.size());
  std::array<Duration, 9> sorted{};
  for (std::size_t i = 0; i < count; ++i) sorted[i] = ring_[i].skew;
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count));
  const Duration lower = sorted[(count - 1) / 2], upper = sorted[count / 2];
  return std::chrono::abs(lower) <= std::chrono::abs(upper) ? lower : upper;
}

bool UpstreamDate::IsDayUnknown(Time now) const {
  return ClockIsOff() || (!Skew() && (passed_over_ || !IsBelievable(now)));
}

bool UpstreamDate::ClockIsOff(Duration limit) const {
  const std::optional<Duration> skew = Skew();
  return skew && std::chrono::abs(*skew) > limit;
}

}  // namespace tmdbc
