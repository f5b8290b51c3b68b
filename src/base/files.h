// SPDX-License-Identifier: MIT
// BlobReader and FileSystem: the seam between the store and the disk.
//
// BlobReader reads. A class that takes one cannot write, by type. A bucket is one too
// (storage/object_store.h). FileSystem adds exactly the calls whose order decides what survives a power cut,
// so that a fake can drop or tear what was not synced (testing/fault_file_system.h).
//
// Paths are relative to the root that the implementation was made with. Errors, each with the path:
// kNotFound; kExists; kNoSpace when the disk is full or a quota or a file size limit is reached; kUnreadable
// when the disk does not give back bytes that are there (EIO on a read): that stretch is damaged, nothing
// else is known to be; else kIo.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tmdbc {

// A file open for appending. Not thread-safe.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // All of `bytes` or an error; after an error the file may hold a part of them: Truncate() before going on.
  virtual Result<void> Append(std::string_view bytes) = 0;
  // When this returns, everything appended so far survives a power cut.
  virtual Result<void> Sync() = 0;
  // Cuts the file to `size` bytes; later appends go there.
  virtual Result<void> Truncate(std::uint64_t size) = 0;
  virtual std::uint64_t size() const = 0;
};

class BlobReader {
 public:
  virtual ~BlobReader() = default;
  // Up to `length` bytes from `offset`; fewer only at the end of the file.
  virtual Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) = 0;
  virtual Result<std::uint64_t> Size(const std::string& path) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  // Every file at any depth below `folder`, as paths from the root, sorted; empty when the folder is absent.
  virtual Result<std::vector<std::string>> List(const std::string& folder) = 0;
};

class FileSystem : public BlobReader {
 public:
  // Opens `path` for appending at its end, making it and its folders when absent.
  virtual Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) = 0;
  // Replaces `to` when it exists. Survives a power cut only after SyncFolder() of the folder that holds it.
  virtual Result<void> Rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> Remove(const std::string& path) = 0;
  virtual Result<void> SyncFolder(const std::string& folder) = 0;
};

// The machine's files under `root`, which must exist. Any thread; each file that it opens belongs
// to one thread.
class PosixFileSystem final : public FileSystem {
 public:
  // `warn` (may be empty) is told once, in a sentence, when the file system cannot sync folders, as some of
  // other machines' cannot (EINVAL, ENOTSUP): that is passed over, and a file renamed just before a power cut
  // may then be found under its old name.
  explicit PosixFileSystem(std::string root, std::function<void(const std::string&)> warn = {});
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override;
  Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) override;
  Result<std::uint64_t> Size(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<void> Rename(const std::string& from, const std::string& to) override;
  Result<void> Remove(const std::string& path) override;
  Result<void> SyncFolder(const std::string& folder) override;
  Result<std::vector<std::string>> List(const std::string& folder) override;

 private:
  std::string Full(const std::string& path) const { return root_ + "/" + path; }

  const std::string root_;
  const std::function<void(const std::string&)> warn_;
  const std::shared_ptr<std::atomic<bool>> warned_ = std::make_shared<std::atomic<bool>>(false);
};

// Writes `bytes` to `path` whole or not at all, and durably: temporary file, sync, rename, folder sync.
Result<void> WriteWhole(FileSystem& files, const std::string& path, std::string_view bytes);

}  // namespace tmdbc
