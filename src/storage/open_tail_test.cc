// SPDX-License-Identifier: MIT
#include "storage/open_tail.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/record_line.h"
#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using testing::Movie;
using testing::StoreWorld;

struct TailWorld : StoreWorld {
  void PutFilm(std::int64_t id) { Put(Movie(id, "Fight Club", 1, clock.Now())); }
  // "550 551": the ids of the lines that are new.
  std::string News(std::int64_t sealed = 0) {
    OpenTail tail(files, catalog);
    std::string ids;
    const auto read = tail.Read(MediaType::kMovie, sealed, position, [&](std::string_view line) -> Result<void> {
      ids += fmt::format("{}{}", ids.empty() ? "" : " ", ParseRecordLine(line)->id.id);
      return {};
    });
    EXPECT_TRUE(read) << read.error().message;
    position = read->position;
    read_all = read->all;
    return ids;
  }
  OpenTail::Position position;
  bool read_all = false;
};

TEST(OpenTail, GivesWhatIsCommittedAndEachLineOnce) {
  TailWorld world;
  EXPECT_EQ(world.News(), "");
  world.PutFilm(550);
  EXPECT_EQ(world.News(), "");
  world.Commit();
  EXPECT_EQ(world.News(), "550");
  EXPECT_EQ(world.News(), "");
  world.PutFilm(551);
  world.PutFilm(552);
  world.Commit();
  EXPECT_EQ(world.News(), "551 552");
}

TEST(OpenTail, WaitsUntilWhatIsSealedHasBeenRead) {
  TailWorld world;
  world.PutFilm(550);
  world.Commit();
  EXPECT_EQ(world.News(), "550");
  world.Seal();
  world.PutFilm(551);
  world.Commit();
  EXPECT_EQ(world.News(), "");
  EXPECT_FALSE(world.read_all);
  EXPECT_EQ(world.News(1), "551");
  EXPECT_TRUE(world.read_all);
}

TEST(OpenTail, KnowsAStoreAgainByTheChecksumOfASegment) {
  TailWorld world, other;
  world.PutFilm(550);
  world.Commit();
  world.Seal();
  other.PutFilm(551);
  other.Commit();
  other.Seal();
  const auto mark = OpenTail(world.files, world.catalog).MarkOf(MediaType::kMovie, 1);
  EXPECT_NE(*mark, 0u);
  EXPECT_NE(*mark, *OpenTail(other.files, other.catalog).MarkOf(MediaType::kMovie, 1));
  EXPECT_EQ(*OpenTail(world.files, world.catalog).MarkOf(MediaType::kMovie, 2), 0u);
}

}  // namespace
}  // namespace tmdbc
