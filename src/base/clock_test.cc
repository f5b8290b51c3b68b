// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

using namespace std::chrono_literals;

const Time kMorning =
    Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + 10h + 1min + 2s + 345ms;

TEST(FormatTime, WritesUtcWithMilliseconds) {
  EXPECT_EQ(FormatTime(kMorning), "2026-11-22T10:01:02.345Z");
  EXPECT_EQ(FormatTime(Time()), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatTime(Time() - 1us), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatTime(kMorning + 999us), "2026-11-22T10:01:02.345Z")
      << "cut, not rounded: never in the future";
  EXPECT_EQ(FormatDate(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)), "2026-03-01");
}

TEST(ParseTime, ReadsWhatFormatTimeWritesAndShorterForms) {
  EXPECT_EQ(ParseTime(FormatTime(kMorning)).value(), kMorning);
  EXPECT_EQ(ParseTime("2026-11-22T10:01:02Z").value(), kMorning - 345ms);
  EXPECT_EQ(ParseTime("2026-11-22T10:01:02.3Z").value(), kMorning - 45ms);
  EXPECT_EQ(ParseTime("2026-11-22T10:01:02.345678Z").value(), kMorning + 678us);
  EXPECT_EQ(ParseTime("2026-11-22").value(), kMorning - (10h + 1min + 2s + 345ms));
  EXPECT_EQ(ParseTime("2024-02-29").value(), Time(std::chrono::sys_days(std::chrono::year(2024) / 2 / 29)));
  EXPECT_EQ(FormatDate(ParseDate("2026-11-22").value()), "2026-11-22");
}

TEST(ParseTime, RefusesWhatIsNoTimeAndSaysSo) {
  for (const std::string_view text : {"",
                                      "now",
                                      "2026",
                                      "2026-11",
                                      "2026-11-22T",
                                      "2026-11-22T10:01",
                                      "2026-11-22T10:01:02",
                                      "2026-11-22T24:00:00Z",
                                      "2026-11-22T10:60:00Z",
                                      "2026-11-22T10:00:61Z",
                                      "2026-11-22T10:01:02.Z",
                                      "2026-11-22T10:01:02+01:00",
                                      "2026-11-22 10:01:02Z",
                                      "2026-11-22T10:01:02ZZ",
                                      "2026-11-31",
                                      "2026-13-01",
                                      "2025-02-29",
                                      "2026-00-10",
                                      "-026-11-22",
                                      "2026-1-22",
                                      "2026-11-22 ",
                                      " 2026-11-22",
                                      "2026--1-22"}) {
    const auto time = ParseTime(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, ErrorCode::kInvalid);
    EXPECT_NE(time.error().message.find(std::string("'") + std::string(text) + "'"), std::string::npos);
    EXPECT_FALSE(ParseDate(text)) << text;
  }
  EXPECT_FALSE(ParseDate("2026-11-22T10:01:02Z")) << "a date has no time";
}

TEST(SystemClock, NeverGoesBackAndAgreesWithTheCalendar) {
  const SystemClock clock;
  const MonoTime first = clock.Mono();
  EXPECT_LE(first, clock.Mono());
  EXPECT_GT(clock.Now(), ParseTime("2020-01-01").value());
}

}  // namespace
}  // namespace tmdbc
