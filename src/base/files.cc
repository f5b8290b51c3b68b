// SPDX-License-Identifier: MIT
#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/descriptor.h"
#include "base/system_error.h"

namespace tmdbc {
namespace {

// EIO: the sector does not come back. EBADMSG, EUCLEAN: a file system with checksums of its own says that it
// is not what was written.
std::unexpected<Error> ReadError(const std::string& path, int error) {
  if (error != EIO && error != EBADMSG && error != EUCLEAN) return SystemError("read", path, error);
  return Fail(ErrorCode::kUnreadable, "read {}: {}", path, std::strerror(error));
}

std::string FolderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// The root is for its owner to make: one that was moved away does not come back as an empty one.
Result<void> MakeFolderOf(const std::string& root, const std::string& path) {
  const std::string folder = FolderOf(path);
  if (folder == ".") return {};
  struct stat info{};
  if (::stat(root.c_str(), &info) != 0) return SystemError("make folders in", root, errno);
  std::error_code error;
  std::filesystem::create_directories(root + "/" + folder, error);
  if (error) return SystemError("make folder", root + "/" + folder, error.value());
  return {};
}

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(Descriptor file, std::string path, std::uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), size_(size) {}

  Result<void> Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), off_t(size_));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return SystemError("write", path_, errno);
      size_ += std::uint64_t(written);
      bytes.remove_prefix(std::size_t(written));
    }
    return {};
  }

  Result<void> Sync() override {
    if (::fdatasync(file_.get()) != 0) return SystemError("sync", path_, errno);
    return {};
  }

  Result<void> Truncate(std::uint64_t size) override {
    if (::ftruncate(file_.get(), off_t(size)) != 0) return SystemError("truncate", path_, errno);
    size_ = size;
    return {};
  }

  std::uint64_t size() const override { return size_; }

 private:
  const Descriptor file_;
  const std::string path_;
  std::uint64_t size_;
};

}  // namespace

PosixFileSystem::PosixFileSystem(std::string root, std::function<void(const std::string&)> warn)
    : root_(std::move(root)), warn_(std::move(warn)) {}

Result<std::unique_ptr<AppendFile>> PosixFileSystem::OpenAppend(const std::string& path) {
  const std::string full = Full(path);
  TRY(MakeFolderOf(root_, path));
  Descriptor file(::open(full.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (file.get() < 0) return SystemError("open", full, errno);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return SystemError("stat", full, errno);
  return std::make_unique<PosixAppendFile>(std::move(file), full, std::uint64_t(info.st_size));
}

Result<std::string> PosixFileSystem::Read(const std::string& path, std::uint64_t offset,
                                          std::uint64_t length) {
  const std::string full = Full(path);
  // O_NONBLOCK: to open a pipe would wait for somebody who writes.
  const Descriptor file(::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError("open", full, errno);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return SystemError("stat", full, errno);
  if (!S_ISREG(info.st_mode)) return Fail(ErrorCode::kIo, "read {}: it is not a regular file", full);
  const auto size = std::uint64_t(info.st_size);
  std::string bytes(std::min(length, size > offset ? size - offset : 0), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t n = ::pread(file.get(), bytes.data() + got, bytes.size() - got, off_t(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ReadError(full, errno);
    if (n == 0) break;
    got += std::size_t(n);
  }
  bytes.resize(got);
  return bytes;
}

Result<std::uint64_t> PosixFileSystem::Size(const std::string& path) {
  struct stat info{};
  if (::stat(Full(path).c_str(), &info) != 0) return SystemError("stat", Full(path), errno);
  return std::uint64_t(info.st_size);
}

Result<bool> PosixFileSystem::Exists(const std::string& path) {
  struct stat info{};
  if (::stat(Full(path).c_str(), &info) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return SystemError("stat", Full(path), errno);
}

Result<void> PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  const std::string target = Full(to);
  TRY(MakeFolderOf(root_, to));
  if (::rename(Full(from).c_str(), target.c_str()) != 0) return SystemError("rename", Full(from), errno);
  return {};
}

Result<void> PosixFileSystem::Remove(const std::string& path) {
  if (::unlink(Full(path).c_str()) != 0) return SystemError("remove", Full(path), errno);
  return {};
}

Result<void> PosixFileSystem::SyncFolder(const std::string& folder) {
  // The folders above may be new too: an entry survives only when each of them is synced.
  for (std::string path = folder;; path = FolderOf(path)) {
    const Descriptor dir(::open(Full(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir.get() < 0) return SystemError("open folder", Full(path), errno);
    if (::fsync(dir.get()) != 0) {
      if (errno != EINVAL && errno != ENOTSUP) return SystemError("sync folder", Full(path), errno);
      if (warn_ && !warned_->exchange(true)) {
        warn_(
            fmt::format("sync folder {}: {}: this file system cannot; after a power cut the last file may be "
                        "found under its old name",
                        Full(path), std::strerror(errno)));
      }
      return {};
    }
    if (path == "." || path.empty()) return {};
  }
}

Result<std::vector<std::string>> PosixFileSystem::List(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(Full(folder), error), end;
  if (error == std::errc::no_such_file_or_directory) return paths;
  for (; !error && entry != end; entry.increment(error)) {
    if (entry->is_regular_file(error)) paths.push_back(entry->path().string().substr(root_.size() + 1));
  }
  if (error) return SystemError("list", Full(folder), error.value());
  std::sort(paths.begin(), paths.end());
  return paths;
}

Result<void> WriteWhole(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  TRY_ASSIGN(auto file, files.OpenAppend(temporary));
  TRY(file->Truncate(0));
  TRY(file->Append(bytes));
  TRY(file->Sync());
  TRY(files.Rename(temporary, path));
  return files.SyncFolder(FolderOf(path));
}

}  // namespace tmdbc
