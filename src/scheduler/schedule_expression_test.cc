// SPDX-License-Identifier: MIT
#include "scheduler/schedule_expression.h"

#include <gtest/gtest.h>

#include <vector>

namespace tmdbc {
namespace {

Time At(std::string_view text) {
  return ParseTime(text).value();
}

struct Row {
  const char* expression;
  const char* zone;
  const char* after;
  std::vector<std::string> next;
};

class Expression : public ::testing::TestWithParam<Row> {};
TEST_P(Expression, HasItsNextTimes) {
  auto zone = TimeZone::Load(GetParam().zone);
  ASSERT_TRUE(zone) << zone.error().message;
  const auto expression = ScheduleExpression::Parse(GetParam().expression, *zone);
  ASSERT_TRUE(expression) << expression.error().message;
  std::vector<std::string> times;
  std::optional<Time> time = At(GetParam().after);
  for (std::size_t i = 0; time && i < GetParam().next.size(); ++i) {
    time = expression->Next(*time);
    times.push_back(time ? FormatTime(*time).substr(0, 16) : "never");
  }
  EXPECT_EQ(times, GetParam().next);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Expression,
    ::testing::Values(
        Row{"rate(1 minute)", "UTC", "2026-11-22T09:30:00Z", {"2026-11-22T09:31", "2026-11-22T09:32"}},
        Row{"rate(90 minutes)", "UTC", "2026-11-22T09:30:00Z", {"2026-11-22T11:00"}},
        Row{"rate(1 hour)", "UTC", "2026-11-22T09:30:00Z", {"2026-11-22T10:30"}},
        Row{" rate( 12  hours ) ", "UTC", "2026-11-22T09:30:00Z", {"2026-11-22T21:30"}},
        Row{"rate(1 day)", "UTC", "2026-11-22T09:30:00Z", {"2026-11-23T09:30"}},
        // A day is 24 hours, whatever clocks do.
        Row{"rate(1 day)", "Europe/Berlin", "2026-03-28T12:00:00Z", {"2026-03-29T12:00"}},
        Row{"cron(0 6 * * ? *)", "UTC", "2026-11-22T09:30:00Z", {"2026-11-23T06:00"}},
        Row{"cron(0 6 * * ? *)", "UTC", "2026-11-22T05:59:59.999Z", {"2026-11-22T06:00"}},
        Row{"cron(0 6 * * ? *)", "UTC", "2026-11-22T06:00:00Z", {"2026-11-23T06:00"}},
        Row{"cron(0 6 * * ? *)", "UTC", "2026-11-22T06:00:00.001Z", {"2026-11-23T06:00"}},
        // Six o'clock there is another moment in summer.
        Row{"cron(0 6 * * ? *)",
            "Europe/Berlin",
            "2026-03-27T12:00:00Z",
            {"2026-03-28T05:00", "2026-03-29T04:00"}},
        Row{"cron(0 6 * * ? *)",
            "America/New_York",
            "2026-10-30T12:00:00Z",
            {"2026-10-31T10:00", "2026-11-01T11:00"}},
        // Half past two is left out on 29 March 2026 in Berlin, on 8 March in New York.
        Row{"cron(30 2 * * ? *)",
            "Europe/Berlin",
            "2026-03-27T12:00:00Z",
            {"2026-03-28T01:30", "2026-03-30T00:30"}},
        Row{"cron(30 2 * * ? *)",
            "America/New_York",
            "2026-03-06T12:00:00Z",
            {"2026-03-07T07:30", "2026-03-09T06:30"}},
        // It comes twice on 25 October, in New York half past one on 1 November: the first counts.
        Row{"cron(30 2 * * ? *)",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            {"2026-10-25T00:30", "2026-10-26T01:30"}},
        Row{"cron(30 1 * * ? *)",
            "America/New_York",
            "2026-10-31T12:00:00Z",
            {"2026-11-01T05:30", "2026-11-02T06:30"}},
        // Asked within the hour that comes again.
        Row{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T01:10:00Z", {"2026-10-26T01:30"}},
        Row{"cron(0/30 * * * ? *)",
            "Europe/Berlin",
            "2026-03-29T00:10:00Z",
            {"2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"}},
        Row{"cron(0/30 * * * ? *)",
            "Europe/Berlin",
            "2026-10-25T00:10:00Z",
            {"2026-10-25T00:30", "2026-10-25T02:00", "2026-10-25T02:30"}},
        // A whole day is left out.
        Row{"cron(0 12 * * ? *)",
            "Pacific/Apia",
            "2011-12-29T00:00:00Z",
            {"2011-12-29T22:00", "2011-12-30T22:00"}},
        Row{"cron(30 2 29 3 ? 2026)", "Europe/Berlin", "2026-01-01T00:00:00Z", {"never"}},
        Row{"at(2026-12-01T06:00:00)", "UTC", "2026-11-22T09:30:00Z", {"2026-12-01T06:00", "never"}},
        Row{"at(2026-12-01T06:00:00)", "Asia/Tokyo", "2026-11-22T09:30:00Z", {"2026-11-30T21:00", "never"}},
        Row{"at(2026-11-22T09:30:00)", "UTC", "2026-11-22T09:30:00Z", {"never"}}));

struct Mistake {
  const char* expression;
  const char* begins;
};

class ExpressionMistake : public ::testing::TestWithParam<Mistake> {};
TEST_P(ExpressionMistake, IsToldWithWhatIsAllowed) {
  const auto expression =
      ScheduleExpression::Parse(GetParam().expression, TimeZone::Load("Europe/Berlin").value());
  ASSERT_FALSE(expression);
  EXPECT_EQ(expression.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(expression.error().message.starts_with(GetParam().begins)) << expression.error().message;
}
constexpr const char* kRate = "use rate(N UNIT) with a whole number from 1 and minutes, hours or days";
constexpr const char* kAny = "use rate(12 hours), cron(0 6 * * ? *) or at(2026-12-01T06:00:00)";
const std::string kTooLong = "cron(0 6 * * ? " + std::string(241, '*') + ")";
INSTANTIATE_TEST_SUITE_P(
    Table, ExpressionMistake,
    ::testing::Values(Mistake{"", kAny}, Mistake{kTooLong.c_str(), "it has 257 characters"},
                    Mistake{"daily", kAny}, Mistake{"0 6 * * *", kAny}, Mistake{"cron 0 6 * * ? *", kAny},
                    Mistake{"cron(0 6 * * ? *", kAny}, Mistake{"Rate(1 hour)", kAny},
                    Mistake{"rate()", kRate}, Mistake{"rate(0 minutes)", kRate},
                    Mistake{"rate(-5 minutes)", kRate}, Mistake{"rate(1.5 hours)", kRate},
                    Mistake{"rate(1 hours)", kRate}, Mistake{"rate(2 hour)", kRate},
                    Mistake{"rate(5minutes)", kRate}, Mistake{"rate(30 seconds)", kRate},
                    Mistake{"rate(5)", kRate}, Mistake{"rate(99999999999999999999 days)", kRate},
                    Mistake{"rate(999999999 days)", "999999999 days are more than a hundred years"},
                    Mistake{"cron(0 6 * * *)", "it has 5 fields"},
                    Mistake{"cron(0 25 * * ? *)", "its hours field is '25'"},
                    Mistake{"at(2026-12-01)", "use at(yyyy-mm-ddThh:mm:ss)"},
                    Mistake{"at(2026-02-29T06:00:00)", "use at(yyyy-mm-ddThh:mm:ss)"},
                    Mistake{"at(2026-12-01T24:00:00)", "use at(yyyy-mm-ddThh:mm:ss)"},
                    Mistake{"at(2026-12-01T06:00:00Z)", "use at(yyyy-mm-ddThh:mm:ss)"},
                    Mistake{"at(2026-03-29T02:30:00)",
                            "it never happens: clocks in Europe/Berlin are put forward over it"}));

TEST(ScheduleExpression, ShowsItselfAsItWasGiven) {
  EXPECT_EQ(
      ScheduleExpression::Parse(" cron(0 6 * * ? *) ", TimeZone::Load("Europe/Berlin").value())->ToString(),
      "cron(0 6 * * ? *) Europe/Berlin");
  EXPECT_EQ(ScheduleExpression::Parse("cron(0 6 * * ? *)")->ToString(), "cron(0 6 * * ? *)");
  EXPECT_EQ(ScheduleExpression::Every(std::chrono::minutes(1440)).ToString(), "rate(1440 minutes)");
  EXPECT_EQ(ScheduleExpression::Every(std::chrono::minutes(1)).ToString(), "rate(1 minute)");
}

}  // namespace
}  // namespace tmdbc
