// SPDX-License-Identifier: MIT
// TemporaryFolder: a folder of this process in TMPDIR, removed with all that is in it.
#pragma once

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"

namespace tmdbc {

class TemporaryFolder {
 public:
  TemporaryFolder() = default;  // none
  static Result<TemporaryFolder> Make() {
    std::error_code error;
    const std::filesystem::path base = std::filesystem::temp_directory_path(error);
    if (error) return Fail(ErrorCode::kIo, "find a folder for temporary files: {}", error.message());
    std::string path = base / "tmdb-collector-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
      return Fail(ErrorCode::kIo, "make a folder in {}: {}", base.string(), std::strerror(errno));
    TemporaryFolder folder;
    folder.path_ = std::move(path);
    return folder;
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tmdbc
