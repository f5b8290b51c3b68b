// SPDX-License-Identifier: MIT
#include "read_api/stored_records.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <filesystem>

#include "read_api/read_api.h"
#include "storage/store_world_test.h"
#include "titles/follower.h"

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

TEST(StoredRecords, LookUpNothingThatIsKnownToBeUnchanged) {
  StoreWorld world;
  titles::RecentChanges changes;
  StoredRecords records(world.store->reader, nullptr, {}, &changes);
  world.Put(testing::Movie(550, "Fight Club", 61.4, world.clock.Now()));
  world.Commit();
  Source source = (*records.Get(kFilm))->source;
  EXPECT_TRUE(records.IsCurrent(source));
  changes.Followed(changes.Commits(), {});
  source = *records.SourceOf(kFilm);
  world.clock.Advance(std::chrono::hours(24));
  world.Put(testing::Movie(550, "Fight Club", 70.0, world.clock.Now()));
  world.Commit();
  EXPECT_TRUE(records.IsCurrent(source)) << "nobody has told of the commit";
  changes.Committed();
  Source asked = source;
  EXPECT_FALSE(records.IsCurrent(asked));
  changes.Followed(changes.Commits(), std::array{kFilm});
  EXPECT_FALSE(records.IsCurrent(asked));
  asked = *records.SourceOf(kFilm);
  changes.Followed(changes.Commits(), std::array{MediaId{MediaType::kMovie, 551}});
  EXPECT_TRUE(records.IsCurrent(asked));
}

TEST(StoredRecords, LookUpAfterACommitWhatItChangedAndNothingElse) {
  StoreWorld world;
  titles::RecentChanges changes;
  titles::PublishedTitles published;
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("tmdbc-records-{}", ::getpid());
  const StopFlag no_stop;
  titles::Follower follower(world.files, world.catalog, world.clock, folder.string(), published,
                            [](LogLevel, const std::string&) {}, {}, &changes);
  StoredRecords records(world.store->reader, nullptr, {}, &changes);
  for (const std::int64_t id : {550, 551}) world.Put(testing::Movie(id, "Fight Club", 61.4, world.clock.Now()));
  world.Commit();
  ASSERT_TRUE(follower.Poll(no_stop));
  Source changed = (*records.Get(kFilm))->source, other = *records.SourceOf({MediaType::kMovie, 551});
  world.clock.Advance(std::chrono::minutes(1));  // sealed, its lines would come again
  world.Put(testing::Movie(550, "Fight Club", 70.0, world.clock.Now()));
  world.Commit();
  changes.Committed();
  EXPECT_FALSE(records.IsCurrent(changed)) << "at once, before anybody has followed";
  EXPECT_TRUE(records.IsCurrent(other));
  ASSERT_TRUE(follower.Poll(no_stop));
  EXPECT_FALSE(records.IsCurrent(changed));
  ASSERT_TRUE(world.catalog.Execute("ALTER TABLE store_records RENAME TO elsewhere"));
  EXPECT_FALSE(records.SourceOf(other.id));
  EXPECT_TRUE(records.IsCurrent(other)) << "without a look";
  std::filesystem::remove_all(folder);
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
