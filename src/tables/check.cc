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
  const auto sha256 = Sha256OfFile(folder, file.path);
  if (!sha256 && IsDamage(sha256.error())) return sha256.error().message;
  if (!sha256) return std::unexpected(sha256.error());
  return *sha256 == file.sha256 ? "" : "its bytes are others than were written";
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
