// SPDX-License-Identifier: MIT
#include "harvester/upstream_time.h"

#include <gtest/gtest.h>

#include <fmt/chrono.h>

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr std::chrono::sys_days kToday{std::chrono::year(2026) / 11 / 22};
constexpr Time kNoon = Time(kToday) + hours(12);

// TMDB has answered at `date` while the local clock said `now`.
UpstreamDate Answered(Time date, Time now) {
  UpstreamDate upstream;
  http::Response response;
  response.status = 200;
  response.headers = {{"Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", std::chrono::floor<std::chrono::seconds>(date))}};
  upstream.Saw(response, now);
  return upstream;
}

TEST(UpstreamTime, TheLocalClockCountsWhileItAgreesWithTmdb) {
  const UpstreamDate upstream = Answered(kNoon, kNoon);
  EXPECT_EQ(ReadUntil(upstream, kNoon + hours(1)), kNoon + hours(1));
  EXPECT_EQ(ProgressUntil(upstream, kNoon), kNoon);
}

TEST(UpstreamTime, AClockThatIsHoursAheadIsBoundedByTmdbsDate) {
  const UpstreamDate upstream = Answered(kNoon, kNoon + hours(20));
  EXPECT_EQ(ProgressUntil(upstream, kNoon + hours(20)), kNoon + kUpstreamDateTolerance);
  EXPECT_EQ(ReadUntil(upstream, kNoon + hours(20)), kNoon + kUpstreamDateTolerance);
}

TEST(UpstreamTime, AClockThatIsDaysOffIsNotActedUponAndTmdbsTimeIsReadTo) {
  for (const Time now : {kNoon + days(30), Time{}}) {
    const UpstreamDate upstream = Answered(kNoon, now);
    EXPECT_FALSE(ProgressUntil(upstream, now));
    EXPECT_EQ(ReadUntil(upstream, now), kNoon);
  }
}

TEST(UpstreamTime, BeforeTheFirstAnswerTheDaysSinceTheLastRunAreLookedAt) {
  const UpstreamDate upstream(kNoon - days(10));
  EXPECT_EQ(ReadUntil(upstream, kNoon), kNoon);
  EXPECT_EQ(ReadUntil(upstream, Time{}), kNoon - days(10)) << "the clock at 1970";
  EXPECT_EQ(ProgressUntil(upstream, kNoon), kNoon - days(10) + kUpstreamDateTolerance) << "but not passed";
}

TEST(UpstreamTime, AWatermarkInTheFutureGoesBackToTheLastDayThatIsKnown) {
  const auto future = kToday + days(30);
  EXPECT_FALSE(SoundWatermark(kToday, kNoon, kToday, kNoon));
  EXPECT_FALSE(SoundWatermark(kToday, std::nullopt, std::nullopt, kNoon));
  EXPECT_EQ(SoundWatermark(future, kNoon, std::nullopt, kNoon), kToday);
  EXPECT_EQ(SoundWatermark(future, kNoon, kToday - days(4), kNoon), kToday - days(5)) << "a page too many";
  EXPECT_EQ(SoundWatermark(future, std::nullopt, kToday, Time{}), kToday - days(1)) << "the clock at 1970";
  EXPECT_EQ(SoundWatermark(future, std::nullopt, std::nullopt, kNoon), kToday);
}

}  // namespace
}  // namespace tmdbc
