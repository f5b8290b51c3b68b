// SPDX-License-Identifier: MIT
#include "app/newest_tables.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "app/opened_store.h"
#include "base/files.h"
#include "base/system_error.h"

namespace tmdbc {
namespace {

constexpr std::chrono::days kOld{7};

}  // namespace

Error ExplainTables(const Error& error, const std::string& folder, const tables::Manifest& manifest) {
  // DuckDB does not always say so, and sometimes in words of the statement.
  std::string why = IsDamage(error) ? error.message.substr(0, error.message.find('\n')) : "";
  PosixFileSystem files(folder);
  for (const auto& [name, table] : manifest.tables) {
    for (const tables::DataFile& file : table.files) {
      const auto size = files.Size(file.path);
      if (!size || std::int64_t(*size) != file.bytes)
        why = fmt::format("tables/{} is missing or cut", file.path);
    }
  }
  if (why.empty()) return error;
  return {ErrorCode::kCorrupt, why +
                                   ": `tables --check` names what is damaged, `tables --rebuild` makes all "
                                   "tables again"};
}

Result<std::optional<tables::Manifest>> NewestTables(const std::string& folder) {
  std::error_code error;
  const auto status = std::filesystem::status(folder, error);
  if (status.type() == std::filesystem::file_type::none) return SystemError("open", folder, error.value());
  if (!std::filesystem::is_directory(status)) return std::nullopt;
  PosixFileSystem files(folder);
  for (int tries = 0;; ++tries) {
    TRY_ASSIGN(const std::int64_t generation, tables::NewestGeneration(files));
    if (generation == 0) return std::nullopt;
    auto manifest = tables::ReadManifest(files, generation);
    if (manifest) return *std::move(manifest);
    if (IsDamage(manifest.error())) {
      return Fail(manifest.error().code, "{}: `tables --rebuild` makes all tables again",
                  manifest.error().message);
    }
    // A publish may just have replaced it, and done away with it.
    if (manifest.error().code != ErrorCode::kNotFound || tries == 3) return std::unexpected(manifest.error());
  }
}

std::string WhyTablesAreBehind(const Settings& settings, const tables::Manifest& manifest, Time now) {
  const auto age = now - manifest.committed_at;
  if (age < kOld) return "";
  const auto store = OpenedStore::ForReading(settings);
  if (!store) return "";
  for (const MediaType type : kRecordTypes) {
    const auto newest = (*store)->feed.NewestSequence(type);
    const auto taken = manifest.sequences.find(type);
    if (!newest || *newest <= (taken == manifest.sequences.end() ? 0 : taken->second)) continue;
    return fmt::format(
        "the tables are {} days old, and the store has changed since: `tables` brings them up to date",
        std::chrono::floor<std::chrono::days>(age).count());
  }
  return "";
}

}  // namespace tmdbc
