// SPDX-License-Identifier: MIT
#include "tables/check.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tables/publish_world_test.h"

namespace tmdbc::tables {
namespace {

using testing::Movie;
using testing::PublishWorld;

std::vector<std::string> FaultsOf(PublishWorld& world) {
  PosixFileSystem files(world.root);
  const auto report = CheckTables(files, world.root, world.stop);
  EXPECT_TRUE(report) << report.error().message;
  return report->faults;
}

TEST(Check, FindsWhatIsMissingCutOrChanged) {
  PublishWorld world;
  for (const std::int64_t id : {1, 2000, 4000}) world.Put(Movie(id, "A", 1, world.store.clock.Now()));
  world.Seal();
  world.Publish();
  EXPECT_TRUE(FaultsOf(world).empty());
  const auto files = world.Newest().tables.at("movies").files;
  ASSERT_EQ(files.size(), 3u);
  std::filesystem::remove(world.root / files[0].path);
  std::filesystem::resize_file(world.root / files[1].path, 100);
  {
    std::fstream file(world.root / files[2].path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20);
    file.put('x');
  }
  EXPECT_EQ(FaultsOf(world), (std::vector<std::string>{
                                 files[0].path + ": it is missing",
                                 fmt::format("{}: it has 100 bytes, not {}", files[1].path, files[1].bytes),
                                 files[2].path + ": its bytes are not those that were written"}));
}

TEST(Check, OfNoTablesFindsNone) {
  PublishWorld world;
  std::filesystem::create_directories(world.root);
  PosixFileSystem files(world.root);
  EXPECT_EQ(CheckTables(files, world.root, world.stop)->generation, 0);
}

}  // namespace
}  // namespace tmdbc::tables
