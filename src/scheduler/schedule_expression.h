// SPDX-License-Identifier: MIT
// ScheduleExpression: when something recurs, in the words of EventBridge
// (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html):
//
//   rate(12 hours)              every so many minutes, hours or days of 24 hours; one of them is singular
//   cron(0 6 * * ? *)           cron_expression.h, as the clocks of a time zone show it
//   at(2026-12-01T06:00:00)     once, as the clocks of a time zone show it
//
// As EventBridge does: where clocks are put forward, what falls into the hour that is left out does not
// happen and the next valid time counts; where they are put back, what falls into the hour that comes twice
// happens once, the first time. Immutable; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "scheduler/cron_expression.h"
#include "scheduler/time_zone.h"

namespace tmdbc {

class ScheduleExpression {
 public:
  enum class Kind : std::uint8_t { kRate, kCron, kAt };

  // kInvalid with the rest of a sentence that begins with the expression: "cron(0 25 * * ? *)":
  // "its hours field is '25': use ...".
  static Result<ScheduleExpression> Parse(std::string_view text, TimeZone zone = TimeZone());
  // rate() of so many minutes, at least one.
  static ScheduleExpression Every(std::chrono::minutes interval);

  // The first time after `after`, of a rate `after` and its interval. Empty when there is none any more.
  std::optional<Time> Next(Time after) const;

  Kind kind() const { return Kind(when_.index()); }
  // Of a rate.
  std::chrono::minutes interval() const { return std::get<std::chrono::minutes>(when_); }
  // As it was given: "cron(0 6 * * ? *)".
  const std::string& text() const { return text_; }
  const TimeZone& zone() const { return zone_; }
  // Both, the time zone where it matters: "cron(0 6 * * ? *) Europe/Berlin".
  std::string ToString() const;

 private:
  // In the order of Kind.
  using When = std::variant<std::chrono::minutes, CronExpression, std::chrono::local_seconds>;
  ScheduleExpression(std::string text, const When& when, TimeZone zone)
      : text_(std::move(text)), when_(when), zone_(std::move(zone)) {}

  std::string text_;
  When when_;
  TimeZone zone_;
};

}  // namespace tmdbc
