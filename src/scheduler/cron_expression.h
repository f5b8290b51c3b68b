// SPDX-License-Identifier: MIT
// CronExpression: the six fields of cron(...), in the grammar of EventBridge
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html):
//
//   minutes 0-59 , - * /      hours 0-23 , - * /      day-of-month 1-31 , - * ? / L W
//   month 1-12 or JAN-DEC , - * /      day-of-week 1-7 or SUN-SAT , - * ? L #      year 1970-2199 , - * /
//
// A range may go over the end of its field, as 20-2 does in AWS's own example; years do not. L alone is the
// last day of the month, in day-of-week Saturday; LW the last weekday (Monday to Friday) of the month; 15W
// the weekday nearest to the 15th, in the same month; 6L the last Friday of the month, 6#3 its third. L, W
// and # stand alone in their field. Pure; local time only: what a time zone makes of it is
// schedule_expression.h's matter.
#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

// What a clock on the wall shows. EventBridge knows nothing finer than a minute.
using LocalMinute = std::chrono::local_time<std::chrono::minutes>;

class CronExpression {
 public:
  // `text` is what stands between the brackets. kInvalid with a sentence that names the field and what it
  // allows; also when there is no such day in any year.
  static Result<CronExpression> Parse(std::string_view text);

  // The first minute after `after`; empty when there is none up to the end of 2199.
  std::optional<LocalMinute> Next(LocalMinute after) const;

 private:
  using Values = std::bitset<256>;  // of one field, counted from its lowest

  enum class DayRule : std::uint8_t {
    kListed,          // days_
    kLastDay,         // L
    kLastWeekday,     // LW
    kNearestWeekday,  // 15W
    kWeekdays,        // weekdays_
    kLastSuch,        // 6L
    kNthSuch,         // 6#3
  };

  Result<void> ParseDayOfMonth(std::string_view text);
  Result<void> ParseDayOfWeek(std::string_view text);
  bool IsDay(std::chrono::year_month_day date) const;
  // The first matching minute of a day, from `from` minutes after midnight on.
  std::optional<int> MinuteFrom(int from) const;

  Values minutes_, hours_, days_, months_, weekdays_, years_;
  DayRule rule_ = DayRule::kListed;
  int day_ = 0;      // of kNearestWeekday
  int weekday_ = 0;  // 1 = Sunday, of kLastSuch and kNthSuch
  int nth_ = 0;
};

}  // namespace tmdbc
