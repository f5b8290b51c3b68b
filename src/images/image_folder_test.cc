// SPDX-License-Identifier: MIT
#include "images/image_folder.h"

#include <gtest/gtest.h>

#include <vector>

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

TEST(ImageFolder, ChecksWhatIsThereAndRemovesWhatIsSpoiled) {
  testing::FaultFileSystem files;
  auto folder = ImageFolder::Open(files);
  const ImageName whole{"w500", "logo.svg"}, deleted{"w500", "other.svg"};
  ASSERT_TRUE(folder->Put(kImage, "no JPEG"));
  ASSERT_TRUE(folder->Put(whole, "<svg></svg>"));
  ASSERT_TRUE(folder->Put(deleted, "<svg></svg>"));
  ASSERT_TRUE(files.Remove("images/w500/ot/other.svg"));  // by somebody else
  std::vector<ImageName> removed;
  const auto tell = [&](const ImageName& image) -> Result<void> {
    removed.push_back(image);
    return {};
  };
  EXPECT_EQ(folder->Check(StopFlag(), tell), 2);
  EXPECT_EQ(removed, std::vector{kImage});
  EXPECT_EQ(folder->all(), (std::map<ImageName, std::uint64_t>{{whole, 11}}));
  EXPECT_EQ(folder->bytes(), 11u);
  EXPECT_EQ(ImageFolder::Read(files, kImage).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tmdbc::images
