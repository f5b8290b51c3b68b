// SPDX-License-Identifier: MIT
#include "harvester/sightings.h"

#include <span>
#include <string>

namespace tmdbc {

Result<void> CreateSightings(Database& catalog) {
  // ids: a Roaring bitmap in its portable format (https://github.com/RoaringBitmap/RoaringFormatSpec).
  return catalog.Execute(
      "CREATE TABLE IF NOT EXISTS harvest_sightings(type INTEGER NOT NULL, day TEXT NOT NULL, "
      "readings INTEGER NOT NULL, ids BLOB NOT NULL, PRIMARY KEY(type, day)) WITHOUT ROWID");
}

Result<Sightings> ReadSightings(Database& catalog, MediaType type, std::chrono::sys_days day) {
  TRY_ASSIGN(auto exists,
             catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='harvest_sightings'"));
  TRY_ASSIGN(const bool made, exists.Step());
  if (!made) return Sightings();
  TRY_ASSIGN(auto select,
             catalog.Prepare("SELECT ids, readings FROM harvest_sightings WHERE type=?1 AND day=?2"));
  const std::string date = FormatDate(day);
  TRY_ASSIGN(const bool found, select.Bind(type, date).Step());
  if (!found) return Sightings();
  const auto bytes = select.Blob(0);
  // Bytes that are no bitmap are no sightings: then the ids of that day are news again.
  auto* const bitmap =
      roaring_bitmap_portable_deserialize_safe(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (bitmap == nullptr) return Sightings();
  return Sightings{.ids = Roaring(bitmap), .readings = static_cast<int>(select.Int(1))};
}

Result<void> PutSightings(Database& catalog, MediaType type, std::chrono::sys_days day,
                          const Sightings& seen) {
  std::string bytes(seen.ids.getSizeInBytes(), '\0');
  seen.ids.write(bytes.data());
  TRY_ASSIGN(auto insert, catalog.Prepare("INSERT OR REPLACE INTO harvest_sightings VALUES(?1,?2,?3,?4)"));
  const std::string date = FormatDate(day);
  return insert.Bind(type, date, seen.readings, std::as_bytes(std::span(bytes))).Run();
}

Result<void> ForgetSightings(Database& catalog, MediaType type, std::chrono::sys_days day) {
  TRY_ASSIGN(auto remove, catalog.Prepare("DELETE FROM harvest_sightings WHERE type=?1 AND day<?2"));
  const std::string date = FormatDate(day);
  return remove.Bind(type, date).Run();
}

}  // namespace tmdbc
