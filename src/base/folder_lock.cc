// SPDX-License-Identifier: MIT
#include "base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/system_error.h"

namespace tmdbc {

Result<FolderLock> FolderLock::Take(const std::string& folder, const std::string& work) {
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  if (error) return SystemError("make folder", folder, error.value());
  FolderLock lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.descriptor_ < 0) return SystemError("open", folder, errno);
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return Fail(ErrorCode::kBusy, "another process {} in {}", work, folder);
  return SystemError("lock", folder, errno);
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace tmdbc
