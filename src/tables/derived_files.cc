// SPDX-License-Identifier: MIT
#include "tables/derived_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "tables/delta_log.h"
#include "tables/documents.h"
#include "tables/spec.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxListBytes = 64 << 20;
constexpr std::uint64_t kMaxDocumentBytes = 64 << 20;

// The manifests that are kept, oldest first, each the one that the next goes on from.
Result<std::vector<Manifest>> KeptManifests(BlobReader& folder, const Manifest& newest) {
  std::vector<Manifest> kept = {newest};
  while (kept.back().parent > 0 && kept.back().parent < kept.back().generation) {
    const std::int64_t parent = kept.back().parent;
    auto manifest = ReadManifest(folder, parent);
    if (manifest) {
      kept.push_back(*std::move(manifest));
    } else if (IsDamage(manifest.error())) {
      TRY_ASSIGN(auto older, NewestWholeBefore(folder, parent));
      if (!older) break;
      kept.push_back(*std::move(older));
    } else if (manifest.error().code == ErrorCode::kNotFound) {
      break;
    } else {
      return std::unexpected(manifest.error());
    }
  }
  std::ranges::reverse(kept);
  return kept;
}

bool IsSameFile(const std::string& one, const std::string& other) {
  std::error_code error;
  return fs::equivalent(one, other, error) && !error;
}

class Finisher {
 public:
  Finisher(TableFolder& folder, const Manifest& newest, const duckdb::Library& duckdb, bool rebuild)
      : folder_(folder), newest_(newest), rebuild_(rebuild), logs_(folder, duckdb) {}

  Result<std::vector<std::string>> Run() {
    if (auto list = ReadDerivedList(folder_.files()); list) {
      old_ = *std::move(list);
    } else if (!IsDamage(list.error()) && list.error().code != ErrorCode::kNotFound) {
      return std::unexpected(list.error());
    }
    finished_ = old_ && old_->generation == newest_.generation;
    next_.generation = newest_.generation;
    for (const Table& table : Tables()) TRY(FinishLog(table));
    TRY(FinishSnapshot());
    for (const DocumentFile& document : Documents(newest_)) TRY(FinishDocument(document));
    std::ranges::sort(next_.files, {}, &DerivedFile::path);
    TRY(Settle(kDerivedList, FormatDerivedList(next_)));
    // Last: it says that the rest is done.
    TRY(Settle(kHint, FormatHint(newest_.generation)));
    return mended_;
  }

 private:
  Result<const std::vector<Manifest>*> Kept() {
    if (kept_.empty()) {
      TRY_ASSIGN(kept_, KeptManifests(folder_.files(), newest_));
    }
    return &kept_;
  }

  Result<void> FinishLog(const Table& table) {
    const std::string log = table.name + "/_delta_log";
    const std::int64_t version = DeltaVersion(newest_, table.name);
    std::vector<DerivedFile> files = OfLog(log);
    const bool whole = AreWhole(files);
    if (version < 0) {
      files.clear();
    } else if (whole && finished_ && Has(files, DeltaEntryPath(table.name, version))) {
      // It is as it is to be.
    } else {
      TRY_ASSIGN(const Manifest* const before, LogEndsAt(table, whole, files));
      if (before != nullptr) {
        TRY(AppendTo(table, *before, files));
      } else {
        // Of an unfinished generation a kill may have left it so.
        if (finished_ && !rebuild_ && !whole) mended_.push_back(log);
        TRY_ASSIGN(const auto* kept, Kept());
        TRY_ASSIGN(files, logs_.Make(table, *kept));
      }
    }
    // What a reader would take for a part of it: older than is needed, or of nobody here.
    TRY_ASSIGN(const std::vector<std::string> there, folder_.Names(log));
    bool foreign = false;
    for (const std::string& name : there) {
      const std::string path = log + "/" + name;
      if (!IsOfLog(path) || Has(files, path)) continue;
      foreign = foreign || (finished_ && !old_->Find(path));
      TRY(folder_.Remove(path));
    }
    if (foreign && std::ranges::find(mended_, log) == mended_.end()) mended_.push_back(log);
    next_.files.insert(next_.files.end(), files.begin(), files.end());
    return {};
  }

  // The generation before, when the log is as that left it; else null.
  Result<const Manifest*> LogEndsAt(const Table& table, bool whole, const std::vector<DerivedFile>& files) {
    if (rebuild_ || !whole || !old_ || old_->generation != newest_.parent) return nullptr;
    TRY_ASSIGN(const auto* kept, Kept());
    if (kept->size() < 2) return nullptr;
    const Manifest& parent = (*kept)[kept->size() - 2];
    if (parent.generation != newest_.parent) return nullptr;
    const std::int64_t before = DeltaVersion(parent, table.name);
    const std::int64_t version = DeltaVersion(newest_, table.name);
    if (version != before && version != before + 1) return nullptr;
    const bool ends = before < 0 ? files.empty() : Has(files, DeltaEntryPath(table.name, before));
    return ends ? &parent : nullptr;
  }

  Result<void> AppendTo(const Table& table, const Manifest& parent, std::vector<DerivedFile>& files) {
    if (DeltaVersion(newest_, table.name) != DeltaVersion(parent, table.name))
      TRY(logs_.Append(table, newest_, &parent, files));
    TRY_ASSIGN(const auto* kept, Kept());
    DropOldEntries(table.name, DeltaVersion(kept->front(), table.name), files);
    return {};
  }

  std::vector<DerivedFile> OfLog(const std::string& log) const {
    std::vector<DerivedFile> files;
    if (!old_ || rebuild_) return files;
    const std::string prefix = log + "/";
    for (auto file = std::ranges::lower_bound(old_->files, prefix, {}, &DerivedFile::path);
         file != old_->files.end() && file->path.starts_with(prefix); ++file) {
      files.push_back(*file);
    }
    return files;
  }
  bool AreWhole(const std::vector<DerivedFile>& files) {
    return !rebuild_ && std::ranges::all_of(files, [&](const DerivedFile& file) {
      const auto size = folder_.files().Size(file.path);
      return size && std::int64_t(*size) == file.bytes;
    });
  }
  static bool Has(const std::vector<DerivedFile>& files, std::string_view path) {
    return std::ranges::find(files, path, &DerivedFile::path) != files.end();
  }

  // Hard links of this generation's files, and nothing else.
  Result<void> FinishSnapshot() {
    const std::string snapshot = SnapshotPath(newest_.generation);
    bool changed = false;
    for (const auto& [name, table] : newest_.tables) {
      const std::string links = snapshot + "/" + name;
      std::set<std::string> wanted;
      for (const DataFile& file : table.files) {
        const std::string link = snapshot + "/" + file.path;
        wanted.insert(link);
        // One that was taken away the next generation replaces.
        if (!folder_.Exists(file.path)) continue;
        if (IsSameFile(folder_.Full(link), folder_.Full(file.path))) continue;
        TRY(folder_.HardLink(file.path, link));
        changed = true;
      }
      TRY_ASSIGN(const auto there, folder_.Names(links));
      for (const std::string& one : there) {
        if (wanted.contains(links + "/" + one)) continue;
        TRY(folder_.Remove(links + "/" + one));
        changed = true;
      }
    }
    TRY(folder_.MakeFolder(snapshot));
    std::error_code error;
    const fs::path latest = folder_.Full("latest");
    const bool is_link = fs::is_symlink(fs::symlink_status(latest, error));
    if (!is_link || fs::read_symlink(latest, error) != snapshot) {
      if (!is_link && folder_.Exists("latest")) TRY(folder_.Remove("latest"));
      TRY(folder_.PointAt("latest", snapshot));
      changed = true;
    }
    if (changed && finished_) mended_.emplace_back("latest");
    return {};
  }

  Result<void> FinishDocument(const DocumentFile& document) {
    const DerivedFile facts = FactsOf(document.name, document.text);
    next_.files.push_back(facts);
    const auto there = folder_.files().Read(document.name, 0, kMaxDocumentBytes);
    if (!rebuild_ && there && *there == document.text) return {};
    // Another program may have had other words.
    const DerivedFile* was = old_ ? old_->Find(document.name) : nullptr;
    if (!rebuild_ && was != nullptr && (!there || FactsOf(document.name, *there) != *was))
      mended_.push_back(document.name);
    return folder_.Replace(document.name, document.text);
  }

  Result<void> Settle(std::string_view name, const std::string& text) {
    const std::string path(name);
    const auto there = folder_.files().Read(path, 0, kMaxListBytes);
    if (there && *there == text) return {};
    // Killed before the hint it names the generation before.
    const bool is_late = there && ParseHint(*there) == newest_.parent;
    if (name == kHint && finished_ && !is_late) mended_.push_back(path);
    return folder_.Replace(path, text);
  }

  TableFolder& folder_;
  const Manifest& newest_;
  const bool rebuild_;
  DeltaLogs logs_;
  std::optional<DerivedList> old_;
  bool finished_ = false;  // by what old_ says
  DerivedList next_;
  std::vector<Manifest> kept_;  // read when they are needed
  std::vector<std::string> mended_;
};

}  // namespace

DerivedFile FactsOf(std::string path, std::string_view bytes) {
  return {std::move(path), std::int64_t(bytes.size()), Sha256Hex(bytes)};
}

const DerivedFile* DerivedList::Find(std::string_view path) const {
  const auto found = std::ranges::lower_bound(files, path, {}, &DerivedFile::path);
  return found == files.end() || found->path != path ? nullptr : &*found;
}

std::string FormatDerivedList(const DerivedList& list) {
  JsonWriter json;
  json.BeginObject().Field("generation", list.generation).Key("files").BeginArray();
  for (const DerivedFile& file : list.files) {
    json.BeginObject()
        .Field("path", file.path)
        .Field("bytes", file.bytes)
        .Field("sha256", file.sha256)
        .EndObject();
  }
  return json.EndArray().EndObject().text() + "\n";
}

Result<DerivedList> ParseDerivedList(std::string_view text) {
  const auto bad = [] { return Fail(ErrorCode::kCorrupt, "{} is not a list of files", kDerivedList); };
  const auto parsed = ParsedJson::Parse(text);
  DerivedList list;
  simdjson::dom::array files;
  if (!parsed || parsed->root()["generation"].get(list.generation) != simdjson::SUCCESS ||
      parsed->root()["files"].get(files) != simdjson::SUCCESS)
    return bad();
  for (const simdjson::dom::element one : files) {
    std::string_view path, sha256;
    DerivedFile& file = list.files.emplace_back();
    if (one["path"].get(path) != simdjson::SUCCESS || one["bytes"].get(file.bytes) != simdjson::SUCCESS ||
        one["sha256"].get(sha256) != simdjson::SUCCESS || path.starts_with('/') || path.contains(".."))
      return bad();
    file.path = path;
    file.sha256 = sha256;
  }
  if (!std::ranges::is_sorted(list.files, {}, &DerivedFile::path)) return bad();
  return list;
}

Result<DerivedList> ReadDerivedList(BlobReader& folder) {
  TRY_ASSIGN(const std::string text, folder.Read(std::string(kDerivedList), 0, kMaxListBytes));
  return ParseDerivedList(text);
}

bool IsOfLog(std::string_view path) {
  constexpr std::string_view kFolder = "/_delta_log/";
  const auto at = path.find(kFolder);
  if (at == std::string_view::npos) return false;
  const std::string_view name = path.substr(at + kFolder.size());
  return name == "_last_checkpoint" || (!name.empty() && name[0] >= '0' && name[0] <= '9');
}

Result<std::vector<std::string>> FinishGeneration(TableFolder& folder, const Manifest& newest,
                                                  const duckdb::Library& duckdb, bool rebuild) {
  return Finisher(folder, newest, duckdb, rebuild).Run();
}

std::string SnapshotPath(std::int64_t generation) {
  return fmt::format("snapshots/{:09}", generation);
}

std::vector<std::string> UnlinkedFiles(const std::string& root, const Manifest& manifest) {
  std::vector<std::string> unlinked;
  for (const auto& [name, table] : manifest.tables) {
    for (const DataFile& file : table.files) {
      std::error_code error;
      const std::string path = root + "/" + file.path;
      if (fs::exists(path, error) && !IsSameFile(root + "/latest/" + file.path, path)) unlinked.push_back(file.path);
    }
  }
  return unlinked;
}

}  // namespace tmdbc::tables
