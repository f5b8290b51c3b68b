// SPDX-License-Identifier: MIT
// The commit where the disk is in doubt: transactions that may have taken place or not, bytes that do not come back.
#include <gtest/gtest.h>

#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using testing::Movie;
using testing::StoreWorld;

const MediaId kOne{MediaType::kMovie, 1}, kTwo{MediaType::kMovie, 2}, kThree{MediaType::kMovie, 3};

class AnAmbiguousCommit : public ::testing::Test {
 protected:
  AnAmbiguousCommit() {
    world.Put(Movie(1, "first", 1, world.clock.Now()));
    world.Commit();
    world.Put(Movie(2, "second", 1, world.clock.Now()));
  }
  // The transaction is on the disk, and yet reports an error: as when the sync of the log fails.
  void CommitThatHappens() {
    EXPECT_FALSE(world.store->writer->Commit([&]() -> Result<void> {
      EXPECT_TRUE(world.catalog.Execute("COMMIT"));
      return Fail(ErrorCode::kIo, "sync the log: Input/output error");
    }));
  }
  void CommitThatDoesNot() {
    EXPECT_FALSE(
        world.store->writer->Commit([]() -> Result<void> { return Fail(ErrorCode::kIo, "disk I/O error"); }));
  }
  StoreWorld world;
};

TEST_F(AnAmbiguousCommit, LosesNothingWhenThePowerGoesAndItTurnsOutToHaveHappened) {
  CommitThatHappens();
  world.files.CutPower();
  world.store.reset();
  world.files.Restart(1);
  world.Reopen();
  EXPECT_EQ(world.View(kTwo), Movie(2, "second", 1, {}).data);
  EXPECT_EQ(world.Damage(), "");
}

TEST_F(AnAmbiguousCommit, IsMadeGoodByTheNextOne) {
  for (const bool happens : {true, false}) {
    happens ? CommitThatHappens() : CommitThatDoesNot();
    world.Put(Movie(3, happens ? "third" : "fourth", 1, world.clock.Now()));
    world.Commit();
    world.Put(Movie(2, happens ? "other" : "again", 1, world.clock.Now()));
  }
  world.Commit();
  world.Seal();
  EXPECT_EQ(world.View(kOne), Movie(1, "first", 1, {}).data);
  EXPECT_EQ(world.View(kTwo), Movie(2, "again", 1, {}).data);
  EXPECT_EQ(world.View(kThree), Movie(3, "fourth", 1, {}).data);
  EXPECT_EQ(world.Damage(), "");
}

TEST_F(AnAmbiguousCommit, LeavesNoTailInASealedSegment) {
  CommitThatDoesNot();
  world.Seal();
  EXPECT_EQ(world.Damage(), "");
  world.Commit();
  EXPECT_EQ(world.View(kTwo), Movie(2, "second", 1, {}).data);
  EXPECT_EQ(world.Damage(), "");
}

// A sector that the disk does not give back is damage of that record, and of nothing else.
TEST(AnUnreadableSector, IsHealedByTheNextFetchOfItsRecord) {
  StoreWorld world;
  world.Put(Movie(1, "first", 1, world.clock.Now()));
  world.Commit();
  world.Put(Movie(2, "second", 1, world.clock.Now()));
  world.Commit();
  world.Seal();
  const std::string path = "records/movie/000/000/001.jsonl.zst";
  world.files.Spoil(path, 10, 1);
  EXPECT_EQ(world.store->reader.Find(kOne).error().code, ErrorCode::kUnreadable);
  EXPECT_NE(world.store->reader.Find(kOne).error().message.find(path + " at byte 0"), std::string::npos);
  EXPECT_EQ(world.View(kTwo), Movie(2, "second", 1, {}).data);
  EXPECT_EQ(world.store->reader.History(kOne).value().size(), 1U);
  EXPECT_NE(world.store->reader.History(kOne).value()[0].damage, "");
  world.clock.Advance(std::chrono::hours(1));
  EXPECT_EQ(world.Put(Movie(1, "first", 1, world.clock.Now())), Change::kUpdate);
  world.Commit();
  world.Reopen();
  EXPECT_EQ(world.View(kOne), Movie(1, "first", 1, {}).data);
}

}  // namespace
}  // namespace tmdbc
