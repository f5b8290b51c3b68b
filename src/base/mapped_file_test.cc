// SPDX-License-Identifier: MIT
#include "base/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

struct MappedFolder {
  MappedFolder() {
    std::string made = fs::temp_directory_path() / "tmdbc-mapped-XXXXXX";
    path = ::mkdtemp(made.data());
  }
  ~MappedFolder() { fs::remove_all(path); }
  std::string File(std::string_view name, std::size_t bytes) const {
    const std::string file = path + "/" + std::string(name);
    std::ofstream(file, std::ios::binary) << std::string(bytes, 'x');
    return file;
  }
  std::string path;
};

TEST(MappedFile, GivesTheBytesOfAFile) {
  const MappedFolder folder;
  const auto file = MappedFile::Open(folder.File("a", 10'000));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->bytes(), std::string(10'000, 'x'));
  EXPECT_FALSE(file->lost());
  EXPECT_EQ(MappedFile::Open(folder.File("empty", 0))->bytes(), "");
  EXPECT_EQ(MappedFile::Open(folder.path + "/none").error().code, ErrorCode::kNotFound);
  // Nobody writes into the pipe: it must not be waited for.
  ASSERT_EQ(::mkfifo((folder.path + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(MappedFile::Open(folder.path + "/pipe").error().code, ErrorCode::kIo);
  EXPECT_EQ(MappedFile::Open(folder.path).error().code, ErrorCode::kIo);
}

TEST(MappedFile, ReadsAsZerosWhereTheFileWasCutOff) {
  const MappedFolder folder;
  const std::string path = folder.File("a", 100'000);
  auto cut = MappedFile::Open(path);
  const auto other = MappedFile::Open(folder.File("b", 100'000));
  ASSERT_TRUE(cut && other);
  fs::resize_file(path, 8192);
  const MappedFile file = *std::move(cut);  // a file may move after it was opened
  EXPECT_EQ(file.bytes()[8191], 'x');
  EXPECT_EQ(file.bytes()[50'000], '\0');
  EXPECT_TRUE(file.lost());
  EXPECT_EQ(std::ranges::count(file.bytes(), 'x'), 8192);  // what was left is still the file's
  EXPECT_EQ(std::ranges::count(other->bytes(), 'x'), 100'000);
  EXPECT_FALSE(other->lost());
}

TEST(MappedFile, NoticesACutThatRaisesNoSignal) {
  const MappedFolder folder;
  const std::string path = folder.File("a", 3000);
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file) << file.error().message;
  fs::resize_file(path, 1000);
  EXPECT_EQ(file->bytes()[2000], '\0');
  EXPECT_TRUE(file->lost());
}

TEST(MappedFile, KeepsAFileThatWasTakenAway) {
  const MappedFolder folder;
  const std::string path = folder.File("a", 3000);
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file) << file.error().message;
  fs::remove(path);
  std::ofstream(path) << "another";
  EXPECT_EQ(file->bytes(), std::string(3000, 'x'));
  EXPECT_FALSE(file->lost());
}

TEST(MappedFile, IsWholeWhenItTakesThePlaceOfALostOne) {
  const MappedFolder folder;
  const std::string path = folder.File("a", 5000);
  {
    const auto file = MappedFile::Open(path);
    fs::resize_file(path, 0);
    EXPECT_EQ(file->bytes()[4999], '\0');
    EXPECT_TRUE(file->lost());
  }
  const auto next = MappedFile::Open(folder.File("b", 5000));
  EXPECT_FALSE(next->lost());
  EXPECT_EQ(next->bytes(), std::string(5000, 'x'));
}

TEST(MappedFile, AreAsManyAsItSays) {
  const MappedFolder folder;
  const std::string path = folder.File("a", 1);
  std::vector<MappedFile> files;
  while (true) {
    auto file = MappedFile::Open(path);
    if (!file) break;
    files.push_back(*std::move(file));
    ASSERT_LE(files.size(), MappedFile::kMost);
  }
  EXPECT_EQ(files.size(), MappedFile::kMost);
  files.pop_back();
  EXPECT_TRUE(MappedFile::Open(path));
}

TEST(MappedFileDeathTest, LeavesOtherBusErrorsAlone) {
  const MappedFolder folder;
  const std::string path = folder.File("a", 100);
  const auto file = MappedFile::Open(path);
  // Of SIGBUS, or of a sanitizer that reports it.
  const auto dies = [](int status) { return !WIFEXITED(status) || WEXITSTATUS(status) != 0; };
  EXPECT_EXIT(::raise(SIGBUS), dies, "");
  EXPECT_EXIT(
      {
        const int descriptor = ::open(path.c_str(), O_RDONLY);
        const auto* bytes = static_cast<const volatile char*>(::mmap(nullptr, 100, PROT_READ, MAP_SHARED, descriptor, 0));
        fs::resize_file(path, 0);
        (void)bytes[50];
        ::exit(0);
      },
      dies, "");
}

}  // namespace
}  // namespace tmdbc
