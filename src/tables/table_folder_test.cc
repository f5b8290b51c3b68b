// SPDX-License-Identifier: MIT
#include "tables/table_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace tmdbc::tables {
namespace {

struct FolderWorld {
  FolderWorld() { std::filesystem::remove_all(root); }
  ~FolderWorld() { std::filesystem::remove_all(root); }
  const std::string root = std::filesystem::path(::testing::TempDir()) / fmt::format("folder_{}", ::getpid());
};

// link(2) gives EPERM where a file system has no hard links, and for a folder on any.
TEST(TableFolder, SaysWhatAFileSystemWithoutHardLinksLacks) {
  const FolderWorld world;
  auto folder = TableFolder::Open(world.root).value();
  ASSERT_TRUE(folder.MakeFolder("from"));
  const auto linked = folder.HardLink("from", "to/from");
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().hint, Hint::kLocalDisk);
  EXPECT_NE(linked.error().message.find("has no hard links"), std::string::npos) << linked.error().message;
}

// A crash between link(2) and the removal of the first name leaves a file that has two.
TEST(TableFolder, ANameStandsForItsBytesWhateverACrashHasLeft) {
  const FolderWorld world;
  auto folder = TableFolder::Open(world.root).value();
  ASSERT_TRUE(folder.MakeFolder("a"));
  ASSERT_TRUE(folder.WriteNew("a/1", "first"));
  ASSERT_TRUE(folder.HardLink("a/1", "tmp/a.1"));
  EXPECT_EQ(folder.WriteNew("a/1", "other").error().code, ErrorCode::kExists);
  EXPECT_EQ(folder.files().Read("a/1", 0, 10).value(), "first");
}

TEST(TableFolder, MovesInNoFileThatIsNotThere) {
  const FolderWorld world;
  auto folder = TableFolder::Open(world.root).value();
  EXPECT_EQ(folder.MoveIn("tmp/a", "a/1").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(folder.Exists("a/1"));
}

}  // namespace
}  // namespace tmdbc::tables
