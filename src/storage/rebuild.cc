// SPDX-License-Identifier: MIT
#include "storage/rebuild.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "storage/index_cache.h"
#include "storage/kept_aside.h"
#include "storage/popularity_table.h"
#include "storage/record_index.h"
#include "storage/replay.h"
#include "storage/segment_path.h"
#include "storage/sequence_state.h"

namespace tmdbc {
namespace {

// Replays the segments of one type, in the order of their numbers.
class TypeRebuilder {
 public:
  TypeRebuilder(FileSystem& files, RecordIndex& index, MediaType type, VerifyReport& report,
                std::vector<Replay::Tail>& tails, std::vector<std::string>& left_over, std::uint32_t sealed_up_to)
      : files_(files),
        index_(index),
        type_(type),
        sealed_up_to_(sealed_up_to),
        report_(report),
        tails_(tails),
        left_over_(left_over),
        replay_(files, index, type, report) {}

  Result<void> Run(const std::function<Result<void>()>& before_segment) {
    TRY(FindFiles());
    // In the order in which things happened, which is that of the numbers but for compacted segments.
    std::ranges::stable_sort(files_found_, {}, &FoundSegment::place);
    for (const FoundSegment& found : files_found_) {
      if (before_segment) TRY(before_segment());
      TRY(replay_.Take(found));
    }
    tails_.insert(tails_.end(), replay_.tails().begin(), replay_.tails().end());
    if (sealed_up_to_ > last_number_) TRY(index_.PutLostUpTo(type_, sealed_up_to_));
    NoteGaps(type_, numbers_, std::max(last_number_, sealed_up_to_), report_);
    return replay_.Finish();
  }

 private:
  void Note(std::string file, std::string what) { report_.damage.push_back({std::move(file), 0, std::move(what), {}}); }

  Result<void> FindFiles() {
    TRY_ASSIGN(const auto paths, files_.List(fmt::format("{}/{}", kRecordsFolder, Name(type_))));
    std::map<std::uint32_t, FoundSegment> found;
    for (const std::string& path : paths) {
      const auto name = ParseSegmentPath(path);
      if (!name) continue;
      const auto [known, added] =
          found.emplace(name->number, FoundSegment{.number = name->number, .path = path, .open = name->open});
      if (added) continue;
      Note("", fmt::format("{} and {} have the same number; the sealed one counts", known->second.path, path));
      known->second.path = SealedPath(type_, name->number);
      known->second.open = false;
    }
    if (!found.empty()) last_number_ = found.rbegin()->first;
    std::set<std::uint32_t> covered;
    for (auto& [number, one] : found) {
      if (one.open && number != last_number_) {  // only a lost seal can leave one behind
        TRY(files_.Rename(one.path, SealedPath(type_, number)));
        one.path = SealedPath(type_, number);
        one.open = false;
        TRY(files_.SyncFolder(FolderOfPath(one.path)));
      }
      if (one.open) continue;
      TRY(FindOrigin(files_, one));
      numbers_.insert(number);
      if (!one.origin) continue;
      for (const auto& part : one.origin->parts) covered.insert(part.number);
      covered.insert(one.origin->retired.begin(), one.origin->retired.end());
    }
    numbers_.insert(last_number_);
    numbers_.insert(covered.begin(), covered.end());
    for (const auto& [number, one] : found) {
      // What a compaction has copied but not removed: its copy counts.
      if (covered.contains(number)) {
        left_over_.push_back(one.path);
      } else {
        files_found_.push_back(one);
      }
    }
    return {};
  }

  FileSystem& files_;
  RecordIndex& index_;
  const MediaType type_;
  const std::uint32_t sealed_up_to_;
  VerifyReport& report_;
  std::vector<Replay::Tail>& tails_;
  std::vector<std::string>& left_over_;
  std::vector<FoundSegment> files_found_;
  std::uint32_t last_number_ = 0;
  std::set<std::uint32_t> numbers_;  // that a file has, or stands for
  Replay replay_;
};

// What an opening kept aside goes back where it was, if nothing has taken its place.
Result<void> PutBackAll(FileSystem& files, VerifyReport& report) {
  TRY_ASSIGN(const auto paths, files.List(std::string(kRecordsFolder)));
  for (const std::string& path : paths) {
    const auto name = ParseAsidePath(path);
    if (!name) continue;
    TRY_ASSIGN(const bool back, PutBack(files, path, *name));
    report.notes.push_back(back ? fmt::format("{}: its bytes are back in their segment", path)
                                : fmt::format("{} cannot be put back: other records have been written in its "
                                              "place since; `zstd -dc` reads it",
                                              path));
  }
  return {};
}

// The schemas that the index and the segments say they have.
Result<void> CheckSchema(FileSystem& files, RecordIndex& index, const RebuildOptions& options) {
  TRY_ASSIGN(std::int64_t least, index.Schema());
  std::int64_t most = least;
  if (least == 0) least = kRecordSchema;
  for (const MediaType type : kRecordTypes) {
    const auto json = files.Read(StatePath(type), 0, 4096);
    const int schema = json ? SchemaOf(*json) : 0;
    if (schema == 0) continue;
    least = std::min<std::int64_t>(least, schema);
    most = std::max<std::int64_t>(most, schema);
  }
  if (most > kRecordSchema) {
    return Fail(ErrorCode::kInvalid, Hint::kNewStore, "the records have schema {}, this program writes {}", most,
                kRecordSchema);
  }
  if (least < kRecordSchema && !options.upgrade) {
    return Fail(ErrorCode::kInvalid, Hint::kOldStore, "the records have schema {}, this program writes {}", least,
                kRecordSchema);
  }
  return {};
}

// The number of the last segment that was sealed, by the index.
Result<std::uint32_t> LastSealedNumber(RecordIndex& index, MediaType type) {
  TRY_ASSIGN(const std::uint32_t lost, index.LostUpTo(type));
  TRY_ASSIGN(const auto last, index.LastSegment(type));
  if (!last) return lost;
  return std::max(lost, last->sealed_at ? last->number : last->number - 1);
}

// The same by all of the store that remembers it: the index that is about to go, and state.json. What of them cannot be
// read says nothing.
Result<std::uint32_t> SealedUpTo(FileSystem& files, RecordIndex& index, MediaType type) {
  const auto number = LastSealedNumber(index, type);
  if (!number && MayPass(number.error())) return number;
  const auto json = files.Read(StatePath(type), 0, 4096);
  const auto state = json ? ParseState(*json) : std::unexpected(json.error());
  return std::max(number.value_or(0), state ? state->sequence : 0);
}

}  // namespace

bool IsSound(Database& catalog) {
  auto query = catalog.Prepare("PRAGMA quick_check(1)");
  if (!query) return false;
  const auto row = query->Step();
  return row && *row && query->Text(0) == "ok";
}

Result<std::optional<std::vector<DamagedPage>>> MendCatalog(Database& catalog) {
  auto mended = catalog.MendPages();
  if (!mended && MayPass(mended.error())) return std::unexpected(mended.error());
  if (!mended || !IsSound(catalog)) return std::nullopt;
  return std::optional(*std::move(mended));
}

Result<VerifyReport> Rebuild(FileSystem& files, Database& catalog, const RebuildOptions& options) {
  RecordIndex index(catalog);
  TRY(CheckSchema(files, index, options));
  TRY(PopularityTable(catalog).Create());
  TRY(GrowIndexCache(catalog));
  VerifyReport report;
  std::vector<Replay::Tail> tails;
  std::vector<std::string> left_over;
  if (auto back = PutBackAll(files, report); !back) return Within("rebuild the index", back.error());
  auto done = catalog.Transact([&]() -> Result<void> {
    std::map<MediaType, std::uint32_t> sealed_up_to = options.sealed_up_to;
    for (const MediaType type : kRecordTypes) {
      TRY_ASSIGN(const std::uint32_t number, SealedUpTo(files, index, type));
      sealed_up_to[type] = std::max(sealed_up_to[type], number);
    }
    TRY(index.Restart());
    for (const MediaType type : kRecordTypes) {
      TRY(TypeRebuilder(files, index, type, report, tails, left_over, sealed_up_to[type]).Run(options.before_segment));
    }
    return index.Finish();
  });
  if (!done) return Within("rebuild the index", done.error());
  for (const Replay::Tail& tail : tails) {
    TRY_ASSIGN(const auto file, files.OpenAppend(tail.path));
    TRY(file->Truncate(tail.size));
    TRY(file->Sync());
  }
  // While anything is damaged the copies stay: one of them may be what is whole.
  for (const std::string& path : left_over) {
    if (report.damage.empty()) {
      TRY(files.Remove(path));
      TRY(files.SyncFolder(FolderOfPath(path)));
    } else {
      report.notes.push_back(fmt::format("{} is left over from a compaction", path));
    }
  }
  for (const MediaType type : kRecordTypes) TRY(BringStateUpToDate(files, index, type));
  return report;
}

}  // namespace tmdbc
