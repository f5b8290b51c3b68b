// SPDX-License-Identifier: MIT
#include "storage/record_loader.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/stats_patch.h"

namespace tmdbc {
namespace {

StoredRecord RecordOf(RecordLine line, std::string_view text) {
  StoredRecord record;
  record.id = line.id;
  record.tv_id = line.tv_id;
  record.season_number = line.season_number;
  record.version = line.version;
  record.change = line.change;
  record.fetched_at = line.fetched_at;
  record.status = line.status;
  record.etag = std::move(line.etag);
  record.sha256 = std::move(line.sha256);
  record.data = line.data;
  record.envelope = text;
  return record;
}

}  // namespace

std::deque<RecordLoader::Frame>::const_iterator RecordLoader::Kept(MediaType type, const Place& place) const {
  return std::ranges::find_if(frames_, [&](const Frame& frame) {
    return frame.at == place.frame_at && frame.segment == place.segment && frame.type == type;
  });
}

bool RecordLoader::AtHand(MediaType type, const Place& place) const {
  const auto kept = Kept(type, place);
  return kept != frames_.end() && kept->whole;
}

void RecordLoader::Keep(Frame frame) {
  if (frame.content->size() > kept_bytes_) return;
  bytes_ += frame.content->size();
  frames_.push_back(std::move(frame));
  for (; bytes_ > kept_bytes_; frames_.pop_front()) bytes_ -= frames_.front().content->size();
}

Result<RecordLoader::Frame> RecordLoader::Content(MediaType type, const Place& place, Proof proof) {
  Frame frame{type, place.segment, place.frame_at, nullptr};
  const std::uint64_t end = std::uint64_t(place.line_at) + place.line_length;
  bool start = proof == Proof::kBody;
  if (const auto kept = Kept(type, place); kept != frames_.end()) {
    Frame found = *kept;
    bytes_ -= found.content->size();
    frames_.erase(kept);
    if (found.whole || (start && found.content->size() >= end)) {
      Keep(found);
      return found;
    }
    start = false;  // its lines are wanted together
  }
  TRY_ASSIGN(const std::string bytes, ReadFrame(files_, type, place));
  std::string content;
  if (start) {
    TRY_ASSIGN(content, start_.Of(bytes, end, kMaxLineBytes));
    frame.whole = false;
  } else {
    TRY_ASSIGN(content, decoder_.Unframe(bytes, kMaxLineBytes));
  }
  frame.content = std::make_shared<const std::string>(std::move(content));
  Keep(frame);
  return frame;
}

Result<RecordLoader::Loaded> RecordLoader::ReadLine(MediaId id, std::int64_t version, const Place& place, Proof proof) {
  TRY_ASSIGN(const Frame frame, Content(id.type, place, proof));
  Loaded loaded;
  loaded.content = frame.content;
  TRY_ASSIGN(loaded.text, LineAt(*loaded.content, place.line_at));
  TRY_ASSIGN(loaded.line, ParseRecordLine(loaded.text));
  if (loaded.line.id != id || loaded.line.version != version) {
    return Fail(ErrorCode::kCorrupt, "found {} version {}", ToString(loaded.line.id), loaded.line.version);
  }
  if (!frame.whole && loaded.line.data.empty()) return ReadLine(id, version, place, Proof::kFrame);
  if (!frame.whole && Sha256Hex(loaded.line.data) != loaded.line.sha256)
    return Fail(ErrorCode::kCorrupt, "its body does not have the sha256 that the line states");
  return loaded;
}

Result<RecordLoader::Loaded> RecordLoader::LoadLine(MediaId id, std::int64_t version, const Place& place, Proof proof) {
  auto loaded = ReadLine(id, version, place, proof);
  if (loaded) return loaded;
  Forget();  // who tries again reads the disk
  return Fail(loaded.error().code, loaded.error().hint, "read {} version {} in {} at byte {}: {}", ToString(id), version,
              SealedPath(id.type, place.segment), place.frame_at, loaded.error().message);
}

Result<StoredRecord> RecordLoader::Load(MediaId id, std::int64_t version, const Place& place) {
  TRY_ASSIGN(Loaded loaded, LoadLine(id, version, place));
  return RecordOf(std::move(loaded.line), loaded.text);
}

Result<std::string> RecordLoader::LoadBody(MediaId id, std::int64_t version, const Place& place) {
  TRY_ASSIGN(const Loaded loaded, LoadLine(id, version, place));
  return std::string(loaded.line.data);
}

Result<std::string> RecordLoader::LoadViewBody(RecordIndex& index, const IndexRow& row) {
  // A patch has no sha256.
  if (row.change != Change::kStats) {
    TRY_ASSIGN(const Loaded loaded, LoadLine(row.id, row.version, row.place, Proof::kBody));
    return std::string(loaded.line.data);
  }
  TRY_ASSIGN(const Loaded loaded, LoadLine(row.id, row.version, row.place));
  if (loaded.line.patch.empty()) return std::string(loaded.line.data);
  TRY_ASSIGN(const Place place, BaseOf(index, row));
  TRY_ASSIGN(const Loaded base, LoadLine(row.id, row.version, place, Proof::kBody));
  auto data = ApplyStatsPatch(base.line.data, loaded.line.patch);
  if (!data) return Fail(data.error().code, data.error().hint, "read {}: {}", ToString(row.id), data.error().message);
  return *std::move(data);
}

Result<Place> RecordLoader::BaseOf(RecordIndex& index, const IndexRow& row) {
  if (row.change != Change::kStats) return row.place;
  TRY_ASSIGN(const auto steps, index.Steps(row.id));
  const auto base = std::ranges::find(steps, row.version, &StepRow::version);
  if (base != steps.end()) return base->place;
  return Fail(ErrorCode::kCorrupt, "{}: the index does not say where version {} began", ToString(row.id), row.version);
}

Result<StoredRecord> RecordLoader::LoadView(RecordIndex& index, const IndexRow& row) {
  TRY_ASSIGN(Loaded loaded, LoadLine(row.id, row.version, row.place));
  RecordLine& line = loaded.line;
  if (line.patch.empty()) return RecordOf(std::move(line), loaded.text);
  TRY_ASSIGN(const Place place, BaseOf(index, row));
  TRY_ASSIGN(const Loaded base, LoadLine(row.id, row.version, place));
  auto data = ApplyStatsPatch(base.line.data, line.patch);
  if (!data) return Fail(data.error().code, data.error().hint, "read {}: {}", ToString(row.id), data.error().message);
  // As the whole body would stand in the line.
  line.patch = {};
  line.data = *data;
  line.sha256 = Sha256Hex(*data);
  std::string text;
  AppendRecordLine(line, text);
  text.pop_back();
  return RecordOf(std::move(line), text);
}

}  // namespace tmdbc
