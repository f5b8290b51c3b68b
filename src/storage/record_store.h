// SPDX-License-Identifier: MIT
// RecordStore: the versioned store of records and the index that finds them. docs/storage-format.md has the
// bytes.
//
// Commit protocol (DESIGN section 8): whole zstd frames are appended to the open segment of each type and
// fsynced; then ONE SQLite transaction adds the index rows and runs the caller's `within` (which acknowledges
// the queue's messages). A crash before that transaction leaves bytes that recovery cuts off; a crash after
// it has lost nothing. What Put() returned is not stored until Commit() has returned. One thread. A second
// process may open the same store for reading (OpenReadOnly) at any time. Reading sees what has been
// committed; Put() compares with the batch too.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "tmdb/document.h"
#include "tmdb/media_id.h"

namespace tmdbc {

class PopularityTable;
class RecordIndex;
class SegmentWriter;
class ZstdDecoder;
class ZstdEncoder;
struct IndexRow;
struct Place;
struct RecordLine;
struct SegmentName;
struct SegmentRow;
struct StepRow;

// What a fetch did to the store. The first six are written in records by these names.
enum class Change : std::uint8_t { kInsert, kUpdate, kStats, kDelete, kRestore, kPurge, kUnchanged };
std::string_view Name(Change change);

// A record as a reader gets it.
struct StoredRecord {
  MediaId id{};
  std::int64_t tv_id = 0;          // of a season
  std::int64_t season_number = 0;  // of a season
  std::int64_t version = 0;
  Change change = Change::kInsert;
  Time fetched_at{};
  int status = 200;
  std::optional<std::string> etag;
  std::string sha256;    // of `data`, lower-case hex; empty for a tombstone
  std::string data;      // TMDB's bytes; empty for a tombstone
  std::string envelope;  // the whole stored line, without the line break
  // Only of History(): not empty when the version cannot be read; then it says why, and of the rest there is
  // what the index knows: id, version, change, fetched_at and status.
  std::string damage;
};

// What the store knows of an id without reading its data.
enum class Standing : std::uint8_t {
  kUnknown,    // never stored, never asked for
  kLive,       // the current view has data
  kTombstone,  // stored once; TMDB says 404 now
  kMissing,    // TMDB said 404 and it was never stored
};
struct IdState {
  std::int64_t id = 0;
  Standing standing = Standing::kUnknown;
  Time verified_at{};             // when TMDB last answered for it, 404 included
  std::int64_t gone_answers = 0;  // 404s in a row, of a tombstone or a missing id; 0 of a live one
};

// A live record as the freshness policy sees it.
struct LiveRecord {
  std::int64_t id = 0;
  Time first_at{};           // when its first version was fetched
  Time verified_at{};        // when TMDB was last seen to agree with it
  std::int64_t changes = 0;  // new contents seen since first_at (updates and restores)
};

struct TypeCounts {
  std::int64_t live = 0;        // current view has data
  std::int64_t tombstones = 0;  // current view is a delete
  std::int64_t missing = 0;     // answered 404 and never stored
  std::int64_t held = 0;        // live, but their deletion waits for --accept-deletions
  std::int64_t versions = 0;    // all steps of all histories
  std::int64_t segments = 0;    // sealed ones
  std::int64_t bytes = 0;       // of all segments
  std::optional<Time> oldest_verified;
};

struct RecordStoreOptions {
  Duration commit_interval = std::chrono::seconds(1);
  // The first commit of a process comes this early and the next ones each twice as late, up to
  // commit_interval: a process that is killed young again and again still makes progress.
  Duration first_commit_interval = std::chrono::milliseconds(100);
  std::uint64_t commit_bytes = 4 << 20;    // of data put since the last commit
  std::uint64_t frame_bytes = 128 << 10;   // before compression
  std::uint64_t segment_bytes = 32 << 20;  // compressed; sealed above
  Duration segment_age = std::chrono::hours(1);
  int zstd_level = 2;  // kZstdLevel says why
};

class RecordStore {
 public:
  // Recovers: cuts open segments back to the last committed byte, finishes a seal or a compaction that was
  // interrupted. `catalog` and `files` outlive the store and belong to the same thread. kCorrupt when
  // segments and index do not belong together (catalog.db lost or restored from a copy, a segment missing or
  // of another size): then OpenReadOnly(), with a catalog opened for writing, and Rebuild() help.
  static Result<std::unique_ptr<RecordStore>> Open(FileSystem& files, Database& catalog, const Clock& clock,
                                                   RecordStoreOptions options);
  // For queries beside a running collector: no recovery, no writes, nothing is scanned. Where nothing has
  // been stored yet, reading gives kNotFound with a sentence that says so. Of the writing methods only
  // Rebuild() may be called.
  static Result<std::unique_ptr<RecordStore>> OpenReadOnly(FileSystem& files, Database& catalog);
  ~RecordStore();
  // What a person should be told about the opening, a sentence each: bytes that were kept aside.
  const std::vector<std::string>& notices() const { return notices_; }

  // --- writing
  // -------------------------------------------------------------------------------------------------------------
  // Takes a fetched document into the batch. Compares it with the current view: kInsert, kUpdate, kStats,
  // kRestore write a record, kUnchanged only marks it verified; a document older than what the view was last
  // verified with does nothing (kUnchanged). change_rule.h has the table. kInvalid when the id is
  // not 1..2^52-1 or the record would be longer than 64 MiB.
  Result<Change> Put(Document document);
  // TMDB said 404 with its own body: a live record gets a tombstone (kDelete; a show's seasons too), an id
  // that is not live gets one more 404 in the ledger (kUnchanged). Put() takes it out of there.
  Result<Change> PutGone(MediaId id, Time at);
  // After a show was fetched completely and its seasons Put(): its stored seasons whose numbers are not in
  // `listed`, and those whose number another season has taken over, get tombstones.
  Result<void> PutSeasonList(std::int64_t tv_id, std::span<const std::int64_t> listed, Time at);

  // TMDB said 404 for a live record, but so many have gone within a day that a person has to agree first: it
  // stays live and is remembered as held, until a Put() or PutGone() of it. Into the batch, as those. Nothing
  // for what is not live, or was verified later.
  Result<void> HoldDeletion(MediaId id, Time at);

  // True when the batch is old or large enough (commit_interval, commit_bytes).
  bool CommitDue() const;
  // When CommitDue() will become true by age; empty while the batch is empty.
  std::optional<MonoTime> CommitDeadline() const;
  // Makes the batch durable, with what `within` does on the same catalog. On an error nothing of the batch is
  // acknowledged and the batch is kept: Commit() may be called again (disk full: when there is room). Seals
  // segments that are large or old enough; that it could not is no error of the commit's, the next Commit()
  // or Seal() tries again. Not within a transaction of the caller's.
  Result<void> Commit(const std::function<Result<void>()>& within);
  // Seals every open segment that holds something (end of a run). A batch that could not be committed stays
  // one.
  Result<void> Seal();

  // --- reading
  // -------------------------------------------------------------------------------------------------------------
  // The current view. kNotFound when the id was never stored; a tombstone is a value (status 404). kCorrupt
  // names file and frame.
  Result<StoredRecord> Find(MediaId id);
  // The live season in that place, else the tombstone of the last one that was there.
  Result<StoredRecord> FindSeason(std::int64_t tv_id, std::int64_t season_number);
  // The season record that holds the episode of that id, or held it last.
  Result<StoredRecord> FindSeasonOfEpisode(std::int64_t episode_id);
  // The id of the season that FindSeason() finds, without reading it.
  Result<MediaId> SeasonAt(std::int64_t tv_id, std::int64_t season_number);
  // Every season record of the show that the episode is of, live or not: a season may have been made anew
  // under another id, with the episodes that it had. The one of FindSeasonOfEpisode() is the first. Reads
  // none of them.
  Result<std::vector<MediaId>> SeasonsOfEpisode(std::int64_t episode_id);
  // Every version kept, oldest first, each as it was when the version began: a stats record is no step,
  // Find() has the latest numbers. One that cannot be read is there with its `damage`.
  Result<std::vector<StoredRecord>> History(MediaId id);
  // What is kept of an id's past, without reading it. kNotFound when the id was never stored.
  struct Kept {
    std::optional<Time> purged_at;   // nothing is: it was purged then
    std::int64_t first_version = 0;  // else the oldest version, 1 unless those before it were dropped
    Time first_at{};                 // when that was fetched
  };
  Result<Kept> KeptOf(MediaId id);
  // The numbers of the live seasons that are stored for a show, ascending; empty when it is unknown.
  Result<std::vector<std::int64_t>> SeasonNumbers(std::int64_t tv_id);
  // The version that was in force at that time: the last one fetched at or before it, with the newest numbers
  // when it is the current one and they had been fetched. A tombstone is a value. kNotFound when the id was
  // not stored yet.
  Result<StoredRecord> FindAsOf(MediaId id, Time at);
  Result<IdState> StateOf(MediaId id);
  // Every id of the type that is not unknown, ascending.
  Result<void> VisitStates(MediaType type, const std::function<void(const IdState&)>& visit);
  // Every live record of the type, ascending.
  Result<void> VisitLive(MediaType type, const std::function<void(const LiveRecord&)>& visit);
  // How many records of each type became tombstones at `since` or later, and after the last
  // AcceptDeletions().
  Result<std::map<MediaType, std::int64_t>> DeletionsSince(Time since);
  // A person has agreed to what was deleted until then. Durable when it returns.
  Result<void> AcceptDeletions(Time at);
  // The ids whose deletion is held, ascending.
  Result<std::vector<std::int64_t>> HeldDeletions(MediaType type);
  // Ids that need no first fetch: stored (live or not) or known to be missing. Calls `visit` for each,
  // ascending.
  Result<void> VisitKnownIds(MediaType type, const std::function<void(std::int64_t)>& visit);
  // Types that have anything, in the order of kRecordTypes. Reads the whole index (0.1 s a million records):
  // not for loops.
  Result<std::vector<std::pair<MediaType, TypeCounts>>> Counts();

  // --- popularity of the last export, kept for every id at no request
  // ---------------------------------------------------------
  struct Popularity {
    std::int64_t id;
    float popularity;
  };
  // Replaces all of the type's. `sorted` is ascending by id. Durable when it returns (within a caller's
  // transaction: with that).
  Result<void> SetPopularity(MediaType type, std::span<const Popularity> sorted);
  Result<std::optional<float>> PopularityOf(MediaId id);

  // --- the change feed for followers (docs/storage-format.md, "Following the changes")
  // ------------------------------------------
  // The numbers of sealed segments are the feed's sequence numbers; what is in the open segment follows when
  // it is sealed.
  // The newest sequence number of the type, 0 when nothing is sealed.
  Result<std::int64_t> NewestSequence(MediaType type);
  // Calls `visit` with the lines after `since` (exclusive), in the order in which they were written, each
  // with its sequence number, never going back. Ends after the sequence number within which `visit` said
  // false. Returns the one reached, from which to go on. Lines keep their sequence numbers through every
  // compaction, so nobody is ever too far behind; what was dropped by then is only missing. A compaction that
  // runs beside may make lines of one sequence number come twice. kInvalid when `since` is newer than the
  // newest: the store was made anew, and the follower starts over from 0. kCorrupt names the damaged segment
  // and the number behind which to go on; unless there is a `skip`: then that is told of every stretch that
  // cannot be read, and the feed goes on behind it. What follows damage within a segment has the last of the
  // segment's sequence numbers, as the damage has: nobody knows how many lines were lost.
  struct FeedDamage {
    std::int64_t sequence = 0;
    std::string file;          // from DATA_DIR
    std::uint64_t offset = 0;  // where the stretch begins
    std::string what;
  };
  Result<std::int64_t> ReadFeed(
      MediaType type, std::int64_t since,
      const std::function<Result<bool>(std::int64_t sequence, std::string_view line)>& visit,
      const std::function<Result<void>(const FeedDamage&)>& skip = {});

  // --- compaction and purge
  // ----------------------------------------------------------------------------------------------------------
  struct CompactOptions {
    std::uint64_t small_bytes = 16 << 20;    // runs of neighbouring segments below this are merged
    std::uint64_t segment_bytes = 32 << 20;  // into segments of at most about this
    std::size_t least_segments = 2;          // fewer are not merged, unless something in them has to go
    // Versions that were replaced before this are dropped (what was in force then is kept); empty: none ever.
    std::optional<Time> versions_before{};
    bool dry_run = false;  // reads all and tells what would be; writes nothing, leaves open segments alone
  };
  struct CompactReport {
    std::int64_t segments_before = 0, segments_after = 0;  // of what was merged
    std::int64_t records_kept = 0;
    std::int64_t stats_dropped = 0, versions_dropped = 0, purged_dropped = 0;
    std::int64_t bytes_before = 0, bytes_after = 0;
    std::int64_t damaged_segments = 0;  // left as they are: `verify --deep` names them

    void Add(const CompactReport& more);
  };
  // Seals the open segment of the type, merges small sealed ones under new numbers (compaction.h), drops
  // superseded `stats` lines and the bodies of purged records, never a version unless versions_before says
  // so, and removes the old files. A crash at any moment leaves of each merged run either all of the old or
  // all of the new. Readers beside it find every record throughout, the change feed keeps its numbers. Takes
  // about 50 MB for a run. Requires an empty batch. `stopping` (may be empty) is asked every few
  // milliseconds, but for the writing of a file of 32 MiB: what has not been finished then has not begun.
  Result<CompactReport> Compact(MediaType type, const CompactOptions& options,
                                const std::function<bool()>& stopping);
  // Writes a `purge` record for every live record of the type (a show with its seasons) not verified since
  // `before`, and commits: it is no longer in the current view nor the history, reading it gives kNotFound,
  // and to VisitStates() it is unknown, so that a harvest fetches it as a new one. Its bytes go with the next
  // Compact(). Returns how many, seasons not counted. Requires an empty batch.
  Result<std::int64_t> PurgeUnverified(MediaType type, Time before);

  // --- care
  // ----------------------------------------------------------------------------------------------------------------
  struct Damage {
    std::string file;              // from DATA_DIR
    std::uint64_t offset = 0;      // of the frame
    std::string what;              // "frame does not inflate", "sha256 differs"...
    std::vector<MediaId> records;  // that the index places there
  };
  struct VerifyReport {
    std::int64_t segments = 0, frames = 0, records = 0, bytes = 0;
    std::vector<Damage> damage;      // empty: all is well
    std::vector<std::string> notes;  // what is no damage, but a person should know
  };
  // Index against files: sizes, gaps in numbers, state.json, and the checksum of every segment file. deep
  // also inflates every frame, checks every line and sha256, and that every index row finds its record. Never
  // changes anything. Beside a writing process what looks like damage is looked at again, after a `pause`
  // (may be empty) in which that one can finish what it is about, until nothing has changed meanwhile.
  Result<VerifyReport> Verify(bool deep, const std::function<void()>& pause = {});
  // Makes the index anew from the segments, in one transaction, after putting back what was kept aside. The
  // ledger of missing ids, the held deletions, the popularity and the tables of queue and harvester are kept.
  // Frames that cannot be read are reported and left where they are, except at the end of an open segment,
  // which is cut behind its last whole frame. Requires an empty batch and a catalog opened for writing.
  Result<VerifyReport> Rebuild();

 private:
  struct Batch;

  RecordStore(FileSystem& files, Database& catalog, const Clock* clock, RecordStoreOptions options);

  Result<void> Recover();
  Result<void> RecoverType(MediaType type, std::span<const SegmentName> found);
  Result<void> CheckSealed(const SegmentRow& row, bool present);
  Result<void> RemoveLeftOver(MediaType type, std::uint32_t number, std::span<const SegmentRow> segments);
  Result<void> RecoverOpen(SegmentRow row, bool open_file, bool sealed_file);
  // Keeps bytes of an open segment that are about to be cut off, when there is anything new in them.
  Result<void> SaveTail(MediaType type, std::uint32_t number, std::uint64_t from, std::uint64_t to);
  Result<void> DropKnownAsides();
  Result<void> LoadWriters();
  Result<void> LoadWriter(MediaType type);
  Result<void> WriteState(MediaType type);
  Result<void> SealOne(MediaType type);
  bool SealDue(MediaType type) const;

  Result<std::optional<IndexRow>> CurrentView(MediaId id);
  Result<std::vector<IndexRow>> SeasonsInView(std::int64_t tv_id);
  Result<void> Write(const std::optional<IndexRow>& before, RecordLine& line, const ContentHash& hash);
  Result<void> WriteTombstone(const IndexRow& before, Time at);
  Result<void> WritePurge(const IndexRow& before, Time at);
  // False when the bytes of the view are damaged or lost: then what comes is stored anew, changed or not.
  Result<bool> Readable(const IndexRow& row);
  // One more 404 of an id that is not live, into the ledger.
  Result<void> CountGone(MediaId id, Time at, bool tombstone);
  // TMDB has answered for it: its deletion is held no longer.
  Result<void> Unhold(MediaId id);
  void Touch(std::uint64_t bytes);
  Result<void> FlushBatch();
  Result<void> IndexBatch();

  Result<StoredRecord> Load(MediaId id, std::int64_t version, const Place& place);
  Result<StoredRecord> LoadView(const IndexRow& row);
  Result<std::vector<StoredRecord>> LoadHistory(MediaId id);
  Result<StoredRecord> LoadAsOf(MediaId id, Time at);
  // The steps of the history before `current`; of a stats record also the one it refreshes.
  Result<std::vector<StepRow>> StepsOf(const IndexRow& current);

  // Constant after construction.
  FileSystem& files_;
  Database& catalog_;
  const Clock* const clock_;  // null: opened for reading
  const RecordStoreOptions options_;

  const std::unique_ptr<RecordIndex> index_;
  const std::unique_ptr<PopularityTable> popularity_;
  const std::unique_ptr<ZstdDecoder> decoder_;
  std::unique_ptr<ZstdEncoder> encoder_;
  std::map<MediaType, std::unique_ptr<SegmentWriter>> writers_;  // of every type, when opened for writing
  std::set<MediaType> state_behind_;  // state.json is older than the last sealed segment
  std::set<std::string> asides_;      // files of kept_aside.h
  std::vector<std::string> notices_;
  Duration commit_interval_;  // now in force: see first_commit_interval
  std::unique_ptr<Batch> batch_;
};

}  // namespace tmdbc
