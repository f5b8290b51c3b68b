// SPDX-License-Identifier: MIT
#include "images/image_folder.h"

#include <gtest/gtest.h>

#include "testing/fault_file_system.h"

namespace tmdbc::images {
namespace {

const ImageName kImage{"w342", "pB8BM7.jpg"};

TEST(ImageFolder, KeepsAnImageUnderItsName) {
  testing::FaultFileSystem files;
  auto folder = ImageFolder::Open(files);
  ASSERT_TRUE(folder);
  ASSERT_TRUE(folder->Put(kImage, "bytes"));
  EXPECT_EQ(files.Read("images/w342/pB/pB8BM7.jpg", 0, 100), "bytes");
  const auto again = ImageFolder::Open(files);
  EXPECT_EQ(again->all(), (std::map<ImageName, std::uint64_t>{{kImage, 5}}));
  EXPECT_EQ(again->bytes(), 5u);
  EXPECT_EQ(ImageFolder::Read(files, kImage), "bytes");
}

TEST(ImageFolder, CountsTheBytesOfWhatGoesAndOfWhatIsReplaced) {
  testing::FaultFileSystem files;
  auto folder = ImageFolder::Open(files);
  ASSERT_TRUE(folder->Put(kImage, "bytes"));
  ASSERT_TRUE(folder->Put(kImage, "byte"));
  EXPECT_EQ(folder->bytes(), 4u);
  ASSERT_TRUE(folder->Remove(kImage));
  EXPECT_EQ(folder->bytes(), 0u);
  EXPECT_EQ(ImageFolder::Read(files, kImage).error().code, ErrorCode::kNotFound);
}

TEST(ImageFolder, RemovesWhatAnInterruptedWriteLeftAndNothingElse) {
  testing::FaultFileSystem files;
  for (const char* path : {"images/w342/pB/pB8BM7.jpg.new", "images/notes.txt", "images/w342/xx/pB8BM7.jpg", "images/w342/pB/readme"}) {
    auto file = files.OpenAppend(path);
    ASSERT_TRUE((*file)->Append("half"));
  }
  const auto folder = ImageFolder::Open(files);
  ASSERT_TRUE(folder);
  EXPECT_TRUE(folder->all().empty());
  EXPECT_EQ(*files.Exists("images/w342/pB/pB8BM7.jpg.new"), false);
  EXPECT_EQ(*files.Exists("images/notes.txt"), true);
  EXPECT_EQ(*files.Exists("images/w342/xx/pB8BM7.jpg"), true);
}

}  // namespace
}  // namespace tmdbc::images
