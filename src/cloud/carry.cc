// SPDX-License-Identifier: MIT
#include "cloud/carry.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cloud/bucket_home.h"
#include "cloud/bucket_view.h"
#include "cloud/fetch_object.h"
#include "cloud/head_state.h"
#include "cloud/owned_catalog.h"
#include "queue/sqlite_queue_view.h"
#include "storage/bucket_files.h"
#include "storage/catalog_id.h"
#include "storage/record_index.h"
#include "storage/record_writer.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/sequence_state.h"

namespace tmdbc {
namespace {

constexpr const char* kPulled = "catalog.db.pulled";
const std::string kTop[] = {"progress.json", "source.json"};

// What others may have in a bucket with a mirror that nothing is stored in.
bool IsOfABareMirror(std::string_view key) {
  return key.starts_with("state/") || key.starts_with("inbox/") || key.starts_with("probe/") ||
         key == kStatusKey;
}

std::string MarkText(std::string_view mark) {
  return fmt::format("{{\"schema\":1,\"mark\":\"{}\"}}\n", mark);
}

class Carrier {
 public:
  explicit Carrier(const CarryOptions& options, std::int64_t of_files)
      : options_(options), of_files_(of_files) {}

  Result<void> Begin() {
    if (options_.stopping && options_.stopping())
      return Fail(ErrorCode::kUnavailable, "stopped; the same command goes on");
    return {};
  }
  void Carried(std::uint64_t bytes) {
    ++report_.files;
    report_.bytes += std::int64_t(bytes);
    ShowProgress();
  }
  void There() {
    ++report_.there;
    ShowProgress();
  }
  const CarryReport& report() const { return report_; }

 private:
  void ShowProgress() {
    if (options_.progress) options_.progress(report_, of_files_);
  }

  const CarryOptions& options_;
  const std::int64_t of_files_;
  CarryReport report_;
};

// The sealed segments that a catalog knows.
Result<std::vector<SegmentRow>> KnownSegments(RecordIndex& index) {
  std::vector<SegmentRow> known;
  TRY_ASSIGN(const std::int64_t schema, index.Schema());
  if (schema == 0) return known;
  for (const MediaType type : kRecordTypes) {
    TRY_ASSIGN(const auto rows, index.Segments(type));
    for (const SegmentRow& row : rows) {
      if (!row.sealed_at)
        return Fail(ErrorCode::kCorrupt, "the catalog says that {} is still written to",
                    SealedPath(type, row.number));
      known.push_back(row);
    }
  }
  return known;
}

// --- push ---

class Push {
 public:
  Push(FileSystem& from, Database& catalog, ObjectStore& to, const CarryOptions& options)
      : from_(from), catalog_(catalog), to_(to), options_(options) {}

  Result<CarryReport> Run(const Clock& clock, const std::string& new_mark) {
    TRY_ASSIGN(const std::string mark, TakeMark(new_mark));
    TRY_ASSIGN(const auto objects, to_.ListObjects("", ""));
    for (const ObjectInfo& object : objects) there_[object.key] = object.bytes;
    TRY(Claim(mark, clock));
    if (finished_) {
      Unmark();
      return CarryReport();
    }
    {
      TRY_ASSIGN(const auto writer, RecordWriter::Open(from_, catalog_, clock, {}));
      TRY(writer->Seal());
    }
    TRY(CheckpointCatalog(catalog_));
    RecordIndex index(catalog_);
    TRY_ASSIGN(const auto segments, KnownSegments(index));
    TRY(Find(segments));
    Carrier carrier(options_, std::int64_t(files_.size() + last_.size()) + 1);
    for (const auto& paths : {files_, last_}) {
      for (const std::string& path : paths) TRY(Put(path, carrier));
    }
    TRY(DropLeftOvers());
    TRY(carrier.Begin());
    TRY(Publish(clock, segments, carrier));
    Unmark();
    return carrier.report();
  }

 private:
  // That of this store, for ever: an earlier push may have used it.
  Result<std::string> TakeMark(const std::string& new_mark) {
    std::string mark;
    const auto done = catalog_.Transact([&]() -> Result<void> {
      TRY(catalog_.Execute("CREATE TABLE IF NOT EXISTS push_mark(mark TEXT)"));
      TRY_ASSIGN(
          Statement put,
          catalog_.Prepare("INSERT INTO push_mark SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM push_mark)"));
      TRY(put.Bind(new_mark).Run());
      TRY_ASSIGN(Statement get, catalog_.Prepare("SELECT mark FROM push_mark"));
      TRY_ASSIGN(const bool row, get.Step());
      if (row) mark = get.Text(0);
      return {};
    });
    if (!done) return Within("push", done.error());
    return mark;
  }

  // The bucket is ours to fill from here on.
  Result<void> Claim(const std::string& mark, const Clock& clock) {
    const std::string push_key(kPushKey);
    if (there_.contains(std::string(kHeadKey))) {
      TRY_ASSIGN(const Object head, to_.Get(std::string(kHeadKey)));
      TRY_ASSIGN(head_, ParseHeadState(head.bytes));
      head_is_ = PutCondition::Matches(head.etag);
    }
    if (there_.contains(push_key)) {
      TRY_ASSIGN(const Object marked, to_.Get(push_key));
      if (marked.bytes != MarkText(mark))
        return Fail(ErrorCode::kExists,
                    "another store is being pushed there ({} says so): nothing was changed", kPushKey);
      // It died behind its last step but one. If an owner has been at work since, this store is not that mirror any
      // more.
      finished_ = IsJustPushed();
      if (!head_.catalog.key.empty() && !finished_)
        return Fail(ErrorCode::kExists,
                    "there is a mirror in the bucket that goes on by itself: nothing was changed");
    } else {
      const auto foreign =
          std::ranges::find_if(there_, [](const auto& one) { return !IsOfABareMirror(one.first); });
      if (foreign != there_.end()) {
        return Fail(ErrorCode::kExists,
                    "the bucket is not empty (it holds {}): nothing was changed. Name an empty one",
                    foreign->first);
      }
      if (IsHeld(head_, clock.Now()))
        return Fail(ErrorCode::kExists, "somebody has the mirror in the bucket until {}: nothing was changed",
                    FormatTime(head_.until));
      TRY(to_.Put(push_key, MarkText(mark), PutCondition::Absent()));
    }
    return {};
  }
  // The head is one that a push has written, and nobody took since.
  bool IsJustPushed() const {
    return head_.catalog.key == CatalogKey(head_.epoch) && !head_.holder && head_.previous.empty() &&
           head_.sent == head_.epoch;
  }

  Result<void> Find(const std::vector<SegmentRow>& segments) {
    std::set<MediaType> types;
    for (const SegmentRow& row : segments) {
      files_.push_back(SealedPath(row.type, row.number));
      types.insert(row.type);
    }
    TRY_ASSIGN(const auto exports, from_.List("exports"));
    std::ranges::copy_if(exports, std::back_inserter(files_),
                         [](const auto& path) { return !IsScratchPath(path); });
    for (const std::string& path : kTop) {
      TRY_ASSIGN(const bool there, from_.Exists(path));
      if (there) files_.push_back(path);
    }
    for (const MediaType type : types) last_.push_back(StatePath(type));
    return {};
  }

  Result<void> Put(const std::string& path, Carrier& carrier) {
    TRY(carrier.Begin());
    TRY_ASSIGN(const std::uint64_t size, from_.Size(path));
    const auto name = ParseSegmentPath(path);
    const auto there = there_.find(path);
    // A segment never changes; anything else may have since.
    if (name && there != there_.end() && there->second == size) {
      carrier.There();
      return {};
    }
    TRY(to_.PutFile(path, from_, path, name ? PutCondition::Absent() : PutCondition::None()));
    carrier.Carried(size);
    return {};
  }

  // Of an earlier try: what this store has replaced since.
  Result<void> DropLeftOvers() {
    const std::set<std::string> wanted = [&] {
      std::set<std::string> paths(files_.begin(), files_.end());
      paths.insert(last_.begin(), last_.end());
      return paths;
    }();
    std::vector<std::string> left;
    for (const auto& [key, bytes] : there_) {
      if ((key.starts_with("records/") || key.starts_with("exports/")) && !wanted.contains(key))
        left.push_back(key);
    }
    return left.empty() ? Result<void>() : to_.Delete(left);
  }

  Result<void> Publish(const Clock& clock, const std::vector<SegmentRow>& segments, Carrier& carrier) {
    HeadState next;
    next.epoch = head_.epoch + 1;
    next.sent = next.epoch;  // nothing is to be sent again
    next.until = clock.Now();
    next.catalog.key = CatalogKey(next.epoch);
    TRY_ASSIGN(next.catalog.bytes, from_.Size("catalog.db"));
    TRY_ASSIGN(next.catalog.crc32, CrcOf(from_, "catalog.db", next.catalog.bytes));
    for (const SegmentRow& row : segments) {
      std::int64_t& last = next.sequences[row.type];
      last = std::max<std::int64_t>(last, row.number);
    }
    SqliteQueueView queue(catalog_, clock);
    TRY_ASSIGN(const auto counts, queue.Counts());
    for (const auto& [type, count] : counts) next.waiting += count.waiting + count.delayed + count.in_flight;
    // Before the head names it nobody reads it; a try that was cut off may have left another one.
    TRY(to_.PutFile(next.catalog.key, from_, "catalog.db", PutCondition::None()));
    TRY(to_.Put(std::string(kHeadKey), FormatHeadState(next), head_is_));
    carrier.Carried(next.catalog.bytes);
    return {};
  }

  // All is done by then: a mark that stays is of no harm.
  void Unmark() {
    const std::string key(kPushKey);
    (void)to_.Delete(std::span(&key, 1));
  }

  FileSystem& from_;
  Database& catalog_;
  ObjectStore& to_;
  const CarryOptions& options_;
  std::map<std::string, std::uint64_t> there_;
  HeadState head_;
  PutCondition head_is_ = PutCondition::Absent();
  bool finished_ = false;
  std::vector<std::string> files_, last_;
};

// --- pull ---

class Pull {
 public:
  Pull(ObjectStore& from, FileSystem& to, std::string folder, const CarryOptions& options)
      : from_(from), to_(to), folder_(std::move(folder)), options_(options) {}

  Result<CarryReport> Run() {
    TRY_ASSIGN(const bool taken, to_.Exists("catalog.db"));
    if (taken) return Fail(ErrorCode::kExists, "there is a store in {} already: pull into an empty folder", folder_);
    TRY_ASSIGN(const HeadState head, BucketView::ReadHead(from_));
    TRY(BucketView::RequireCatalog(head));
    TRY(FetchObject(from_, head.catalog.key, to_, kPulled, head.catalog.bytes, head.catalog.crc32));
    TRY(PullFiles(head.catalog.bytes));
    // From here on it is a store.
    TRY(to_.Rename(kPulled, "catalog.db"));
    TRY(to_.SyncFolder("."));
    return report_;
  }

 private:
  Result<void> PullFiles(std::uint64_t catalog_bytes) {
    TRY_ASSIGN(Database catalog, Database::Open(folder_ + "/" + kPulled, Database::Mode::kReadWrite));
    TRY(ForgetBucket(catalog));
    TRY(MarkCatalog(catalog));
    RecordIndex index(catalog);
    TRY_ASSIGN(const auto segments, KnownSegments(index));
    TRY_ASSIGN(const auto exports, from_.ListObjects("exports/", ""));
    Carrier carrier(options_, std::int64_t(segments.size() + exports.size()) + 1);
    std::set<std::string> wanted;
    for (const SegmentRow& row : segments) {
      const std::string path = SealedPath(row.type, row.number);
      wanted.insert(path);
      TRY(carrier.Begin());
      TRY_ASSIGN(const bool there, IsThere(path, row.bytes, row.crc));
      if (there) {
        carrier.There();
        continue;
      }
      TRY(FetchObject(from_, path, to_, path, row.bytes, row.crc));
      carrier.Carried(row.bytes);
    }
    for (const ObjectInfo& object : exports) {
      TRY(carrier.Begin());
      TRY(FetchObject(from_, object.key, to_, object.key, object.bytes, std::nullopt));
      carrier.Carried(object.bytes);
    }
    for (const std::string& path : kTop) {
      const auto object = from_.Get(path);
      if (!object && object.error().code == ErrorCode::kNotFound) continue;
      TRY(object);
      TRY(WriteWhole(to_, path, object->bytes));
    }
    TRY(DropUnknown(wanted));
    for (const MediaType type : kRecordTypes) TRY(BringStateUpToDate(to_, index, type));
    carrier.Carried(catalog_bytes);
    report_ = carrier.report();
    return {};
  }

  Result<bool> IsThere(const std::string& path, std::uint64_t bytes, std::uint32_t crc) {
    TRY_ASSIGN(const bool exists, to_.Exists(path));
    if (!exists) return false;
    TRY_ASSIGN(const std::uint64_t size, to_.Size(path));
    if (size != bytes) return false;
    TRY_ASSIGN(const std::uint32_t found, CrcOf(to_, path, bytes));
    return found == crc;
  }

  // Of an earlier try: what the mirror has replaced since.
  Result<void> DropUnknown(const std::set<std::string>& wanted) {
    TRY_ASSIGN(const auto paths, to_.List(std::string(kRecordsFolder)));
    for (const std::string& path : paths) {
      if (ParseSegmentPath(path) && !wanted.contains(path)) TRY(to_.Remove(path));
    }
    return {};
  }

  ObjectStore& from_;
  FileSystem& to_;
  const std::string folder_;
  const CarryOptions& options_;
  CarryReport report_;
};

}  // namespace

Result<CarryReport> PushStore(FileSystem& from, Database& catalog, const Clock& clock, ObjectStore& to,
                              const std::string& mark, const CarryOptions& options) {
  return Push(from, catalog, to, options).Run(clock, mark);
}

Result<CarryReport> PullStore(ObjectStore& from, FileSystem& to, const std::string& folder,
                              const CarryOptions& options) {
  return Pull(from, to, folder, options).Run();
}

}  // namespace tmdbc
