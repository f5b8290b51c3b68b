// SPDX-License-Identifier: MIT
#include "base/folder_lock.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>

namespace tmdbc {
namespace {

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tmdbc-lock-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

TEST(FolderLock, IsForOneAtATimeAndSaysWhatTheOtherDoes) {
  const Folder folder;
  const std::string place = folder.path / "tables";
  auto first = FolderLock::Take(place, "is publishing the tables");
  ASSERT_TRUE(first) << first.error().message;
  const auto second = FolderLock::Take(place, "is publishing the tables");
  EXPECT_EQ(second.error().code, ErrorCode::kBusy);
  EXPECT_EQ(second.error().message, "another process is publishing the tables in " + place);
  std::optional<FolderLock> moved(*std::move(first));
  EXPECT_FALSE(FolderLock::Take(place, "waits"));
  moved.reset();
  EXPECT_TRUE(FolderLock::Take(place, "waits"));
}

TEST(FolderLock, MakesNothingInThePlaceOfAFolderThatWasTakenAway) {
  const Folder folder;
  const auto lock = FolderLock::Take(folder.path / "data" / "serve", "waits");
  EXPECT_EQ(lock.error().code, ErrorCode::kNotFound) << lock.error().message;
  EXPECT_FALSE(std::filesystem::exists(folder.path / "data"));
}

}  // namespace
}  // namespace tmdbc
