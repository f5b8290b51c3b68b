// SPDX-License-Identifier: MIT
#include "scheduler/cron_expression.h"

#include <array>
#include <cctype>
#include <charconv>
#include <span>
#include <string>
#include <vector>

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::year_month_day;

constexpr std::string_view kMonthNames[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                            "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kWeekdayNames[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct Field {
  std::string_view name;
  int low, high;
  std::string_view allowed;
  std::span<const std::string_view> names;  // of the values from `low` on
  bool steps, wraps;
};

constexpr Field kMinutes = {"minutes", 0, 59, "0-59, with , - * /", {}, true, true};
constexpr Field kHours = {"hours", 0, 23, "0-23, with , - * /", {}, true, true};
constexpr Field kDayOfMonth = {
    "day-of-month", 1, 31, "1-31, with , - * /, or alone ?, L, LW or a day with W as 15W", {}, true, true};
constexpr Field kMonth = {"month", 1, 12, "1-12 or JAN-DEC, with , - * /", kMonthNames, true, true};
constexpr Field kDayOfWeek = {
    "day-of-week",
    1,
    7,
    "1-7 or SUN-SAT (1 is Sunday), with , - *, or alone ?, L, a day with L as 6L, or # as 6#3",
    kWeekdayNames,
    false,
    true};
constexpr Field kYear = {"year", 1970, 2199, "1970-2199, with , - * /", {}, true, false};

std::unexpected<Error> Refuse(const Field& field, std::string_view text) {
  return Fail(ErrorCode::kInvalid, "its {} field is '{}': use {}", field.name, text, field.allowed);
}

std::optional<int> ParseNumber(std::string_view text, int low, int high) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.size() > 4) return std::nullopt;
  if (text.front() == '-' || number < low || number > high) return std::nullopt;
  return number;
}

// A number or a name; `text` is in upper case.
std::optional<int> ParseValue(const Field& field, std::string_view text) {
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (field.names[i] == text) return field.low + int(i);
  }
  return text.empty() ? std::nullopt : ParseNumber(text, field.low, field.high);
}

// One of a list: *, 5, 1-5, each with /step: from 5 to the end, every step.
template <class Values>
bool AddItem(const Field& field, std::string_view item, Values& values) {
  int step = 1;
  const auto slash = item.find('/');
  if (slash != std::string_view::npos) {
    const auto number = ParseNumber(item.substr(slash + 1), 1, field.high);
    if (!field.steps || !number) return false;
    step = *number;
    item = item.substr(0, slash);
  }
  int first = field.low, last = field.high;
  if (item != "*") {
    const auto dash = item.find('-');
    const auto from = ParseValue(field, item.substr(0, dash));
    if (!from) return false;
    first = *from;
    if (dash != std::string_view::npos) {
      const auto to = ParseValue(field, item.substr(dash + 1));
      if (!to || (*to < first && !field.wraps)) return false;
      last = *to;
    } else if (slash == std::string_view::npos) {
      last = first;
    }
  }
  const int count = field.high - field.low + 1;
  if (last < first) last += count;
  for (int value = first; value <= last; value += step) values.set(std::size_t((value - field.low) % count));
  return true;
}

template <class Values>
Result<void> ParseList(const Field& field, std::string_view text, Values& values) {
  for (std::string_view rest = text;;) {
    const auto comma = rest.find(',');
    if (!AddItem(field, rest.substr(0, comma), values)) return Refuse(field, text);
    if (comma == std::string_view::npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

std::vector<std::string> SplitAtBlanks(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c != ' ' && c != '\t') {
      words.back() += char(std::toupper(static_cast<unsigned char>(c)));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

int LastDayOf(year_month_day date) {
  return int(unsigned((date.year() / date.month() / std::chrono::last).day()));
}

// 1 = Sunday.
int WeekdayOf(year_month_day date) {
  return int(std::chrono::weekday(local_days(date)).c_encoding()) + 1;
}

int LastWeekdayOf(year_month_day date) {
  const int last = LastDayOf(date);
  const int weekday = WeekdayOf(date.year() / date.month() / std::chrono::day(unsigned(last)));
  return weekday == 7 ? last - 1 : weekday == 1 ? last - 2 : last;
}

// Of a month that has `day`: the Friday before a Saturday, the Monday after a Sunday, but never in another
// month.
int NearestWeekday(year_month_day date, int day) {
  const int weekday = WeekdayOf(date.year() / date.month() / std::chrono::day(unsigned(day)));
  if (weekday == 7) return day == 1 ? 3 : day - 1;
  if (weekday == 1) return day == LastDayOf(date) ? day - 2 : day + 1;
  return day;
}

}  // namespace

Result<CronExpression> CronExpression::Parse(std::string_view text) {
  const std::vector<std::string> fields = SplitAtBlanks(text);
  if (fields.size() != 6) {
    return Fail(
        ErrorCode::kInvalid,
        "it has {} field{}, not the six minutes, hours, day-of-month, month, day-of-week and year, as in "
        "cron(0 6 * * ? *)",
        fields.size(), fields.size() == 1 ? "" : "s");
  }
  if ((fields[2] == "?") == (fields[4] == "?")) {
    return Fail(
        ErrorCode::kInvalid,
        "exactly one of its day-of-month field ('{}') and its day-of-week field ('{}') must be ?, as in "
        "cron(0 6 * * ? *)",
        fields[2], fields[4]);
  }
  CronExpression cron;
  TRY(ParseList(kMinutes, fields[0], cron.minutes_));
  TRY(ParseList(kHours, fields[1], cron.hours_));
  if (fields[4] == "?") {
    TRY(cron.ParseDayOfMonth(fields[2]));
  } else {
    TRY(cron.ParseDayOfWeek(fields[4]));
  }
  TRY(ParseList(kMonth, fields[3], cron.months_));
  TRY(ParseList(kYear, fields[5], cron.years_));
  if (!cron.Next(LocalMinute(local_days(std::chrono::year(1970) / 1 / 1)) - std::chrono::minutes(1))) {
    return Fail(ErrorCode::kInvalid, "it never happens: there is no such day from 1970 to 2199");
  }
  return cron;
}

Result<void> CronExpression::ParseDayOfMonth(std::string_view text) {
  if (text == "L") {
    rule_ = DayRule::kLastDay;
  } else if (text == "LW") {
    rule_ = DayRule::kLastWeekday;
  } else if (text.ends_with('W')) {
    rule_ = DayRule::kNearestWeekday;
    const auto day = ParseValue(kDayOfMonth, text.substr(0, text.size() - 1));
    if (!day) return Refuse(kDayOfMonth, text);
    day_ = *day;
  } else {
    return ParseList(kDayOfMonth, text, days_);
  }
  return {};
}

Result<void> CronExpression::ParseDayOfWeek(std::string_view text) {
  const auto hash = text.find('#');
  if (hash != std::string_view::npos || (text.ends_with('L') && text != "L")) {
    rule_ = hash != std::string_view::npos ? DayRule::kNthSuch : DayRule::kLastSuch;
    const auto weekday = ParseValue(kDayOfWeek, text.substr(0, std::min(hash, text.size() - 1)));
    const auto nth = hash == std::string_view::npos || hash + 1 == text.size()
                         ? 0
                         : ParseNumber(text.substr(hash + 1), 1, 5);
    if (!weekday || !nth || (rule_ == DayRule::kNthSuch && *nth == 0)) return Refuse(kDayOfWeek, text);
    weekday_ = *weekday;
    nth_ = *nth;
    return {};
  }
  rule_ = DayRule::kWeekdays;
  return ParseList(kDayOfWeek, text == "L" ? "SAT" : text, weekdays_);
}

bool CronExpression::IsDay(year_month_day date) const {
  const int day = int(unsigned(date.day()));
  switch (rule_) {
    case DayRule::kListed:
      return days_.test(std::size_t(day - kDayOfMonth.low));
    case DayRule::kLastDay:
      return day == LastDayOf(date);
    case DayRule::kLastWeekday:
      return day == LastWeekdayOf(date);
    case DayRule::kNearestWeekday:
      return day_ <= LastDayOf(date) && day == NearestWeekday(date, day_);
    case DayRule::kWeekdays:
      return weekdays_.test(std::size_t(WeekdayOf(date) - kDayOfWeek.low));
    case DayRule::kLastSuch:
      return WeekdayOf(date) == weekday_ && day + 7 > LastDayOf(date);
    case DayRule::kNthSuch:
      return WeekdayOf(date) == weekday_ && (day - 1) / 7 + 1 == nth_;
  }
  return false;
}

std::optional<int> CronExpression::MinuteFrom(int from) const {
  for (int minute = from; minute < 24 * 60; ++minute) {
    if (!hours_.test(std::size_t(minute / 60))) {
      minute += 59 - minute % 60;
    } else if (minutes_.test(std::size_t(minute % 60))) {
      return minute;
    }
  }
  return std::nullopt;
}

std::optional<LocalMinute> CronExpression::Next(LocalMinute after) const {
  const LocalMinute first = std::max(after + std::chrono::minutes(1),
                                     LocalMinute(local_days(std::chrono::year(kYear.low) / 1 / 1)));
  local_days day = std::chrono::floor<days>(first);
  int from = int((first - day).count());
  while (true) {
    const year_month_day date(day);
    const int year = int(date.year());
    if (year > kYear.high) return std::nullopt;
    // A month or a year that is not meant is left at once.
    if (!years_.test(std::size_t(year - kYear.low))) {
      day = local_days((date.year() + std::chrono::years(1)) / 1 / 1);
    } else if (!months_.test(unsigned(date.month()) - 1)) {
      day = local_days(date.year() / date.month() / std::chrono::last) + days(1);
    } else {
      const auto minute = IsDay(date) ? MinuteFrom(from) : std::nullopt;
      if (minute) return LocalMinute(day) + std::chrono::minutes(*minute);
      day += days(1);
    }
    from = 0;
  }
}

}  // namespace tmdbc
