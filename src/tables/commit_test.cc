// SPDX-License-Identifier: MIT
#include "tables/commit.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tables/publish_world_test.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::minutes;
using testing::Movie;
using testing::PublishWorld;

PublishReport PublishFilm(PublishWorld& world, const std::string& title) {
  world.Put(Movie(1, title, 1, world.store.clock.Now()));
  world.Seal();
  return world.Publish();
}

void DamageManifest(const PublishWorld& world, std::int64_t generation) {
  std::ofstream(world.root / ManifestPath(generation)) << R"({"format":1,"spec":1,"gene)";
}

bool IsThere(const PublishWorld& world, const Manifest& manifest) {
  for (const auto& [name, table] : manifest.tables) {
    for (const DataFile& file : table.files) {
      if (!fs::exists(world.root / file.path)) return false;
    }
  }
  return fs::exists(world.root / ManifestPath(manifest.generation));
}

TEST(RemoveOld, KeepsADayWhatWasTheNewestUntilThen) {
  PublishWorld world;
  PublishFilm(world, "A");
  const Manifest first = world.Newest();
  world.store.clock.Advance(hours(30));
  PublishFilm(world, "B");
  world.store.clock.Advance(minutes(1));
  PublishFilm(world, "C");
  // A reader that began before the second has it for a day.
  EXPECT_TRUE(IsThere(world, first));
  world.store.clock.Advance(hours(25));
  world.Publish();
  EXPECT_FALSE(IsThere(world, first));
}

TEST(RemoveOld, KeepsADayForReadersWhatWasPurgedAndNoLonger) {
  PublishWorld world;
  PublishFilm(world, "A");
  const Manifest first = world.Newest();
  world.store.clock.Advance(hours(30));
  ASSERT_TRUE(world.store.store->writer->PutPurge({MediaType::kMovie, 1}, world.store.clock.Now()));
  world.Seal();
  world.Publish();
  EXPECT_TRUE(IsThere(world, first));
  world.store.clock.Advance(hours(25));
  world.Publish();
  EXPECT_FALSE(IsThere(world, first));
}

TEST(RemoveOld, ADamagedOldManifestStopsNothingAndGoes) {
  PublishWorld world;
  PublishFilm(world, "A");
  PublishFilm(world, "B");
  DamageManifest(world, 1);
  EXPECT_TRUE(PublishFilm(world, "C").published);
  EXPECT_EQ(world.Ask("SELECT title FROM {movies}"), "C");
  EXPECT_FALSE(fs::exists(world.root / ManifestPath(1)));
}

TEST(ReadPublished, ADamagedNewestManifestIsToldAndABuildGoesOnBehindIt) {
  PublishWorld world;
  PublishFilm(world, "A");
  PublishFilm(world, "B");
  DamageManifest(world, 2);
  world.Put(Movie(1, "C", 1, world.store.clock.Now()));
  world.Seal();
  const auto refused = world.TryPublish(world.options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(refused.error().message.find("manifests/000000002.json"), std::string::npos)
      << refused.error().message;
  PublishOptions again = world.options;
  again.rebuild = true;
  EXPECT_EQ(world.Publish(again).generation, 3);
  EXPECT_EQ(world.Ask("SELECT title FROM {movies}"), "C");
  // What was published when is kept nowhere else.
  EXPECT_EQ(world.Ask("SELECT DISTINCT generation FROM {snapshots} ORDER BY 1"), "1; 3");
  world.ExpectLogsOfTheManifest();
  EXPECT_FALSE(fs::exists(world.root / ManifestPath(2)));
  EXPECT_EQ(PublishFilm(world, "D").generation, 4);
}

TEST(ReadPublished, WithNoManifestThatIsWholeABuildBeginsBehindTheLastNumber) {
  PublishWorld world;
  PublishFilm(world, "A");
  DamageManifest(world, 1);
  PublishOptions again = world.options;
  again.rebuild = true;
  EXPECT_EQ(world.Publish(again).generation, 2);
  world.ExpectLogsOfTheManifest();
  EXPECT_EQ(world.Ask("SELECT title FROM {movies}"), "A");
}

TEST(ReadPublished, TablesOfALaterProgramAreMadeAnewByNobodyUnasked) {
  PublishWorld world;
  PublishFilm(world, "A");
  Manifest later = world.Newest();
  later.spec = kSpecVersion + 1;
  std::ofstream(world.root / ManifestPath(1)) << FormatManifest(later);
  const auto refused = world.TryPublish(world.options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(refused.error().hint, Hint::kNewStore);
}

TEST(CommittedAt, RisesWhenTheClockIsSetBack) {
  PublishWorld world;
  PublishFilm(world, "A");
  const Time first = world.Newest().committed_at;
  world.store.clock.JumpWall(-hours(5));
  PublishFilm(world, "B");
  EXPECT_EQ(world.Newest().committed_at, first + std::chrono::milliseconds(1));
}

}  // namespace
}  // namespace tmdbc::tables
