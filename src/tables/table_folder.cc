// SPDX-License-Identifier: MIT
#include "tables/table_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> Failed(std::string_view act, const std::string& path, int error) {
  const ErrorCode code = error == ENOSPC || error == EDQUOT ? ErrorCode::kNoSpace
                         : error == EEXIST                  ? ErrorCode::kExists
                         : error == ENOENT                  ? ErrorCode::kNotFound
                                                            : ErrorCode::kIo;
  const Hint hint = code == ErrorCode::kNoSpace                           ? Hint::kFreeSpace
                    : error == EACCES || error == EPERM || error == EROFS ? Hint::kPermission
                                                                          : Hint::kNone;
  return Fail(code, hint, "{} {}: {}", act, path, std::strerror(error));
}

// Of link(2).
std::unexpected<Error> LinkFailed(const std::string& path, int error) {
  if (error == EPERM || error == ENOTSUP || error == ENOSYS) {
    return Fail(ErrorCode::kIo, Hint::kLocalDisk,
                "make {}: its file system has no hard links, which tables need", path);
  }
  return Failed("make", path, error);
}

// Of a file or folder that exists.
Result<void> Sync(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (file < 0) return Failed("open", path, errno);
  const int error = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  // A file system that cannot sync folders.
  if (error != 0 && !(flags == O_DIRECTORY && (error == EINVAL || error == ENOTSUP)))
    return Failed("sync", path, error);
  return {};
}

std::string FolderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

Result<TableFolder> TableFolder::Open(const std::string& root, Before before) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error) return Failed("make", root, error.value());
  const int lock = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0) return Failed("open", root, errno);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    ::close(lock);
    if (why == EWOULDBLOCK)
      return Fail(ErrorCode::kBusy, "another process is publishing the tables in {}", root);
    return Failed("lock", root, why);
  }
  return TableFolder(root, lock, std::move(before));
}

TableFolder::TableFolder(std::string root, int lock, Before before)
    : root_(std::move(root)), lock_(lock), before_(std::move(before)), files_(root_) {}

TableFolder::TableFolder(TableFolder&& other) noexcept
    : root_(std::move(other.root_)),
      lock_(std::exchange(other.lock_, -1)),
      before_(std::move(other.before_)),
      files_(root_) {}

TableFolder::~TableFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Result<void> TableFolder::Ask(std::string_view act, const std::string& path) const {
  return before_ ? before_(act, path) : Result<void>();
}

Result<void> TableFolder::MakeFolder(const std::string& path) {
  if (Exists(path)) return {};
  TRY(Ask("make", path));
  std::error_code error;
  fs::create_directories(Full(path), error);
  if (error) return Failed("make", Full(path), error.value());
  return Sync(Full(FolderOf(path)), O_DIRECTORY);
}

Result<std::string> TableFolder::WriteTemporary(const std::string& path, std::string_view bytes) {
  TRY(MakeFolder("tmp"));
  std::string name = path;
  std::ranges::replace(name, '/', '.');
  const std::string temporary = "tmp/" + name;
  TRY(Ask("write", temporary));
  const std::string full = Full(temporary);
  ::unlink(full.c_str());
  const int file = ::open(full.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return Failed("make", full, errno);
  int error = 0;
  for (std::size_t written = 0; written < bytes.size() && error == 0;) {
    const ssize_t some = ::write(file, bytes.data() + written, bytes.size() - written);
    if (some >= 0) {
      written += std::size_t(some);
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && ::fsync(file) != 0) error = errno;
  ::close(file);
  if (error != 0) return Failed("write", full, error);
  return temporary;
}

Result<void> TableFolder::WriteNew(const std::string& path, std::string_view bytes) {
  TRY_ASSIGN(const std::string temporary, WriteTemporary(path, bytes));
  TRY(Ask("link", path));
  if (::link(Full(temporary).c_str(), Full(path).c_str()) != 0) {
    const int error = errno;
    ::unlink(Full(temporary).c_str());
    if (error != EEXIST) return LinkFailed(Full(path), error);
    TRY_ASSIGN(const std::string there, files_.Read(path, 0, bytes.size() + 1));
    if (there != bytes) return Failed("make", Full(path), EEXIST);
    return {};
  }
  ::unlink(Full(temporary).c_str());
  return SyncFolder(FolderOf(path));
}

Result<void> TableFolder::Replace(const std::string& path, std::string_view bytes) {
  TRY_ASSIGN(const std::string temporary, WriteTemporary(path, bytes));
  TRY(Ask("replace", path));
  if (::rename(Full(temporary).c_str(), Full(path).c_str()) != 0) return Failed("replace", Full(path), errno);
  return SyncFolder(FolderOf(path));
}

Result<void> TableFolder::MoveIn(const std::string& from, const std::string& to) {
  TRY(MakeFolder(FolderOf(to)));
  TRY(Sync(Full(from), 0));
  TRY(Ask("move", to));
  if (::rename(Full(from).c_str(), Full(to).c_str()) != 0) return Failed("make", Full(to), errno);
  return {};
}

Result<void> TableFolder::HardLink(const std::string& from, const std::string& to) {
  TRY(MakeFolder(FolderOf(to)));
  TRY(Ask("link", to));
  if (::link(Full(from).c_str(), Full(to).c_str()) != 0 && errno != EEXIST)
    return LinkFailed(Full(to), errno);
  return {};
}

Result<void> TableFolder::PointAt(const std::string& link, const std::string& target) {
  TRY(MakeFolder("tmp"));
  const std::string temporary = Full("tmp/" + link);
  TRY(Ask("point", link));
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) return Failed("make", temporary, errno);
  if (::rename(temporary.c_str(), Full(link).c_str()) != 0) return Failed("replace", Full(link), errno);
  return SyncFolder("");
}

Result<void> TableFolder::SyncFolder(const std::string& path) {
  TRY(Ask("sync", path));
  return Sync(Full(path), O_DIRECTORY);
}

Result<void> TableFolder::Remove(const std::string& path) {
  TRY(Ask("remove", path));
  std::error_code error;
  fs::remove_all(Full(path), error);
  if (error) return Failed("remove", Full(path), error.value());
  return {};
}

Result<std::vector<std::string>> TableFolder::Names(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator folder(Full(path), error);
  if (error == std::errc::no_such_file_or_directory) return names;
  if (error) return Failed("list", Full(path), error.value());
  for (const auto& entry : folder) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

bool TableFolder::Exists(const std::string& path) const {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(Full(path), ignored));
}

}  // namespace tmdbc::tables
