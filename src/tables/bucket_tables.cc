// SPDX-License-Identifier: MIT
#include "tables/bucket_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "tables/check.h"
#include "tables/derived_files.h"
#include "tables/spec.h"

namespace tmdbc::tables {
namespace {

constexpr int kTries = 5;
constexpr std::uint64_t kRange = 32 << 20;  // of an object, at once

std::string KeyOf(std::string_view path) {
  return std::string(kTablesPrefix) + std::string(path);
}

// Of "movies/0000000000-0000065535.000000123.parquet": 123; empty for what has no such name.
std::optional<std::int64_t> GenerationOf(std::string_view path) {
  constexpr std::string_view kEnd = ".parquet";
  if (!path.ends_with(kEnd) || std::ranges::count(path, '/') != 1) return std::nullopt;
  path.remove_suffix(kEnd.size());
  const std::string_view digits = path.substr(path.rfind('.') + 1);
  std::int64_t generation = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), generation);
  if (digits.size() == path.size() || error != std::errc() || end != digits.data() + digits.size())
    return std::nullopt;
  return generation;
}

std::optional<std::int64_t> ManifestNumber(std::string_view path) {
  return path.starts_with("manifests/") ? ParseManifestName(path.substr(path.find('/') + 1)) : std::nullopt;
}

class Carrier {
 public:
  Carrier(ObjectStore& bucket, TableFolder& folder, const StopFlag& stop)
      : bucket_(bucket), folder_(folder), stop_(stop) {}

  // The work folder goes on from what the bucket has; what it has more it made itself, and is carried next.
  Result<void> TakeOver() {
    TRY(List());
    hint_ = 0;
    if (there_.contains(kHint)) {
      TRY_ASSIGN(const Object hint, bucket_.Get(KeyOf(kHint)));
      hint_ = ParseHint(hint.bytes).value_or(0);
      there_[std::string(kHint)].etag = hint.etag;
    }
    derived_ = {};
    if (there_.contains(kDerivedList)) {
      TRY_ASSIGN(const Object list, bucket_.Get(KeyOf(kDerivedList)));
      derived_ = ParseDerivedList(list.bytes).value_or(DerivedList{});
      there_[std::string(kDerivedList)].etag = list.etag;
    }
    TRY_ASSIGN(const bool follows, Follows());
    return follows ? Result<void>() : FetchAll();
  }

  // What the work folder has, to the bucket; with `all` also what seems to be there. kExists when another process was
  // there.
  Result<void> Carry(bool all) {
    TRY_ASSIGN(const std::int64_t own, NewestGeneration(folder_.files()));
    if (own == 0) return {};
    const auto manifest = ReadManifest(folder_.files(), own);
    // Its damage is told by the publish.
    if (!manifest && own == newest_) return {};
    TRY(manifest);
    TRY(CarryFiles(*manifest, all));
    if (own > newest_) TRY(PutNew(ManifestPath(own)));
    newest_ = own;
    const auto list = ReadDerivedList(folder_.files());
    if (!list || list->generation != own) return {};  // the publish does it
    TRY(CarryDerived(*list, all));
    return DeleteOld(own);
  }

  // After a kExists of Carry(): an empty generation takes the number of the work folder's newest one, so that the
  // writer that has put files of it can no longer commit it.
  Result<void> Fence(Time now) {
    TRY_ASSIGN(const std::int64_t own, NewestGeneration(folder_.files()));
    TRY(List());
    if (newest_ >= own) return {};
    Manifest empty;
    empty.spec = kSpecVersion;
    for (const Table& table : Tables()) empty.tables[table.name];
    if (newest_ > 0) {
      TRY_ASSIGN(empty, ReadManifest(tables_, newest_));
    }
    empty.generation = own;
    empty.parent = newest_;
    empty.purged = false;
    empty.committed_at = ToMillis(std::max(now, empty.committed_at + std::chrono::milliseconds(1)));
    const auto put = bucket_.Put(KeyOf(ManifestPath(own)), FormatManifest(empty), PutCondition::Absent());
    return put || put.error().code == ErrorCode::kExists ? Result<void>() : std::unexpected(put.error());
  }

 private:
  Result<void> List() {
    there_.clear();
    newest_ = 0;
    TRY_ASSIGN(auto objects, bucket_.ListObjects(std::string(kTablesPrefix), ""));
    for (ObjectInfo& object : objects) {
      std::string path = object.key.substr(kTablesPrefix.size());
      newest_ = std::max(newest_, ManifestNumber(path).value_or(0));
      there_.emplace(std::move(path), std::move(object));
    }
    return {};
  }

  Result<bool> IsOurs(std::int64_t generation) {
    const auto own = folder_.files().Read(ManifestPath(generation), 0, kMaxManifestBytes);
    if (!own && own.error().code == ErrorCode::kNotFound) return false;
    TRY(own);
    TRY_ASSIGN(const Object theirs, bucket_.Get(KeyOf(ManifestPath(generation))));
    return *own == theirs.bytes;
  }

  // Whether what is in the work folder is what the bucket has, or one generation more.
  Result<bool> Follows() {
    TRY_ASSIGN(const std::int64_t own, NewestGeneration(folder_.files()));
    if (own < newest_) return false;
    if (own == 0) return true;
    if (own > newest_) {
      const auto manifest = ReadManifest(folder_.files(), own);
      if (!manifest || manifest->parent != newest_) return false;
      if (newest_ == 0) return true;
    }
    return IsOurs(newest_);
  }

  // The manifests, and the data files of the newest. What is missing or damaged in the bucket is missing here too.
  Result<void> FetchAll() {
    // The manifests last: killed in between it is begun again.
    for (const std::string_view name : {kDerivedList, kHint, std::string_view("manifests"), std::string_view("tmp")}) {
      if (folder_.Exists(std::string(name))) TRY(folder_.Remove(std::string(name)));
    }
    // Of logs what the bucket's list does not have: it is of a generation that is void, or old.
    for (const Table& table : Tables()) {
      const std::string log = table.name + "/_delta_log";
      TRY_ASSIGN(const auto names, folder_.Names(log));
      for (const std::string& name : names) {
        if (derived_.Find(log + "/" + name) == nullptr) TRY(folder_.Remove(log + "/" + name));
      }
    }
    TRY(folder_.MakeFolder("tmp"));
    std::map<std::int64_t, std::string> manifests;
    std::optional<Manifest> newest;
    for (const auto& [path, info] : there_) {
      const auto number = ManifestNumber(path);
      if (!number) continue;
      TRY_ASSIGN(Object object, bucket_.Get(info.key));
      // A damaged one is taken over as it is: the publish says so.
      if (auto manifest = ParseManifest(object.bytes)) newest = *std::move(manifest);
      manifests[*number] = std::move(object.bytes);
    }
    if (newest) {
      for (const auto& [name, table] : newest->tables) {
        for (const DataFile& file : table.files) TRY(FetchFile(file));
      }
    }
    // What is not as the list says is made again here.
    for (const DerivedFile& file : derived_.files)
      TRY(FetchFile({.path = file.path, .bytes = file.bytes, .sha256 = file.sha256}));
    if (derived_.generation > 0) TRY(folder_.Replace(std::string(kDerivedList), FormatDerivedList(derived_)));
    TRY(folder_.MakeFolder("manifests"));
    for (const auto& [number, text] : manifests) TRY(folder_.WriteNew(ManifestPath(number), text));
    // Only of a generation that is finished: else the publish writes it, and what it writes is put.
    if (hint_ > 0 && hint_ == derived_.generation) return folder_.Replace(std::string(kHint), FormatHint(hint_));
    return {};
  }

  Result<void> FetchFile(const DataFile& file) {
    TRY_ASSIGN(const std::string fault, FaultOf(folder_.files(), file));
    if (fault.empty()) return {};
    if (folder_.Exists(file.path)) TRY(folder_.Remove(file.path));
    if (!there_.contains(file.path)) return {};
    const std::string temporary = "tmp/fetched";
    {
      PosixFileSystem files(folder_.root());
      TRY_ASSIGN(const auto to, files.OpenAppend(temporary));
      TRY(to->Truncate(0));
      while (std::int64_t(to->size()) < file.bytes) {
        TRY(GoOn());
        const std::uint64_t left = std::uint64_t(file.bytes) - to->size();
        TRY_ASSIGN(const std::string piece, tables_.Read(file.path, to->size(), std::min(kRange, left)));
        if (piece.empty()) break;
        TRY(to->Append(piece));
      }
    }
    DataFile fetched = file;
    fetched.path = temporary;
    TRY_ASSIGN(const std::string damage, FaultOf(folder_.files(), fetched));
    if (!damage.empty()) return folder_.Remove(temporary);
    if (const auto slash = file.path.rfind('/'); slash != std::string::npos)
      TRY(folder_.MakeFolder(file.path.substr(0, slash)));
    return folder_.MoveIn(temporary, file.path);
  }

  // Those of generations that the bucket has are there, unless somebody took them away or cut them.
  Result<void> CarryFiles(const Manifest& manifest, bool all) {
    for (const auto& [name, table] : manifest.tables) {
      for (const DataFile& file : table.files) {
        const auto found = there_.find(file.path);
        const bool is_new = GenerationOf(file.path).value_or(0) > newest_;
        if (!all && !is_new && found != there_.end() && std::int64_t(found->second.bytes) == file.bytes) continue;
        if (!folder_.Exists(file.path)) continue;  // the publish says so
        TRY(is_new ? PutNew(file.path) : PutCurrent(file.path));
      }
    }
    return {};
  }

  // What follows from the manifests: what the list of the bucket says otherwise or what is not there as it says.
  Result<void> CarryDerived(const DerivedList& list, bool all) {
    // A checkpoint behind the entry that it stands for.
    std::vector<const DerivedFile*> files;
    for (const DerivedFile& file : list.files) {
      if (!folder_.Exists(file.path)) return {};  // the publish makes it again
      files.push_back(&file);
    }
    if (!folder_.Exists(std::string(kHint))) return {};
    std::ranges::stable_partition(files, [](const DerivedFile* file) { return file->path.ends_with(".json"); });
    for (const DerivedFile* file : files) {
      const DerivedFile* theirs = derived_.Find(file->path);
      const auto found = there_.find(file->path);
      const bool is_there = found != there_.end() && std::int64_t(found->second.bytes) == file->bytes;
      if (all || !is_there || theirs == nullptr || *theirs != *file) TRY(PutCurrent(file->path));
    }
    // What a reader of a log would take for a part of it.
    std::vector<std::string> others;
    for (const auto& [path, info] : there_) {
      if (IsOfLog(path) && list.Find(path) == nullptr) others.push_back(info.key);
    }
    TRY(Delete(others));
    if (list != derived_ || !there_.contains(kDerivedList))
      TRY(PutCurrent(std::string(kDerivedList)));
    derived_ = list;
    // Last: it says that the rest is done.
    if (hint_ != list.generation) TRY(PutCurrent(std::string(kHint)));
    hint_ = list.generation;
    return {};
  }

  Result<void> DeleteOld(std::int64_t own) {
    std::set<std::string> named;
    TRY_ASSIGN(const auto manifests, folder_.Names("manifests"));
    for (const std::string& name : manifests) {
      const auto number = ParseManifestName(name);
      if (!number) continue;
      const auto manifest = ReadManifest(folder_.files(), *number);
      // Whose its files are nobody knows, until it goes itself.
      if (!manifest) return IsDamage(manifest.error()) ? Result<void>() : std::unexpected(manifest.error());
      named.insert("manifests/" + name);
      for (const auto& [table, state] : manifest->tables) {
        for (const DataFile& file : state.files) named.insert(file.path);
      }
    }
    std::vector<std::string> old, files;
    for (const auto& [path, info] : there_) {
      if (named.contains(path)) continue;
      if (const auto number = ManifestNumber(path); number && *number < own) old.push_back(info.key);
      // What is of a later one another process may be about to name.
      if (const auto generation = GenerationOf(path); generation && *generation <= own) files.push_back(info.key);
    }
    // Readers find no manifest whose files have begun to go.
    TRY(Delete(old));
    return Delete(files);
  }

  Result<void> Delete(const std::vector<std::string>& keys) {
    if (keys.empty()) return {};
    TRY(bucket_.Delete(keys));
    for (const std::string& key : keys) there_.erase(key.substr(kTablesPrefix.size()));
    return {};
  }

  Result<void> PutNew(const std::string& path) { return Put(path, PutCondition::Absent()); }
  // Over what was read, or where nothing was.
  Result<void> PutCurrent(const std::string& path) {
    if (!folder_.Exists(path)) return {};
    const auto found = there_.find(path);
    return Put(path, found == there_.end() ? PutCondition::Absent() : PutCondition::Matches(found->second.etag));
  }
  Result<void> Put(const std::string& path, const PutCondition& condition) {
    TRY(GoOn());
    TRY_ASSIGN(const std::uint64_t bytes, folder_.files().Size(path));
    TRY_ASSIGN(std::string etag, bucket_.PutFile(KeyOf(path), folder_.files(), path, condition));
    there_[path] = {KeyOf(path), bytes, std::move(etag)};
    return {};
  }

  Result<void> GoOn() const {
    return stop_.requested() ? Result<void>(Fail(ErrorCode::kUnavailable, "stopped")) : Result<void>();
  }

  ObjectStore& bucket_;
  BucketTables tables_{bucket_};
  TableFolder& folder_;
  const StopFlag& stop_;
  std::map<std::string, ObjectInfo, std::less<>> there_;  // by path, below tables/
  std::int64_t newest_ = 0;                  // generation in the bucket
  std::int64_t hint_ = 0;                    // that its manifest.json names
  DerivedList derived_;                      // of the bucket
};

}  // namespace

Result<std::string> BucketTables::Read(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  return bucket_.Read(KeyOf(path), offset, length);
}

Result<std::uint64_t> BucketTables::Size(const std::string& path) {
  return bucket_.Size(KeyOf(path));
}

Result<bool> BucketTables::Exists(const std::string& path) {
  return bucket_.Exists(KeyOf(path));
}

Result<std::vector<std::string>> BucketTables::List(const std::string& folder) {
  TRY_ASSIGN(auto keys, bucket_.List(KeyOf(folder)));
  for (std::string& key : keys) key.erase(0, kTablesPrefix.size());
  return keys;
}

Result<PublishReport> PublishToBucket(const PublishPorts& ports, const PublishOptions& options, ObjectStore& bucket) {
  TRY_ASSIGN(TableFolder folder, TableFolder::Open(options.root, options.before));
  Carrier carrier(bucket, folder, ports.stop);
  for (int tries = 0; tries < kTries; ++tries) {
    TRY(carrier.TakeOver());
    // What an earlier process has made, and did not live to carry.
    auto carried = carrier.Carry(false);
    if (carried) {
      auto report = Publish(ports, options, folder);
      if (!report) return report;
      std::erase(report->mended, "latest");  // the work folder's: a bucket has no links
      // Whether an object has the bytes that were put nobody sees by its size.
      carried = carrier.Carry(options.rebuild);
      if (carried) return report;
    }
    if (carried.error().code != ErrorCode::kExists) return std::unexpected(carried.error());
    TRY(carrier.Fence(ports.clock.Now()));
  }
  return Fail(ErrorCode::kBusy, "another process publishes tables in the bucket all the time");
}

}  // namespace tmdbc::tables
