// SPDX-License-Identifier: MIT
#include "dashboard/watcher.h"

#include <gtest/gtest.h>

#include <thread>

#include "dashboard/mirror_view_test.h"

namespace tmdbc::dashboard {
namespace {

using std::chrono::seconds;
using testing::Movie;

TEST(Pace, WhatTakesLongComesSeldom) {
  Pace pace(seconds(2), 20);
  const MonoTime start{seconds(100)};
  EXPECT_TRUE(pace.Due(start));
  pace.Took(start, start + std::chrono::milliseconds(1));
  EXPECT_FALSE(pace.Due(start + seconds(1)));
  EXPECT_TRUE(pace.Due(start + seconds(2)));
  pace.Took(start, start + seconds(3));
  EXPECT_FALSE(pace.Due(start + seconds(59)));
  EXPECT_TRUE(pace.Due(start + seconds(60)));
}

TEST(Watcher, ShowsTheStatusAtOnceAndCountsLater) {
  WatchedWorld world;
  Watcher watcher(world.opener(), world.clock);
  EXPECT_EQ(
      *watcher.Current().status,
      R"({"at":"2026-11-22T00:00:00.000Z","counted_at":null,"error":"","status":{"types":{}},"damage":[]})");
  EXPECT_EQ(*watcher.Current().freshness, "null");
  EXPECT_EQ(world.counts, 0);
  world.Put(Movie(550, "Fight Club", 1, world.clock.Now()));
  world.Commit();
  watcher.Step();
  EXPECT_EQ(world.counts, 1);
  EXPECT_NE(watcher.Current().status->find(R"("counted_at":"2026-11-22T00:00:00.000Z")"), std::string::npos);
  EXPECT_NE(watcher.Current().freshness->find(R"("movie":{"counts":[1,)"), std::string::npos);
  EXPECT_EQ(*watcher.Current().dead, R"([{"type":"movie","id":3}])");
  ASSERT_EQ(watcher.Current().changes->size(), 1u);
}

TEST(Watcher, AThousandLooksReadNothing) {
  WatchedWorld world;
  Watcher watcher(world.opener(), world.clock);
  watcher.Step();
  const int statuses = world.statuses, counts = world.counts;
  for (int i = 0; i < 1000; ++i) watcher.Current();
  watcher.Step();
  EXPECT_EQ(world.statuses, statuses);
  EXPECT_EQ(world.counts, counts);
  world.clock.Advance(seconds(2));
  watcher.Step();
  EXPECT_EQ(world.statuses, statuses + 1);
  EXPECT_EQ(world.counts, counts);
}

TEST(Watcher, ComparesIdsWhenAskedAndNotTwiceAtOnce) {
  WatchedWorld world;
  Watcher watcher(world.opener(), world.clock);
  watcher.Step();
  EXPECT_EQ(world.coverages, 0);
  EXPECT_EQ(*watcher.Current().coverage, R"({"at":null,"reading":false,"error":"","types":null})");
  watcher.AskForCoverage();
  watcher.Step();
  EXPECT_EQ(*watcher.Current().coverage,
            R"({"at":"2026-11-22T00:00:00.000Z","reading":false,"error":"","types":{"movie":{}}})");
  watcher.AskForCoverage();
  watcher.Step();
  EXPECT_EQ(world.coverages, 1);  // what was compared a moment ago holds
  world.clock.Advance(seconds(10));
  watcher.AskForCoverage();
  watcher.Step();
  EXPECT_EQ(world.coverages, 2);
}

TEST(Watcher, SaysWhyNothingCanBeReadAndTriesAgain) {
  WatchedWorld world;
  world.trouble = Error{ErrorCode::kCorrupt, "catalog.db is \"no\" database"};
  Watcher watcher(world.opener(), world.clock);
  EXPECT_NE(watcher.Current().status->find(R"("error":"catalog.db is \"no\" database","status":null)"),
            std::string::npos);
  watcher.AskForCoverage();
  watcher.Step();
  EXPECT_NE(watcher.Current().coverage->find(R"("error":"catalog.db is \"no\" database","types":null)"), std::string::npos);
  world.trouble.reset();
  world.clock.Advance(seconds(2));
  watcher.Step();
  EXPECT_NE(watcher.Current().status->find(R"("error":"","status":{"types":{}})"), std::string::npos);
}

TEST(Watcher, OpensAgainWhatDoesNotLast) {
  WatchedWorld world;
  world.lasting = false;
  Watcher watcher(world.opener(), world.clock);
  watcher.Step();
  const int opened = world.opened;
  world.clock.Advance(seconds(2));
  watcher.Step();
  EXPECT_EQ(world.opened, opened);  // it may be far away
  world.clock.Advance(seconds(15));
  watcher.Step();
  EXPECT_EQ(world.opened, opened + 1);
}

TEST(Watcher, ItsThreadReadsNothingUntilSomebodyLooks) {
  WatchedWorld world;
  world.counted = std::make_shared<std::promise<void>>();
  auto counted = world.counted->get_future();
  Watcher watcher(world.opener(), world.clock);
  watcher.Start();
  EXPECT_EQ(counted.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  watcher.Current();
  EXPECT_EQ(counted.wait_for(seconds(30)), std::future_status::ready);
}

TEST(Watcher, ItsThreadEndsWithIt) {
  WatchedWorld world;
  Watcher watcher(world.opener(), world.clock);
  watcher.Start();
  for (int i = 0; i < 100; ++i) watcher.Current();
  watcher.AskForCoverage();
}

}  // namespace
}  // namespace tmdbc::dashboard
