// SPDX-License-Identifier: MIT
// DataDir: the folder of the store. Made when absent; refused when it holds what is not ours, so that a
// mistyped path never fills somebody's folder; locked while one process writes to it. The lock is a flock(2)
// on the folder itself: it needs no file, and the kernel drops it when the process ends in whatever way.
#pragma once

#include <string>

#include "base/result.h"
#include "base/sqlite.h"

namespace tmdbc {

class DataDir {
 public:
  // Makes the folder (and those above) when absent, and locks it until the DataDir is gone. kInvalid
  // when the path is a file or holds something else, kExists when another process has it (named when
  // it can be found out), else kIo.
  static Result<DataDir> OpenForWriting(const std::string& path);
  // Beside a process that writes; makes and locks nothing. kInvalid when there is no store in it yet.
  static Result<DataDir> OpenForReading(const std::string& path);

  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  ~DataDir();

  const std::string& path() const { return path_; }
  // Opens catalog.db in it, made when absent if this DataDir may write. kInvalid when it is
  // the database of another program, and for a reader when it knows nothing of the records beside it; kCorrupt when it
  // is none.
  Result<Database> OpenCatalog() const;

 private:
  Result<Database> OpenCatalogFile() const;
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;  // descriptor of the locked folder; -1 when reading
};

}  // namespace tmdbc
