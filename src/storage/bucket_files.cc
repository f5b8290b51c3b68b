// SPDX-License-Identifier: MIT
#include "storage/bucket_files.h"

#include <algorithm>
#include <utility>

#include "storage/segment_path.h"

namespace tmdbc {
namespace {

// A reader of so much from the start of a file reads on: segments and exports are read in steps of this.
constexpr std::uint64_t kStepBytes = 1 << 20;

std::string_view NameOf(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// What never changes once it is there.
bool IsSealed(std::string_view path) {
  const auto name = ParseSegmentPath(path);
  return name && !name->open;
}

// Small, and replaced now and then.
bool IsReplaceable(std::string_view path) {
  return !IsSealed(path) && !path.starts_with("exports/");
}

// A writer must have read it before replacing it.
bool IsShared(std::string_view path) {
  return NameOf(path) == "state.json" || path == "source.json";
}

// "records/" of "records/movie/state.json"; empty for what lies at the top.
std::string TopOf(std::string_view path) {
  const auto slash = path.find('/');
  return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash + 1));
}

std::unexpected<Error> Absent(const char* act, const std::string& path) {
  return Fail(ErrorCode::kNotFound, "{} {}: there is no such object", act, path);
}

}  // namespace

bool IsScratchPath(std::string_view path) {
  return path.starts_with("catalog.db") || path.ends_with(".open") || path.ends_with(".tmp") ||
         path.ends_with(".part") || path.find(".open.aside-") != std::string_view::npos;
}

// --- reading ---

void BucketReader::Forget() {
  objects_.clear();
  listed_.clear();
  replaceable_.clear();
  window_ = {};
}

Result<void> BucketReader::ListTop(const std::string& top) {
  if (top.empty() || listed_.contains(top)) return {};
  TRY_ASSIGN(auto found, bucket_.ListObjects(top, ""));
  for (ObjectInfo& object : found) objects_[object.key] = std::move(object);
  listed_.insert(top);
  return {};
}

Result<std::optional<ObjectInfo>> BucketReader::Find(const std::string& path) {
  if (IsScratchPath(path) || removed_.contains(path)) return std::nullopt;
  const std::string top = TopOf(path);
  TRY(ListTop(top));
  if (const auto known = objects_.find(path); known != objects_.end()) return known->second;
  if (!top.empty()) return std::nullopt;
  TRY_ASSIGN(auto found, bucket_.Head(path));
  if (found) objects_[path] = *found;
  return found;
}

Result<std::uint64_t> BucketReader::Size(const std::string& path) {
  TRY_ASSIGN(const auto object, Find(path));
  if (!object) return Absent("size of", path);
  return object->bytes;
}

Result<bool> BucketReader::Exists(const std::string& path) {
  TRY_ASSIGN(const auto object, Find(path));
  return object.has_value();
}

Result<std::vector<std::string>> BucketReader::List(const std::string& folder) {
  if (folder.empty()) return Fail(ErrorCode::kInternal, "list a bucket: name a folder of it");
  const std::string prefix = folder + "/";
  TRY(ListTop(TopOf(prefix)));
  std::vector<std::string> keys;
  for (auto object = objects_.lower_bound(prefix); object != objects_.end(); ++object) {
    if (!object->first.starts_with(prefix)) break;
    if (!removed_.contains(object->first)) keys.push_back(object->first);
  }
  return keys;
}

Result<Object> BucketReader::ReadReplaceable(const std::string& path) {
  if (const auto known = replaceable_.find(path); known != replaceable_.end()) return known->second;
  if (removed_.contains(path) || (listed_.contains(TopOf(path)) && !objects_.contains(path)))
    return Absent("read", path);
  TRY_ASSIGN(Object object, bucket_.Get(path));
  objects_[path] = {path, object.bytes.size(), object.etag};
  return replaceable_[path] = std::move(object);
}

Result<std::string> BucketReader::Read(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  if (IsScratchPath(path) || removed_.contains(path)) return Absent("read", path);
  if (IsReplaceable(path)) {
    TRY_ASSIGN(const Object object, ReadReplaceable(path));
    return offset < object.bytes.size() ? object.bytes.substr(offset, length) : std::string();
  }
  const std::uint64_t end = window_.at + window_.bytes.size();
  const bool ours = window_.path == path;
  // A window that is not full ends where the file ends.
  const bool at_end = ours && window_.bytes.size() < kReadAheadBytes;
  const bool inside = ours && offset >= window_.at && (offset + length <= end || at_end);
  if (!inside) {
    const auto known = objects_.find(path);
    const bool from_start =
        offset == 0 && (length >= kStepBytes || (known != objects_.end() && length >= known->second.bytes));
    const bool goes_on = ours && offset >= window_.at && offset <= end;
    if ((!from_start && !goes_on) || length > kReadAheadBytes) return bucket_.Read(path, offset, length);
    window_ = {};  // not two of them at once
    TRY_ASSIGN(std::string bytes, bucket_.Read(path, offset, kReadAheadBytes));
    window_ = {path, offset, std::move(bytes)};
  }
  const std::uint64_t from = offset - window_.at;
  return from < window_.bytes.size() ? window_.bytes.substr(from, length) : std::string();
}

// --- writing ---

Result<std::unique_ptr<AppendFile>> BucketFileSystem::OpenAppend(const std::string& path) {
  if (IsScratchPath(path)) return scratch_.OpenAppend(path);
  return Fail(ErrorCode::kInternal, "open {}: an object of a bucket is never appended to", path);
}

Result<std::string> BucketFileSystem::Read(const std::string& path, std::uint64_t offset,
                                           std::uint64_t length) {
  return IsScratchPath(path) ? scratch_.Read(path, offset, length) : reader_.Read(path, offset, length);
}

Result<std::uint64_t> BucketFileSystem::Size(const std::string& path) {
  return IsScratchPath(path) ? scratch_.Size(path) : reader_.Size(path);
}

Result<bool> BucketFileSystem::Exists(const std::string& path) {
  if (IsScratchPath(path)) return scratch_.Exists(path);
  if (unsure_.contains(path)) return false;
  return reader_.Exists(path);
}

Result<std::vector<std::string>> BucketFileSystem::List(const std::string& folder) {
  TRY_ASSIGN(auto paths, reader_.List(folder));
  TRY_ASSIGN(const auto local, scratch_.List(folder));
  std::ranges::copy_if(local, std::back_inserter(paths), IsScratchPath);
  std::ranges::sort(paths);
  return paths;
}

Result<void> BucketFileSystem::Rename(const std::string& from, const std::string& to) {
  if (!IsScratchPath(from))
    return Fail(ErrorCode::kInternal, "rename {}: an object of a bucket keeps its name", from);
  if (IsScratchPath(to)) return scratch_.Rename(from, to);
  const auto put = PutRenamed(from, to);
  if (!put) {
    // What is there now has to be asked for.
    reader_.replaceable_.erase(to);
    reader_.objects_.erase(to);
    reader_.listed_.erase(TopOf(to));
    if (IsSealed(to)) unsure_.insert(to);
    return put;
  }
  unsure_.erase(to);
  written_.insert(to);
  reader_.removed_.erase(to);
  if (reader_.window_.path == to) reader_.window_ = {};
  return scratch_.Remove(from);
}

Result<void> BucketFileSystem::PutRenamed(const std::string& from, const std::string& to) {
  if (before_put) TRY(before_put());
  TRY_ASSIGN(const std::uint64_t size, scratch_.Size(from));
  if (!IsReplaceable(to)) {
    TRY_ASSIGN(auto etag, bucket_.PutFile(to, scratch_, from,
                                          IsSealed(to) ? PutCondition::Absent() : PutCondition::None()));
    reader_.objects_[to] = {to, size, std::move(etag)};
    return {};
  }
  PutCondition condition = PutCondition::None();
  if (IsShared(to)) {
    const auto read = reader_.ReadReplaceable(to);
    if (!read && read.error().code != ErrorCode::kNotFound) return std::unexpected(read.error());
    condition = read ? PutCondition::Matches(read->etag) : PutCondition::Absent();
  }
  TRY_ASSIGN(std::string bytes, scratch_.Read(from, 0, size));
  TRY_ASSIGN(const std::string etag, bucket_.Put(to, bytes, condition));
  reader_.objects_[to] = {to, size, etag};
  reader_.replaceable_[to] = {std::move(bytes), etag};
  return {};
}

Result<void> BucketFileSystem::Remove(const std::string& path) {
  if (IsScratchPath(path)) return scratch_.Remove(path);
  TRY_ASSIGN(const bool there, reader_.Exists(path));
  if (!there) return Absent("remove", path);
  reader_.removed_.insert(path);
  if (reader_.window_.path == path) reader_.window_ = {};
  return {};
}

Result<void> BucketFileSystem::SyncFolder(const std::string&) {
  return {};
}

std::vector<std::string> BucketFileSystem::RemovedObjects() const {
  return {reader_.removed_.begin(), reader_.removed_.end()};
}

void BucketFileSystem::Deleted(std::span<const std::string> keys) {
  for (const std::string& key : keys) {
    reader_.removed_.erase(key);
    reader_.objects_.erase(key);
    reader_.replaceable_.erase(key);
  }
}

}  // namespace tmdbc
