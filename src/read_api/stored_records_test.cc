// SPDX-License-Identifier: MIT
#include "read_api/stored_records.h"

#include <gtest/gtest.h>

#include "read_api/read_api.h"
#include "storage/store_world_test.h"

namespace tmdbc::read_api {
namespace {

using testing::StoreWorld;

constexpr MediaId kFilm{MediaType::kMovie, 550};

TEST(StoredRecords, GiveTheNewestViewAndAStampOfItsOwn) {
  StoreWorld world;
  StoredRecords records(world.store->reader);
  world.Put(testing::Movie(550, "Fight Club", 61.4, world.clock.Now()));
  world.Commit();
  const auto first = records.Get(kFilm);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(*records.SourceOf(kFilm), (*first)->source);
  world.clock.Advance(std::chrono::hours(24));
  world.Put(testing::Movie(550, "Fight Club", 70.0, world.clock.Now()));
  world.Commit();
  const auto second = records.Get(kFilm);
  ASSERT_TRUE(second);
  EXPECT_NE((*second)->source.stamp, (*first)->source.stamp);
  EXPECT_NE((*second)->body.find("\"popularity\":70.000"), std::string::npos);
}

TEST(StoredRecords, HaveThePopularityOfAnExportThatIsNewerThanTheRecord) {
  StoreWorld world;
  Time made_at{};
  StoredRecords records(world.store->reader, &world.store->popularity, [&](MediaType) { return made_at; });
  world.Put(testing::Movie(550, "Fight Club", 61.4, world.clock.Now()));
  world.Commit();
  const auto popularity = [&] {
    const auto record = records.Get(kFilm);
    EXPECT_EQ(*records.SourceOf(kFilm), (*record)->source);
    return std::string(MemberOf((*record)->body, "popularity"));
  };
  const auto before = *records.SourceOf(kFilm);
  const auto set = [&](float value) {
    const Popularity exported[] = {{.id = 550, .popularity = value}};
    ASSERT_TRUE(world.store->popularity.Set(MediaType::kMovie, exported));
  };
  set(70.5f);
  EXPECT_EQ(popularity(), "61.400") << "an older one";
  EXPECT_EQ(*records.SourceOf(kFilm), before);
  made_at = world.clock.Now() + std::chrono::hours(1);
  EXPECT_EQ(popularity(), "70.5");
  const auto after = *records.SourceOf(kFilm);
  EXPECT_NE(after.stamp, before.stamp);
  EXPECT_EQ(after.fetched_at, before.fetched_at);
  set(61.4f);
  EXPECT_EQ(popularity(), "61.400") << "TMDB's bytes, where they say the same";
  set(12.25f);
  EXPECT_NE(records.SourceOf(kFilm)->stamp, after.stamp);
  EXPECT_EQ(popularity(), "12.25");
}

TEST(StoredRecords, TellAnAwaitedIdFromOneThatNobodyKnows) {
  StoreWorld world;
  StoredRecords records(world.store->reader, &world.store->popularity);
  const Popularity exported[] = {{.id = 550, .popularity = 61.4f}, {.id = 551, .popularity = 1.0f}};
  ASSERT_TRUE(world.store->popularity.Set(MediaType::kMovie, exported));
  world.Put(testing::Movie(550, "Fight Club", 61.4, world.clock.Now()));
  world.Commit();
  EXPECT_TRUE(*records.IsAwaited({MediaType::kMovie, 551}));
  EXPECT_FALSE(*records.IsAwaited({MediaType::kMovie, 552}));
  ASSERT_TRUE(world.store->writer->PutGone(kFilm, world.clock.Now(), DeletionEvidence::kNotFound));
  world.Commit();
  EXPECT_FALSE(records.Get(kFilm));
  EXPECT_FALSE(*records.IsAwaited(kFilm));  // deleted, whatever the export says
  EXPECT_FALSE(*StoredRecords(world.store->reader).IsAwaited({MediaType::kMovie, 551}));
}

}  // namespace
}  // namespace tmdbc::read_api
