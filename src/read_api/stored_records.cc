// SPDX-License-Identifier: MIT
#include "read_api/stored_records.h"

#include <fmt/format.h>

#include <bit>
#include <chrono>
#include <string>
#include <utility>

#include "base/files.h"
#include "read_api/json_slice.h"

namespace tmdbc::read_api {
namespace {

std::uint64_t MixedStamp(std::uint64_t stamp, std::uint64_t more) {
  return stamp * 0x9E3779B97F4A7C15u + more;
}

// `body` with that number, unless it says the same in more digits.
std::string WithPopularity(std::string body, float popularity) {
  const JsonSlice now = MemberOf(body, "popularity");
  if (now.empty() || float(NumberOf(now)) == popularity) return body;
  const std::size_t at = std::size_t(now.data() - body.data());
  body.replace(at, now.size(), fmt::format("{}", popularity));
  return body;
}

}  // namespace

// A version's body never changes but by newer numbers, which have a fetched_at of their own, and by the exports'.
Source StoredRecords::SourceFrom(const IndexRow& row, std::optional<float> popularity, Moment seen) const {
  const auto millis = std::uint64_t(ToMillis(row.fetched_at).time_since_epoch() / std::chrono::milliseconds(1));
  std::uint64_t stamp = MixedStamp(millis, std::uint64_t(row.version));
  if (popularity) stamp = MixedStamp(stamp, std::bit_cast<std::uint32_t>(*popularity));
  return {row.id, stamp, row.fetched_at, seen};
}

std::optional<float> StoredRecords::NewerPopularity(const IndexRow& row) {
  if (exported_ == nullptr || !made_at_ || row.fetched_at >= made_at_(row.id.type)) return std::nullopt;
  const auto exported = exported_->Find(row.id);  // what cannot be read of it counts for nothing: verify tells
  return exported ? *exported : std::nullopt;
}

Result<std::shared_ptr<const Record>> StoredRecords::Live(Result<StoredBody> found, Moment seen) {
  if (!found) return std::unexpected(found.error());
  const IndexRow& row = found->row;
  if (!row.live()) return Fail(ErrorCode::kNotFound, "{} is gone from TMDB", ToString(row.id));
  const auto popularity = NewerPopularity(row);
  std::string body = std::move(found->data);
  if (popularity) body = WithPopularity(std::move(body), *popularity);
  return std::make_shared<const Record>(SourceFrom(row, popularity, seen), row.tv_id, row.season_number, std::move(body));
}

Result<std::shared_ptr<const Record>> StoredRecords::Get(MediaId id) {
  const Moment seen = Seen();
  return Live(reader_.FindBody(id), seen);
}

Result<std::shared_ptr<const Record>> StoredRecords::GetSeason(std::int64_t tv_id, std::int64_t season_number) {
  const Moment seen = Seen();
  return Live(reader_.FindSeasonBody(tv_id, season_number), seen);
}

Result<Source> StoredRecords::SourceOf(MediaId id) {
  const Moment seen = Seen();
  TRY_ASSIGN(const IndexRow row, reader_.ViewOf(id));
  if (!row.live()) return Fail(ErrorCode::kNotFound, "{} is gone from TMDB", ToString(id));
  return SourceFrom(row, NewerPopularity(row), seen);
}

bool StoredRecords::IsCurrent(Source& source) {
  return (changes_ != nullptr && changes_->IsUnchanged(source.id, source.seen)) || Records::IsCurrent(source);
}

Result<bool> StoredRecords::IsAwaited(MediaId id) {
  if (exported_ == nullptr) return false;
  // One that was deleted is known, and not awaited, whatever an older export says.
  if (const auto row = reader_.ViewOf(id); row || row.error().code != ErrorCode::kNotFound) return false;
  const auto listed = exported_->Find(id);
  return listed && *listed;
}

}  // namespace tmdbc::read_api
