// SPDX-License-Identifier: MIT
#include "tables/check.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "tables/derived_files.h"

namespace tmdbc::tables {
namespace {

Result<std::string> FaultOf(BlobReader& folder, const std::string& path, std::int64_t bytes,
                            const std::string& sha256) {
  const auto size = folder.Size(path);
  if (!size && size.error().code == ErrorCode::kNotFound) return "it is missing";
  if (!size) return std::unexpected(size.error());
  if (std::int64_t(*size) != bytes) return fmt::format("it has {} bytes, not {}", *size, bytes);
  const auto actual = Sha256OfFile(folder, path);
  if (!actual && IsDamage(actual.error())) return actual.error().message;
  if (!actual) return std::unexpected(actual.error());
  return *actual == sha256 ? "" : "its bytes are not those that were written";
}

// Nothing when the generation is not finished yet.
Result<std::vector<std::string>> DerivedFaults(BlobReader& folder, const std::string& root, const Manifest& manifest) {
  std::vector<std::string> faults;
  const auto list = ReadDerivedList(folder);
  const auto hint = folder.Read(std::string(kHint), 0, 1000);
  if (!hint && hint.error().code != ErrorCode::kNotFound) return std::unexpected(hint.error());
  const std::int64_t named = hint ? ParseHint(*hint).value_or(-1) : 0;
  // The hint is written last: while it names the generation before (0: none), the next publish will finish this one.
  if (named == manifest.parent) return faults;
  if (!list && list.error().code == ErrorCode::kNotFound)
    return std::vector<std::string>{fmt::format("{}: it is missing", kDerivedList)};
  if (!list && IsDamage(list.error()))
    return std::vector<std::string>{fmt::format("{}: it is damaged", kDerivedList)};
  TRY(list);
  if (list->generation < manifest.generation) return faults;
  for (const DerivedFile& file : list->files) {
    TRY_ASSIGN(const std::string fault, FaultOf(folder, file.path, file.bytes, file.sha256));
    if (!fault.empty()) faults.push_back(fmt::format("{}: {}", file.path, fault));
  }
  for (const auto& [name, table] : manifest.tables) {
    TRY_ASSIGN(const auto there, folder.List(name + "/_delta_log"));
    for (const std::string& path : there) {
      if (IsOfLog(path) && list->Find(path) == nullptr)
        faults.push_back(path + ": it was not written by this program");
    }
  }
  if (named != manifest.generation)
    faults.push_back(fmt::format("{}: it does not name the newest generation", kHint));
  if (root.empty()) return faults;
  for (const std::string& path : UnlinkedFiles(root, manifest))
    faults.push_back(fmt::format("latest/{}: it is not the file of the table", path));
  return faults;
}

}  // namespace

Result<std::string> FaultOf(BlobReader& folder, const DataFile& file) {
  return FaultOf(folder, file.path, file.bytes, file.sha256);
}

Result<CheckReport> CheckTables(BlobReader& folder, const std::string& root, const StopFlag& stop) {
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
  TRY_ASSIGN(const auto derived, DerivedFaults(folder, root, manifest));
  TRY_ASSIGN(const std::int64_t newest, NewestGeneration(folder));
  // Of a later generation they are others.
  if (newest == report.generation) report.faults.insert(report.faults.end(), derived.begin(), derived.end());
  return report;
}

}  // namespace tmdbc::tables
