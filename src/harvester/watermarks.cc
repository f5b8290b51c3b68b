// SPDX-License-Identifier: MIT
#include "harvester/watermarks.h"

#include <algorithm>
#include <string>

namespace tmdbc {

namespace chrono = std::chrono;

Result<void> CreateWatermarks(Database& catalog) {
  return catalog.Execute(
      "CREATE TABLE IF NOT EXISTS harvest_watermarks(type INTEGER PRIMARY KEY, day TEXT NOT NULL)");
}

Result<Watermarks> ReadWatermarks(Database& catalog) {
  Watermarks watermarks;
  TRY_ASSIGN(auto exists,
             catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='harvest_watermarks'"));
  TRY_ASSIGN(const bool found, exists.Step());
  if (!found) return watermarks;
  TRY_ASSIGN(auto select, catalog.Prepare("SELECT type, day FROM harvest_watermarks"));
  while (true) {
    TRY_ASSIGN(const bool row, select.Step());
    if (!row) return watermarks;
    TRY_ASSIGN(const auto day, ParseDate(select.Text(1)));
    watermarks[MediaType(select.Int(0))] = day;
  }
}

Result<void> SetWatermark(Database& catalog, MediaType type, chrono::sys_days day) {
  TRY_ASSIGN(auto insert, catalog.Prepare("INSERT OR REPLACE INTO harvest_watermarks VALUES(?1,?2)"));
  const std::string text = FormatDate(day);
  return insert.Bind(type, text).Run();
}

chrono::sys_days WatermarkAfter(chrono::sys_days day, Time began) {
  return std::min(day + chrono::days(1), chrono::floor<chrono::days>(began - kCacheLag));
}

}  // namespace tmdbc
