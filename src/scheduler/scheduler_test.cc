// SPDX-License-Identifier: MIT
#include "scheduler/scheduler.h"

#include <gtest/gtest.h>

#include "testing/fake_clock.h"

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::FakeClock;

Time At(std::string_view text) {
  return ParseTime(text).value();
}

ScheduleExpression Parse(std::string_view text) {
  return ScheduleExpression::Parse(text).value();
}

// Of a run that was due at `planned`, began at `started`...
ScheduleState Ran(std::string_view planned, std::string_view started, std::string_view ended,
                  int exit_code = 0) {
  return {.planned = At(planned), .started = At(started), .ended = At(ended), .exit_code = exit_code};
}

struct Row {
  const char* name;
  const char* expression;
  ScheduleState state;
  const char* now;
  const char* due;
};

class Due : public ::testing::TestWithParam<Row> {};
TEST_P(Due, IsAt) {
  const auto due = DueAt(Parse(GetParam().expression), GetParam().state, At(GetParam().now));
  EXPECT_EQ(due ? FormatTime(*due).substr(0, 16) : "never", GetParam().due);
}

const ScheduleState kNever;
const ScheduleState kKilled = {.planned = At("2026-11-22T06:00:00Z"), .started = At("2026-11-22T06:00:00Z")};

INSTANTIATE_TEST_SUITE_P(
    Table, Due,
    ::testing::Values(
        Row{"NeverRunIsDueNow", "rate(1 day)", kNever, "2026-11-22T09:30:00Z", "2026-11-22T09:30"},
        Row{"NeverRunCronIsDueNow", "cron(0 6 * * ? *)", kNever, "2026-11-22T09:30:00Z", "2026-11-22T09:30"},
        Row{"NeverRunAtWaits", "at(2026-12-01T06:00:00)", kNever, "2026-11-22T09:30:00Z", "2026-12-01T06:00"},
        Row{"NeverRunAtIsCaughtUp", "at(2026-11-01T06:00:00)", kNever, "2026-11-22T09:30:00Z",
            "2026-11-01T06:00"},
        Row{"AtRunsOnce", "at(2026-11-01T06:00:00)",
            Ran("2026-11-01T06:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"),
            "2026-11-22T09:30:00Z", "never"},
        Row{"RateGoesOnFromItsTime", "rate(1 day)",
            Ran("2026-11-22T06:00:00Z", "2026-11-22T06:00:01Z", "2026-11-22T07:00:00Z"),
            "2026-11-22T09:30:00Z", "2026-11-23T06:00"},
        Row{"CronGoesOn", "cron(0 6 * * ? *)",
            Ran("2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z", "2026-11-22T07:00:00Z"),
            "2026-11-22T09:30:00Z", "2026-11-23T06:00"},
        Row{"AMissedOneIsOverdue", "cron(0 6 * * ? *)",
            Ran("2026-11-20T06:00:00Z", "2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z"),
            "2026-11-22T09:30:00Z", "2026-11-21T06:00"},
        Row{"ALateRunKeepsTheRhythm", "rate(1 day)",
            Ran("2026-11-20T06:00:00Z", "2026-11-20T18:00:00Z", "2026-11-20T19:00:00Z"),
            "2026-11-20T20:00:00Z", "2026-11-21T06:00"},
        Row{"WhatItRanOverWaitsForTheNext", "rate(1 hour)",
            Ran("2026-11-22T06:00:00Z", "2026-11-22T08:30:00Z", "2026-11-22T08:40:00Z"),
            "2026-11-22T08:40:00Z", "2026-11-22T09:00"},
        Row{"AKilledRunIsDueAgain", "cron(0 6 * * ? *)", kKilled, "2026-11-22T06:10:00Z", "2026-11-22T06:10"},
        Row{"AFailedRunIsTriedAgain", "cron(0 6 * * ? *)",
            Ran("2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z", "2026-11-22T06:11:00Z", 3),
            "2026-11-22T06:12:00Z", "2026-11-22T06:26"},
        Row{"ButNotLaterThanItsNextTime", "rate(5 minutes)",
            Ran("2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z", "2026-11-22T06:01:00Z", 3),
            "2026-11-22T06:02:00Z", "2026-11-22T06:05"},
        Row{"APartlyFailedOneIsNot", "cron(0 6 * * ? *)",
            Ran("2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z", "2026-11-22T06:11:00Z", 1),
            "2026-11-22T06:12:00Z", "2026-11-23T06:00"},
        Row{"AFailedAtIsTriedAgain", "at(2026-11-01T06:00:00)",
            Ran("2026-11-01T06:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T06:01:00Z", 3),
            "2026-11-01T06:02:00Z", "2026-11-01T06:16"},
        Row{"AClockPutBackAnHourRunsNothingAgain", "cron(0 6 * * ? *)",
            Ran("2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z", "2026-11-22T06:05:00Z"),
            "2026-11-22T05:05:00Z", "2026-11-23T06:00"}),
    [](const auto& row) { return std::string(row.param.name); });

// The daemon's loop without its work: asks every ten seconds, runs what is due for `takes`.
class SchedulerWorld : public ::testing::Test {
 protected:
  void Start(const std::vector<std::pair<std::string, std::string>>& schedules) {
    std::vector<Schedule> parsed;
    for (const auto& [name, expression] : schedules) parsed.push_back({name, Parse(expression)});
    auto scheduler = Scheduler::Open(catalog_, clock_, std::move(parsed));
    ASSERT_TRUE(scheduler) << scheduler.error().message;
    scheduler_.emplace(*std::move(scheduler));
  }
  // Begins of runs: "daily 11-22 06:00".
  std::vector<std::string> RunFor(Duration time, Duration takes = minutes(1), int exit_code = 0) {
    std::vector<std::string> begun;
    const MonoTime until = clock_.Mono() + time;
    while (clock_.Mono() < until) {
      const auto due = scheduler_->Due();
      EXPECT_TRUE(due);
      if (!due || !*due) {
        EXPECT_FALSE(scheduler_->IsDue());
        clock_.Advance(std::chrono::seconds(10));
        continue;
      }
      EXPECT_TRUE(scheduler_->IsDue());
      const std::string now = FormatTime(clock_.Now());
      begun.push_back(**due + " " + now.substr(5, 5) + " " + now.substr(11, 5));
      EXPECT_TRUE(scheduler_->Begin(**due));
      clock_.Advance(takes);
      EXPECT_TRUE(scheduler_->End(**due, exit_code));
    }
    return begun;
  }

  // The names in the table.
  std::string Remembered() {
    auto rows = catalog_.Prepare("SELECT name FROM schedule_runs ORDER BY name").value();
    std::string names;
    while (rows.Step().value()) names += std::string(rows.Text(0)) + " ";
    return names;
  }

  FakeClock clock_{At("2026-11-22T09:30:00Z")};
  Database catalog_ = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  std::optional<Scheduler> scheduler_;
};

using Begun = std::vector<std::string>;

TEST_F(SchedulerWorld, RunsAtOnceAndThenInItsRhythm) {
  Start({{"daily", "rate(1 day)"}});
  EXPECT_EQ(RunFor(hours(60)), (Begun{"daily 11-22 09:30", "daily 11-23 09:30", "daily 11-24 09:30"}));
}

TEST_F(SchedulerWorld, RunsSeveralSchedulesOneAfterTheOther) {
  Start({{"exports", "cron(0 10 * * ? *)"}, {"changes", "rate(12 hours)"}});
  EXPECT_EQ(RunFor(hours(26)), (Begun{"exports 11-22 09:30", "changes 11-22 09:31", "exports 11-22 10:00",
                                      "changes 11-22 21:31", "changes 11-23 09:31", "exports 11-23 10:00"}));
}

TEST_F(SchedulerWorld, TheOneThatIsDueForLongestComesFirst) {
  Start({{"a", "cron(0 11 * * ? *)"}, {"b", "cron(0 10 * * ? *)"}});
  (void)RunFor(minutes(5));
  clock_.Advance(hours(3));
  EXPECT_EQ(RunFor(minutes(5)), (Begun{"b 11-22 12:35", "a 11-22 12:36"}));
}

TEST_F(SchedulerWorld, AScheduleNeverOverlapsItselfAndRunsOnceForAllThatItRanOver) {
  Start({{"hourly", "rate(1 hour)"}});
  EXPECT_EQ(RunFor(hours(6), minutes(150)),
            (Begun{"hourly 11-22 09:30", "hourly 11-22 12:00", "hourly 11-22 14:30"}));
}

TEST_F(SchedulerWorld, ARunUnderWayIsDueAgainOnlyWhenItsNextTimeComes) {
  Start({{"hourly", "rate(1 hour)"}});
  ASSERT_TRUE(scheduler_->Begin("hourly"));
  EXPECT_EQ(FormatTime(scheduler_->NextAt()), "2026-11-22T10:30:00.000Z");
  EXPECT_FALSE(scheduler_->IsDue());
  EXPECT_EQ(scheduler_->Due().value(), std::nullopt);
  clock_.Advance(hours(1));
  EXPECT_TRUE(scheduler_->IsDue());
  EXPECT_EQ(scheduler_->Due().value(), "hourly");
}

TEST_F(SchedulerWorld, AfterDowntimeWhatWasMissedRunsOnce) {
  Start({{"hourly", "rate(1 hour)"}, {"nightly", "cron(0 3 * * ? *)"}});
  (void)RunFor(minutes(5));
  scheduler_.reset();
  clock_.Advance(hours(24 * 40));
  Start({{"hourly", "rate(1 hour)"}, {"nightly", "cron(0 3 * * ? *)"}});
  EXPECT_EQ(RunFor(minutes(90)), (Begun{"hourly 01-01 09:35", "nightly 01-01 09:36", "hourly 01-01 10:30"}));
}

TEST_F(SchedulerWorld, ARestartRunsNothingThatIsNotDue) {
  Start({{"daily", "rate(1 day)"}});
  (void)RunFor(hours(1));
  scheduler_.reset();
  Start({{"daily", "rate(1 day)"}});
  EXPECT_EQ(RunFor(hours(22)), Begun{});
}

TEST_F(SchedulerWorld, ARunThatWasKilledIsTakenUpAgain) {
  Start({{"daily", "rate(1 day)"}});
  ASSERT_TRUE(scheduler_->Begin("daily"));
  scheduler_.reset();
  clock_.Advance(minutes(7));
  Start({{"daily", "rate(1 day)"}});
  EXPECT_EQ(RunFor(hours(30)), (Begun{"daily 11-22 09:37", "daily 11-23 09:30"}));
}

TEST_F(SchedulerWorld, AFailureIsTriedAgainEveryQuarterOfAnHour) {
  Start({{"nightly", "cron(0 3 * * ? *)"}});
  EXPECT_EQ(RunFor(minutes(40), minutes(1), 3),
            (Begun{"nightly 11-22 09:30", "nightly 11-22 09:46", "nightly 11-22 10:02"}));
  EXPECT_EQ(RunFor(hours(24)), (Begun{"nightly 11-22 10:18", "nightly 11-23 03:00"}));
}

TEST_F(SchedulerWorld, AClockThatIsPutBackRunsNothingAgain) {
  Start({{"nightly", "cron(0 3 * * ? *)"}, {"rated", "rate(6 hours)"}});
  (void)RunFor(hours(18) + minutes(5));  // nightly ran at 03:00, rated at 03:31
  clock_.JumpWall(-hours(1));            // it is 02:35 again
  EXPECT_EQ(RunFor(hours(7)), (Begun{"rated 11-23 08:35"}));
  EXPECT_EQ(RunFor(hours(20)).back(), "nightly 11-24 03:00");
}

TEST_F(SchedulerWorld, AClockThatStoodYearsAheadIsNotWaitedFor) {
  clock_.JumpWall(hours(24 * 365 * 4));
  Start({{"nightly", "cron(0 3 * * ? *)"}, {"rated", "rate(6 hours)"}});
  (void)RunFor(hours(1));
  clock_.JumpWall(-hours(24 * 365 * 4));
  EXPECT_EQ(RunFor(hours(20)),
            (Begun{"rated 11-22 16:30", "rated 11-22 22:30", "nightly 11-23 03:00", "rated 11-23 04:30"}));
}

TEST_F(SchedulerWorld, AClockThatIsPutForwardRunsWhatItPassedOverOnce) {
  Start({{"hourly", "rate(1 hour)"}, {"nightly", "cron(0 3 * * ? *)"}});
  (void)RunFor(minutes(5));
  clock_.JumpWall(hours(24 * 10));
  EXPECT_EQ(RunFor(minutes(30)), (Begun{"hourly 12-02 09:35", "nightly 12-02 09:36"}));
}

TEST_F(SchedulerWorld, OtherSchedulesTakeOverAndKnownNamesAreRemembered) {
  Start({{"daily", "rate(1 day)"}, {"old", "rate(1 hour)"}});
  (void)RunFor(minutes(30));
  ASSERT_TRUE(
      scheduler_->Replace({{"daily", Parse("rate(12 hours)")}, {"new", Parse("cron(0 12 * * ? *)")}}));
  EXPECT_EQ(RunFor(hours(14)), (Begun{"new 11-22 10:00", "new 11-22 12:00", "daily 11-22 21:30"}));
}

TEST_F(SchedulerWorld, ANameThatIsGivenUpIsForgotten) {
  Start({{"daily", "rate(1 day)"}, {"old", "rate(1 day)"}});
  (void)RunFor(minutes(5));
  EXPECT_EQ(Remembered(), "daily old ");
  ASSERT_TRUE(scheduler_->Replace({{"daily", Parse("rate(1 day)")}, {"new", Parse("rate(1 day)")}}));
  EXPECT_EQ(Remembered(), "daily ");
  EXPECT_EQ(RunFor(minutes(5)), Begun{"new 11-22 09:35"});
  scheduler_.reset();
  // Given up between two processes.
  Start({{"new", "rate(1 day)"}});
  EXPECT_EQ(Remembered(), "new ");
  EXPECT_EQ(RunFor(minutes(5)), Begun{});
}

TEST_F(SchedulerWorld, ARunWhoseScheduleWasGivenUpMeanwhileLeavesNoTrace) {
  Start({{"old", "rate(1 hour)"}});
  ASSERT_TRUE(scheduler_->Begin("old"));
  ASSERT_TRUE(scheduler_->Replace({{"new", Parse("at(2026-11-25T06:00:00)")}}));
  ASSERT_TRUE(scheduler_->End("old", 0));
  EXPECT_EQ(Remembered(), "");
  EXPECT_EQ(FormatTime(scheduler_->NextAt()), "2026-11-25T06:00:00.000Z");
}

TEST_F(SchedulerWorld, SaysWhenTheNextOneIsDue) {
  Start({{"once", "at(2026-11-25T06:00:00)"}, {"nightly", "cron(0 3 * * ? *)"}});
  EXPECT_EQ(FormatTime(scheduler_->NextAt()), "2026-11-22T09:30:00.000Z");  // never run: now
  (void)RunFor(minutes(5));
  EXPECT_EQ(FormatTime(scheduler_->NextAt()), "2026-11-23T03:00:00.000Z");
  ASSERT_TRUE(scheduler_->Replace({{"once", Parse("at(2026-11-25T06:00:00)")}}));
  EXPECT_EQ(FormatTime(scheduler_->NextAt()), "2026-11-25T06:00:00.000Z");
  EXPECT_EQ(RunFor(hours(24 * 7)), Begun{"once 11-25 06:00"});
  EXPECT_EQ(scheduler_->NextAt(), Time::max());
}

TEST_F(SchedulerWorld, KeepsItsTableForOthersToRead) {
  Start({{"daily", "rate(1 day)"}});
  (void)RunFor(minutes(1), std::chrono::seconds(90), 1);
  auto row = catalog_.Prepare("SELECT name, planned, started, ended, exit_code FROM schedule_runs").value();
  ASSERT_TRUE(row.Step().value());
  EXPECT_EQ(row.Text(0), "daily");
  const std::int64_t begun = At("2026-11-22T09:30:00Z").time_since_epoch().count();
  EXPECT_EQ(row.Int(1), begun);
  EXPECT_EQ(row.Int(2), begun);
  EXPECT_EQ(row.Int(3), begun + 90'000'000);
  EXPECT_EQ(row.Int(4), 1);
}

}  // namespace
}  // namespace tmdbc
