// SPDX-License-Identifier: MIT
#include "storage/record_reader.h"

#include <algorithm>
#include <utility>

namespace tmdbc {
namespace {

// Reads again, by the index as it is then, what could not be read: a compaction in another process may have
// moved it in between.
template <class Read>
auto OnceMore(const Read& read) {
  auto found = read();
  if (!found && IsDamage(found.error())) found = read();
  return found;
}

Result<void> NotPurged(const IndexRow& row) {
  if (row.change != Change::kPurge) return {};
  return Fail(ErrorCode::kNotFound, "{} was purged on {}: TMDB had not confirmed it for too long", ToString(row.id),
              FormatTime(row.fetched_at));
}

}  // namespace

Result<StoredRecord> RecordReader::Find(MediaId id) {
  return OnceMore([&]() -> Result<StoredRecord> {
    TRY_ASSIGN(const IndexRow row, ViewOf(id));
    return LoadView(row);
  });
}

Result<StoredBody> RecordReader::FindBody(MediaId id) {
  return OnceMore([&]() -> Result<StoredBody> {
    TRY_ASSIGN(const IndexRow row, ViewOf(id));
    return LoadBody(row);
  });
}

Result<IndexRow> RecordReader::ViewOf(MediaId id) {
  TRY_ASSIGN(auto row, index_.Find(id));
  if (!row) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
  return *std::move(row);
}

Result<StoredRecord> RecordReader::LoadView(const IndexRow& row) {
  TRY(NotPurged(row));
  return loader_.LoadView(index_, row);
}

Result<StoredBody> RecordReader::LoadBody(const IndexRow& row) {
  TRY(NotPurged(row));
  StoredBody found{row, {}};
  if (row.live()) {
    TRY_ASSIGN(found.data, loader_.LoadViewBody(index_, row));
  }
  return found;
}

Result<IndexRow> RecordReader::SeasonRow(std::int64_t tv_id, std::int64_t season_number) {
  TRY_ASSIGN(auto row, index_.FindSeason(tv_id, season_number));
  if (!row) return Fail(ErrorCode::kNotFound, "season {} of tv:{} is not stored", season_number, tv_id);
  return *std::move(row);
}

Result<StoredRecord> RecordReader::FindSeason(std::int64_t tv_id, std::int64_t season_number) {
  return OnceMore([&]() -> Result<StoredRecord> {
    TRY_ASSIGN(const IndexRow row, SeasonRow(tv_id, season_number));
    return LoadView(row);
  });
}

Result<StoredBody> RecordReader::FindSeasonBody(std::int64_t tv_id, std::int64_t season_number) {
  return OnceMore([&]() -> Result<StoredBody> {
    TRY_ASSIGN(const IndexRow row, SeasonRow(tv_id, season_number));
    return LoadBody(row);
  });
}

Result<StoredRecord> RecordReader::FindSeasonOfEpisode(std::int64_t episode_id) {
  return OnceMore([&]() -> Result<StoredRecord> {
    TRY_ASSIGN(const auto row, index_.FindSeasonOfEpisode(episode_id));
    if (!row) return Fail(ErrorCode::kNotFound, "episode:{} is not stored", episode_id);
    return LoadView(*row);
  });
}

Result<MediaId> RecordReader::SeasonAt(std::int64_t tv_id, std::int64_t season_number) {
  TRY_ASSIGN(const auto row, index_.FindSeason(tv_id, season_number));
  if (!row) return Fail(ErrorCode::kNotFound, "season {} of tv:{} is not stored", season_number, tv_id);
  return row->id;
}

Result<std::vector<MediaId>> RecordReader::SeasonsOfEpisode(std::int64_t episode_id) {
  TRY_ASSIGN(const auto row, index_.FindSeasonOfEpisode(episode_id));
  if (!row) return Fail(ErrorCode::kNotFound, "episode:{} is not stored", episode_id);
  TRY_ASSIGN(const auto seasons, index_.SeasonsOf(row->tv_id));
  std::vector<MediaId> ids = {row->id};
  for (const IndexRow& season : seasons) {
    if (season.id != row->id) ids.push_back(season.id);
  }
  return ids;
}

Result<Kept> RecordReader::KeptOf(MediaId id) {
  TRY_ASSIGN(const auto current, index_.Find(id));
  if (!current) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
  if (current->change == Change::kPurge) return Kept{.purged_at = current->fetched_at};
  TRY_ASSIGN(const auto steps, StepsOf(*current));
  if (steps.empty()) return Kept{{}, current->version, current->fetched_at};
  return Kept{{}, steps.front().version, steps.front().fetched_at};
}

Result<std::vector<StepRow>> RecordReader::StepsOf(const IndexRow& current) {
  // Should another process be writing, the steps may hold `current` by now: they are cut back to what came
  // before it.
  TRY_ASSIGN(auto steps, index_.Steps(current.id));
  std::erase_if(steps, [&](const StepRow& step) {
    return current.change == Change::kStats ? step.version > current.version
                                            : step.version >= current.version;
  });
  return steps;
}

Result<std::vector<StepRow>> RecordReader::VersionsOf(MediaId id) {
  TRY_ASSIGN(const IndexRow current, ViewOf(id));
  TRY(NotPurged(current));
  TRY_ASSIGN(auto steps, StepsOf(current));
  if (current.change != Change::kStats)
    steps.push_back({id, current.version, current.change, current.fetched_at, current.place});
  return steps;
}

Result<std::vector<StoredRecord>> RecordReader::History(MediaId id) {
  auto history = LoadHistory(id);
  const auto damaged = [](const StoredRecord& record) { return !record.damage.empty(); };
  // As OnceMore(): it may only have been moved.
  if (history && std::ranges::any_of(*history, damaged)) history = LoadHistory(id);
  return history;
}

Result<std::vector<StoredRecord>> RecordReader::LoadHistory(MediaId id) {
  TRY_ASSIGN(const auto steps, VersionsOf(id));
  std::vector<StoredRecord> records;
  for (const StepRow& step : steps) {
    auto record = loader_.Load(id, step.version, step.place);
    if (!record && !IsDamage(record.error())) return std::unexpected(record.error());
    if (record) {
      records.push_back(*std::move(record));
      continue;
    }
    // One version that is lost takes none of the others along.
    StoredRecord lost;
    lost.id = id;
    lost.version = step.version;
    lost.change = step.change;
    lost.fetched_at = step.fetched_at;
    lost.status = step.change == Change::kDelete ? 404 : 200;
    lost.damage = record.error().message;
    records.push_back(std::move(lost));
  }
  return records;
}

Result<StoredRecord> RecordReader::FindAsOf(MediaId id, Time at) {
  return OnceMore([&] { return LoadAsOf(id, at); });
}

Result<StoredRecord> RecordReader::LoadAsOf(MediaId id, Time at) {
  TRY_ASSIGN(const auto current, index_.Find(id));
  if (!current) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
  if (current->change == Change::kPurge || current->fetched_at <= at) return LoadView(*current);
  TRY_ASSIGN(const auto steps, StepsOf(*current));
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->fetched_at <= at) return loader_.Load(id, step->version, step->place);
  }
  return Fail(ErrorCode::kNotFound, "{} was not stored yet at {}: its first version here is of {}",
              ToString(id), FormatTime(at),
              FormatTime(steps.empty() ? current->fetched_at : steps.front().fetched_at));
}

}  // namespace tmdbc
