// SPDX-License-Identifier: MIT
#include "storage/change_rule.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

const Time kNow = ParseTime("2026-11-22T10:00:00Z").value();

IndexRow View(Change change, Time fetched_at) {
  IndexRow row;
  row.id = {MediaType::kMovie, 550};
  row.version = 4;
  row.change = change;
  row.fetched_at = row.verified_at = fetched_at;
  row.hash = {1, 1};
  return row;
}

TEST(ChangeRule, SaysWhatADocumentMeans) {
  struct Case {
    const char* what;
    std::optional<IndexRow> current;
    ContentHash hash;
    Change change;
    std::int64_t version;
    Time fetched_at = kNow;
  };
  const Time before = kNow - hours(1);
  const Time after = kNow + hours(12);
  const Time month_ahead = kNow + hours(24 * 30);
  const Case cases[] = {
      {"never stored", std::nullopt, {1, 1}, Change::kInsert, 1},
      {"other content", View(Change::kInsert, before), {2, 1}, Change::kUpdate, 5},
      {"other content and statistics", View(Change::kUpdate, before), {2, 2}, Change::kUpdate, 5},
      {"other statistics", View(Change::kUpdate, before), {1, 2}, Change::kStats, 4},
      {"other statistics again", View(Change::kStats, before), {1, 2}, Change::kStats, 4},
      {"content after statistics", View(Change::kStats, before), {2, 1}, Change::kUpdate, 5},
      {"all the same", View(Change::kRestore, before), {1, 1}, Change::kUnchanged, 4},
      {"the same moment", View(Change::kInsert, kNow), {2, 1}, Change::kUpdate, 5, kNow + milliseconds(1)},
      {"back again", View(Change::kDelete, before), {1, 1}, Change::kRestore, 5},
      {"back after a purge", View(Change::kPurge, before), {1, 1}, Change::kRestore, 5},
      // The clock was set back, or had run ahead.
      {"new content", View(Change::kInsert, after), {2, 1}, Change::kUpdate, 5, after + milliseconds(1)},
      {"new numbers", View(Change::kInsert, after), {1, 2}, Change::kStats, 4, after + milliseconds(1)},
      {"back", View(Change::kDelete, after), {2, 1}, Change::kRestore, 5, after + milliseconds(1)},
      {"far", View(Change::kInsert, month_ahead), {2, 1}, Change::kUpdate, 5, month_ahead + milliseconds(1)},
  };
  for (const Case& one : cases) {
    const ChangeDecision decision = Classify(one.current, one.hash, kNow);
    EXPECT_EQ(Name(decision.change), Name(one.change)) << one.what;
    EXPECT_EQ(decision.version, one.version) << one.what;
    if (one.change != Change::kUnchanged) {
      EXPECT_EQ(decision.fetched_at, one.fetched_at) << one.what;
    }
  }
}

TEST(ChangeRule, SaysWhetherALateAnswerIsStale) {
  const Time now = kNow;
  struct Case {
    const char* what;
    std::optional<Time> answered;
    Time at;
    bool stale;
  };
  const Case cases[] = {
      {"the first answer for the id", std::nullopt, now - hours(1), false},
      {"a later one", now - hours(2), now - hours(1), false},
      {"the same once more", now - hours(1), now - hours(1), true},
      {"an earlier one that comes late", now - hours(1), now - hours(2), true},
      {"one of just now", now - hours(1), now, false},
      // A machine whose clock ran ahead owned the mirror before.
      {"a later one, by a true clock", now + hours(24), now - hours(1), false},
      {"one that is dated ahead itself", now + hours(24), now + hours(25), false},
      {"one of just now, twice", now, now, true},
  };
  for (const Case& one : cases) EXPECT_EQ(IsStale(one.answered, one.at, now), one.stale) << one.what;
}

TEST(ChangeRule, DatesALineAfterTheOneBeforeIt) {
  EXPECT_EQ(TimeOfNextLine(std::nullopt, kNow), kNow);
  EXPECT_EQ(TimeOfNextLine(View(Change::kUpdate, kNow - hours(1)), kNow), kNow);
  EXPECT_EQ(TimeOfNextLine(View(Change::kUpdate, kNow), kNow), kNow + milliseconds(1));
  EXPECT_EQ(TimeOfNextLine(View(Change::kDelete, kNow + hours(1)), kNow), kNow + hours(1) + milliseconds(1));
}

}  // namespace
}  // namespace tmdbc
