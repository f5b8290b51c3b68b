// SPDX-License-Identifier: MIT
#include "storage/popularity_table.h"

#include <gtest/gtest.h>

#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

TEST(PopularityTable, KnowsTheIdsOfTheLastExportOnly) {
  testing::StoreWorld world;
  const std::vector<Popularity> first = {{1, 0.5F}, {999, 1.25F},         {1000, 2},
                                         {1001, 0}, {4'999'999, 61.416F}, {1LL << 40, 3}};
  ASSERT_TRUE(world.store->popularity.Set(MediaType::kMovie, first));
  ASSERT_TRUE(world.store->popularity.Set(MediaType::kTv, {{{999, 7}}}));
  for (const auto& [id, popularity] : first) {
    EXPECT_EQ(world.store->popularity.Find({MediaType::kMovie, id}).value(), popularity) << id;
  }
  for (const std::int64_t id : {0LL, 2LL, 998LL, 1002LL, 2000LL, 5'000'000LL, -1LL, 1LL << 60}) {
    EXPECT_EQ(world.store->popularity.Find({MediaType::kMovie, id}).value(), std::nullopt) << id;
  }
  EXPECT_EQ(world.store->popularity.Find({MediaType::kPerson, 1}).value(), std::nullopt);

  ASSERT_TRUE(world.store->popularity.Set(MediaType::kMovie, {{{2, 9}}}));
  EXPECT_EQ(world.store->popularity.Find({MediaType::kMovie, 1}).value(), std::nullopt);
  EXPECT_EQ(world.store->popularity.Find({MediaType::kMovie, 4'999'999}).value(), std::nullopt);
  EXPECT_EQ(world.store->popularity.Find({MediaType::kMovie, 2}).value(), 9);
  EXPECT_EQ(world.store->popularity.Find({MediaType::kTv, 999}).value(), 7);
}

TEST(PopularityTable, AWalkFindsWhatFindFinds) {
  testing::StoreWorld world;
  ASSERT_TRUE(world.store->popularity.Set(
      MediaType::kMovie, {{{1, 0.5F}, {999, 1.25F}, {1000, 2}, {1001, 0}, {3000, 4}, {4'999'999, 61.416F}}}));
  ASSERT_TRUE(world.store->popularity.Set(MediaType::kTv, {{{2, 7}}}));
  for (const MediaType type : {MediaType::kMovie, MediaType::kTv, MediaType::kPerson}) {
    PopularityTable::Walk walk(world.store->popularity, type);
    // Within a row, over rows that are not there, and back again.
    for (const std::int64_t id : {-1LL, 0LL, 1LL, 2LL, 999LL, 1000LL, 1001LL, 1002LL, 2500LL, 3000LL, 4'999'998LL,
                                  4'999'999LL, 5'000'000LL, 1LL << 60, 1000LL}) {
      EXPECT_EQ(walk.Find(id).value(), world.store->popularity.Find({type, id}).value()) << Name(type) << " " << id;
    }
  }
}

TEST(PopularityTable, SurvivesARestart) {
  testing::StoreWorld world;
  ASSERT_TRUE(world.store->popularity.Set(MediaType::kMovie, {{{550, 61.416F}}}));
  world.Reopen();
  EXPECT_EQ(world.store->popularity.Find({MediaType::kMovie, 550}).value(), 61.416F);
}

TEST(PopularityTable, RefusesAnImpossibleIdAndKeepsWhatItHas) {
  testing::StoreWorld world;
  ASSERT_TRUE(world.store->popularity.Set(MediaType::kMovie, {{{550, 1}}}));
  EXPECT_FALSE(world.store->popularity.Set(MediaType::kMovie, {{{1, 1}, {1LL << 52, 1}}}));
  EXPECT_EQ(world.store->popularity.Find({MediaType::kMovie, 550}).value(), 1);
}

}  // namespace
}  // namespace tmdbc
