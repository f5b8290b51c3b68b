// SPDX-License-Identifier: MIT
#include "tables/commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "duckdb/database.h"
#include "tables/delta_log.h"
#include "tables/documents.h"
#include "tables/spec.h"

namespace tmdbc::tables {
namespace {

constexpr auto kKeptFor = std::chrono::hours(24);

std::string SnapshotOf(std::int64_t generation) {
  return fmt::format("snapshots/{:09}", generation);
}

bool IsParquet(std::string_view name) {
  return name.ends_with(".parquet");
}

}  // namespace

Result<std::optional<Published>> ReadPublished(TableFolder& folder, bool builds) {
  TRY_ASSIGN(const std::int64_t newest, NewestGeneration(folder.files()));
  if (newest == 0) return std::nullopt;
  Published published;
  if (auto manifest = ReadManifest(folder.files(), newest); manifest) {
    published.manifest = *std::move(manifest);
  } else if (builds && IsDamage(manifest.error())) {
    TRY_ASSIGN(auto older, NewestWholeBefore(folder.files(), newest));
    if (older) published.manifest = *std::move(older);
    published.manifest.generation = newest;
    published.whole = false;
  } else {
    return std::unexpected(manifest.error());
  }
  if (!builds && published.manifest.spec > kSpecVersion) {
    return Fail(ErrorCode::kInvalid, Hint::kNewStore,
                "the tables have the columns of version {}, this program knows {}", published.manifest.spec,
                kSpecVersion);
  }
  return published;
}

Result<void> CommitGeneration(TableFolder& folder, const std::vector<NewFile>& files,
                              const Manifest& manifest) {
  std::set<std::string> folders;
  for (const NewFile& file : files) {
    TRY(folder.MoveIn(file.temporary, file.path));
    folders.insert(file.path.substr(0, file.path.find('/')));
  }
  for (const std::string& name : folders) TRY(folder.SyncFolder(name));
  TRY(folder.MakeFolder("manifests"));
  return folder.WriteNew(ManifestPath(manifest.generation), FormatManifest(manifest));
}

Result<void> FinishGeneration(TableFolder& folder, const Manifest& manifest, const duckdb::Library& library) {
  const auto hint = folder.files().Read(std::string(kHint), 0, 1000);
  if (hint && ParseHint(*hint) == manifest.generation) return {};
  std::optional<Manifest> previous;
  if (manifest.parent != 0) {
    auto parent = ReadManifest(folder.files(), manifest.parent);
    if (parent) {
      previous = *std::move(parent);
    } else if (IsDamage(parent.error())) {
      TRY_ASSIGN(previous, NewestWholeBefore(folder.files(), manifest.parent));
      TRY(CutDeltaLogs(folder, previous ? &*previous : nullptr));
    } else if (parent.error().code != ErrorCode::kNotFound) {
      return std::unexpected(parent.error());
    }
  }
  TRY_ASSIGN(duckdb::Database database, duckdb::Database::Open(library, {}));
  TRY_ASSIGN(duckdb::Connection connection, database.Connect());
  TRY(WriteDeltaLogs(folder, manifest, previous ? &*previous : nullptr, connection));
  const std::string snapshot = SnapshotOf(manifest.generation);
  TRY(folder.MakeFolder(snapshot));
  for (const auto& [name, table] : manifest.tables) {
    // One that was taken away the next generation replaces.
    for (const DataFile& file : table.files) {
      if (folder.Exists(file.path)) TRY(folder.HardLink(file.path, snapshot + "/" + file.path));
    }
  }
  TRY(folder.PointAt("latest", snapshot));
  TRY(WriteDocuments(folder, manifest));
  // Last: it says that the rest is done.
  return folder.Replace(std::string(kHint), FormatHint(manifest.generation));
}

Result<void> RemoveOld(TableFolder& folder, const Manifest& newest, Time now) {
  TRY_ASSIGN(auto manifests, folder.Names("manifests"));
  std::ranges::reverse(manifests);
  std::set<std::int64_t> kept;
  std::set<std::string> files;
  std::vector<std::string> old;
  std::optional<Time> superseded_at;  // of the generation below the one that was looked at
  for (const std::string& name : manifests) {
    const auto generation = ParseManifestName(name);
    if (!generation) continue;
    const auto manifest = ReadManifest(folder.files(), *generation);
    if (!manifest && !IsDamage(manifest.error())) return std::unexpected(manifest.error());
    const bool is_parent = *generation == newest.parent && !newest.purged;
    const bool is_read = !superseded_at || *superseded_at > now - kKeptFor;
    if (!manifest || !(is_parent || is_read)) {
      old.push_back("manifests/" + name);
      continue;
    }
    superseded_at = manifest->committed_at;
    kept.insert(*generation);
    for (const auto& [table, state] : manifest->tables) {
      for (const DataFile& file : state.files) files.insert(file.path);
    }
  }
  // Readers find no manifest whose files have begun to go.
  for (const std::string& path : old) TRY(folder.Remove(path));
  TRY_ASSIGN(const auto snapshots, folder.Names("snapshots"));
  for (const std::string& name : snapshots) {
    const auto generation = ParseManifestName(name + ".json");
    // The table of that name has its files there too.
    if (generation && !kept.contains(*generation)) TRY(folder.Remove("snapshots/" + name));
  }
  for (const auto& [table, state] : newest.tables) {
    TRY_ASSIGN(const auto names, folder.Names(table));
    for (const std::string& name : names) {
      const std::string path = table + "/" + name;
      if (IsParquet(name) && !files.contains(path)) TRY(folder.Remove(path));
    }
  }
  return {};
}

}  // namespace tmdbc::tables
