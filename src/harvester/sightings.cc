// SPDX-License-Identifier: MIT
#include "harvester/sightings.h"

#include <span>
#include <string>

namespace tmdbc {

Result<void> CreateSightings(Database& catalog) {
  // ids: a Roaring bitmap in its portable format (https://github.com/RoaringBitmap/RoaringFormatSpec).
  return catalog.Execute(
      "CREATE TABLE IF NOT EXISTS harvest_sightings(type INTEGER NOT NULL, day TEXT NOT NULL, "
      "ids BLOB NOT NULL, PRIMARY KEY(type, day)) WITHOUT ROWID");
}

Result<Roaring> ReadSightings(Database& catalog, MediaType type, std::chrono::sys_days day) {
  TRY_ASSIGN(auto exists,
             catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='harvest_sightings'"));
  TRY_ASSIGN(const bool made, exists.Step());
  if (!made) return Roaring();
  TRY_ASSIGN(auto select, catalog.Prepare("SELECT ids FROM harvest_sightings WHERE type=?1 AND day=?2"));
  const std::string date = FormatDate(day);
  TRY_ASSIGN(const bool found, select.Bind(type, date).Step());
  if (!found) return Roaring();
  const auto bytes = select.Blob(0);
  // Bytes that are no bitmap are no sightings: then the ids of that day are news again.
  auto* const bitmap =
      roaring_bitmap_portable_deserialize_safe(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return bitmap == nullptr ? Roaring() : Roaring(bitmap);
}

Result<void> PutSightings(Database& catalog, MediaType type, std::chrono::sys_days day, const Roaring& ids) {
  std::string bytes(ids.getSizeInBytes(), '\0');
  ids.write(bytes.data());
  TRY_ASSIGN(auto insert, catalog.Prepare("INSERT OR REPLACE INTO harvest_sightings VALUES(?1,?2,?3)"));
  const std::string date = FormatDate(day);
  return insert.Bind(type, date, std::as_bytes(std::span(bytes))).Run();
}

Result<void> ForgetSightings(Database& catalog, MediaType type, std::chrono::sys_days day) {
  TRY_ASSIGN(auto remove, catalog.Prepare("DELETE FROM harvest_sightings WHERE type=?1 AND day<?2"));
  const std::string date = FormatDate(day);
  return remove.Bind(type, date).Run();
}

}  // namespace tmdbc
