// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "base/compression.h"
#include "storage/care.h"
#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using testing::Movie;
using testing::StoreWorld;

const Time kToday = ParseTime("2026-11-22T10:00:00Z").value();

TEST(Care, PurgesOnlyWhatWasAskedForInVainSinceItFellDue) {
  struct Case {
    const char* what;
    int verified_days_ago;
    std::optional<int> asked_days_ago;
    CareDecision decision;
  };
  const Case cases[] = {
      {"confirmed lately", 5, {}, CareDecision::kKeep},
      {"confirmed lately, its refresh fails", 5, 0, CareDecision::kKeep},
      {"nearly due", 169, 0, CareDecision::kKeep},
      {"due", 170, {}, CareDecision::kAsk},
      {"due and asked in vain, but there is time left", 179, 0, CareDecision::kAsk},
      {"the time is up", 180, 0, CareDecision::kPurge},
      {"the time is up, asked days ago", 185, 6, CareDecision::kPurge},
      {"the time is up, but nobody asked", 200, {}, CareDecision::kAsk},
      {"asked before it fell due only", 200, 40, CareDecision::kAsk},
      {"the machine slept for two years", 730, {}, CareDecision::kAsk},
      {"its confirmation comes from a clock that ran ahead", -30, 0, CareDecision::kKeep},
  };
  for (const Case& one : cases) {
    std::optional<Time> asked;
    if (one.asked_days_ago) asked = kToday - days(*one.asked_days_ago);
    EXPECT_EQ(CareFor(kToday - days(one.verified_days_ago), asked, kToday), one.decision) << one.what;
  }
}

TEST(Care, AsksAPersonWhenMoreThanOneInTwentyWouldGoAtOnce) {
  EXPECT_FALSE(IsTooManyToPurge(0, 0));
  EXPECT_FALSE(IsTooManyToPurge(20, 20));  // a small store
  EXPECT_TRUE(IsTooManyToPurge(21, 21));
  EXPECT_FALSE(IsTooManyToPurge(50, 1000));
  EXPECT_TRUE(IsTooManyToPurge(51, 1000));
}

// An index that was made again, a mirror that slept: everything is old at once, and TMDB was not asked yet.
TEST(Care, KeepsWhatNobodyHasAskedForHoweverOldItIs) {
  StoreWorld world;
  for (int id = 1; id <= 40; ++id) world.Put(Movie(id, "x", 1, world.clock.Now()));
  world.Commit();
  const Time now = world.clock.Now() + days(200);
  const auto nobody = [](MediaId) { return std::optional<Time>(); };
  auto plan = PlanCare(world.store->ledger, MediaType::kMovie, now, nobody).value();
  EXPECT_TRUE(plan.purge.empty());
  EXPECT_EQ(plan.live, 40);
  EXPECT_EQ(plan.unasked, 40);
  const auto two = [&](MediaId id) { return id.id <= 2 ? std::optional(now) : std::nullopt; };
  plan = PlanCare(world.store->ledger, MediaType::kMovie, now, two).value();
  EXPECT_EQ(plan.purge, (std::vector<std::int64_t>{1, 2}));
  ASSERT_TRUE(Purge(*world.store->writer, MediaType::kMovie, plan.purge, now));
  EXPECT_NE(world.View({MediaType::kMovie, 1}), Movie(1, "x", 1, {}).data);
  EXPECT_EQ(world.View({MediaType::kMovie, 3}), Movie(3, "x", 1, {}).data);
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.live, 38);
}

// Two films; one is in a file that was kept aside, written at `kToday`: as when catalog.db was restored.
constexpr const char* kAside = "records/movie/000/000/001.jsonl.zst.open.aside-60";
void KeepAsideAFilm(StoreWorld& world, bool readable) {
  const std::string line =
      R"({"type":"movie","id":2,"version":1,"change":"insert","fetched_at":"2026-11-22T10:00:00.000Z","status":200,)"
      R"("etag":null,"sha256":"5f8f04f6a3a892aaabbddb6cf273894493773960d4a325b105fee46eef4304f1","data":{"id":2}})"
      "\n";
  world.files.Put(kAside, readable ? ZstdFrame(line) : "no frame at all");
}

TEST(PurgeAsides, WhatMayNotBeKeptGoesFromFilesThatWereKeptAsideToo) {
  for (const bool readable : {true, false}) {
    SCOPED_TRACE(readable);
    StoreWorld world;
    world.clock.JumpWall(kToday - world.clock.Now());
    world.Put(Movie(1, "one", 1, world.clock.Now()));
    world.Commit();
    KeepAsideAFilm(world, readable);
    EXPECT_EQ(PurgeAsides(world.files, world.catalog, kToday + days(180) - std::chrono::seconds(1)).value().size(), 0u);
    EXPECT_TRUE(world.files.Exists(kAside).value());
    EXPECT_EQ(PurgeAsides(world.files, world.catalog, kToday + days(180)).value(), std::vector<std::string>{kAside});
    EXPECT_FALSE(world.files.Exists(kAside).value());
  }
}

TEST(PurgeAsides, AWriterThatKnewOfTheFileGoesOn) {
  StoreWorld world;
  world.clock.JumpWall(kToday - world.clock.Now());
  world.Put(Movie(1, "one", 1, world.clock.Now()));
  world.Commit();
  KeepAsideAFilm(world, true);
  world.Reopen();
  ASSERT_EQ(world.store->writer->notices().size(), 1U);
  ASSERT_EQ(PurgeAsides(world.files, world.catalog, kToday + days(181)).value().size(), 1u);
  world.Put(Movie(3, "three", 1, world.clock.Now()));
  world.Commit();
  EXPECT_NE(world.View({MediaType::kMovie, 3}), "none");
}

}  // namespace
}  // namespace tmdbc
