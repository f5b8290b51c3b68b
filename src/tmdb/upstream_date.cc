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

}  // namespace

void UpstreamDate::Saw(const http::Response& response, Time received) {
  const std::optional<Time> date = http::ParseHttpDate(response.header("date"), received);
  const std::optional<Duration> age = AgeOf(response);
  if (!date || !age) return;
  const Time time = *date + *age;
  if (time < Time(kFirstChangesDay)) return;
  Reached(time);
  skews_[answers_++ % skews_.size()] = received - time;
}

void UpstreamDate::Reached(Time time) {
  if (!latest_ || time > *latest_) latest_ = time;
}

Time UpstreamDate::Bounded(Time now, Duration tolerance) const {
  return latest_ ? std::min(now, *latest_ + tolerance) : now;
}

std::optional<Duration> UpstreamDate::Skew() const {
  if (answers_ == 0) return std::nullopt;
  std::array<Duration, 9> sorted = skews_;
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(answers_, sorted.size()));
  std::sort(sorted.begin(), end);
  return sorted[static_cast<std::size_t>(end - sorted.begin() - 1) / 2];
}

bool UpstreamDate::ClockIsOff(Duration limit) const {
  const std::optional<Duration> skew = Skew();
  return skew && std::chrono::abs(*skew) > limit;
}

}  // namespace tmdbc
