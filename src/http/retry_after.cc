// SPDX-License-Identifier: MIT
#include "http/retry_after.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "http/http_date.h"

namespace tmdbc::http {
namespace {

namespace chrono = std::chrono;

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<Duration> ParseSeconds(std::string_view text) {
  double seconds = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  if (end != text.data() + text.size() || std::isnan(seconds)) return std::nullopt;
  // More digits than a double holds still mean "long".
  if (error == std::errc::result_out_of_range) return kLongestRetryAfter;
  if (error != std::errc()) return std::nullopt;
  const double longest = chrono::duration<double>(kLongestRetryAfter).count();
  return chrono::ceil<Duration>(chrono::duration<double>(std::clamp(seconds, 0.0, longest)));
}

}  // namespace

std::optional<Duration> ParseRetryAfter(std::string_view value, Time now) {
  value = Trim(value);
  if (value.empty()) return std::nullopt;
  if (const auto seconds = ParseSeconds(value)) return seconds;
  const auto time = ParseHttpDate(value, now);
  if (!time) return std::nullopt;
  return std::clamp<Duration>(*time - now, Duration(0), kLongestRetryAfter);
}

}  // namespace tmdbc::http
