// SPDX-License-Identifier: MIT
#include "cloud/bucket_view.h"

#include <libdeflate.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tmdbc {

Result<HeadState> BucketView::ReadHead(ObjectStore& objects) {
  const auto object = objects.Get(std::string(kHeadKey));
  if (!object && object.error().code == ErrorCode::kNotFound)
    return Fail(ErrorCode::kNotFound, "there is no mirror in the bucket yet: it has no {}", kHeadKey);
  TRY(object);
  return ParseHeadState(object->bytes);
}

Result<std::unique_ptr<BucketView>> BucketView::Open(ObjectStore& objects) {
  std::unique_ptr<BucketView> view(new BucketView(objects));
  // The last two catalogs stay where they are. One that is gone all the same was replaced twice meanwhile.
  constexpr int kTries = 3;
  for (int i = 0;; ++i) {
    TRY_ASSIGN(view->head_, ReadHead(objects));
    const CatalogObject& catalog = view->head_.catalog;
    if (catalog.key.empty())
      return Fail(ErrorCode::kNotFound, "there is no catalog in the bucket yet: its first owner has not published one");
    auto opened = ObjectDatabase::Open(objects, catalog.key, catalog.bytes);
    if (!opened && opened.error().code == ErrorCode::kNotFound && i + 1 < kTries) continue;
    TRY_ASSIGN(view->catalog_, std::move(opened));
    return view;
  }
}

Result<std::unique_ptr<BucketView>> BucketView::OpenWhole(ObjectStore& objects, const std::string& path,
                                                          const std::string& file) {
  std::unique_ptr<BucketView> view(new BucketView(objects));
  TRY_ASSIGN(view->head_, ReadHead(objects));
  if (view->head_.catalog.key.empty())
    return Fail(ErrorCode::kNotFound, "there is no catalog in the bucket yet: its first owner has not published one");
  PosixFileSystem files(path);
  TRY(FetchObject(objects, view->head_.catalog.key, files, file, view->head_.catalog.bytes, view->head_.catalog.crc32));
  TRY_ASSIGN(Database copy, Database::Open(path + "/" + file, Database::Mode::kReadWrite));
  view->copy_.emplace(std::move(copy));
  return view;
}

Result<void> FetchObject(ObjectStore& from, const std::string& key, FileSystem& to, const std::string& path,
                         std::uint64_t bytes, const std::optional<std::uint32_t>& crc) {
  constexpr std::uint64_t kPieceBytes = 32 << 20;
  const std::string part = path + ".tmp";
  TRY_ASSIGN(auto file, to.OpenAppend(part));
  TRY(file->Truncate(0));
  std::uint32_t found = 0;
  while (file->size() < bytes) {
    TRY_ASSIGN(const std::string piece, from.Read(key, file->size(), std::min(kPieceBytes, bytes - file->size())));
    if (piece.empty()) break;
    found = libdeflate_crc32(found, piece.data(), piece.size());
    TRY(file->Append(piece));
  }
  if (file->size() != bytes || (crc && found != *crc)) {
    return Fail(ErrorCode::kCorrupt, "{}: {} bytes with checksum {:08x} came, {} with {:08x} should", key, file->size(),
                found, bytes, crc.value_or(found));
  }
  TRY(file->Sync());
  file.reset();
  TRY(to.Rename(part, path));
  const auto slash = path.rfind('/');
  return to.SyncFolder(slash == std::string::npos ? "." : path.substr(0, slash));
}

}  // namespace tmdbc
