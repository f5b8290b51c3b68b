// SPDX-License-Identifier: MIT
#include "http/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

namespace tmdbc::http {
namespace {

namespace chrono = std::chrono;

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Digits only, at most four of them.
std::optional<int> SmallNumber(std::string_view text) {
  int number = 0;
  if (text.empty() || text.size() > 4 || text[0] == '-') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
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

// "08:49:37"
std::optional<chrono::seconds> ParseTimeOfDay(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hour = SmallNumber(text.substr(0, 2)), minute = SmallNumber(text.substr(3, 2)),
             second = SmallNumber(text.substr(6, 2));
  // A leap second is 60.
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return chrono::hours(*hour) + chrono::minutes(*minute) + chrono::seconds(*second);
}

std::optional<Time> MakeTime(std::string_view year_text, std::string_view month_text,
                             std::string_view day_text, std::string_view time_text, Time now) {
  const auto year = SmallNumber(year_text), day = SmallNumber(day_text);
  const auto month = std::find(std::begin(kMonths), std::end(kMonths), month_text);
  const auto time = ParseTimeOfDay(time_text);
  if (!year || !day || month == std::end(kMonths) || !time) return std::nullopt;
  int full_year = *year;
  if (year_text.size() == 2) {
    // RFC 9110 5.6.7: a year that seems more than 50 years ahead is one of the past century.
    const int this_year = int(chrono::year_month_day(chrono::floor<chrono::days>(now)).year());
    full_year += this_year / 100 * 100;
    if (full_year > this_year + 50) full_year -= 100;
  }
  const chrono::year_month_day date(chrono::year(full_year),
                                    chrono::month(unsigned(month - std::begin(kMonths)) + 1),
                                    chrono::day(unsigned(*day)));
  if (!date.ok()) return std::nullopt;
  return chrono::sys_days(date) + *time;
}

// "Sun, 06 Nov 1994 08:49:37 GMT" | "Sunday, 06-Nov-94 08:49:37 GMT" | "Sun Nov  6 08:49:37 1994". The name
// of the day is not looked at: it says nothing new.
std::optional<Time> ParseHttpDate(std::string_view text, Time now) {
  std::array<std::string_view, 6> words;
  std::size_t count = 0;
  while (!text.empty()) {
    const auto end = text.find_first_of(" ,-");
    if (const auto word = text.substr(0, end); !word.empty()) {
      if (count == words.size()) return std::nullopt;
      words[count++] = word;
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (count == 6 && words[5] == "GMT") return MakeTime(words[3], words[2], words[1], words[4], now);
  if (count == 5) return MakeTime(words[4], words[1], words[2], words[3], now);
  return std::nullopt;
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
