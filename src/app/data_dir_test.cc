// SPDX-License-Identifier: MIT
#include "app/data_dir.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

class DataDirTest : public ::testing::Test {
 protected:
  DataDirTest() : root_(fs::path(::testing::TempDir()) / fmt::format("data-dir-{}", ::getpid())) {
    fs::create_directories(root_);
  }
  ~DataDirTest() override { fs::remove_all(root_); }

  static void Touch(const fs::path& path) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << "x";
  }

  const fs::path root_;
};

void ExpectRefused(const Result<DataDir>& dir, std::string_view words) {
  ASSERT_FALSE(dir);
  EXPECT_EQ(dir.error().code, ErrorCode::kInvalid);
  EXPECT_NE(dir.error().message.find(words), std::string::npos) << dir.error().message;
}

TEST_F(DataDirTest, IsMadeWithTheFoldersAboveItWhenAbsent) {
  const std::string path = root_ / "a/b/c";
  const auto dir = DataDir::OpenForWriting(path);
  ASSERT_TRUE(dir) << dir.error().message;
  EXPECT_TRUE(fs::is_directory(path));
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(DataDirTest, AnEmptyFolderAndAFreshVolumeAreTaken) {
  EXPECT_TRUE(DataDir::OpenForWriting(root_));
  fs::create_directory(root_ / "lost+found");
  EXPECT_TRUE(DataDir::OpenForWriting(root_));
}

TEST_F(DataDirTest, OurOwnFolderIsTakenAgainEvenWithoutItsCatalog) {
  Touch(root_ / "records/movie/000/000/001.jsonl.zst");
  fs::create_directory(root_ / "exports");
  EXPECT_TRUE(DataDir::OpenForWriting(root_));
}

TEST_F(DataDirTest, WhatEveryCommandMakesInItIsOurs) {
  for (const char* folder : {"records", "exports", "tables", "serve", "images", "bucket"})
    fs::create_directory(root_ / folder);
  for (const char* file : {"source.json", "progress.json", "catalog.db.broken"}) Touch(root_ / file);
  const auto dir = DataDir::OpenForWriting(root_);
  EXPECT_TRUE(dir) << dir.error().message;
}

TEST_F(DataDirTest, AFolderOfSomebodyElseIsRefusedAndLeftAsItWas) {
  Touch(root_ / "thesis.tex");
  ExpectRefused(DataDir::OpenForWriting(root_), "(it holds 'thesis.tex'): name an empty or new folder");
  ExpectRefused(DataDir::OpenForReading(root_), "(it holds 'thesis.tex'): name the folder of your mirror");
  Touch(root_ / "records/x");
  ExpectRefused(DataDir::OpenForWriting(root_), "not empty");
  EXPECT_FALSE(fs::exists(root_ / "catalog.db"));
}

TEST_F(DataDirTest, AFileInItsPlaceIsRefused) {
  Touch(root_ / "file");
  ExpectRefused(DataDir::OpenForWriting(root_ / "file"), "is a file");
  ExpectRefused(DataDir::OpenForReading(root_ / "file"), "is a file");
  ExpectRefused(DataDir::OpenForWriting(root_ / "file/below"), "file/below");
}

TEST_F(DataDirTest, ReadingMakesNothingAndSaysWhatToDoFirst) {
  ExpectRefused(DataDir::OpenForReading(root_ / "absent"), "run --once");
  EXPECT_FALSE(fs::exists(root_ / "absent"));
  ExpectRefused(DataDir::OpenForReading(root_), "holds no store yet");
  Touch(root_ / "records/movie/state.json");
  ExpectRefused(DataDir::OpenForReading(root_), "verify --rebuild");
}

TEST_F(DataDirTest, ASecondWriterIsRefusedWithTheNumberOfTheFirst) {
  const auto first = DataDir::OpenForWriting(root_);
  ASSERT_TRUE(first);
  const auto second = DataDir::OpenForWriting(root_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kExists);
  EXPECT_NE(second.error().message.find(fmt::format("process {}", ::getpid())), std::string::npos)
      << second.error().message;
}

TEST_F(DataDirTest, ReadersWorkBesideTheWriter) {
  const auto writer = DataDir::OpenForWriting(root_);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->OpenCatalog());
  const auto reader = DataDir::OpenForReading(root_);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_TRUE(reader->OpenCatalog());
}

TEST_F(DataDirTest, TheLockEndsWithItsOwnerEvenWhenThatIsKilled) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto dir = DataDir::OpenForWriting(root_);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(DataDir::OpenForWriting(root_));
}

TEST_F(DataDirTest, TheDatabaseOfAnotherProgramIsRefused) {
  {
    auto other = Database::Open(root_ / "catalog.db", Database::Mode::kReadWrite);
    ASSERT_TRUE(other);
    ASSERT_TRUE(other->Execute("CREATE TABLE recipes(name TEXT)"));
  }
  const auto dir = DataDir::OpenForWriting(root_);
  ASSERT_TRUE(dir);
  const auto catalog = dir->OpenCatalog();
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().code, ErrorCode::kInvalid);
  EXPECT_NE(catalog.error().message.find("another program"), std::string::npos) << catalog.error().message;
}

TEST_F(DataDirTest, AnEmptyCatalogBesideRecordsIsNoEmptyMirror) {
  ASSERT_TRUE(DataDir::OpenForWriting(root_)->OpenCatalog());
  EXPECT_TRUE(DataDir::OpenForReading(root_)->OpenCatalog());
  Touch(root_ / "records/movie/000/000/001.jsonl.zst");
  const auto catalog = DataDir::OpenForReading(root_)->OpenCatalog();
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().code, ErrorCode::kInvalid);
  EXPECT_NE(catalog.error().message.find("verify --rebuild"), std::string::npos) << catalog.error().message;
  // Nor is one of no bytes.
  std::filesystem::remove(root_ / "catalog.db");
  Touch(root_ / "catalog.db");
  const auto no_bytes = DataDir::OpenForReading(root_)->OpenCatalog();
  ASSERT_FALSE(no_bytes);
  EXPECT_EQ(no_bytes.error().message, catalog.error().message);
  EXPECT_TRUE(DataDir::OpenForWriting(root_)->OpenCatalog());
}

TEST_F(DataDirTest, ACatalogThatIsNoDatabaseIsCorruptAndSaysWhatHelps) {
  const auto expect_corrupt = [this] {
    for (const bool writing : {true, false}) {
      const auto dir = writing ? DataDir::OpenForWriting(root_) : DataDir::OpenForReading(root_);
      ASSERT_TRUE(dir);
      const auto catalog = dir->OpenCatalog();
      ASSERT_FALSE(catalog);
      EXPECT_EQ(catalog.error().code, ErrorCode::kCorrupt);
      EXPECT_EQ(catalog.error().hint, Hint::kRebuild);
    }
  };
  std::ofstream(root_ / "catalog.db") << std::string(8192, 'x');
  expect_corrupt();
  std::filesystem::remove(root_ / "catalog.db");
  std::filesystem::create_directory(root_ / "catalog.db");
  expect_corrupt();
}

TEST_F(DataDirTest, ItsOwnCatalogOpensAgain) {
  for (int time = 0; time < 2; ++time) {
    const auto dir = DataDir::OpenForWriting(root_);
    ASSERT_TRUE(dir);
    const auto catalog = dir->OpenCatalog();
    ASSERT_TRUE(catalog) << catalog.error().message;
  }
}

}  // namespace
}  // namespace tmdbc
