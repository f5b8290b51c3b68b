// SPDX-License-Identifier: MIT
#include "dashboard/age_histogram.h"

#include <gtest/gtest.h>

#include "storage/store_world_test.h"

namespace tmdbc::dashboard {
namespace {

using std::chrono::days;
using std::chrono::seconds;

TEST(AgeHistogram, ADayTooOldIsInTheNextBucket) {
  AgeHistogram ages;
  const Time now = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));
  ages.Add(MediaType::kMovie, now, now);
  ages.Add(MediaType::kMovie, now + seconds(5), now);  // a clock that was ahead
  ages.Add(MediaType::kMovie, now - days(1) + seconds(1), now);
  ages.Add(MediaType::kMovie, now - days(1), now);
  ages.Add(MediaType::kMovie, now - days(30), now);
  ages.Add(MediaType::kMovie, now - days(180) + seconds(1), now);
  ages.Add(MediaType::kTv, now - days(180), now);
  EXPECT_EQ(AgesJson(ages, now),
            R"({"at":"2026-11-22T00:00:00.000Z","bounds_days":[1,3,7,14,30,60,90,150,180],"types":{)"
            R"("movie":{"counts":[3,1,0,0,0,1,0,0,1,0],"oldest":"2026-05-26T00:00:01.000Z"},)"
            R"("tv":{"counts":[0,0,0,0,0,0,0,0,0,1],"oldest":"2026-05-26T00:00:00.000Z"}}})");
}

TEST(AgeHistogram, CountsWhatIsLiveAndNothingElse) {
  testing::StoreWorld world;
  world.Put(testing::Movie(1, "One", 1, world.clock.Now()));
  world.Put(testing::Movie(2, "Two", 1, world.clock.Now()));
  world.Commit();
  world.clock.Advance(days(2));
  ASSERT_TRUE(world.store->writer->PutGone({MediaType::kMovie, 2}, world.clock.Now()));
  world.Commit();
  const auto ages = ReadAges(world.store->ledger, world.clock.Now(), StopFlag());
  ASSERT_TRUE(ages) << ages.error().message;
  ASSERT_EQ(ages->types.size(), 1u);
  EXPECT_EQ(ages->types.at(MediaType::kMovie).counts[1], 1);
}

TEST(AgeHistogram, AStoreWithoutTablesIsEmpty) {
  Database catalog = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  RecordLedger ledger(catalog);
  const auto ages = ReadAges(ledger, Time{}, StopFlag());
  ASSERT_TRUE(ages) << ages.error().message;
  EXPECT_TRUE(ages->types.empty());
}

}  // namespace
}  // namespace tmdbc::dashboard
