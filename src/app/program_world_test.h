// SPDX-License-Identifier: MIT
// ProgramWorld: the program from its command line to its exit code, in this process, in a folder of its own
// with nothing of ours in the environment; and a store in it to ask. For the tests of this folder only: its
// name ends in _test because it stands on src/testing.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/data_dir.h"
#include "app/program.h"
#include "settings/settings.h"
#include "storage/store_pieces_test.h"
#include "testing/fake_clock.h"

namespace tmdbc::testing {

struct Outcome {
  int code = 0;
  std::string out, err;
};

class ProgramWorld : public ::testing::Test {
 protected:
  ProgramWorld()
      : before_(std::filesystem::current_path()),
        folder_(std::filesystem::path(::testing::TempDir()) / fmt::format("program-{}", ::getpid())) {
    std::filesystem::create_directories(folder_);
    std::filesystem::current_path(folder_);
    ClearEnvironment();
  }
  ~ProgramWorld() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
    ClearEnvironment();
  }

  static Outcome Run(std::vector<const char*> words) {
    words.insert(words.begin(), "tmdb-collector");
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = RunProgram(int(words.size()), words.data());
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.err = ::testing::internal::GetCapturedStderr();
    return outcome;
  }

  const std::filesystem::path before_;
  const std::filesystem::path folder_;

 private:
  static void ClearEnvironment() {
    for (const Setting& setting : SettingsTable()) ::unsetenv(std::string(setting.name).c_str());
  }
};

// One line on stderr that names the program, nothing on stdout.
inline void ExpectOneLine(const Outcome& outcome, int code, std::string_view words) {
  EXPECT_EQ(outcome.code, code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("tmdb-collector: ")) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  EXPECT_NE(outcome.err.find(words), std::string::npos) << outcome.err;
}

// A store in ./data, written as a collector does; closed with the object.
class DataStore {
 public:
  DataStore()
      : dir_(DataDir::OpenForWriting("data").value()),
        catalog_(dir_.OpenCatalog().value()),
        files_("data"),
        store_(StorePieces::Open(files_, catalog_, clock_, {}).value()) {}

  static Time At(std::string_view text) { return ParseTime(text).value(); }

  Change Put(MediaId id, std::string data, std::string_view time) {
    Document document;
    document.id = id;
    document.fetched_at = Tick(time);
    document.hash = HashContent(data).value();
    document.data = std::move(data);
    return store_->writer->Put(std::move(document)).value();
  }
  Change PutSeason(std::int64_t id, std::int64_t tv_id, std::int64_t number, std::string data,
                   std::string_view time) {
    Document document;
    document.id = {MediaType::kSeason, id};
    document.tv_id = tv_id;
    document.season_number = number;
    document.episodes = EpisodesOf(data).value();
    document.fetched_at = Tick(time);
    document.hash = HashContent(data).value();
    document.data = std::move(data);
    return store_->writer->Put(std::move(document)).value();
  }
  void PutSeasonList(std::int64_t tv_id, std::vector<std::int64_t> listed, std::string_view time) {
    ASSERT_TRUE(store_->PutSeasonList(tv_id, listed, Tick(time)));
  }
  void PutGone(MediaId id, std::string_view time) { ASSERT_TRUE(store_->writer->PutGone(id, Tick(time))); }
  void Commit() { ASSERT_TRUE(store_->writer->Commit({})); }
  // What was put becomes a segment of its own.
  void Seal() {
    Commit();
    ASSERT_TRUE(store_->writer->Seal());
  }

  FakeClock& clock() { return clock_; }
  Database& catalog() { return catalog_; }
  PosixFileSystem& files() { return files_; }
  StorePieces& store() { return *store_; }

 private:
  // The answer came now.
  Time Tick(std::string_view text) {
    const Time time = At(text);
    clock_.JumpWall(time - clock_.Now());
    return time;
  }

  FakeClock clock_;
  DataDir dir_;
  Database catalog_;
  PosixFileSystem files_;
  std::unique_ptr<StorePieces> store_;
};

}  // namespace tmdbc::testing
