// SPDX-License-Identifier: MIT
#include "read_api/stored_records.h"

#include <utility>

#include "base/files.h"

namespace tmdbc::read_api {
namespace {

// A version's body never changes but by newer numbers, which have a fetched_at of their own.
Source SourceFrom(MediaId id, std::int64_t version, Time fetched_at) {
  const auto millis = std::uint64_t(ToMillis(fetched_at).time_since_epoch() / std::chrono::milliseconds(1));
  return {id, millis * 0x9E3779B97F4A7C15u + std::uint64_t(version), fetched_at};
}

Result<std::shared_ptr<const Record>> Live(Result<StoredBody> found) {
  if (!found) return std::unexpected(found.error());
  const IndexRow& row = found->row;
  if (!row.live()) return Fail(ErrorCode::kNotFound, "{} is gone from TMDB", ToString(row.id));
  return std::make_shared<const Record>(SourceFrom(row.id, row.version, row.fetched_at), row.tv_id, row.season_number,
                                        std::move(found->data));
}

}  // namespace

Result<std::shared_ptr<const Record>> StoredRecords::Get(MediaId id) {
  return Live(reader_.FindBody(id));
}

Result<std::shared_ptr<const Record>> StoredRecords::GetSeason(std::int64_t tv_id, std::int64_t season_number) {
  return Live(reader_.FindSeasonBody(tv_id, season_number));
}

Result<Source> StoredRecords::SourceOf(MediaId id) {
  TRY_ASSIGN(const IndexRow row, reader_.ViewOf(id));
  if (!row.live()) return Fail(ErrorCode::kNotFound, "{} is gone from TMDB", ToString(id));
  return SourceFrom(id, row.version, row.fetched_at);
}

Result<bool> StoredRecords::IsAwaited(MediaId id) {
  if (expected_ == nullptr) return false;
  // One that was deleted is known, and not awaited, whatever an older export says.
  if (const auto row = reader_.ViewOf(id); row || row.error().code != ErrorCode::kNotFound) return false;
  const auto listed = expected_->Find(id);
  return listed && *listed;
}

}  // namespace tmdbc::read_api
