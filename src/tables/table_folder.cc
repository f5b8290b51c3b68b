// SPDX-License-Identifier: MIT
#include "tables/table_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/system_error.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;

// Of link(2).
std::unexpected<Error> LinkFailed(const std::string& path, int error) {
  if (error == EPERM || error == ENOTSUP || error == ENOSYS) {
    return Fail(ErrorCode::kIo, Hint::kLocalDisk,
                "make {}: its file system has no hard links, which tables need", path);
  }
  return SystemError("link", path, error);
}

std::string FolderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

Result<TableFolder> TableFolder::Open(const std::string& root, Before before) {
  TRY_ASSIGN(auto lock, FolderLock::Take(root, "is publishing the tables"));
  return TableFolder(root, std::move(lock), std::move(before));
}

TableFolder::TableFolder(std::string root, FolderLock lock, Before before)
    : root_(std::move(root)), lock_(std::move(lock)), before_(std::move(before)), files_(root_) {}

TableFolder::TableFolder(TableFolder&& other) noexcept
    : root_(std::move(other.root_)), lock_(std::move(other.lock_)), before_(std::move(other.before_)), files_(root_) {}

Result<void> TableFolder::Ask(std::string_view act, const std::string& path) const {
  return before_ ? before_(act, path) : Result<void>();
}

Result<void> TableFolder::MakeFolder(const std::string& path) {
  if (Exists(path)) return {};
  TRY(Ask("make", path));
  std::error_code error;
  fs::create_directories(Full(path), error);
  if (error) return SystemError("make folder", Full(path), error.value());
  return files_.SyncFolder(FolderOf(path));
}

Result<std::string> TableFolder::WriteTemporary(const std::string& path, std::string_view bytes) {
  std::string name = path;
  std::ranges::replace(name, '/', '.');
  const std::string temporary = "tmp/" + name;
  TRY(Ask("write", temporary));
  // One that was left may have a second name, whose bytes must stay.
  if (Exists(temporary)) TRY(files_.Remove(temporary));
  TRY_ASSIGN(const auto file, files_.OpenAppend(temporary));
  TRY(file->Append(bytes));
  TRY(file->Sync());
  return temporary;
}

Result<void> TableFolder::WriteNew(const std::string& path, std::string_view bytes) {
  TRY_ASSIGN(const std::string temporary, WriteTemporary(path, bytes));
  TRY(Ask("link", path));
  const int error = ::link(Full(temporary).c_str(), Full(path).c_str()) == 0 ? 0 : errno;
  TRY(files_.Remove(temporary));
  if (error == 0) return SyncFolder(FolderOf(path));
  if (error != EEXIST) return LinkFailed(Full(path), error);
  TRY_ASSIGN(const std::string there, files_.Read(path, 0, bytes.size() + 1));
  return there == bytes ? Result<void>() : SystemError("make", Full(path), error);
}

Result<void> TableFolder::Replace(const std::string& path, std::string_view bytes) {
  TRY_ASSIGN(const std::string temporary, WriteTemporary(path, bytes));
  TRY(Ask("replace", path));
  TRY(files_.Rename(temporary, path));
  return SyncFolder(FolderOf(path));
}

Result<void> TableFolder::MoveIn(const std::string& from, const std::string& to) {
  TRY(files_.Size(from));  // to open what is not there would make it
  TRY_ASSIGN(const auto file, files_.OpenAppend(from));
  TRY(file->Sync());
  TRY(Ask("move", to));
  return files_.Rename(from, to);
}

Result<void> TableFolder::HardLink(const std::string& from, const std::string& to) {
  TRY(MakeFolder(FolderOf(to)));
  TRY(Ask("link", to));
  if (::link(Full(from).c_str(), Full(to).c_str()) == 0) return {};
  if (errno != EEXIST) return LinkFailed(Full(to), errno);
  // By way of another name: nobody who reads finds none.
  const std::string temporary = "tmp/link";
  TRY(MakeFolder("tmp"));
  ::unlink(Full(temporary).c_str());
  if (::link(Full(from).c_str(), Full(temporary).c_str()) != 0) return LinkFailed(Full(temporary), errno);
  TRY(files_.Rename(temporary, to));
  // Of two names of one file rename(2) does nothing.
  ::unlink(Full(temporary).c_str());
  return {};
}

Result<void> TableFolder::PointAt(const std::string& link, const std::string& target) {
  TRY(MakeFolder("tmp"));
  const std::string temporary = Full("tmp/" + link);
  TRY(Ask("point", link));
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) return SystemError("make", temporary, errno);
  TRY(files_.Rename("tmp/" + link, link));
  return SyncFolder("");
}

Result<void> TableFolder::SyncFolder(const std::string& path) {
  TRY(Ask("sync", path));
  return files_.SyncFolder(path);
}

Result<void> TableFolder::Remove(const std::string& path) {
  TRY(Ask("remove", path));
  std::error_code error;
  fs::remove_all(Full(path), error);
  if (error) return SystemError("remove", Full(path), error.value());
  return {};
}

Result<std::vector<std::string>> TableFolder::Names(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator folder(Full(path), error);
  if (error == std::errc::no_such_file_or_directory) return names;
  if (error) return SystemError("list", Full(path), error.value());
  for (const auto& entry : folder) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

bool TableFolder::Exists(const std::string& path) const {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(Full(path), ignored));
}

}  // namespace tmdbc::tables
