// SPDX-License-Identifier: MIT
#include "app/newest_tables.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "app/opened_store.h"
#include "base/files.h"

namespace tmdbc {
namespace {

constexpr std::chrono::days kOld{7};

}  // namespace

Result<std::optional<tables::Manifest>> NewestTables(const std::string& folder) {
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  PosixFileSystem files(folder);
  for (int tries = 0;; ++tries) {
    TRY_ASSIGN(const std::int64_t generation, tables::NewestGeneration(files));
    if (generation == 0) return std::nullopt;
    auto manifest = tables::ReadManifest(files, generation);
    if (manifest) return *std::move(manifest);
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
