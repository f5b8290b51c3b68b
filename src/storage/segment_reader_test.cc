// SPDX-License-Identifier: MIT
#include "storage/segment_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "storage/segment_path.h"
#include "testing/fault_file_system.h"

namespace tmdbc {
namespace {

constexpr const char* kPath = "records/movie/000/000/001.jsonl.zst";

// "60:abc 75:!" - the offsets of whole frames with their content, and of stretches that are none.
std::string Walk(FileSystem& files, std::uint64_t end) {
  SegmentReader reader(files, kPath, end);
  std::string text;
  while (true) {
    const auto frame = reader.Next();
    if (!frame) return text + frame.error().message;
    if (!*frame) return text;
    EXPECT_GT((*frame)->length, 0U);
    text += fmt::format("{}:{} ", (*frame)->at, (*frame)->damage.empty() ? (*frame)->content : "!");
  }
}

TEST(SegmentReader, GivesEachFrameAndItsPlace) {
  testing::FaultFileSystem files;
  files.Put(kPath, ZstdFrame("one") + ZstdFrame("two") + ZstdFrame("three"));
  const std::size_t step = ZstdFrame("one").size();
  EXPECT_EQ(Walk(files, files.Size(kPath).value()), fmt::format("0:one {}:two {}:three ", step, 2 * step));
  EXPECT_EQ(Walk(files, 2 * step), fmt::format("0:one {}:two ", step));
  EXPECT_EQ(Walk(files, 0), "");
  files.Put(kPath, "");
  EXPECT_EQ(Walk(files, 0), "");
}

TEST(SegmentReader, GoesOnBehindADamagedFrame) {
  const std::string one = ZstdFrame("one"), two = ZstdFrame("two"), three = ZstdFrame("three");
  const std::size_t step = one.size();
  for (std::size_t byte = step; byte < 2 * step; ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      testing::FaultFileSystem files;
      files.Put(kPath, one + two + three);
      files.FlipBit(kPath, byte, bit);
      const std::string walked = Walk(files, 2 * step + three.size());
      // The one bit of a header that decoders ignore (RFC 8878 section 3.1.1.1.1.3) changes nothing.
      const bool unused = byte == step + 4 && bit == 4;
      EXPECT_EQ(walked, fmt::format("0:one {}:{} {}:three ", step, unused ? "two" : "!", 2 * step))
          << byte << "." << bit;
    }
  }
}

TEST(SegmentReader, ReportsATornTail) {
  const std::string one = ZstdFrame("one"), two = ZstdFrame("two");
  for (std::size_t cut = 1; cut < two.size(); ++cut) {
    testing::FaultFileSystem files;
    files.Put(kPath, one + two.substr(0, cut));
    EXPECT_EQ(Walk(files, one.size() + cut), fmt::format("0:one {}:! ", one.size()));
  }
}

TEST(SegmentReader, FindsWholeFramesInRubbish) {
  const std::string frame = ZstdFrame("content");
  const std::string rubbish = "\x28\xb5\x2f\xfd rubbish \x28\xb5";
  testing::FaultFileSystem files;
  files.Put(kPath, rubbish + frame + rubbish + frame + rubbish);
  const std::size_t step = rubbish.size() + frame.size();
  EXPECT_EQ(Walk(files, 2 * step + rubbish.size()),
            fmt::format("0:! {}:content {}:! {}:content {}:! ", rubbish.size(), step, step + rubbish.size(),
                        2 * step));
}

TEST(SegmentReader, ReadsFramesOfEverySize) {
  std::mt19937_64 random(3);
  std::string bytes, expected;
  for (const std::size_t size : {1, 1000, 300'000, 5, 3 << 20, 128 << 10, 1}) {
    std::string content(size, '\0');
    for (char& c : content) c = static_cast<char>(random());
    expected += fmt::format("{}:{} ", bytes.size(), content);
    bytes += ZstdFrame(content);
  }
  testing::FaultFileSystem files;
  files.Put(kPath, bytes);
  EXPECT_TRUE(Walk(files, bytes.size()) == expected);
}

TEST(SegmentReader, SaysWhenTheFileIsShorterThanPromised) {
  testing::FaultFileSystem files;
  files.Put(kPath, ZstdFrame("one"));
  EXPECT_NE(Walk(files, 1000).find("were expected"), std::string::npos);
}

// A file system in which a segment is sealed between the first look for it and the second.
class SealedMeanwhile final : public FileSystem {
 public:
  explicit SealedMeanwhile(FileSystem& files) : files_(files) {}
  Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) override {
    auto bytes = files_.Read(path, offset, length);
    if (++reads_ == 1) (void)files_.Rename(OpenPath(MediaType::kMovie, 1), SealedPath(MediaType::kMovie, 1));
    return bytes;
  }
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    return files_.OpenAppend(path);
  }
  Result<std::uint64_t> Size(const std::string& path) override { return files_.Size(path); }
  Result<bool> Exists(const std::string& path) override { return files_.Exists(path); }
  Result<void> Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  Result<void> Remove(const std::string& path) override { return files_.Remove(path); }
  Result<void> SyncFolder(const std::string& folder) override { return files_.SyncFolder(folder); }
  Result<std::vector<std::string>> List(const std::string& folder) override { return files_.List(folder); }

 private:
  FileSystem& files_;
  int reads_ = 0;
};

TEST(ReadFrame, FindsTheSegmentUnderEitherName) {
  testing::FaultFileSystem disk;
  const Place place{1, 4, 5, 0};
  EXPECT_EQ(ReadFrame(disk, MediaType::kMovie, place).error().code, ErrorCode::kCorrupt);
  disk.Put(OpenPath(MediaType::kMovie, 1), "0123456789");
  EXPECT_EQ(ReadFrame(disk, MediaType::kMovie, place).value(), "45678");
  SealedMeanwhile files(disk);
  EXPECT_EQ(ReadFrame(files, MediaType::kMovie, place).value(), "45678");
  EXPECT_EQ(ReadFrame(disk, MediaType::kMovie, place).value(), "45678");
}

TEST(LineAt, BelievesOnlyInWholeLines) {
  EXPECT_EQ(LineAt("ab\ncd\n", 0).value(), "ab");
  EXPECT_EQ(LineAt("ab\ncd\n", 3).value(), "cd");
  for (const std::uint64_t at : {1, 2, 4, 6, 7, 1000}) EXPECT_FALSE(LineAt("ab\ncd\n", at)) << at;
  EXPECT_FALSE(LineAt("ab\ncd", 3));
  EXPECT_FALSE(LineAt("", 0));
}

}  // namespace
}  // namespace tmdbc
