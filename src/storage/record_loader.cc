// SPDX-License-Identifier: MIT
#include "storage/record_loader.h"

#include <utility>

#include "storage/record_line.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"

namespace tmdbc {

Result<StoredRecord> RecordLoader::LoadLine(MediaId id, std::int64_t version, const Place& place) {
  TRY_ASSIGN(const std::string frame, ReadFrame(files_, id.type, place));
  TRY_ASSIGN(const std::string content, decoder_.Unframe(frame, kMaxLineBytes));
  TRY_ASSIGN(const std::string_view text, LineAt(content, place.line_at));
  TRY_ASSIGN(RecordLine line, ParseRecordLine(text));
  if (line.id != id || line.version != version) {
    return Fail(ErrorCode::kCorrupt, "found {} version {}", ToString(line.id), line.version);
  }
  StoredRecord record;
  record.id = id;
  record.tv_id = line.tv_id;
  record.season_number = line.season_number;
  record.version = version;
  record.change = line.change;
  record.fetched_at = line.fetched_at;
  record.status = line.status;
  record.etag = std::move(line.etag);
  record.sha256 = std::move(line.sha256);
  record.data = line.data;
  record.envelope = text;
  return record;
}

Result<StoredRecord> RecordLoader::Load(MediaId id, std::int64_t version, const Place& place) {
  auto record = LoadLine(id, version, place);
  if (record) return record;
  return Fail(record.error().code, "read {} version {} in {} at byte {}: {}", ToString(id), version,
              SealedPath(id.type, place.segment), place.frame_at, record.error().message);
}

}  // namespace tmdbc
