// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <charconv>

namespace tmdbc {

namespace chrono = std::chrono;

Time SystemClock::Now() const {
  return chrono::time_point_cast<Duration>(chrono::system_clock::now());
}
MonoTime SystemClock::Mono() const {
  return chrono::time_point_cast<Duration>(chrono::steady_clock::now());
}

std::string FormatDate(chrono::sys_days day) {
  const chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", int(date.year()), unsigned(date.month()), unsigned(date.day()));
}

std::string FormatTime(Time time) {
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::hh_mm_ss clock(chrono::floor<chrono::milliseconds>(time - day));
  return fmt::format("{}T{:02}:{:02}:{:02}.{:03}Z", FormatDate(day), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

namespace {

// Reads exactly `digits` digits from the front of `text`.
bool TakeNumber(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  const char* end = text.data() + digits;
  if (text[0] == '-' || std::from_chars(text.data(), end, value).ptr != end) return false;
  text.remove_prefix(digits);
  return true;
}

bool TakeChar(std::string_view& text, char wanted) {
  if (text.empty() || text[0] != wanted) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view& text, chrono::sys_days& day) {
  int year = 0, month = 0, dom = 0;
  if (!TakeNumber(text, 4, year) || !TakeChar(text, '-') || !TakeNumber(text, 2, month) ||
      !TakeChar(text, '-') || !TakeNumber(text, 2, dom)) {
    return false;
  }
  const chrono::year_month_day date{chrono::year(year), chrono::month(unsigned(month)),
                                    chrono::day(unsigned(dom))};
  if (!date.ok()) return false;
  day = date;
  return true;
}

bool TakeFraction(std::string_view& text, Duration& fraction) {
  if (!TakeChar(text, '.')) return true;  // the fraction may be left out
  int64_t micros = 0;
  int digits = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9' && digits < 6; ++digits, text.remove_prefix(1)) {
    micros = micros * 10 + (text[0] - '0');
  }
  if (digits == 0) return false;
  for (; digits < 6; ++digits) micros *= 10;
  fraction = Duration(micros);
  return true;
}

}  // namespace

Result<chrono::sys_days> ParseDate(std::string_view text) {
  std::string_view rest = text;
  chrono::sys_days day;
  if (!TakeDate(rest, day) || !rest.empty()) {
    return Fail(ErrorCode::kInvalid, "'{}' is not a date of the form 2026-11-22", text);
  }
  return day;
}

Result<Time> ParseTime(std::string_view text) {
  std::string_view rest = text;
  chrono::sys_days day;
  int hour = 0, minute = 0, second = 0;
  Duration fraction{0};
  if (TakeDate(rest, day)) {
    if (rest.empty()) return Time(day);
    if (TakeChar(rest, 'T') && TakeNumber(rest, 2, hour) && TakeChar(rest, ':') &&
        TakeNumber(rest, 2, minute) && TakeChar(rest, ':') && TakeNumber(rest, 2, second) &&
        TakeFraction(rest, fraction) && rest == "Z" && hour < 24 && minute < 60 && second < 60) {
      return Time(day) + chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second) + fraction;
    }
  }
  return Fail(ErrorCode::kInvalid, "'{}' is not a UTC time of the form 2026-11-22T10:01:02Z or 2026-11-22",
              text);
}

}  // namespace tmdbc
