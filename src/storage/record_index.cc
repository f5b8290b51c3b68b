// SPDX-License-Identifier: MIT
#include "storage/record_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

namespace tmdbc {
namespace {

constexpr int kIdBits = 52;
constexpr std::int64_t kIndexSchema = 2;

std::int64_t Key(MediaId id) {
  return std::int64_t(id.type) << kIdBits | id.id;
}
std::int64_t FirstKey(MediaType type) {
  return Key({type, 0});
}
std::int64_t LastKey(MediaType type) {
  return Key({type, kMaxRecordId});
}
MediaId IdOf(std::int64_t key) {
  return {static_cast<MediaType>(key >> kIdBits), key & kMaxRecordId};
}

std::int64_t Millis(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}
Time FromMillis(std::int64_t millis) {
  return Time(std::chrono::milliseconds(millis));
}

constexpr const char* kProperties = "CREATE TABLE store_properties(name TEXT PRIMARY KEY, value ANY) WITHOUT ROWID";
constexpr const char* kTables = R"(
CREATE TABLE store_records(
  key INTEGER PRIMARY KEY, version INTEGER, change INTEGER, fetched_at INTEGER, verified_at INTEGER,
  content INTEGER, stats INTEGER,
  segment INTEGER, frame_at INTEGER, frame_length INTEGER, line_at INTEGER, line_length INTEGER,
  tv_id INTEGER, season_number INTEGER, first_at INTEGER, changes INTEGER);
CREATE INDEX store_seasons ON store_records(tv_id, season_number) WHERE tv_id IS NOT NULL;
CREATE TABLE store_steps(
  key INTEGER, version INTEGER, change INTEGER, fetched_at INTEGER,
  segment INTEGER, frame_at INTEGER, frame_length INTEGER, line_at INTEGER, line_length INTEGER,
  PRIMARY KEY(key, version)) WITHOUT ROWID;
CREATE TABLE store_episodes(id INTEGER PRIMARY KEY, season_id INTEGER);
CREATE TABLE store_missing(key INTEGER PRIMARY KEY, attempts INTEGER, last_checked INTEGER);
CREATE TABLE store_held(key INTEGER PRIMARY KEY, at INTEGER);
CREATE TABLE store_segments(
  type INTEGER, number INTEGER, bytes INTEGER, records INTEGER, crc INTEGER, opened_at INTEGER, sealed_at INTEGER,
  origin TEXT, place INTEGER, frames INTEGER, content INTEGER, dead INTEGER,
  PRIMARY KEY(type, number)) WITHOUT ROWID;
CREATE INDEX store_segment_places ON store_segments(type, place);
CREATE INDEX store_segment_times ON store_segments(type, opened_at);
CREATE TABLE store_purges(key INTEGER PRIMARY KEY, version INTEGER);
)";
// What a rebuild puts aside, and what it does not need.
constexpr const char* kPutAside = R"(
DROP INDEX IF EXISTS store_seasons;
DROP INDEX IF EXISTS store_segment_places;
DROP INDEX IF EXISTS store_segment_times;
ALTER TABLE store_records RENAME TO store_old_records;
ALTER TABLE store_missing RENAME TO store_old_missing;
ALTER TABLE store_held RENAME TO store_old_held;
DROP TABLE store_steps;
DROP TABLE store_episodes;
DROP TABLE store_segments;
DROP TABLE store_purges;
)";
// A line that is lost takes none of these along. What the segments say later overrules: 3 and 5 are delete and purge.
constexpr const char* kTakeOver = R"(
UPDATE store_records SET verified_at=old.verified_at FROM store_old_records old
  WHERE old.key=store_records.key AND old.version=store_records.version AND old.change=store_records.change
    AND old.fetched_at=store_records.fetched_at AND old.verified_at>store_records.verified_at;
INSERT INTO store_missing SELECT key, attempts, last_checked FROM store_old_missing old WHERE NOT EXISTS(
    SELECT 1 FROM store_records r WHERE r.key=old.key AND (r.change NOT IN (3,5) OR r.fetched_at>old.last_checked))
  ON CONFLICT(key) DO UPDATE SET attempts=max(attempts,excluded.attempts), last_checked=max(last_checked,excluded.last_checked);
INSERT OR IGNORE INTO store_held SELECT old.key, old.at FROM store_old_held old JOIN store_records r ON r.key=old.key
  WHERE r.change NOT IN (3,5) AND r.verified_at<=old.at;
)";
constexpr const char* kDropOld =
    "DROP TABLE IF EXISTS store_old_records; DROP TABLE IF EXISTS store_old_missing; DROP TABLE IF EXISTS store_old_held";

#define TMDBC_ROW_COLUMNS                                                                                \
  "r.key, r.version, r.change, r.fetched_at, r.verified_at, r.content, r.stats, "                        \
  "r.segment, r.frame_at, r.frame_length, r.line_at, r.line_length, "                                    \
  "r.tv_id, r.season_number, r.first_at, r.changes"

constexpr const char kFind[] = "SELECT " TMDBC_ROW_COLUMNS " FROM store_records r WHERE r.key=?1";
// Live before deleted (change 3 and 5), then the newest.
constexpr const char kFindSeason[] = "SELECT " TMDBC_ROW_COLUMNS
                                     " FROM store_records r WHERE r.tv_id=?1 AND r.season_number=?2 "
                                     "ORDER BY r.change IN (3,5), r.fetched_at DESC, r.key DESC LIMIT 1";
constexpr const char kFindSeasonOfEpisode[] =
    "SELECT " TMDBC_ROW_COLUMNS
    " FROM store_episodes e JOIN store_records r ON r.key=(3<<52)+e.season_id WHERE e.id=?1";
constexpr const char kSeasonsOf[] =
    "SELECT " TMDBC_ROW_COLUMNS " FROM store_records r WHERE r.tv_id=?1 ORDER BY r.season_number, r.key";
constexpr const char kVisitRows[] =
    "SELECT " TMDBC_ROW_COLUMNS " FROM store_records r WHERE r.key BETWEEN ?1 AND ?2 ORDER BY r.key";
constexpr const char kSteps[] =
    "SELECT key, version, change, fetched_at, segment, frame_at, frame_length, line_at, line_length FROM store_steps "
    "WHERE key BETWEEN ?1 AND ?2 ORDER BY key, version";
// The step behind a step is the next one, else the view; a stats record is not a step, what it refreshes is.
constexpr const char kSuperseded[] =
    "SELECT fetched_at FROM ("
    "SELECT version, fetched_at FROM store_steps WHERE key=?1 AND version>?2 UNION ALL "
    "SELECT version, fetched_at FROM store_records WHERE key=?1 AND version>?2 AND change<>2) "
    "WHERE EXISTS(SELECT 1 FROM store_steps WHERE key=?1 AND version=?2) ORDER BY version LIMIT 1";
constexpr const char kSupersededSteps[] =
    "SELECT key, version, change, fetched_at, segment, frame_at, frame_length, line_at, line_length FROM ("
    "SELECT s.*, coalesce(lead(s.fetched_at) OVER (PARTITION BY s.key ORDER BY s.version), "
    "CASE WHEN r.change<>2 THEN r.fetched_at END) AS replaced_at "
    "FROM store_steps s JOIN store_records r ON r.key=s.key WHERE s.key BETWEEN ?1 AND ?2) WHERE "
    "replaced_at<?3";
constexpr const char kMissing[] = "SELECT attempts, last_checked FROM store_missing WHERE key=?1";
constexpr const char kSeasonIdOfEpisode[] = "SELECT season_id FROM store_episodes WHERE id=?1";
#define TMDBC_SEGMENT_COLUMNS \
  "number, bytes, records, crc, opened_at, sealed_at, origin, frames, content, dead FROM store_segments"
constexpr const char kSegments[] = "SELECT " TMDBC_SEGMENT_COLUMNS " WHERE type=?1 ORDER BY number";
constexpr const char kLastSegment[] = "SELECT " TMDBC_SEGMENT_COLUMNS " WHERE type=?1 ORDER BY number DESC LIMIT 1";
constexpr const char kSealedInOrder[] =
    "SELECT " TMDBC_SEGMENT_COLUMNS " WHERE type=?1 AND place>?2 AND sealed_at IS NOT NULL ORDER BY place";
constexpr const char kLastSealed[] =
    "SELECT " TMDBC_SEGMENT_COLUMNS " WHERE type=?1 AND sealed_at IS NOT NULL ORDER BY place DESC LIMIT 1";
constexpr const char kLinesBySegment[] =
    "SELECT segment, count(*) FROM (SELECT segment FROM store_records WHERE key BETWEEN ?1 AND ?2 UNION ALL "
    "SELECT segment FROM store_steps WHERE key BETWEEN ?1 AND ?2) GROUP BY 1";
constexpr const char kSegmentAt[] =
    "SELECT number FROM store_segments WHERE type=?1 AND opened_at<=?2 ORDER BY opened_at DESC, number DESC LIMIT 1";
// The three walks of VisitStates().
constexpr const char kRecordStates[] =
    "SELECT key, change, verified_at FROM store_records WHERE key BETWEEN ?1 AND ?2 ORDER BY key";
constexpr const char kMissingStates[] =
    "SELECT key, attempts, last_checked FROM store_missing WHERE key BETWEEN ?1 AND ?2 ORDER BY key";
constexpr const char kHeldStates[] =
    "SELECT key, at FROM store_held WHERE key BETWEEN ?1 AND ?2 ORDER BY key";
constexpr const char kShowsOfHeldSeasons[] =
    "SELECT DISTINCT r.tv_id FROM store_held AS h JOIN store_records AS r ON r.key=h.key "
    "WHERE h.key BETWEEN ?1 AND ?2 ORDER BY 1";
constexpr const char kVisitLive[] =
    "SELECT key, first_at, verified_at, changes FROM store_records "
    "WHERE key BETWEEN ?1 AND ?2 AND change NOT IN (3,5) ORDER BY key";
constexpr const char kCountLive[] =
    "SELECT count(*) FROM store_records WHERE key BETWEEN ?1 AND ?2 AND change NOT IN (3,5)";
constexpr const char kPurgedUpTo[] = "SELECT version FROM store_purges WHERE key=?1";
constexpr const char kPurges[] = "SELECT key, version FROM store_purges WHERE key BETWEEN ?1 AND ?2";
constexpr const char kHeld[] = "SELECT at FROM store_held WHERE key=?1";
// The counts of one type each: for a GROUP BY over all SQLite would sort every row.
// A stats record is not a version, and of a purged one none is left.
constexpr const char kCountRecords[] =
    "SELECT count(*), sum(change NOT IN (3,5)), sum(change NOT IN (2,5)), min(CASE WHEN change NOT IN (3,5) "
    "THEN verified_at END), sum(change=3) FROM store_records WHERE key BETWEEN ?1 AND ?2";
constexpr const char kCountSteps[] = "SELECT count(*) FROM store_steps WHERE key BETWEEN ?1 AND ?2";
constexpr const char kCountMissing[] =
    "SELECT count(*) FROM store_missing m LEFT JOIN store_records r ON r.key=m.key "
    "WHERE m.key BETWEEN ?1 AND ?2 AND (r.key IS NULL OR r.change=5)";
// Seasons that went with their show are no deletions of their own.
constexpr const char kDeletionsSince[] =
    "SELECT key>>52, count(*) FROM store_records AS r WHERE change=3 AND fetched_at>=?1 AND fetched_at>coalesce("
    "  (SELECT value FROM store_properties WHERE name='deletions_accepted_at'), 0)"
    "  AND NOT (key>>52=3 AND EXISTS (SELECT 1 FROM store_records WHERE key=(2<<52)+r.tv_id AND change=3))"
    " GROUP BY 1";
constexpr const char kAcceptDeletions[] =
    "INSERT OR REPLACE INTO store_properties VALUES('deletions_accepted_at', ?1)";
constexpr const char kDeletionsAcceptedAt[] =
    "SELECT value FROM store_properties WHERE name='deletions_accepted_at'";
constexpr const char kLostUpTo[] = "SELECT value FROM store_properties WHERE name='lost_up_to/'||?1";
constexpr const char kPutLostUpTo[] = "INSERT OR REPLACE INTO store_properties VALUES('lost_up_to/'||?1, ?2)";
constexpr const char kCountHeld[] = "SELECT count(*) FROM store_held WHERE key BETWEEN ?1 AND ?2";
constexpr const char kCountSegments[] =
    "SELECT count(*), count(sealed_at), sum(bytes) FROM store_segments WHERE type=?1";

constexpr const char kPut[] =
    "INSERT INTO store_records VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16) ON CONFLICT(key) DO UPDATE "
    "SET version=?2, change=?3, fetched_at=?4, verified_at=?5, content=?6, stats=?7, segment=?8, frame_at=?9, "
    "frame_length=?10, line_at=?11, line_length=?12, tv_id=?13, season_number=?14, first_at=?15, changes=?16";
constexpr const char kPutVerified[] = "UPDATE store_records SET verified_at=?2 WHERE key=?1";
constexpr const char kPutStep[] = "INSERT OR REPLACE INTO store_steps VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)";
// Nothing is written when the episode stays where it is: most updates of a season.
constexpr const char kPutEpisode[] =
    "INSERT INTO store_episodes VALUES(?1,?2) ON CONFLICT(id) DO UPDATE SET season_id=?2 WHERE season_id<>?2";
constexpr const char kPutMissing[] = "INSERT OR REPLACE INTO store_missing VALUES(?1,?2,?3)";
constexpr const char kRemoveMissing[] = "DELETE FROM store_missing WHERE key=?1";
constexpr const char kPutHeld[] = "INSERT OR REPLACE INTO store_held VALUES(?1,?2)";
constexpr const char kRemoveHeld[] = "DELETE FROM store_held WHERE key=?1";
constexpr const char kPutSegment[] =
    "INSERT INTO store_segments VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12) ON CONFLICT(type, number) DO UPDATE SET "
    "bytes=?3, records=?4, crc=?5, opened_at=?6, sealed_at=?7, origin=?8, place=?9, frames=?10, content=?11";
constexpr const char kAddDead[] = "UPDATE store_segments SET dead=dead+?3 WHERE type=?1 AND number=?2";
// The lines of its steps, and its view's when it is not the purge itself.
constexpr const char kDeadByPurge[] =
    "SELECT segment, sum(line_length) FROM (SELECT segment, line_length FROM store_steps WHERE key=?1 AND version<=?2 "
    "UNION ALL SELECT segment, line_length FROM store_records WHERE key=?1 AND change<>5) GROUP BY 1";
constexpr const char kRemoveSegment[] = "DELETE FROM store_segments WHERE type=?1 AND number=?2";
constexpr const char kPutPurge[] =
    "INSERT INTO store_purges VALUES(?1,?2) ON CONFLICT(key) DO UPDATE SET version=max(version,?2)";
constexpr const char kRemovePurge[] = "DELETE FROM store_purges WHERE key=?1";
constexpr const char kRemoveSteps[] = "DELETE FROM store_steps WHERE key=?1 AND version<=?2";
constexpr const char kRemoveStep[] = "DELETE FROM store_steps WHERE key=?1 AND version=?2";
constexpr const char kMoveRecord[] =
    "UPDATE store_records SET segment=?5, frame_at=?6, frame_length=?7, line_at=?8 "
    "WHERE key=?1 AND segment=?2 AND frame_at=?3 AND line_at=?4";
constexpr const char kMoveStep[] =
    "UPDATE store_steps SET segment=?5, frame_at=?6, frame_length=?7, line_at=?8 "
    "WHERE key=?1 AND segment=?2 AND frame_at=?3 AND line_at=?4";

Place PlaceAt(const Statement& row, int column) {
  return {static_cast<std::uint32_t>(row.Int(column)), static_cast<std::uint64_t>(row.Int(column + 1)),
          static_cast<std::uint32_t>(row.Int(column + 2)), static_cast<std::uint32_t>(row.Int(column + 3)),
          static_cast<std::uint32_t>(row.Int(column + 4))};
}

IndexRow RowAt(const Statement& row) {
  IndexRow view;
  view.id = IdOf(row.Int(0));
  view.version = row.Int(1);
  view.change = static_cast<Change>(row.Int(2));
  view.fetched_at = FromMillis(row.Int(3));
  view.verified_at = FromMillis(row.Int(4));
  view.hash = {static_cast<std::uint64_t>(row.Int(5)), static_cast<std::uint64_t>(row.Int(6))};
  view.place = PlaceAt(row, 7);
  view.tv_id = row.Int(12);
  view.season_number = row.Int(13);
  view.first_at = FromMillis(row.Int(14));
  view.changes = row.Int(15);
  return view;
}

StepRow StepAt(const Statement& row) {
  return {IdOf(row.Int(0)), row.Int(1), static_cast<Change>(row.Int(2)), FromMillis(row.Int(3)),
          PlaceAt(row, 4)};
}

// What a row of store_records says of an id's standing.
struct RecordState {
  Change change;
  Time verified_at;
};

// Of a purged record nothing is left: it counts as never stored.
IdState StateFrom(std::int64_t id, const std::optional<RecordState>& record,
                  const std::optional<MissingRow>& missing, std::optional<Time> held_at) {
  IdState state;
  state.id = id;
  if (record && record->change != Change::kPurge) {
    state.verified_at = std::max(record->verified_at, held_at.value_or(Time{}));
    const bool gone = record->change == Change::kDelete;
    state.standing = gone ? Standing::kTombstone : Standing::kLive;
    // The 404 that made the tombstone has no row in the ledger.
    if (gone) state.gone_answers = missing ? missing->attempts : 1;
    if (gone && missing) state.verified_at = std::max(state.verified_at, missing->last_checked);
  } else if (missing) {
    state.standing = Standing::kMissing;
    state.verified_at = missing->last_checked;
    state.gone_answers = missing->attempts;
  }
  return state;
}

constexpr std::int64_t kEndOfWalk = INT64_MAX;

// A statement whose first column is an ascending key, and the key of the row it stands at.
struct Walk {
  Statement* rows = nullptr;
  std::int64_t key = kEndOfWalk;

  Result<void> Next() {
    TRY_ASSIGN(const bool found, rows->Step());
    key = found ? rows->Int(0) : kEndOfWalk;
    return {};
  }
};

}  // namespace

Result<Statement*> RecordIndex::Use(const char* sql) {
  if (const auto known = statements_.find(sql); known != statements_.end()) return known->second.get();
  auto prepared = catalog_.Prepare(sql);
  if (!prepared && prepared.error().message.find("no such table") != std::string::npos) {
    return Fail(ErrorCode::kNotFound, "no records are stored here yet");
  }
  if (!prepared && prepared.error().message.find("no such column") != std::string::npos) {
    return Fail(ErrorCode::kInvalid, Hint::kOldStore, "catalog.db has an index of an earlier schema");
  }
  if (!prepared) return std::unexpected(prepared.error());
  return statements_.emplace(sql, std::make_unique<Statement>(*std::move(prepared))).first->second.get();
}

Result<bool> RecordIndex::Create() {
  bool made = false;
  const auto done = catalog_.Transact([&]() -> Result<void> {
    {
      TRY_ASSIGN(auto exists, catalog_.Prepare("SELECT 1 FROM sqlite_schema WHERE name='store_properties'"));
      TRY_ASSIGN(const bool found, exists.Step());
      made = !found;
    }
    if (made) {
      TRY(catalog_.Execute(kProperties));
      TRY(catalog_.Execute(kTables));
      TRY(catalog_.Execute(fmt::format("INSERT INTO store_properties VALUES('schema',{})", kIndexSchema)));
    }
    TRY_ASSIGN(auto query, catalog_.Prepare("SELECT value FROM store_properties WHERE name='schema'"));
    TRY_ASSIGN(const bool found, query.Step());
    const std::int64_t schema = found ? query.Int(0) : 0;
    if (schema != kIndexSchema) {
      return Fail(ErrorCode::kInvalid, schema < kIndexSchema ? Hint::kOldStore : Hint::kNewStore,
                  "the index of catalog.db has schema {}, this program writes {}", schema, kIndexSchema);
    }
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return made;
}

Result<std::int64_t> RecordIndex::Schema() {
  {
    TRY_ASSIGN(auto exists, catalog_.Prepare("SELECT 1 FROM sqlite_schema WHERE name='store_properties'"));
    TRY_ASSIGN(const bool there, exists.Step());
    if (!there) return 0;
  }
  TRY_ASSIGN(auto query, catalog_.Prepare("SELECT value FROM store_properties WHERE name='schema'"));
  TRY_ASSIGN(const bool found, query.Step());
  return found ? query.Int(0) : 0;
}

Result<void> RecordIndex::Restart() {
  statements_.clear();
  TRY_ASSIGN(const std::int64_t schema, Schema());
  if (schema != 0) {
    TRY(catalog_.Execute(kPutAside));
  } else {
    TRY(catalog_.Execute(kProperties));
  }
  TRY(catalog_.Execute(kTables));
  return catalog_.Execute(fmt::format("INSERT OR REPLACE INTO store_properties VALUES('schema',{})", kIndexSchema));
}

Result<void> RecordIndex::Finish() {
  statements_.clear();
  bool there = false;
  {
    TRY_ASSIGN(auto exists, catalog_.Prepare("SELECT 1 FROM sqlite_schema WHERE name='store_old_records'"));
    TRY_ASSIGN(there, exists.Step());
  }
  if (there) TRY(catalog_.Execute(kTakeOver));
  return catalog_.Execute(kDropOld);
}

Result<std::optional<IndexRow>> RecordIndex::FindRow(Statement& query) {
  TRY_ASSIGN(const bool found, query.Step());
  if (!found) return std::nullopt;
  const IndexRow row = RowAt(query);
  query.Reset();
  return row;
}

Result<std::optional<IndexRow>> RecordIndex::Find(MediaId id) {
  if (id.id < 1 || id.id > kMaxRecordId) return std::nullopt;
  TRY_ASSIGN(Statement * query, Use(kFind));
  return FindRow(query->Bind(Key(id)));
}

Result<std::optional<IndexRow>> RecordIndex::FindSeason(std::int64_t tv_id, std::int64_t season_number) {
  TRY_ASSIGN(Statement * query, Use(kFindSeason));
  return FindRow(query->Bind(tv_id, season_number));
}

Result<std::optional<IndexRow>> RecordIndex::FindSeasonOfEpisode(std::int64_t episode_id) {
  TRY_ASSIGN(Statement * query, Use(kFindSeasonOfEpisode));
  return FindRow(query->Bind(episode_id));
}

Result<std::vector<IndexRow>> RecordIndex::SeasonsOf(std::int64_t tv_id) {
  TRY_ASSIGN(Statement * query, Use(kSeasonsOf));
  query->Bind(tv_id);
  std::vector<IndexRow> seasons;
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return seasons;
    seasons.push_back(RowAt(*query));
  }
}

Result<std::vector<StepRow>> RecordIndex::Steps(MediaId id) {
  TRY_ASSIGN(Statement * query, Use(kSteps));
  query->Bind(Key(id), Key(id));
  std::vector<StepRow> steps;
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return steps;
    steps.push_back(StepAt(*query));
  }
}

Result<std::optional<MissingRow>> RecordIndex::Missing(MediaId id) {
  TRY_ASSIGN(Statement * query, Use(kMissing));
  TRY_ASSIGN(const bool found, query->Bind(Key(id)).Step());
  if (!found) return std::nullopt;
  const MissingRow row{query->Int(0), FromMillis(query->Int(1))};
  query->Reset();
  return row;
}

Result<std::optional<std::int64_t>> RecordIndex::SeasonIdOfEpisode(std::int64_t episode_id) {
  TRY_ASSIGN(Statement * query, Use(kSeasonIdOfEpisode));
  TRY_ASSIGN(const bool found, query->Bind(episode_id).Step());
  if (!found) return std::nullopt;
  const std::int64_t season = query->Int(0);
  query->Reset();
  return season;
}

Result<std::vector<SegmentRow>> RecordIndex::SegmentRows(Statement& query, MediaType type) {
  std::vector<SegmentRow> segments;
  while (true) {
    TRY_ASSIGN(const bool found, query.Step());
    if (!found) return segments;
    SegmentRow row;
    row.type = type;
    row.number = static_cast<std::uint32_t>(query.Int(0));
    row.bytes = static_cast<std::uint64_t>(query.Int(1));
    row.records = query.Int(2);
    row.crc = static_cast<std::uint32_t>(query.Int(3));
    row.opened_at = FromMillis(query.Int(4));
    if (!query.IsNull(5)) row.sealed_at = FromMillis(query.Int(5));
    if (!query.IsNull(6)) {
      TRY_ASSIGN(row.origin, ParseOrigin(query.Text(6)));
    }
    row.frames = query.Int(7);
    row.content = query.Int(8);
    row.dead = query.Int(9);
    segments.push_back(std::move(row));
  }
}

Result<std::vector<SegmentRow>> RecordIndex::Segments(MediaType type) {
  TRY_ASSIGN(Statement * query, Use(kSegments));
  return SegmentRows(query->Bind(type), type);
}

Result<std::optional<SegmentRow>> RecordIndex::LastSegment(MediaType type) {
  TRY_ASSIGN(Statement * query, Use(kLastSegment));
  TRY_ASSIGN(auto rows, SegmentRows(query->Bind(type), type));
  return rows.empty() ? std::nullopt : std::optional(std::move(rows[0]));
}

Result<std::vector<SegmentRow>> RecordIndex::SealedInOrder(MediaType type, std::int64_t place) {
  TRY_ASSIGN(Statement * query, Use(kSealedInOrder));
  return SegmentRows(query->Bind(type, place), type);
}

Result<std::uint32_t> RecordIndex::NextNumber(MediaType type) {
  TRY_ASSIGN(const auto last, LastSegment(type));
  TRY_ASSIGN(const std::uint32_t lost, LostUpTo(type));
  return std::max(last ? last->number : 0, lost) + 1;
}

Result<std::uint32_t> RecordIndex::LostUpTo(MediaType type) {
  TRY_ASSIGN(Statement * query, Use(kLostUpTo));
  TRY_ASSIGN(const bool found, query->Bind(Name(type)).Step());
  if (!found) return 0;
  const auto number = std::uint32_t(query->Int(0));
  query->Reset();
  return number;
}

Result<std::optional<SegmentRow>> RecordIndex::LastSealed(MediaType type) {
  TRY_ASSIGN(Statement * query, Use(kLastSealed));
  TRY_ASSIGN(auto rows, SegmentRows(query->Bind(type), type));
  return rows.empty() ? std::nullopt : std::optional(std::move(rows[0]));
}

Result<std::uint32_t> RecordIndex::SegmentAt(MediaType type, Time at) {
  TRY_ASSIGN(Statement * query, Use(kSegmentAt));
  TRY_ASSIGN(const bool found, query->Bind(type, Millis(at)).Step());
  const auto number = found ? static_cast<std::uint32_t>(query->Int(0)) : 0;
  query->Reset();
  return number;
}

Result<std::int64_t> RecordIndex::PurgedUpTo(MediaId id) {
  TRY_ASSIGN(Statement * query, Use(kPurgedUpTo));
  TRY_ASSIGN(const bool found, query->Bind(Key(id)).Step());
  const std::int64_t version = found ? query->Int(0) : 0;
  query->Reset();
  return version;
}

Result<std::unordered_map<std::int64_t, std::int64_t>> RecordIndex::Purges(MediaType type) {
  TRY_ASSIGN(Statement * query, Use(kPurges));
  query->Bind(FirstKey(type), LastKey(type));
  std::unordered_map<std::int64_t, std::int64_t> purges;
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return purges;
    purges.emplace(IdOf(query->Int(0)).id, query->Int(1));
  }
}

Result<IdState> RecordIndex::StateOf(MediaId id) {
  std::optional<RecordState> record;
  if (id.id >= 1 && id.id <= kMaxRecordId) {
    TRY_ASSIGN(const auto row, Find(id));
    if (row) record = RecordState{row->change, row->verified_at};
  }
  TRY_ASSIGN(const auto missing, Missing(id));
  TRY_ASSIGN(const auto held, Held(id));
  return StateFrom(id.id, record, missing, held);
}

Result<void> RecordIndex::VisitStates(MediaType type, const std::function<void(const IdState&)>& visit,
                                      const StopFlag& stop) {
  Walk records, missing, held;
  for (auto [walk, sql] :
       {std::pair(&records, kRecordStates), {&missing, kMissingStates}, {&held, kHeldStates}}) {
    TRY_ASSIGN(walk->rows, Use(sql));
    walk->rows->Bind(FirstKey(type), LastKey(type));
    TRY(walk->Next());
  }
  while (!stop.requested()) {
    const std::int64_t key = std::min({records.key, missing.key, held.key});
    if (key == kEndOfWalk) return {};
    std::optional<RecordState> record;
    std::optional<MissingRow> gone;
    std::optional<Time> held_at;
    if (records.key == key) {
      record = RecordState{static_cast<Change>(records.rows->Int(1)), FromMillis(records.rows->Int(2))};
      TRY(records.Next());
    }
    if (missing.key == key) {
      gone = MissingRow{missing.rows->Int(1), FromMillis(missing.rows->Int(2))};
      TRY(missing.Next());
    }
    if (held.key == key) {
      held_at = FromMillis(held.rows->Int(1));
      TRY(held.Next());
    }
    const IdState state = StateFrom(IdOf(key).id, record, gone, held_at);
    if (state.standing != Standing::kUnknown) visit(state);
  }
  for (const Walk* walk : {&records, &missing, &held}) walk->rows->Reset();
  return {};
}

Result<void> RecordIndex::VisitLive(MediaType type, const std::function<void(const LiveRecord&)>& visit,
                                    const StopFlag& stop) {
  TRY_ASSIGN(Statement * query, Use(kVisitLive));
  query->Bind(FirstKey(type), LastKey(type));
  while (!stop.requested()) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return {};
    visit({IdOf(query->Int(0)).id, FromMillis(query->Int(1)), FromMillis(query->Int(2)), query->Int(3)});
  }
  query->Reset();
  return {};
}

Result<std::int64_t> RecordIndex::CountLive(MediaType type) {
  TRY_ASSIGN(Statement * query, Use(kCountLive));
  TRY_ASSIGN(const bool found, query->Bind(FirstKey(type), LastKey(type)).Step());
  const std::int64_t count = found ? query->Int(0) : 0;
  query->Reset();
  return count;
}

Result<std::optional<Time>> RecordIndex::Held(MediaId id) {
  TRY_ASSIGN(Statement * query, Use(kHeld));
  TRY_ASSIGN(const bool found, query->Bind(Key(id)).Step());
  if (!found) return std::nullopt;
  const Time at = FromMillis(query->Int(0));
  query->Reset();
  return at;
}

Result<std::vector<std::int64_t>> RecordIndex::HeldDeletions(MediaType type) {
  TRY_ASSIGN(Statement * query, Use(kHeldStates));
  query->Bind(FirstKey(type), LastKey(type));
  std::vector<std::int64_t> ids;
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return ids;
    ids.push_back(IdOf(query->Int(0)).id);
  }
}

Result<std::vector<std::int64_t>> RecordIndex::ShowsOfHeldSeasons() {
  TRY_ASSIGN(Statement * query, Use(kShowsOfHeldSeasons));
  query->Bind(FirstKey(MediaType::kSeason), LastKey(MediaType::kSeason));
  std::vector<std::int64_t> shows;
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return shows;
    shows.push_back(query->Int(0));
  }
}

Result<void> RecordIndex::VisitRows(MediaType type, const std::function<void(const IndexRow&)>& visit) {
  TRY_ASSIGN(Statement * query, Use(kVisitRows));
  query->Bind(FirstKey(type), LastKey(type));
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return {};
    visit(RowAt(*query));
  }
}

Result<void> RecordIndex::VisitSteps(MediaType type, const std::function<void(const StepRow&)>& visit) {
  TRY_ASSIGN(Statement * query, Use(kSteps));
  query->Bind(FirstKey(type), LastKey(type));
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return {};
    visit(StepAt(*query));
  }
}

Result<std::map<std::uint32_t, std::int64_t>> RecordIndex::LinesBySegment(MediaType type) {
  TRY_ASSIGN(Statement * query, Use(kLinesBySegment));
  query->Bind(FirstKey(type), LastKey(type));
  std::map<std::uint32_t, std::int64_t> lines;
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return lines;
    lines[static_cast<std::uint32_t>(query->Int(0))] = query->Int(1);
  }
}

Result<bool> RecordIndex::IsSuperseded(MediaId id, std::int64_t version, Time before) {
  TRY_ASSIGN(Statement * query, Use(kSuperseded));
  TRY_ASSIGN(const bool found, query->Bind(Key(id), version).Step());
  const bool superseded = found && FromMillis(query->Int(0)) < before;
  query->Reset();
  return superseded;
}

Result<void> RecordIndex::VisitSupersededSteps(MediaType type, Time before,
                                               const std::function<void(const StepRow&)>& visit) {
  TRY_ASSIGN(Statement * query, Use(kSupersededSteps));
  query->Bind(FirstKey(type), LastKey(type), Millis(before));
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return {};
    visit(StepAt(*query));
  }
}

Result<std::vector<std::pair<MediaType, TypeCounts>>> RecordIndex::Counts() {
  std::vector<std::pair<MediaType, TypeCounts>> listed;
  for (const MediaType type : kRecordTypes) {
    TypeCounts counts;
    bool any = false;
    const auto count = [&](const char* sql, auto add) -> Result<void> {
      TRY_ASSIGN(Statement * query, Use(sql));
      TRY_ASSIGN(const bool found, query->Bind(FirstKey(type), LastKey(type)).Step());
      if (found && query->Int(0) > 0) {
        any = true;
        add(*query);
      }
      query->Reset();
      return {};
    };
    TRY(count(kCountRecords, [&](const Statement& row) {
      counts.live = row.Int(1);
      counts.versions = row.Int(2);
      if (!row.IsNull(3)) counts.oldest_verified = FromMillis(row.Int(3));
      counts.tombstones = row.Int(4);
    }));
    TRY(count(kCountSteps, [&](const Statement& row) { counts.versions += row.Int(0); }));
    TRY(count(kCountMissing, [&](const Statement& row) { counts.missing = row.Int(0); }));
    TRY(count(kCountHeld, [&](const Statement& row) { counts.held = row.Int(0); }));
    {
      TRY_ASSIGN(Statement * query, Use(kCountSegments));
      TRY_ASSIGN(const bool found, query->Bind(type).Step());
      any = any || (found && query->Int(0) > 0);
      counts.segments = query->Int(1);
      counts.bytes = query->Int(2);
      query->Reset();
    }
    if (any) listed.emplace_back(type, counts);
  }
  return listed;
}

Result<std::map<MediaType, std::int64_t>> RecordIndex::DeletionsSince(Time since) {
  std::map<MediaType, std::int64_t> deletions;
  TRY_ASSIGN(Statement * query, Use(kDeletionsSince));
  query->Bind(Millis(since));
  while (true) {
    TRY_ASSIGN(const bool found, query->Step());
    if (!found) return deletions;
    deletions[static_cast<MediaType>(query->Int(0))] = query->Int(1);
  }
}

Result<void> RecordIndex::AcceptDeletions(Time at) {
  TRY_ASSIGN(Statement * put, Use(kAcceptDeletions));
  return put->Bind(Millis(at)).Run();
}

Result<std::optional<Time>> RecordIndex::DeletionsAcceptedAt() {
  TRY_ASSIGN(Statement * query, Use(kDeletionsAcceptedAt));
  TRY_ASSIGN(const bool found, query->Step());
  if (!found) return std::nullopt;
  const Time at = FromMillis(query->Int(0));
  query->Reset();
  return at;
}

Result<std::vector<std::string>> RecordIndex::IntegrityErrors() {
  std::vector<std::string> errors;
  TRY_ASSIGN(auto query, catalog_.Prepare("PRAGMA integrity_check(20)"));
  while (true) {
    auto found = query.Step();
    if (!found) errors.push_back(found.error().message);
    if (!found || !*found) return errors;
    if (query.Text(0) != "ok") errors.emplace_back(query.Text(0));
  }
}

Result<void> RecordIndex::Put(const IndexRow& row) {
  TRY_ASSIGN(Statement * put, Use(kPut));
  put->Bind(Key(row.id), row.version, row.change, Millis(row.fetched_at), Millis(row.verified_at),
            row.hash.content, row.hash.stats, row.place.segment, row.place.frame_at, row.place.frame_length,
            row.place.line_at, row.place.line_length);
  if (row.id.type == MediaType::kSeason) {  // else they stay null
    put->BindAt(13, row.tv_id);
    put->BindAt(14, row.season_number);
  }
  put->BindAt(15, Millis(row.first_at));
  put->BindAt(16, row.changes);
  return put->Run();
}

Result<void> RecordIndex::PutVerified(MediaId id, Time verified_at) {
  TRY_ASSIGN(Statement * put, Use(kPutVerified));
  return put->Bind(Key(id), Millis(verified_at)).Run();
}

Result<void> RecordIndex::PutStep(const StepRow& row) {
  TRY_ASSIGN(Statement * put, Use(kPutStep));
  return put
      ->Bind(Key(row.id), row.version, row.change, Millis(row.fetched_at), row.place.segment,
             row.place.frame_at, row.place.frame_length, row.place.line_at, row.place.line_length)
      .Run();
}

Result<void> RecordIndex::PutEpisode(std::int64_t episode_id, std::int64_t season_id) {
  TRY_ASSIGN(Statement * put, Use(kPutEpisode));
  return put->Bind(episode_id, season_id).Run();
}

Result<void> RecordIndex::PutMissing(MediaId id, const MissingRow& row) {
  TRY_ASSIGN(Statement * put, Use(kPutMissing));
  return put->Bind(Key(id), row.attempts, Millis(row.last_checked)).Run();
}

Result<void> RecordIndex::RemoveMissing(MediaId id) {
  TRY_ASSIGN(Statement * remove, Use(kRemoveMissing));
  return remove->Bind(Key(id)).Run();
}

Result<void> RecordIndex::PutHeld(MediaId id, Time at) {
  TRY_ASSIGN(Statement * put, Use(kPutHeld));
  return put->Bind(Key(id), Millis(at)).Run();
}

Result<void> RecordIndex::RemoveHeld(MediaId id) {
  TRY_ASSIGN(Statement * remove, Use(kRemoveHeld));
  return remove->Bind(Key(id)).Run();
}

Result<void> RecordIndex::PutSegment(const SegmentRow& row) {
  TRY_ASSIGN(Statement * put, Use(kPutSegment));
  put->Bind(row.type, row.number, row.bytes, row.records, row.crc, Millis(row.opened_at));
  if (row.sealed_at) put->BindAt(7, Millis(*row.sealed_at));  // else it stays null, as the next one does
  const std::string origin = row.origin ? FormatOrigin(*row.origin) : "";
  if (row.origin) put->BindAt(8, std::string_view(origin));
  put->BindAt(9, std::int64_t(row.place()));
  put->BindAt(10, row.frames);
  put->BindAt(11, row.content);
  put->BindAt(12, row.dead);
  return put->Run();
}

Result<void> RecordIndex::AddDead(MediaType type, std::uint32_t segment, std::int64_t bytes) {
  TRY_ASSIGN(Statement * add, Use(kAddDead));
  return add->Bind(type, segment, bytes).Run();
}

Result<void> RecordIndex::PutLostUpTo(MediaType type, std::uint32_t number) {
  TRY_ASSIGN(Statement * put, Use(kPutLostUpTo));
  return put->Bind(Name(type), std::int64_t(number)).Run();
}

Result<void> RecordIndex::RemoveSegment(MediaType type, std::uint32_t number) {
  TRY_ASSIGN(Statement * remove, Use(kRemoveSegment));
  return remove->Bind(type, number).Run();
}

Result<void> RecordIndex::PutPurge(MediaId id, std::int64_t version) {
  TRY_ASSIGN(Statement * lines, Use(kDeadByPurge));
  lines->Bind(Key(id), version);
  while (true) {
    TRY_ASSIGN(const bool found, lines->Step());
    if (!found) break;
    TRY(AddDead(id.type, static_cast<std::uint32_t>(lines->Int(0)), lines->Int(1)));
  }
  TRY_ASSIGN(Statement * steps, Use(kRemoveSteps));
  TRY(steps->Bind(Key(id), version).Run());
  TRY_ASSIGN(Statement * put, Use(kPutPurge));
  return put->Bind(Key(id), version).Run();
}

Result<void> RecordIndex::RemovePurge(MediaId id) {
  TRY_ASSIGN(Statement * remove, Use(kRemovePurge));
  return remove->Bind(Key(id)).Run();
}

Result<void> RecordIndex::RemoveStep(MediaId id, std::int64_t version) {
  TRY_ASSIGN(Statement * remove, Use(kRemoveStep));
  return remove->Bind(Key(id), version).Run();
}

Result<void> RecordIndex::Move(MediaId id, const Place& from, const Place& to) {
  for (const char* sql : {kMoveRecord, kMoveStep}) {
    TRY_ASSIGN(Statement * move, Use(sql));
    TRY(move->Bind(Key(id), from.segment, from.frame_at, from.line_at, to.segment, to.frame_at,
                   to.frame_length, to.line_at)
            .Run());
    if (catalog_.Changes() > 0) break;
  }
  return {};
}

}  // namespace tmdbc
