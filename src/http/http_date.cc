// SPDX-License-Identifier: MIT
#include "http/http_date.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tmdbc::http {
namespace {

namespace chrono = std::chrono;

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Digits only, at most four of them.
std::optional<int> SmallNumber(std::string_view text) {
  int number = 0;
  if (text.empty() || text.size() > 4 || text[0] == '-') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
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

}  // namespace

std::optional<Time> ParseHttpDate(std::string_view text, Time now) {
  std::array<std::string_view, 6> words;
  std::size_t count = 0;
  while (!text.empty()) {
    const auto end = text.find_first_of(" \t,-");
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

}  // namespace tmdbc::http
