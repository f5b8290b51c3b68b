// SPDX-License-Identifier: MIT
// TableFolder: DATA_DIR/tables and the few calls whose order decides what a reader sees and what survives a power cut.
// Names are never used twice: what a name stands for never changes, but for the few that only point at others. One
// thread; one process at a time holds it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/folder_lock.h"
#include "base/result.h"

namespace tmdbc::tables {

class TableFolder {
 public:
  // Asked before each call that changes something, with the act and the path; an error of it is that call's. Tests die
  // there.
  using Before = std::function<Result<void>(std::string_view act, const std::string& path)>;

  // Locks it until the object is gone, as FolderLock::Take() does: kBusy when another process publishes.
  static Result<TableFolder> Open(const std::string& root, Before before = {});
  TableFolder(TableFolder&& other) noexcept;
  TableFolder& operator=(TableFolder&&) = delete;

  const std::string& root() const { return root_; }
  BlobReader& files() { return files_; }
  std::string Full(const std::string& path) const { return root_ + "/" + path; }

  // Paths are relative to the root.
  Result<void> MakeFolder(const std::string& path);
  // Durably, under a name that is new: EEXIST is kExists, unless what is there is the same to the byte.
  Result<void> WriteNew(const std::string& path, std::string_view bytes);
  // Durably, in place of what was there.
  Result<void> Replace(const std::string& path, std::string_view bytes);
  // A file that is whole, on the disk (it is synced here), under its name. Not durable before SyncFolder().
  Result<void> MoveIn(const std::string& from, const std::string& to);
  // A second name for the file, in place of what had it.
  Result<void> HardLink(const std::string& from, const std::string& to);
  // A symbolic link that points at `target`, in place of the one that was there.
  Result<void> PointAt(const std::string& link, const std::string& target);
  Result<void> SyncFolder(const std::string& path);
  // A file, or a folder with all that is in it; that it is not there is no error.
  Result<void> Remove(const std::string& path);

  // The names in a folder, ascending; none when it is absent.
  Result<std::vector<std::string>> Names(const std::string& path) const;
  bool Exists(const std::string& path) const;

 private:
  TableFolder(std::string root, FolderLock lock, Before before);
  Result<void> Ask(std::string_view act, const std::string& path) const;
  // Writes and syncs tmp/NAME.
  Result<std::string> WriteTemporary(const std::string& path, std::string_view bytes);

  std::string root_;
  FolderLock lock_;
  Before before_;
  PosixFileSystem files_;
};

}  // namespace tmdbc::tables
