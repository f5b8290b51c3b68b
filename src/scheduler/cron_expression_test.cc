// SPDX-License-Identifier: MIT
#include "scheduler/cron_expression.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tmdbc {
namespace {

LocalMinute At(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  return LocalMinute(std::chrono::local_days(std::chrono::year(year) / month / day)) +
         std::chrono::hours(hour) + std::chrono::minutes(minute);
}

std::string Show(LocalMinute time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto minutes = (time - day).count();
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), minutes / 60, minutes % 60);
}

// The next ones, "never" at the end of time.
std::vector<std::string> Next(std::string_view fields, LocalMinute after, int count) {
  const auto cron = CronExpression::Parse(fields);
  if (!cron) return {cron.error().message};
  std::vector<std::string> times;
  for (int i = 0; i < count; ++i) {
    const auto next = cron->Next(after);
    times.push_back(next ? Show(*next) : "never");
    if (!next) break;
    after = *next;
  }
  return times;
}

struct Row {
  const char* fields;
  LocalMinute after;
  std::vector<std::string> next;
};

class Cron : public ::testing::TestWithParam<Row> {};
TEST_P(Cron, Recurs) {
  EXPECT_EQ(Next(GetParam().fields, GetParam().after, int(GetParam().next.size())), GetParam().next)
      << GetParam().fields;
}

const LocalMinute kSunday = At(2026, 11, 22, 9, 30);  // a Sunday

INSTANTIATE_TEST_SUITE_P(
    EveryField, Cron,
    ::testing::Values(
        Row{"* * * * ? *", kSunday, {"2026-11-22 09:31", "2026-11-22 09:32"}},
        Row{"0 6 * * ? *", kSunday, {"2026-11-23 06:00", "2026-11-24 06:00"}},
        Row{"30 9 * * ? *", kSunday, {"2026-11-23 09:30"}},  // strictly after
        Row{"31 9 * * ? *", kSunday, {"2026-11-22 09:31"}},
        Row{"0/15 * * * ? *", kSunday, {"2026-11-22 09:45", "2026-11-22 10:00"}},
        Row{"*/15 * * * ? *", kSunday, {"2026-11-22 09:45", "2026-11-22 10:00"}},
        Row{"1/10 * * * ? *",
            kSunday,
            {"2026-11-22 09:31", "2026-11-22 09:41", "2026-11-22 09:51", "2026-11-22 10:01"}},
        Row{"10-40/15 9 * * ? *", kSunday, {"2026-11-22 09:40", "2026-11-23 09:10", "2026-11-23 09:25"}},
        Row{"5,35 9,21 * * ? *", kSunday, {"2026-11-22 09:35", "2026-11-22 21:05", "2026-11-22 21:35"}},
        Row{"0 8-10 * * ? *", kSunday, {"2026-11-22 10:00", "2026-11-23 08:00"}},
        Row{"0 12 1 * ? *", kSunday, {"2026-12-01 12:00", "2027-01-01 12:00"}},
        Row{"0 12 1,15 * ? *", kSunday, {"2026-12-01 12:00", "2026-12-15 12:00"}},
        Row{"0 0 1 JAN ? *", kSunday, {"2027-01-01 00:00", "2028-01-01 00:00"}},
        Row{"0 0 1 jan,Jul ? *", kSunday, {"2027-01-01 00:00", "2027-07-01 00:00"}},
        Row{"0 0 1 1/3 ? *", kSunday, {"2027-01-01 00:00", "2027-04-01 00:00"}},
        Row{"0 0 ? * MON-FRI *", At(2026, 11, 26), {"2026-11-27 00:00", "2026-11-30 00:00"}},
        Row{"0 0 ? * 1 *", kSunday, {"2026-11-29 00:00"}},  // 1 is Sunday
        Row{"0 0 ? * 7,SUN *", kSunday, {"2026-11-28 00:00", "2026-11-29 00:00"}},
        Row{"0 0 1 1 ? 2030-2032/2", kSunday, {"2030-01-01 00:00", "2032-01-01 00:00", "never"}},
        Row{"0 0 1 1 ? 2199", kSunday, {"2199-01-01 00:00", "never"}},
        Row{"0 0 1 1 ? 2020", kSunday, {"never"}}, Row{"\t 0  6 * * ? * ", kSunday, {"2026-11-23 06:00"}}));

INSTANTIATE_TEST_SUITE_P(
    RangesOverTheEnd, Cron,
    ::testing::Values(
        // AWS's own example: every 30 minutes from 20:00 to 02:59.
        Row{"0/30 20-2 ? * MON-FRI *", At(2026, 11, 23, 2, 30), {"2026-11-23 20:00", "2026-11-23 20:30"}},
        Row{"0/30 20-2 ? * MON-FRI *", At(2026, 11, 27, 23, 30), {"2026-11-30 00:00"}},
        Row{"0 1 ? * FRI-MON *",
            At(2026, 11, 23, 2),
            {"2026-11-27 01:00", "2026-11-28 01:00", "2026-11-29 01:00", "2026-11-30 01:00",
             "2026-12-04 01:00"}},
        Row{"0 0 1 NOV-FEB ? *",
            kSunday,
            {"2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00", "2027-11-01 00:00"}},
        Row{"0 0 30-2 * ? *",
            kSunday,
            {"2026-11-30 00:00", "2026-12-01 00:00", "2026-12-02 00:00", "2026-12-30 00:00"}}));

INSTANTIATE_TEST_SUITE_P(
    LastNearestAndNth, Cron,
    ::testing::Values(
        Row{"0 0 L * ? *",
            kSunday,
            {"2026-11-30 00:00", "2026-12-31 00:00", "2027-01-31 00:00", "2027-02-28 00:00"}},
        Row{"0 0 L 2 ? *", kSunday, {"2027-02-28 00:00", "2028-02-29 00:00", "2029-02-28 00:00"}},
        // The last weekday: 31 January 2027 is a Sunday, 28 February too.
        Row{"0 0 LW * ? *",
            kSunday,
            {"2026-11-30 00:00", "2026-12-31 00:00", "2027-01-29 00:00", "2027-02-26 00:00"}},
        // 15 November 2026 is a Sunday, 15 August a Saturday.
        Row{"0 0 15W * ? *",
            At(2026, 7, 31),
            {"2026-08-14 00:00", "2026-09-15 00:00", "2026-10-15 00:00", "2026-11-16 00:00"}},
        // Never into another month: 1 August 2026 is a Saturday, 31 May and 31 January 2027 are Sundays.
        Row{"0 0 1W 8 ? *", kSunday, {"2027-08-02 00:00"}},
        Row{"0 0 1W 8 ? *", At(2026, 7, 1), {"2026-08-03 00:00"}},
        Row{"0 0 31W * ? *", At(2026, 5, 1), {"2026-05-29 00:00", "2026-07-31 00:00", "2026-08-31 00:00"}},
        Row{"0 0 31W 1 ? *", kSunday, {"2027-01-29 00:00"}},
        Row{"15 10 ? * 6L *", kSunday, {"2026-11-27 10:15", "2026-12-25 10:15", "2027-01-29 10:15"}},
        Row{"15 10 ? * FRIL *", kSunday, {"2026-11-27 10:15"}},
        Row{"0 0 ? * L *", kSunday, {"2026-11-28 00:00", "2026-12-05 00:00"}},  // Saturdays
        Row{"0 0 ? * 6#3 *", kSunday, {"2026-12-18 00:00", "2027-01-15 00:00"}},
        Row{"0 0 ? * TUE#1 *", kSunday, {"2026-12-01 00:00", "2027-01-05 00:00"}},
        // A fifth one is not in every month.
        Row{"0 0 ? * 2#5 *", kSunday, {"2026-11-30 00:00", "2027-03-29 00:00", "2027-05-31 00:00"}}));

INSTANTIATE_TEST_SUITE_P(
    LeapYears, Cron,
    ::testing::Values(
        Row{"0 12 29 FEB ? *", kSunday, {"2028-02-29 12:00", "2032-02-29 12:00"}},
        // 2100 is none.
        Row{"0 12 29 FEB ? *", At(2096, 3, 1), {"2104-02-29 12:00"}},
        Row{"0 12 29 FEB ? 2097-2103,2199",
            At(2096, 3, 1),
            {"it never happens: there is no such day from 1970 to 2199"}},
        Row{"0 0 31 * ? *", At(2027, 1, 31), {"2027-03-31 00:00", "2027-05-31 00:00"}},
        Row{"59 23 31 12 ? *", At(2026, 12, 31, 23, 58), {"2026-12-31 23:59", "2027-12-31 23:59"}}));

struct Mistake {
  const char* fields;
  const char* sentence;
};

class CronMistake : public ::testing::TestWithParam<Mistake> {};
TEST_P(CronMistake, IsToldWithItsField) {
  const auto cron = CronExpression::Parse(GetParam().fields);
  ASSERT_FALSE(cron) << GetParam().fields;
  EXPECT_EQ(cron.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(cron.error().message, GetParam().sentence);
}

constexpr const char* kDayRule =
    "exactly one of its day-of-month field ('*') and its day-of-week field ('*') must be ?, as in cron(0 6 * "
    "* ? *)";

INSTANTIATE_TEST_SUITE_P(
    Table, CronMistake,
    ::testing::Values(
        Mistake{"",
                "it has 0 fields, not the six minutes, hours, day-of-month, month, day-of-week and year, as "
                "in cron(0 6 * * ? *)"},
        Mistake{"0 6 * * *",
                "it has 5 fields, not the six minutes, hours, day-of-month, month, day-of-week and year, as "
                "in cron(0 6 * * ? *)"},
        Mistake{"0 6 * * * *", kDayRule},
        Mistake{"0 6 ? * ? *",
                "exactly one of its day-of-month field ('?') and its day-of-week field ('?') must be ?, as "
                "in cron(0 6 * * ? *)"},
        Mistake{"0 6 1 * MON *",
                "exactly one of its day-of-month field ('1') and its day-of-week field ('MON') must be ?, as "
                "in cron(0 6 * * ? *)"},
        Mistake{"60 6 * * ? *", "its minutes field is '60': use 0-59, with , - * /"},
        Mistake{"-1 6 * * ? *", "its minutes field is '-1': use 0-59, with , - * /"},
        Mistake{"0/0 6 * * ? *", "its minutes field is '0/0': use 0-59, with , - * /"},
        Mistake{"5, 6 * * ? *", "its minutes field is '5,': use 0-59, with , - * /"},
        Mistake{"? 6 * * ? *", "its minutes field is '?': use 0-59, with , - * /"},
        Mistake{"0 24 * * ? *", "its hours field is '24': use 0-23, with , - * /"},
        Mistake{"0 L * * ? *", "its hours field is 'L': use 0-23, with , - * /"},
        Mistake{"0 6 0 * ? *",
                "its day-of-month field is '0': use 1-31, with , - * /, or alone ?, L, LW or a day with W as "
                "15W"},
        Mistake{"0 6 W * ? *",
                "its day-of-month field is 'W': use 1-31, with , - * /, or alone ?, L, LW or a day with W as "
                "15W"},
        Mistake{"0 6 1,15W * ? *",
                "its day-of-month field is '1,15W': use 1-31, with , - * /, or alone ?, L, LW or a day with "
                "W as 15W"},
        Mistake{"0 6 L-3 * ? *",
                "its day-of-month field is 'L-3': use 1-31, with , - * /, or alone ?, L, LW or a day with W "
                "as 15W"},
        Mistake{"0 6 * 13 ? *", "its month field is '13': use 1-12 or JAN-DEC, with , - * /"},
        Mistake{"0 6 * JANUARY ? *", "its month field is 'JANUARY': use 1-12 or JAN-DEC, with , - * /"},
        Mistake{"0 6 ? * 0 *",
                "its day-of-week field is '0': use 1-7 or SUN-SAT (1 is Sunday), with , - *, or alone ?, L, "
                "a day with L as 6L, or # as 6#3"},
        Mistake{"0 6 ? * 2/2 *",
                "its day-of-week field is '2/2': use 1-7 or SUN-SAT (1 is Sunday), with , - *, or alone ?, "
                "L, a day with L as 6L, or # as 6#3"},
        Mistake{"0 6 ? * 6#6 *",
                "its day-of-week field is '6#6': use 1-7 or SUN-SAT (1 is Sunday), with , - *, or alone ?, "
                "L, a day with L as 6L, or # as 6#3"},
        Mistake{"0 6 ? * 3#1,6#3 *",
                "its day-of-week field is '3#1,6#3': use 1-7 or SUN-SAT (1 is Sunday), with , - *, or alone "
                "?, L, a day with L as 6L, or # as 6#3"},
        Mistake{"0 6 ? * 6# *",
                "its day-of-week field is '6#': use 1-7 or SUN-SAT (1 is Sunday), with , - *, or alone ?, L, "
                "a day with L as 6L, or # as 6#3"},
        Mistake{"0 6 ? * # *",
                "its day-of-week field is '#': use 1-7 or SUN-SAT (1 is Sunday), with , - *, or alone ?, L, "
                "a day with L as 6L, or # as 6#3"},
        Mistake{"0 6 * * ? 1969", "its year field is '1969': use 1970-2199, with , - * /"},
        Mistake{"0 6 * * ? 2030-2026", "its year field is '2030-2026': use 1970-2199, with , - * /"},
        Mistake{"0 6 30 2 ? *", "it never happens: there is no such day from 1970 to 2199"},
        Mistake{"0 6 31 4,6,9,11 ? *", "it never happens: there is no such day from 1970 to 2199"},
        Mistake{"0 6 29 2 ? 2027", "it never happens: there is no such day from 1970 to 2199"}));

// Against the plain definition, minute by minute, over two years with a leap day.
TEST(CronAgainstADefinition, AgreesOnEveryMinute) {
  const auto cron = CronExpression::Parse("7/20 3-4,22 ? 2-3 2,5-6 2027-2028");
  ASSERT_TRUE(cron);
  std::optional<LocalMinute> next = cron->Next(At(2026, 12, 31));
  int found = 0;
  for (LocalMinute time = At(2026, 12, 31) + std::chrono::minutes(1); time < At(2029, 1, 1);
       time += std::chrono::minutes(1)) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const auto minutes = (time - day).count();
    const auto minute = minutes % 60, hour = minutes / 60;
    const unsigned month = unsigned(date.month()), weekday = std::chrono::weekday(day).c_encoding() + 1;
    const bool matches = (minute == 7 || minute == 27 || minute == 47) &&
                         (hour == 3 || hour == 4 || hour == 22) && (month == 2 || month == 3) &&
                         (weekday == 2 || weekday == 5 || weekday == 6) &&
                         (int(date.year()) == 2027 || int(date.year()) == 2028);
    if (!matches) continue;
    ASSERT_TRUE(next);
    ASSERT_EQ(Show(*next), Show(time));
    next = cron->Next(*next);
    ++found;
  }
  EXPECT_GT(found, 400);
  EXPECT_FALSE(next);
}

}  // namespace
}  // namespace tmdbc
