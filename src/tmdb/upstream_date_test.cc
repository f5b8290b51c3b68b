// SPDX-License-Identifier: MIT
#include "tmdb/upstream_date.h"

#include <gtest/gtest.h>

#include <string>

#include "testing/fake_clock.h"
#include "tmdb/upstream_clock.h"

namespace tmdbc {
namespace {

using namespace std::chrono_literals;

const Time kNoon = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + 12h;

http::Response Answer(std::string date, std::string age = "") {
  http::Response response{.status = 200, .headers = {{"Date", std::move(date)}}, .body = {}};
  if (!age.empty()) response.headers.emplace_back("Age", std::move(age));
  return response;
}

TEST(UpstreamDate, SaysNothingBeforeTmdbHas) {
  UpstreamDate date;
  EXPECT_EQ(date.latest(), std::nullopt);
  EXPECT_EQ(date.Skew(), std::nullopt);
  EXPECT_FALSE(date.ClockIsOff());
  EXPECT_EQ(date.Bounded(kNoon), kNoon);
  date.Saw({.status = 200, .headers = {}, .body = {}}, kNoon);
  date.Saw(Answer("yesterday"), kNoon);
  date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT", "old"), kNoon);
  date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT", "4000000000"), kNoon);
  date.Saw(Answer("Thu, 01 Jan 1970 00:00:00 GMT"), kNoon);
  date.Saw(Answer("Thu, 04 Oct 2012 23:59:59 GMT"), kNoon);
  date.Saw(Answer("Fri, 31 Dec 9999 23:59:59 GMT"), kNoon);
  EXPECT_EQ(date.latest(), std::nullopt);
  EXPECT_FALSE(date.ClockIsOff());
}

TEST(UpstreamDate, HoldsBackALocalClockThatIsAMonthAhead) {
  UpstreamDate date;
  date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), kNoon + 30 * 24h);
  EXPECT_EQ(date.Bounded(kNoon + 30 * 24h), kNoon + kUpstreamDateTolerance);
  EXPECT_EQ(date.Skew(), 30 * 24h);
  EXPECT_TRUE(date.ClockIsOff());
}

TEST(UpstreamDate, KnowsAClockThatStandsAt1970AndDoesNotCorrectIt) {
  UpstreamDate date;
  const Time start = Time(5min);
  date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), start);
  EXPECT_EQ(date.latest(), kNoon);
  EXPECT_EQ(date.Bounded(start), start);
  EXPECT_TRUE(date.ClockIsOff());
  EXPECT_LT(*date.Skew(), Duration(0));
}

TEST(UpstreamDate, LeavesAGoodClockAlone) {
  UpstreamDate date;
  date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), kNoon + 1s);
  EXPECT_EQ(date.Bounded(kNoon + 2s), kNoon + 2s);
  EXPECT_FALSE(date.ClockIsOff());
}

TEST(UpstreamDate, NeverGoesBackForAnOldAnswerOutOfACache) {
  UpstreamDate date;
  date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), kNoon);
  date.Saw(Answer("Sun, 22 Nov 2026 05:00:00 GMT"), kNoon + 1s);  // kept for hours, and does not say so
  EXPECT_EQ(date.latest(), kNoon);
  date.Saw(Answer("Sun, 22 Nov 2026 11:00:00 GMT", "3607"), kNoon + 7s);  // says how long it was kept
  EXPECT_EQ(date.latest(), kNoon + 7s);
  EXPECT_EQ(date.Skew(), Duration(0));
}

TEST(UpstreamDate, OneWildDateDoesNotMakeTheClockOff) {
  UpstreamDate date;
  for (int i = 0; i < 4; ++i) date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), kNoon);
  date.Saw(Answer("Sun, 22 Nov 2099 12:00:00 GMT"), kNoon);
  EXPECT_FALSE(date.ClockIsOff());
}

TEST(UpstreamDate, AWildFirstDateIsGivenUpWhenTheNextContradictsIt) {
  UpstreamDate date;
  date.Saw(Answer("Sun, 22 Nov 2099 12:00:00 GMT"), kNoon);
  EXPECT_TRUE(date.ClockIsOff());
  date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), kNoon + 1s);
  EXPECT_FALSE(date.ClockIsOff());
  EXPECT_EQ(date.latest(), kNoon);
}

TEST(UpstreamDate, WhatAnEarlierRunKnewCountsUnlessAnswersAndTheLocalClockContradictIt) {
  const Time later = kNoon + 30 * 24h;
  UpstreamDate behind(later);
  behind.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), later);
  EXPECT_EQ(behind.latest(), later) << "an old Date alone proves nothing";
  UpstreamDate wrong(later);
  wrong.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), kNoon);
  EXPECT_EQ(wrong.latest(), kNoon);
}

TEST(UpstreamDate, DatesThatTheExportsContradictArePassedOver) {
  UpstreamDate date;
  date.Saw(Answer("Sun, 22 Nov 2099 12:00:00 GMT"), kNoon);
  date.Published(std::chrono::floor<std::chrono::days>(kNoon));
  EXPECT_EQ(date.Skew(), std::nullopt);
  EXPECT_EQ(date.latest(), kNoon - 12h);
  date.Saw(Answer("Sun, 22 Nov 2099 12:00:00 GMT"), kNoon);
  EXPECT_EQ(date.Skew(), std::nullopt);
  date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), kNoon);
  EXPECT_EQ(date.latest(), kNoon) << "one that agrees with the machine counts";
}

TEST(UpstreamDate, ForgetsTheSkewOfAClockThatWasSet) {
  UpstreamDate date;
  for (int i = 0; i < 20; ++i) date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), Time(1h));
  EXPECT_TRUE(date.ClockIsOff());
  for (int i = 0; i < 5; ++i) date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), kNoon);
  EXPECT_FALSE(date.ClockIsOff());
}

TEST(UpstreamDate, BeginsWithWhatAnEarlierRunKnew) {
  UpstreamDate date(kNoon);
  EXPECT_EQ(date.latest(), kNoon);
  EXPECT_EQ(date.Bounded(kNoon + 100h, 2h), kNoon + 2h);
  date.Reached(kNoon + 24h);
  date.Reached(kNoon);
  EXPECT_EQ(date.latest(), kNoon + 24h);
}

TEST(UpstreamDate, LeavesTheDayToTheLocalClockUnlessThatOrADateCannotBeBelieved) {
  UpstreamDate silent;
  silent.Saw({.status = 403, .headers = {}, .body = {}}, kNoon);
  EXPECT_FALSE(silent.IsDayUnknown(kNoon));
  EXPECT_TRUE(silent.IsDayUnknown(Time{})) << "a clock at 1970";
  UpstreamDate wild;
  wild.Saw(Answer("Fri, 31 Dec 9999 23:59:59 GMT"), kNoon);
  EXPECT_TRUE(wild.IsDayUnknown(kNoon));
  wild.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), kNoon);
  EXPECT_FALSE(wild.IsDayUnknown(kNoon)) << "another answer tells";
}

TEST(UpstreamClock, DatesByTmdbWhereTheMachineIsFarBehindAndOnlyThere) {
  struct Case {
    const char* what;
    Duration off;  // the machine's clock, from TMDB's
    Duration dated;
  };
  for (const Case& one : {Case{"right", 2s, 2s}, Case{"half a day behind", -12h, -12h}, Case{"two days behind", -48h, 0h},
                          Case{"at 1970", Time(5min) - kNoon, 0h}, Case{"a month ahead", 30 * 24h, 30 * 24h}}) {
    SCOPED_TRACE(one.what);
    testing::FakeClock machine(kNoon + one.off);
    UpstreamDate date;
    const UpstreamClock clock(machine, date);
    EXPECT_EQ(clock.Now(), machine.Now()) << "before TMDB has said anything";
    date.Saw(Answer("Sun, 22 Nov 2026 12:00:00 GMT"), machine.Now());
    EXPECT_EQ(clock.Now() - kNoon, one.dated);
    machine.Advance(3min);
    EXPECT_EQ(clock.Now() - kNoon, one.dated + 3min);
    EXPECT_EQ(clock.Mono(), machine.Mono());
  }
}

}  // namespace
}  // namespace tmdbc
