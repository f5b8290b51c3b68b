// SPDX-License-Identifier: MIT
#include "storage/change_rule.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

using std::chrono::hours;

const Time kNow = ParseTime("2026-11-22T10:00:00Z").value();

IndexRow View(Change change, Time verified_at) {
  IndexRow row;
  row.id = {MediaType::kMovie, 550};
  row.version = 4;
  row.change = change;
  row.fetched_at = kNow - hours(48);
  row.verified_at = verified_at;
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
    bool stale = false;
  };
  const Time before = kNow - hours(1);
  const Time after = kNow + hours(1);
  const Case cases[] = {
      {"never stored", std::nullopt, {1, 1}, Change::kInsert, 1},
      {"other content", View(Change::kInsert, before), {2, 1}, Change::kUpdate, 5},
      {"other content and statistics", View(Change::kUpdate, before), {2, 2}, Change::kUpdate, 5},
      {"other statistics", View(Change::kUpdate, before), {1, 2}, Change::kStats, 4},
      {"other statistics again", View(Change::kStats, before), {1, 2}, Change::kStats, 4},
      {"content after statistics", View(Change::kStats, before), {2, 1}, Change::kUpdate, 5},
      {"all the same", View(Change::kRestore, before), {1, 1}, Change::kUnchanged, 4},
      {"the same moment", View(Change::kInsert, kNow), {2, 1}, Change::kUpdate, 5},
      {"back again", View(Change::kDelete, before), {1, 1}, Change::kRestore, 5},
      {"back after a purge", View(Change::kPurge, before), {1, 1}, Change::kRestore, 5},
      {"older than the view", View(Change::kInsert, after), {2, 1}, Change::kUnchanged, 4, true},
      {"older than the tombstone", View(Change::kDelete, after), {2, 1}, Change::kUnchanged, 4, true},
      {"the view comes from a wrong clock",
       View(Change::kInsert, kNow + hours(25)),
       {2, 1},
       Change::kUpdate,
       5},
  };
  for (const Case& one : cases) {
    const Verdict verdict = Classify(one.current, one.hash, kNow, kNow);
    EXPECT_EQ(Name(verdict.change), Name(one.change)) << one.what;
    EXPECT_EQ(verdict.version, one.version) << one.what;
    EXPECT_EQ(verdict.stale, one.stale) << one.what;
  }
}

TEST(ChangeRule, SaysWhatA404Means) {
  struct Case {
    const char* what;
    std::optional<IndexRow> current;
    Change change;
    std::int64_t version;
    bool stale = false;
  };
  const Time before = kNow - hours(1);
  const Case cases[] = {
      {"never stored", std::nullopt, Change::kUnchanged, 0},
      {"live", View(Change::kInsert, before), Change::kDelete, 5},
      {"live with new statistics", View(Change::kStats, before), Change::kDelete, 5},
      {"gone already", View(Change::kDelete, before), Change::kUnchanged, 4},
      {"seen alive since", View(Change::kUpdate, kNow + hours(1)), Change::kUnchanged, 4, true},
  };
  for (const Case& one : cases) {
    const Verdict verdict = ClassifyGone(one.current, kNow, kNow);
    EXPECT_EQ(Name(verdict.change), Name(one.change)) << one.what;
    EXPECT_EQ(verdict.version, one.version) << one.what;
    EXPECT_EQ(verdict.stale, one.stale) << one.what;
  }
}

}  // namespace
}  // namespace tmdbc
