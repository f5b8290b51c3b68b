// SPDX-License-Identifier: MIT
// RecordStore's opening for writing: what a crash left is finished or undone, and a catalog.db that does not
// belong to the segments is refused. docs/storage-format.md, "What a crash leaves".
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/compression.h"
#include "storage/kept_aside.h"
#include "storage/popularity_table.h"
#include "storage/record_index.h"
#include "storage/record_store.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/segment_writer.h"
#include "storage/sequence_state.h"

namespace tmdbc {
namespace {

Time ToMillis(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time);
}

std::unexpected<Error> Unknown(const std::string& path) {
  return Fail(ErrorCode::kCorrupt, "catalog.db does not know {}: run verify --rebuild", path);
}

bool Covered(std::span<const SegmentRow> segments, std::uint32_t number) {
  return std::ranges::any_of(segments, [&](const SegmentRow& row) {
    return row.number == number || (row.origin && row.origin->Covers(number));
  });
}

}  // namespace

Result<void> RecordStore::Recover() {
  TRY_ASSIGN(const auto paths, files_.List(std::string(kRecordsFolder)));
  std::map<MediaType, std::vector<SegmentName>> found;
  for (const std::string& path : paths) {
    if (path.ends_with(".tmp")) TRY(files_.Remove(path));
    if (const auto name = ParseSegmentPath(path)) found[name->type].push_back(*name);
    if (ParseAsidePath(path)) asides_.insert(path);
  }
  TRY(catalog_.Transact([&]() -> Result<void> {
    TRY_ASSIGN(const bool index_is_new, index_->Create());
    // Within the transaction: a refusal leaves no empty tables that the next start would believe.
    if (index_is_new && !found.empty()) {
      return Fail(ErrorCode::kCorrupt,
                  "there are records, but catalog.db knows none of them: run verify --rebuild");
    }
    return popularity_->Create();
  }));
  for (const MediaType type : kRecordTypes) TRY(RecoverType(type, found[type]));
  TRY(DropKnownAsides());
  for (const std::string& path : asides_) {
    notices_.push_back(fmt::format(
        "{} keeps bytes that catalog.db does not know: if catalog.db was restored from a copy, stop and run "
        "verify --rebuild; after a crash they are fetched again and the file goes by itself",
        path));
  }
  return {};
}

Result<void> RecordStore::RecoverType(MediaType type, std::span<const SegmentName> found) {
  TRY_ASSIGN(const auto segments, index_->Segments(type));
  const std::uint32_t last = segments.empty() ? 0 : segments.back().number;
  const SegmentRow* const open = last != 0 && !segments.back().sealed_at ? &segments.back() : nullptr;
  std::set<std::uint32_t> sealed;
  bool open_file = false, stray = false;
  for (const SegmentName& name : found) {
    if (!name.open) {
      sealed.insert(name.number);
    } else if (open && name.number == last) {
      open_file = true;
    } else if (!open && name.number == last + 1) {
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
    const std::string path = OpenPath(type, last + 1);
    TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
    TRY(SaveTail(type, last + 1, 0, size));
    TRY(files_.Remove(path));
  }
  if (open) TRY(RecoverOpen(*open, open_file, sealed.contains(last)));
  return WriteState(type);
}

Result<void> RecordStore::CheckSealed(const SegmentRow& row, bool present) {
  const std::string path = SealedPath(row.type, row.number);
  if (!present) return Fail(ErrorCode::kCorrupt, "{} is missing: run verify --rebuild", path);
  TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
  if (size == row.bytes) return {};
  return Fail(ErrorCode::kCorrupt, "{} has {} bytes, the index says {}: run verify --rebuild", path, size,
              row.bytes);
}

// A sealed segment that the index does not know is one of two things that a compaction leaves when it is cut
// off: before its transaction the new file, after it the old ones.
Result<void> RecordStore::RemoveLeftOver(MediaType type, std::uint32_t number,
                                         std::span<const SegmentRow> segments) {
  const std::string path = SealedPath(type, number);
  bool left_over = Covered(segments, number);
  if (!left_over && !segments.empty() && number > segments.back().number) {
    const auto origin = ReadOrigin(files_, path);
    if (!origin && origin.error().code != ErrorCode::kCorrupt) return std::unexpected(origin.error());
    left_over = origin && *origin && std::ranges::all_of((*origin)->parts, [&](const auto& part) {
                  return Covered(segments, part.number);
                });
  }
  if (!left_over) return Unknown(path);
  TRY(files_.Remove(path));
  return files_.SyncFolder(FolderOfPath(path));
}

Result<void> RecordStore::RecoverOpen(SegmentRow row, bool open_file, bool sealed_file) {
  const std::string path = open_file ? OpenPath(row.type, row.number) : SealedPath(row.type, row.number);
  if (open_file == sealed_file) {
    return Fail(ErrorCode::kCorrupt, "{} {}: run verify --rebuild", path,
                open_file ? "exists under both of its names" : "is missing");
  }
  TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
  if (size < row.bytes || (sealed_file && size != row.bytes)) {
    return Fail(ErrorCode::kCorrupt, "{} has {} bytes, the index says {}: run verify --rebuild", path, size,
                row.bytes);
  }
  if (size > row.bytes) {
    TRY(SaveTail(row.type, row.number, row.bytes, size));
    TRY_ASSIGN(const auto file, files_.OpenAppend(path));
    TRY(file->Truncate(row.bytes));
    TRY(file->Sync());
  }
  if (sealed_file) {  // renamed, but the index was not told
    TRY(files_.SyncFolder(FolderOfPath(path)));
    row.sealed_at = ToMillis(clock_->Now());
    TRY(catalog_.Transact([&] { return index_->PutSegment(row); }));
  }
  return {};
}

Result<void> RecordStore::SaveTail(MediaType type, std::uint32_t number, std::uint64_t from,
                                   std::uint64_t to) {
  TRY_ASSIGN(const bool news, HoldsNews(files_, *index_, OpenPath(type, number), from, to));
  if (!news) return {};
  TRY_ASSIGN(const std::string path, KeepAside(files_, type, number, from, to));
  asides_.insert(path);
  return {};
}

Result<void> RecordStore::DropKnownAsides() {
  for (auto path = asides_.begin(); path != asides_.end();) {
    TRY_ASSIGN(const std::uint64_t size, files_.Size(*path));
    TRY_ASSIGN(const bool news, HoldsNews(files_, *index_, *path, 0, size));
    if (!news) TRY(files_.Remove(*path));
    path = news ? std::next(path) : asides_.erase(path);
  }
  return {};
}

Result<void> RecordStore::LoadWriters() {
  writers_.clear();
  for (const MediaType type : kRecordTypes) TRY(LoadWriter(type));
  return {};
}

Result<void> RecordStore::LoadWriter(MediaType type) {
  TRY_ASSIGN(const auto segments, index_->Segments(type));
  std::optional<SegmentRow> open;
  std::uint32_t next = 1;
  if (!segments.empty()) {
    next = segments.back().number + 1;
    if (!segments.back().sealed_at) open = segments.back();
  }
  writers_[type] = std::make_unique<SegmentWriter>(files_, *encoder_, type, options_.frame_bytes, open, next);
  return {};
}

Result<void> RecordStore::WriteState(MediaType type) {
  TRY_ASSIGN(const auto sealed, index_->SealedInOrder(type));
  if (!sealed.empty()) {
    const std::string path = StatePath(type);
    const std::string wanted = FormatState({sealed.back().place(), *sealed.back().sealed_at});
    const auto present = files_.Read(path, 0, wanted.size() + 1);
    if (!present && present.error().code != ErrorCode::kNotFound) return std::unexpected(present.error());
    if (!present || *present != wanted) TRY(WriteWhole(files_, path, wanted));
  }
  state_behind_.erase(type);
  return {};
}

}  // namespace tmdbc
