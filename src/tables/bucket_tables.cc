// SPDX-License-Identifier: MIT
#include "tables/bucket_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "tables/check.h"
#include "tables/delta_log.h"
#include "tables/spec.h"

namespace tmdbc::tables {
namespace {

constexpr int kTries = 5;
constexpr std::uint64_t kRange = 32 << 20;  // of an object, at once
constexpr std::string_view kDocuments[] = {"README.md", "views.sql", "dictionary.json", "datapackage.json",
                                           "croissant.json"};

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
    TRY_ASSIGN(const bool follows, Follows());
    return follows ? Result<void>() : FetchAll();
  }

  // What the work folder has, to the bucket. kExists when another process was there.
  Result<void> Carry() {
    TRY_ASSIGN(const std::int64_t own, NewestGeneration(folder_.files()));
    if (own == 0) return {};
    const auto manifest = ReadManifest(folder_.files(), own);
    // Its damage is told by the publish.
    if (!manifest && own == newest_) return {};
    TRY(manifest);
    TRY(CarryFiles(*manifest));
    if (own > newest_) TRY(PutNew(ManifestPath(own)));
    newest_ = own;
    const auto finished = folder_.files().Read(std::string(kHint), 0, 1000);
    if (!finished || ParseHint(*finished) != own) return {};  // the publish does it
    if (hint_ != own) {
      TRY(CarryLogs(*manifest));
      for (const std::string_view name : kDocuments) TRY(PutCurrent(std::string(name)));
      // Last: it says that the rest is done.
      TRY(PutCurrent(std::string(kHint)));
      hint_ = own;
    }
    return DeleteOld(own);
  }

  // After a kExists of Carry(): an empty generation takes the number of the work folder's newest one, so that the writer
  // that has put files of it can no longer commit it.
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
    // The logs before what leads to them: killed in between it is begun again.
    for (const Table& table : Tables()) {
      const std::string log = table.name + "/_delta_log";
      if (folder_.Exists(log)) TRY(folder_.Remove(log));
    }
    for (const char* name : {"manifest.json", "manifests", "tmp"}) {
      if (folder_.Exists(name)) TRY(folder_.Remove(name));
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
        const std::string entry = DeltaEntryPath(name, table.delta_version);
        if (hint_ != newest_ && there_.contains(entry)) TRY(FetchWhole(entry));
      }
    }
    TRY(folder_.MakeFolder("manifests"));
    for (const auto& [number, text] : manifests) TRY(folder_.WriteNew(ManifestPath(number), text));
    return hint_ == newest_ && hint_ > 0 ? folder_.Replace(std::string(kHint), FormatHint(hint_)) : Result<void>();
  }

  Result<void> FetchWhole(const std::string& path) {
    TRY_ASSIGN(const Object object, bucket_.Get(KeyOf(path)));
    TRY(folder_.MakeFolder(path.substr(0, path.rfind('/'))));
    return folder_.WriteNew(path, object.bytes);
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
    TRY(folder_.MakeFolder(file.path.substr(0, file.path.find('/'))));
    return folder_.MoveIn(temporary, file.path);
  }

  // Those of generations that the bucket has are there, unless somebody took them away or cut them.
  Result<void> CarryFiles(const Manifest& manifest) {
    for (const auto& [name, table] : manifest.tables) {
      for (const DataFile& file : table.files) {
        const auto found = there_.find(file.path);
        const bool is_new = GenerationOf(file.path).value_or(0) > newest_;
        if (!is_new && found != there_.end() && std::int64_t(found->second.bytes) == file.bytes) continue;
        if (!folder_.Exists(file.path)) continue;  // the publish says so
        TRY(is_new ? PutNew(file.path) : PutCurrent(file.path));
      }
    }
    return {};
  }

  Result<void> CarryLogs(const Manifest& manifest) {
    const auto parent = ReadManifest(folder_.files(), manifest.parent);
    for (const auto& [name, table] : manifest.tables) {
      const bool known = parent && parent->tables.contains(name);
      if (known && parent->tables.find(name)->second.delta_version == table.delta_version) continue;
      // Built behind a generation whose manifest is damaged: what the log has of that one is void.
      if (!parent && manifest.parent > 0) TRY(CutLog(name, table.delta_version + 1));
      if (table.delta_version >= 0) TRY(CarryLog(name, table.delta_version, manifest.generation));
    }
    return {};
  }

  Result<void> CarryLog(const std::string& table, std::int64_t version, std::int64_t generation) {
    TRY(PutEntry(DeltaEntryPath(table, version), generation));
    // Behind the entry that it stands for. Another program may have made the same with other bytes.
    const std::string checkpoint = DeltaCheckpointPath(table, version);
    if (!folder_.Exists(checkpoint)) return {};
    const auto put = PutNew(checkpoint);
    if (!put && put.error().code != ErrorCode::kExists) return put;
    return PutCurrent(fmt::format("{}/_delta_log/_last_checkpoint", table));
  }

  Result<void> PutEntry(const std::string& entry, std::int64_t generation) {
    if (!folder_.Exists(entry)) return {};  // the bucket had it
    const auto put = PutNew(entry);
    if (put || put.error().code != ErrorCode::kExists) return put;
    TRY_ASSIGN(const Object there, bucket_.Get(KeyOf(entry)));
    const std::string_view txn = R"("txn":{"appId":"tmdb-collector","version":)";
    const auto at = there.bytes.find(txn);
    const std::int64_t of = at == std::string::npos ? 0 : std::atoll(there.bytes.c_str() + at + txn.size());
    // Another program may have finished the generation, in its own words.
    if (of == generation) return {};
    if (of > generation) return put;
    // Of a generation that is void.
    there_[entry] = {KeyOf(entry), there.bytes.size(), there.etag};
    return PutCurrent(entry);
  }

  // What the log of the table has from that version on.
  Result<void> CutLog(const std::string& table, std::int64_t version) {
    const std::string log = table + "/_delta_log/";
    std::vector<std::string> keys;
    for (auto at = there_.lower_bound(log + fmt::format("{:020}", version)); at != there_.end(); ++at) {
      if (!at->first.starts_with(log + "0")) break;
      keys.push_back(at->second.key);
    }
    return Delete(keys);
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
    auto carried = carrier.Carry();
    if (carried) {
      auto report = Publish(ports, options, folder);
      if (!report) return report;
      carried = carrier.Carry();
      if (carried) return report;
    }
    if (carried.error().code != ErrorCode::kExists) return std::unexpected(carried.error());
    TRY(carrier.Fence(ports.clock.Now()));
  }
  return Fail(ErrorCode::kBusy, "another process publishes tables in the bucket all the time");
}

}  // namespace tmdbc::tables
