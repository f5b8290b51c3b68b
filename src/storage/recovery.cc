// SPDX-License-Identifier: MIT
#include "storage/recovery.h"

#include <algorithm>
#include <map>
#include <span>
#include <vector>

#include "storage/kept_aside.h"
#include "storage/popularity_table.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/sequence_state.h"

namespace tmdbc {
namespace {

std::unexpected<Error> Unknown(const std::string& path) {
  return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "catalog.db does not know {}", path);
}

bool Covered(std::span<const SegmentRow> segments, std::uint32_t number) {
  return std::ranges::any_of(segments, [&](const SegmentRow& row) {
    return row.number == number || (row.origin && row.origin->Covers(number));
  });
}

class Recovery {
 public:
  Recovery(FileSystem& files, Database& catalog, RecordIndex& index, const Clock& clock)
      : files_(files), catalog_(catalog), index_(index), clock_(clock) {}

  Result<void> Run();
  std::set<std::string> TakeAsides() { return std::move(asides_); }

 private:
  Result<void> RecoverType(MediaType type, std::span<const SegmentName> found);
  Result<void> CheckSealed(const SegmentRow& row, bool present);
  Result<void> RemoveLeftOver(MediaType type, std::uint32_t number, std::span<const SegmentRow> segments);
  Result<void> RecoverOpen(SegmentRow row, bool open_file, bool sealed_file);
  // Keeps bytes of an open segment that are about to be cut off, when there is anything new in them.
  Result<void> SaveTail(MediaType type, std::uint32_t number, std::uint64_t from, std::uint64_t to);

  FileSystem& files_;
  Database& catalog_;
  RecordIndex& index_;
  const Clock& clock_;
  std::set<std::string> asides_;
};

Result<void> Recovery::Run() {
  TRY_ASSIGN(const auto paths, files_.List(std::string(kRecordsFolder)));
  std::map<MediaType, std::vector<SegmentName>> found;
  for (const std::string& path : paths) {
    if (path.ends_with(".tmp")) TRY(files_.Remove(path));
    if (const auto name = ParseSegmentPath(path)) found[name->type].push_back(*name);
    if (ParseAsidePath(path)) asides_.insert(path);
  }
  TRY(catalog_.Transact([&]() -> Result<void> {
    TRY_ASSIGN(const bool index_is_new, index_.Create());
    // Within the transaction: a refusal leaves no empty tables that the next start would believe.
    if (index_is_new && !found.empty()) {
      return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "there are records, but catalog.db knows none of them");
    }
    return PopularityTable(catalog_).Create();
  }));
  for (const MediaType type : kRecordTypes) TRY(RecoverType(type, found[type]));
  return DropKnown(files_, index_, asides_);
}

Result<void> Recovery::RecoverType(MediaType type, std::span<const SegmentName> found) {
  TRY_ASSIGN(const auto segments, index_.Segments(type));
  const std::uint32_t last = segments.empty() ? 0 : segments.back().number;
  TRY_ASSIGN(const std::uint32_t next, index_.NextNumber(type));
  const SegmentRow* const open = last != 0 && !segments.back().sealed_at ? &segments.back() : nullptr;
  std::set<std::uint32_t> sealed;
  bool open_file = false, stray = false;
  for (const SegmentName& name : found) {
    if (!name.open) {
      sealed.insert(name.number);
    } else if (open && name.number == last) {
      open_file = true;
    } else if (!open && name.number == next) {
      stray = true;
    } else {
      return Unknown(OpenPath(type, name.number));
    }
  }
  // Before anything is removed: the index is worth nothing without what it points to.
  for (const SegmentRow& row : segments) {
    if (&row != open) TRY(CheckSealed(row, sealed.contains(row.number)));
  }
  for (const std::uint32_t number : sealed) {
    if (!std::ranges::binary_search(segments, number, {}, &SegmentRow::number))
      TRY(RemoveLeftOver(type, number, segments));
  }
  if (stray) {
    const std::string path = OpenPath(type, next);
    TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
    TRY(SaveTail(type, next, 0, size));
    TRY(files_.Remove(path));
  }
  if (open) TRY(RecoverOpen(*open, open_file, sealed.contains(last)));
  return BringStateUpToDate(files_, index_, type);
}

Result<void> Recovery::CheckSealed(const SegmentRow& row, bool present) {
  const std::string path = SealedPath(row.type, row.number);
  if (!present) return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{} is missing", path);
  TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
  if (size == row.bytes) return {};
  return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{} has {} bytes, the index says {}", path, size, row.bytes);
}

// A sealed segment that the index does not know is one of two things that a compaction leaves when it is cut
// off: before its transaction the new file, after it the old ones.
Result<void> Recovery::RemoveLeftOver(MediaType type, std::uint32_t number,
                                         std::span<const SegmentRow> segments) {
  const std::string path = SealedPath(type, number);
  bool left_over = Covered(segments, number);
  if (!left_over && !segments.empty() && number > segments.back().number) {
    const auto origin = ReadOrigin(files_, path);
    if (!origin && !IsDamage(origin.error())) return std::unexpected(origin.error());
    left_over = origin && *origin && std::ranges::all_of((*origin)->parts, [&](const auto& part) {
                  return Covered(segments, part.number);
                });
  }
  if (!left_over) return Unknown(path);
  TRY(files_.Remove(path));
  return files_.SyncFolder(FolderOfPath(path));
}

Result<void> Recovery::RecoverOpen(SegmentRow row, bool open_file, bool sealed_file) {
  const std::string path = open_file ? OpenPath(row.type, row.number) : SealedPath(row.type, row.number);
  if (open_file == sealed_file) {
    return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{} {}", path,
                open_file ? "exists under both of its names" : "is missing");
  }
  TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
  if (size < row.bytes || (sealed_file && size != row.bytes)) {
    return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{} has {} bytes, the index says {}", path, size, row.bytes);
  }
  if (size > row.bytes) {
    TRY(SaveTail(row.type, row.number, row.bytes, size));
    TRY_ASSIGN(const auto file, files_.OpenAppend(path));
    TRY(file->Truncate(row.bytes));
    TRY(file->Sync());
  }
  if (sealed_file) {  // renamed, but the index was not told
    TRY(files_.SyncFolder(FolderOfPath(path)));
    row.sealed_at = ToMillis(clock_.Now());
    TRY(catalog_.Transact([&] { return index_.PutSegment(row); }));
  }
  return {};
}

Result<void> Recovery::SaveTail(MediaType type, std::uint32_t number, std::uint64_t from,
                                   std::uint64_t to) {
  TRY_ASSIGN(const bool news, HoldsNews(files_, index_, OpenPath(type, number), from, to));
  if (!news) return {};
  TRY_ASSIGN(const std::string path, KeepAside(files_, type, number, from, to));
  asides_.insert(path);
  return {};
}

}  // namespace

Result<std::set<std::string>> RecoverStore(FileSystem& files, Database& catalog, RecordIndex& index,
                                           const Clock& clock) {
  Recovery recovery(files, catalog, index, clock);
  TRY(recovery.Run());
  return recovery.TakeAsides();
}

}  // namespace tmdbc
