// SPDX-License-Identifier: MIT
// RecordIndex: the tables of catalog.db that say where in the segments a record is (docs/storage-format.md
// lists them). All of them can be made again from the segments. Knows rows, not rules. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/sqlite.h"
#include "base/stop.h"
#include "storage/record.h"
#include "storage/segment_origin.h"
#include "tmdb/document.h"

namespace tmdbc {

// Where a line is.
struct Place {
  std::uint32_t segment = 0;       // 0: still in the batch, `frame_at` then counts the batch's frames
  std::uint64_t frame_at = 0;      // offset of the frame in the file
  std::uint32_t frame_length = 0;  // compressed
  std::uint32_t line_at = 0;       // offset of the line in the frame's content
  std::uint32_t line_length = 0;   // with its line break
  auto operator<=>(const Place&) const = default;
};

// The current view of a record.
struct IndexRow {
  MediaId id{};
  std::int64_t tv_id = 0;  // of a season
  std::int64_t season_number = 0;
  std::int64_t version = 0;
  Change change = Change::kInsert;
  Time fetched_at{};   // of the line
  Time verified_at{};  // when TMDB was last seen to agree with it
  ContentHash hash;    // 0 of a tombstone
  Place place;
  Time first_at{};           // fetched_at of its first version (after a purge: of the first one since)
  std::int64_t changes = 0;  // updates and restores since then

  bool live() const { return change != Change::kDelete && change != Change::kPurge; }
  bool operator==(const IndexRow&) const = default;
};

// A step of the history that is no longer the current view.
struct StepRow {
  MediaId id{};
  std::int64_t version = 0;
  Change change = Change::kInsert;
  Time fetched_at{};
  Place place;
  auto operator<=>(const StepRow&) const = default;
};

struct SegmentRow {
  MediaType type{};
  std::uint32_t number = 0;
  // Of what is committed:
  std::uint64_t bytes = 0;
  std::int64_t records = 0;   // lines
  std::int64_t frames = 0;    // with lines
  std::int64_t content = 0;   // bytes of the lines
  std::int64_t dead = 0;      // of these, those that nobody will read again; see RecordIndex::AddDead()
  std::uint32_t crc = 0;      // CRC-32 of the bytes
  Time opened_at{};          // when its first batch was committed
  std::optional<Time> sealed_at;
  std::optional<SegmentOrigin> origin{};  // of a compacted one: what it stands for

  // Its place in the order in which things happened: compacted segments stand where the ones were that they
  // are made of.
  std::uint32_t place() const { return origin ? origin->last() : number; }
  bool operator==(const SegmentRow&) const = default;
};

// A row of the ledger of ids that TMDB answers 404 for: those never stored, and tombstones that were asked
// for again.
struct MissingRow {
  std::int64_t attempts = 0;
  Time last_checked{};
};

class RecordIndex {
 public:
  explicit RecordIndex(Database& catalog) : catalog_(catalog) {}

  // Makes the tables when they are absent; true when they were. kInvalid when another schema made them.
  Result<bool> Create();
  // The schema of the tables that are there; 0 when there are none.
  Result<std::int64_t> Schema();
  // Within one transaction of the caller's, to make the index again: Restart() puts empty tables in the place of those
  // that are there, of whatever schema; Finish(), once everything has been put, takes over from the old ones what they
  // know better (when TMDB last answered, where the lines that said so are lost), and drops them.
  Result<void> Restart();
  Result<void> Finish();

  // --- reading; kNotFound with a sentence when the tables do not exist ---
  Result<std::optional<IndexRow>> Find(MediaId id);
  // The live season in that place, else the one deleted last.
  Result<std::optional<IndexRow>> FindSeason(std::int64_t tv_id, std::int64_t season_number);
  Result<std::optional<IndexRow>> FindSeasonOfEpisode(std::int64_t episode_id);
  Result<std::vector<IndexRow>> SeasonsOf(std::int64_t tv_id);
  Result<std::vector<StepRow>> Steps(MediaId id);  // by version
  Result<std::optional<MissingRow>> Missing(MediaId id);
  Result<std::optional<std::int64_t>> SeasonIdOfEpisode(std::int64_t episode_id);
  Result<std::vector<SegmentRow>> Segments(MediaType type);  // by number: the open one is the last
  Result<std::optional<SegmentRow>> LastSegment(MediaType type);  // by number
  // The number of the next segment: none that ever was in use.
  Result<std::uint32_t> NextNumber(MediaType type);
  // The last segment that was sealed and is lost, as far as a rebuild could tell; 0 when none is known.
  Result<std::uint32_t> LostUpTo(MediaType type);
  // The sealed ones in the order in which things happened, from the first whose place is above `place`.
  Result<std::vector<SegmentRow>> SealedInOrder(MediaType type, std::int64_t place = 0);
  Result<std::optional<SegmentRow>> LastSealed(MediaType type);  // in that order
  // The segment that was open at that time, as far as the times of the commits tell; 0 when there was none.
  Result<std::uint32_t> SegmentAt(MediaType type, Time at);
  // The version up to which the id's bodies have been purged and may still be in the segments; 0 when none.
  Result<std::int64_t> PurgedUpTo(MediaId id);
  Result<std::unordered_map<std::int64_t, std::int64_t>> Purges(MediaType type);  // all of these, by id
  Result<IdState> StateOf(MediaId id);
  // One walk along three tables, each in the order of its key: nothing is sorted, nothing gathered. A stop request ends
  // it, and that over the live ones, before the next id.
  Result<void> VisitStates(MediaType type, const std::function<void(const IdState&)>& visit, const StopFlag& stop);
  Result<void> VisitLive(MediaType type, const std::function<void(const LiveRecord&)>& visit, const StopFlag& stop);
  Result<std::int64_t> CountLive(MediaType type);
  Result<std::optional<Time>> Held(MediaId id);
  Result<std::vector<std::int64_t>> HeldDeletions(MediaType type);
  Result<std::vector<std::int64_t>> ShowsOfHeldSeasons();
  Result<void> VisitRows(MediaType type, const std::function<void(const IndexRow&)>& visit);
  // Whether that step of a history was replaced by one fetched before `time`; false when it is none.
  Result<bool> IsSuperseded(MediaId id, std::int64_t version, Time before);
  // All of those.
  Result<void> VisitSupersededSteps(MediaType type, Time before,
                                    const std::function<void(const StepRow&)>& visit);
  Result<void> VisitSteps(MediaType type, const std::function<void(const StepRow&)>& visit);
  // How many views and steps the index places into each segment of the type.
  Result<std::map<std::uint32_t, std::int64_t>> LinesBySegment(MediaType type);
  Result<std::vector<std::pair<MediaType, TypeCounts>>> Counts();
  Result<std::map<MediaType, std::int64_t>> DeletionsSince(Time since);
  Result<void> AcceptDeletions(Time at);
  Result<std::optional<Time>> DeletionsAcceptedAt();
  // What SQLite itself finds wrong with catalog.db; empty when nothing.
  Result<std::vector<std::string>> IntegrityErrors();

  // --- writing; within a transaction of the caller's ---
  Result<void> Put(const IndexRow& row);
  Result<void> PutVerified(MediaId id, Time verified_at);
  Result<void> PutStep(const StepRow& row);
  Result<void> PutEpisode(std::int64_t episode_id, std::int64_t season_id);
  Result<void> PutMissing(MediaId id, const MissingRow& row);
  Result<void> RemoveMissing(MediaId id);
  Result<void> PutHeld(MediaId id, Time at);
  Result<void> RemoveHeld(MediaId id);
  // Leaves `dead` of a row that is there as it is.
  Result<void> PutSegment(const SegmentRow& row);
  // So many bytes of the segment's lines are dead: a stats line that was replaced, ids that were verified again, a
  // purged record. In the transaction that makes them so.
  Result<void> AddDead(MediaType type, std::uint32_t segment, std::int64_t bytes);
  Result<void> RemoveSegment(MediaType type, std::uint32_t number);
  Result<void> PutLostUpTo(MediaType type, std::uint32_t number);
  // Its steps up to that version go, and its bodies up to that version are to go from the segments: they are dead.
  Result<void> PutPurge(MediaId id, std::int64_t version);
  Result<void> RemovePurge(MediaId id);
  Result<void> RemoveStep(MediaId id, std::int64_t version);
  // The line at `from` is at `to` now, whether it is a current view or a step; nothing when it is neither.
  Result<void> Move(MediaId id, const Place& from, const Place& to);

 private:
  // The statement for `sql`, which must be a constant: prepared once, found again by its address.
  Result<Statement*> Use(const char* sql);
  Result<std::optional<IndexRow>> FindRow(Statement& query);
  Result<std::vector<SegmentRow>> SegmentRows(Statement& query, MediaType type);

  Database& catalog_;
  std::unordered_map<const char*, std::unique_ptr<Statement>> statements_;
};

}  // namespace tmdbc
