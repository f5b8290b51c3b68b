// SPDX-License-Identifier: MIT
#include "storage/segment_writer.h"

#include <libdeflate.h>

#include <cassert>

#include "storage/segment_path.h"

namespace tmdbc {

SegmentWriter::SegmentWriter(FileSystem& files, ZstdEncoder& encoder, MediaType type,
                             std::uint64_t frame_bytes, std::optional<SegmentRow> open,
                             std::uint32_t next_number)
    : files_(files),
      encoder_(encoder),
      type_(type),
      frame_bytes_(frame_bytes),
      open_(std::move(open)),
      next_number_(next_number) {}

Place SegmentWriter::Add(std::string_view line) {
  if (!buffer_.empty() && buffer_.size() + line.size() > frame_bytes_) CloseFrame();
  Place place;
  place.frame_at = frames_.size();
  place.line_at = static_cast<std::uint32_t>(buffer_.size());
  place.line_length = static_cast<std::uint32_t>(line.size());
  buffer_ += line;
  ++records_;
  content_ += std::int64_t(line.size());
  if (buffer_.size() >= frame_bytes_) CloseFrame();
  return place;
}

void SegmentWriter::CloseFrame() {
  if (buffer_.empty()) return;
  const std::uint64_t at = bytes_.size();
  encoder_.AppendFrame(buffer_, bytes_);
  frames_.push_back({at, static_cast<std::uint32_t>(bytes_.size() - at)});
  buffer_.clear();
}

Result<void> SegmentWriter::OpenFile() {
  const std::string path = OpenPath(type_, number());
  if (!file_) {
    // An open segment that has gone must not be begun again under its number.
    if (open_) TRY(files_.Size(path));
    TRY_ASSIGN(file_, files_.OpenAppend(path));
    file_is_new_ = !open_;
    dirty_ = true;
  }
  if (file_->size() < staying_bytes()) {
    return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{} has {} bytes, the index says {}", path,
                file_->size(), staying_bytes());
  }
  if (dirty_ && file_->size() > staying_bytes()) TRY(file_->Truncate(staying_bytes()));
  return {};
}

Result<void> SegmentWriter::Flush(Time now) {
  assert(!renaming_);
  CloseFrame();
  TRY(OpenFile());
  dirty_ = true;
  TRY(file_->Append(std::string_view(bytes_).substr(kept_)));
  TRY(file_->Sync());
  if (file_is_new_) {
    TRY(files_.SyncFolder(FolderOfPath(OpenPath(type_, number()))));
    file_is_new_ = false;
  }
  flushed_at_ = now;
  return {};
}

SegmentRow SegmentWriter::Flushed() const {
  SegmentRow row = open_.value_or(SegmentRow{
      .type = type_, .number = next_number_, .opened_at = flushed_at_, .sealed_at = {}, .origin = {}});
  row.bytes += bytes_.size();
  row.records += records_;
  row.frames += std::int64_t(frames_.size());
  row.content += content_;
  row.crc = libdeflate_crc32(row.crc, bytes_.data(), bytes_.size());
  return row;
}

Place SegmentWriter::Resolve(const Place& place) const {
  if (place.segment != 0) return place;
  const Frame& frame = frames_[place.frame_at];
  return {number(), committed_bytes() + frame.at, frame.length, place.line_at, place.line_length};
}

void SegmentWriter::Committed() {
  open_ = Flushed();
  dirty_ = false;
  kept_ = 0;
  bytes_.clear();
  frames_.clear();
  records_ = content_ = 0;
}

void SegmentWriter::Cut() {
  if (file_ && dirty_ && file_->size() > staying_bytes()) (void)file_->Truncate(staying_bytes());
}

void SegmentWriter::Keep() {
  kept_ = bytes_.size();
}

Result<void> SegmentWriter::Rename() {
  assert(open_ && kept_ == 0);
  const std::string path = OpenPath(type_, number());
  const std::string sealed = SealedPath(type_, number());
  // A rename that reported an error may have happened all the same.
  if (renaming_) {
    TRY_ASSIGN(const bool renamed, files_.Exists(sealed));
    if (!renamed) renaming_ = false;
  }
  if (!renaming_) {
    TRY(OpenFile());
    // Synced once more: an earlier cut may not be durable yet, and a sealed segment has no tail.
    TRY(file_->Sync());
    file_.reset();
    renaming_ = true;
    TRY(files_.Rename(path, sealed));
  }
  return files_.SyncFolder(FolderOfPath(sealed));
}

void SegmentWriter::Sealed() {
  next_number_ = open_->number + 1;
  open_.reset();
  renaming_ = false;
  dirty_ = true;
}

}  // namespace tmdbc
