// SPDX-License-Identifier: MIT
#include "tables/table_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace tmdbc::tables {
namespace {

// link(2) gives EPERM where a file system has no hard links, and for a folder on any.
TEST(TableFolder, SaysWhatAFileSystemWithoutHardLinksLacks) {
  const auto root = std::filesystem::path(::testing::TempDir()) / fmt::format("folder_{}", ::getpid());
  {
    auto folder = TableFolder::Open(root).value();
    ASSERT_TRUE(folder.MakeFolder("from"));
    const auto linked = folder.HardLink("from", "to/from");
    ASSERT_FALSE(linked);
    EXPECT_EQ(linked.error().hint, Hint::kLocalDisk);
    EXPECT_NE(linked.error().message.find("has no hard links"), std::string::npos) << linked.error().message;
  }
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace tmdbc::tables
