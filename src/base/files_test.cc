// SPDX-License-Identifier: MIT
#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

// What the system answers instead, while it is set; the calls of the C library below take the place
// of its own.
int fsync_error = 0, pread_error = 0;

}  // namespace

extern "C" int fsync(int fd) {
  if (fsync_error != 0) return errno = fsync_error, -1;
  return int(::syscall(SYS_fsync, fd));
}
extern "C" ssize_t pread(int fd, void* to, std::size_t size, off_t at) {
  if (pread_error != 0) return errno = pread_error, -1;
  return ::syscall(SYS_pread64, fd, to, size, at);
}

namespace tmdbc {
namespace {

constexpr std::uint64_t kAll = ~std::uint64_t(0);

class PosixFileSystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tmdbc-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    files_ = std::make_unique<PosixFileSystem>(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Put(const std::string& path, std::string_view bytes) {
    auto file = files_->OpenAppend(path);
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE((*file)->Append(bytes));
  }

  std::string root_;
  std::unique_ptr<PosixFileSystem> files_;
};

TEST_F(PosixFileSystemTest, AppendsWhereAFileEndsAndMakesItsFolders) {
  Put("records/movie/000/000/001.open", "first\n");
  Put("records/movie/000/000/001.open", "second\n");
  EXPECT_EQ(files_->Read("records/movie/000/000/001.open", 0, kAll).value(), "first\nsecond\n");
  EXPECT_EQ(files_->Size("records/movie/000/000/001.open").value(), 13u);
}

TEST_F(PosixFileSystemTest, DoesNotMakeItsRootAgain) {
  Put("records/file", "bytes");
  std::filesystem::remove_all(root_);
  for (const char* path : {"file", "records/file"}) {
    const auto opened = files_->OpenAppend(path);
    ASSERT_FALSE(opened) << path;
    EXPECT_EQ(opened.error().code, ErrorCode::kNotFound) << opened.error().message;
    EXPECT_FALSE(files_->Rename("other", path));
  }
  EXPECT_FALSE(std::filesystem::exists(root_));
}

TEST_F(PosixFileSystemTest, AppendsWhereTheFileWasCut) {
  auto file = files_->OpenAppend("segment").value();
  ASSERT_TRUE(file->Append("committed, torn"));
  ASSERT_TRUE(file->Truncate(9));
  EXPECT_EQ(file->size(), 9u);
  ASSERT_TRUE(file->Append("!"));
  ASSERT_TRUE(file->Sync());
  EXPECT_EQ(file->size(), 10u);
  EXPECT_EQ(files_->Read("segment", 0, kAll).value(), "committed!");
}

TEST_F(PosixFileSystemTest, ReadsAsMuchAsThereIs) {
  Put("file", "0123456789");
  EXPECT_EQ(files_->Read("file", 2, 3).value(), "234");
  EXPECT_EQ(files_->Read("file", 8, 100).value(), "89");
  EXPECT_EQ(files_->Read("file", 10, 1).value(), "");
  EXPECT_EQ(files_->Read("file", 1000, 1).value(), "");
  EXPECT_EQ(files_->Read("file", 0, 0).value(), "");
}

TEST_F(PosixFileSystemTest, NamesWhatIsMissing) {
  const auto read = files_->Read("no/such", 0, 1);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
  EXPECT_NE(read.error().message.find("no/such"), std::string::npos) << read.error().message;
  EXPECT_EQ(files_->Size("no/such").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->Remove("no/such").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->Rename("no/such", "other").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->SyncFolder("no/such").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(files_->Exists("no/such").value());
  EXPECT_TRUE(files_->List("no/such").value().empty());
}

TEST_F(PosixFileSystemTest, ReadsRegularFilesAlone) {
  ASSERT_EQ(::mkfifo((root_ + "/pipe").c_str(), 0600), 0);  // nobody writes into it
  ASSERT_TRUE(std::filesystem::create_directory(root_ + "/folder"));
  for (const char* name : {"pipe", "folder"}) {
    const auto read = files_->Read(name, 0, 10);
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ErrorCode::kIo);
    EXPECT_EQ(read.error().message, "read " + root_ + "/" + name + ": it is not a regular file");
  }
}

TEST_F(PosixFileSystemTest, TellsAFileInTheWayOfAFolder) {
  Put("records", "I am a file");
  EXPECT_FALSE(files_->OpenAppend("records/movie/001"));
  EXPECT_FALSE(files_->Exists("records/movie").value());
  EXPECT_FALSE(files_->Read(".", 0, kAll)) << "a folder has no bytes";
}

TEST_F(PosixFileSystemTest, RenamesOverAnOldFile) {
  Put("a.open", "new");
  Put("sealed/a", "old");
  ASSERT_TRUE(files_->Rename("a.open", "sealed/a"));
  ASSERT_TRUE(files_->SyncFolder("sealed"));
  EXPECT_EQ(files_->Read("sealed/a", 0, kAll).value(), "new");
  EXPECT_FALSE(files_->Exists("a.open").value());
  ASSERT_TRUE(files_->Remove("sealed/a"));
  EXPECT_FALSE(files_->Exists("sealed/a").value());
}

TEST_F(PosixFileSystemTest, ListsFilesAtAnyDepthSorted) {
  for (const char* path :
       {"records/tv/000/000/001", "records/movie/000/000/002", "records/movie/state.json", "other"}) {
    Put(path, "x");
  }
  EXPECT_EQ(files_->List("records").value(),
            (std::vector<std::string>{"records/movie/000/000/002", "records/movie/state.json",
                                      "records/tv/000/000/001"}));
  EXPECT_EQ(files_->List("").value().size(), 4u);
  EXPECT_EQ(PosixFileSystem(root_ + "/").List("records/tv").value(),
            (std::vector<std::string>{"records/tv/000/000/001"}));
}

TEST_F(PosixFileSystemTest, ListsTheRestWhenALinkLeadsNowhere) {
  Put("records/001", "x");
  std::filesystem::create_symlink("gone", root_ + "/records/000");
  EXPECT_EQ(files_->List("records").value(), (std::vector<std::string>{"records/001"}));
}

TEST_F(PosixFileSystemTest, SaysWhenTheDiskIsFull) {
  // /dev/full answers every write with ENOSPC.
  std::filesystem::create_symlink("/dev/full", root_ + "/full");
  auto file = files_->OpenAppend("full");
  ASSERT_TRUE(file) << file.error().message;
  const auto written = (*file)->Append("x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kNoSpace);
}

TEST_F(PosixFileSystemTest, TakesALimitOfFileSizesForAFullDisk) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  auto file = files_->OpenAppend("large").value();
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = file->Append(std::string(2000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kNoSpace);
  EXPECT_NE(written.error().message.find("File too large"), std::string::npos) << written.error().message;
}

TEST_F(PosixFileSystemTest, TellsBytesThatDoNotComeBackFromOtherFailures) {
  Put("records/001", "x");
  pread_error = EIO;
  const auto unreadable = files_->Read("records/001", 0, 1);
  pread_error = ENOMEM;
  const auto failed = files_->Read("records/001", 0, 1);
  pread_error = 0;
  ASSERT_FALSE(unreadable);
  EXPECT_EQ(unreadable.error().code, ErrorCode::kUnreadable);
  EXPECT_TRUE(IsDamage(unreadable.error()));
  EXPECT_EQ(unreadable.error().message, "read " + root_ + "/records/001: Input/output error");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
  EXPECT_FALSE(IsDamage(failed.error()));
}

TEST_F(PosixFileSystemTest, GoesOnWhereFoldersCannotBeSyncedAndSaysSoOnce) {
  std::vector<std::string> warnings;
  PosixFileSystem files(root_, [&](const std::string& warning) { warnings.push_back(warning); });
  for (const int error : {EINVAL, ENOTSUP}) {
    fsync_error = error;
    const auto synced = files.SyncFolder(".");
    const auto silent = files_->SyncFolder(".");
    fsync_error = 0;
    EXPECT_TRUE(synced) << synced.error().message;
    EXPECT_TRUE(silent);
  }
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find(root_), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[0].find("Invalid argument"), std::string::npos) << warnings[0];
  fsync_error = EIO;
  EXPECT_FALSE(files.SyncFolder(".")) << "that one is an error";
  fsync_error = 0;
}

TEST_F(PosixFileSystemTest, ReplacesAWholeFileAndLeavesNoOther) {
  ASSERT_TRUE(WriteWhole(*files_, "records/movie/state.json", R"({"sequence":1})"));
  // What a crash in the middle of an earlier write left behind.
  Put("records/movie/state.json.tmp", "longer than what comes now, and torn");
  ASSERT_TRUE(WriteWhole(*files_, "records/movie/state.json", R"({"sequence":2})"));
  EXPECT_EQ(files_->Read("records/movie/state.json", 0, kAll).value(), R"({"sequence":2})");
  EXPECT_EQ(files_->List("").value().size(), 1u);
  ASSERT_TRUE(WriteWhole(*files_, "top", "in the root"));
  EXPECT_EQ(files_->Read("top", 0, kAll).value(), "in the root");
}

}  // namespace
}  // namespace tmdbc
