// SPDX-License-Identifier: MIT
#include "tables/commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "tables/spec.h"

namespace tmdbc::tables {
namespace {

constexpr auto kKeptFor = std::chrono::hours(24);

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
