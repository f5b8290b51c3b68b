// SPDX-License-Identifier: MIT
#include "cloud/fetch_object.h"

#include <libdeflate.h>

#include <algorithm>

namespace tmdbc {

Result<void> FetchObject(ObjectStore& from, const std::string& key, FileSystem& to, const std::string& path,
                         std::uint64_t bytes, const std::optional<std::uint32_t>& crc) {
  const std::string part = path + ".tmp";
  TRY_ASSIGN(auto file, to.OpenAppend(part));
  TRY(file->Truncate(0));
  std::uint32_t found = 0;
  while (file->size() < bytes) {
    TRY_ASSIGN(const std::string piece,
               from.Read(key, file->size(), std::min(kFetchRange, bytes - file->size())));
    if (piece.empty()) break;
    found = libdeflate_crc32(found, piece.data(), piece.size());
    TRY(file->Append(piece));
  }
  if (file->size() != bytes || (crc && found != *crc)) {
    return Fail(ErrorCode::kCorrupt, "{}: {} bytes with checksum {:08x} came, {} with {:08x} should", key,
                file->size(), found, bytes, crc.value_or(found));
  }
  TRY(file->Sync());
  file.reset();
  TRY(to.Rename(part, path));
  const auto slash = path.rfind('/');
  return to.SyncFolder(slash == std::string::npos ? "." : path.substr(0, slash));
}

}  // namespace tmdbc
