// SPDX-License-Identifier: MIT
#include "tables/check.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace tmdbc::tables {

Result<std::string> FaultOf(BlobReader& folder, const DataFile& file) {
  const auto size = folder.Size(file.path);
  if (!size && size.error().code == ErrorCode::kNotFound) return "it is missing";
  if (!size) return std::unexpected(size.error());
  if (std::int64_t(*size) != file.bytes) return fmt::format("it has {} bytes, not {}", *size, file.bytes);
  const auto bytes = folder.Read(file.path, 0, *size);
  if (!bytes && IsDamage(bytes.error())) return bytes.error().message;
  if (!bytes) return std::unexpected(bytes.error());
  return Sha256Hex(*bytes) == file.sha256 ? "" : "its bytes are others than were written";
}

Result<CheckReport> CheckTables(BlobReader& folder, const StopFlag& stop) {
  CheckReport report;
  TRY_ASSIGN(report.generation, NewestGeneration(folder));
  if (report.generation == 0) return report;
  TRY_ASSIGN(const Manifest manifest, ReadManifest(folder, report.generation));
  for (const auto& [name, table] : manifest.tables) {
    for (const DataFile& file : table.files) {
      if (stop.requested()) return Fail(ErrorCode::kUnavailable, "stopped");
      TRY_ASSIGN(const std::string fault, FaultOf(folder, file));
      if (!fault.empty()) report.faults.push_back(fmt::format("{}: {}", file.path, fault));
      ++report.files;
      report.bytes += file.bytes;
    }
  }
  return report;
}

}  // namespace tmdbc::tables
