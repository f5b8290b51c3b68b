// SPDX-License-Identifier: MIT
// FolderLock: a folder that one process at a time works in. A flock(2) on the folder itself: it needs no file, and the
// kernel drops it when the process ends in whatever way.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace tmdbc {

class FolderLock {
 public:
  // Makes the folder when absent, and never those above: where they have gone, nothing is made in their place
  // (kNotFound). kBusy, with `work` in the message ("another process is publishing the tables in PATH"), when another
  // process has it; else kIo...
  static Result<FolderLock> Take(const std::string& folder, const std::string& work);

  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;  // of the folder; -1: it was moved from
};

}  // namespace tmdbc
