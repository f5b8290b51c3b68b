// SPDX-License-Identifier: MIT
// The world in which the tests of the SQLite queue run: a real file in a folder of its own, and a process
// that can be killed.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "base/sqlite.h"
#include "queue/sqlite_queue.h"

namespace tmdbc::testing {

// A folder below the system's for temporary files, gone with the object.
class TempFolder {
 public:
  TempFolder() {
    std::string name = ::testing::TempDir() + "tmdbc-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class SqliteQueueWorld {
 public:
  SqliteQueueWorld(const Clock& clock, QueueOptions options) : clock_(clock), options_(options) { Open(); }
  SqliteIdQueue& queue() { return *queue_; }
  Database& db() { return *db_; }
  std::string path() const { return folder_ / ("catalog-" + std::to_string(life_) + ".db"); }

  // The next life begins with a copy of the files as they are now, write-ahead log included: what a killed
  // process leaves.
  void Restart() {
    const std::string old = path();
    ++life_;
    std::filesystem::copy_file(old, path());
    if (std::filesystem::exists(old + "-wal")) std::filesystem::copy_file(old + "-wal", path() + "-wal");
    Open();
  }

 private:
  void Open() {
    queue_.reset();
    db_.reset();
    db_.emplace(Database::Open(path(), Database::Mode::kReadWrite).value());
    queue_ = SqliteIdQueue::Open(*db_, clock_, options_).value();
  }

  const Clock& clock_;
  const QueueOptions options_;
  TempFolder folder_;
  int life_ = 0;
  std::optional<Database> db_;
  std::unique_ptr<SqliteIdQueue> queue_;
};

}  // namespace tmdbc::testing
