// SPDX-License-Identifier: MIT
// RecordStore: the versioned store of records and the index that finds them. docs/storage-format.md has the bytes.
//
// Commit protocol (DESIGN section 8): whole zstd frames are appended to the open segment of each type and fsynced; then ONE SQLite
// transaction adds the index rows and runs the caller's `within` (which acknowledges the queue's messages). A crash before
// that transaction leaves bytes that recovery cuts off; a crash after it has lost nothing. What Put() returned is not
// stored until Commit() has returned.
// One thread. A second process may open the same store for reading (OpenReadOnly) at any time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
};


struct TypeCounts {
  std::int64_t live = 0;        // current view has data
  std::int64_t tombstones = 0;  // current view is a delete
  std::int64_t missing = 0;     // answered 404 and never stored
  std::int64_t versions = 0;    // all steps of all histories
  std::int64_t segments = 0;    // sealed ones
  std::int64_t bytes = 0;       // of all segments
  std::optional<Time> oldest_verified;
};

struct RecordStoreOptions {
  Duration commit_interval = std::chrono::seconds(1);
  std::uint64_t commit_bytes = 4 << 20;     // of data put since the last commit
  std::uint64_t frame_bytes = 128 << 10;    // before compression
  std::uint64_t segment_bytes = 32 << 20;   // compressed; sealed above
  Duration segment_age = std::chrono::hours(1);
  int zstd_level = 3;
};

class RecordStore {
 public:
  // Recovers: cuts open segments back to the last committed byte, finishes a seal that was interrupted. `catalog` and `files`
  // outlive the store and belong to the same thread.
  static Result<std::unique_ptr<RecordStore>> Open(FileSystem& files, Database& catalog, const Clock& clock,
                                                   RecordStoreOptions options);
  // For queries beside a running collector: no recovery, no writes.
  static Result<std::unique_ptr<RecordStore>> OpenReadOnly(FileSystem& files, Database& catalog);
  virtual ~RecordStore() = default;

  // --- writing -------------------------------------------------------------------------------------------------------------
  // Takes a fetched document into the batch. Compares it with the current view: kInsert, kUpdate, kStats, kRestore write a
  // record, kUnchanged only marks it verified.
  virtual Result<Change> Put(Document document) = 0;
  // TMDB said 404 with its own body: a live record gets a tombstone (kDelete; a show's seasons too), an id never stored goes into
  // the ledger of missing ids (kUnchanged).
  virtual Result<Change> PutGone(MediaId id, Time at) = 0;
  // After a show was fetched completely: its stored seasons that are not in `listed` get tombstones.
  virtual Result<void> PutSeasonList(std::int64_t tv_id, std::span<const std::int64_t> listed, Time at) = 0;

  // True when the batch is old or large enough (commit_interval, commit_bytes).
  virtual bool CommitDue() const = 0;
  // When CommitDue() will become true by age; empty while the batch is empty.
  virtual std::optional<MonoTime> CommitDeadline() const = 0;
  // Makes the batch durable, with what `within` does on the same catalog. On an error nothing of the batch is acknowledged and the
  // batch is kept: Commit() may be called again (disk full: when there is room).
  virtual Result<void> Commit(const std::function<Result<void>()>& within) = 0;
  // Seals every open segment that holds something (end of a run). Requires an empty batch.
  virtual Result<void> Seal() = 0;

  // --- reading -------------------------------------------------------------------------------------------------------------
  // The current view. kNotFound when the id was never stored; a tombstone is a value (status 404).
  virtual Result<StoredRecord> Find(MediaId id) = 0;
  virtual Result<StoredRecord> FindSeason(std::int64_t tv_id, std::int64_t season_number) = 0;
  // The season record that holds the episode of that id.
  virtual Result<StoredRecord> FindSeasonOfEpisode(std::int64_t episode_id) = 0;
  // Every version kept, oldest first.
  virtual Result<std::vector<StoredRecord>> History(MediaId id) = 0;
  // The numbers of the live seasons that are stored for a show, ascending; empty when it is unknown.
  virtual Result<std::vector<std::int64_t>> SeasonNumbers(std::int64_t tv_id) = 0;
  // Ids that need no first fetch: stored (live or not) or known to be missing. As sorted vector-free set: calls `visit` for each, ascending.
  virtual Result<void> VisitKnownIds(MediaType type, const std::function<void(std::int64_t)>& visit) = 0;
  virtual Result<std::vector<std::pair<MediaType, TypeCounts>>> Counts() = 0;

  // --- popularity of the last export, kept for every id at no request ---------------------------------------------------------
  struct Popularity {
    std::int64_t id;
    float popularity;
  };
  // Replaces all of the type's. `sorted` is ascending by id.
  virtual Result<void> SetPopularity(MediaType type, std::span<const Popularity> sorted) = 0;
  virtual Result<std::optional<float>> PopularityOf(MediaId id) = 0;

  // --- care ----------------------------------------------------------------------------------------------------------------
  struct Damage {
    std::string file;
    std::uint64_t offset = 0;       // of the frame
    std::string what;               // "frame does not inflate", "sha256 differs"...
    std::vector<MediaId> records;   // that the index places there
  };
  struct VerifyReport {
    std::int64_t segments = 0, frames = 0, records = 0, bytes = 0;
    std::vector<Damage> damage;     // empty: all is well
  };
  // Index against files (sizes, gaps in numbers, state.json); deep also reads every frame, checks every line and sha256, and that every
  // index row finds its record. Never changes anything.
  virtual Result<VerifyReport> Verify(bool deep) = 0;
  // Makes the index anew from the segments. The queue and harvest tables are not touched.
  virtual Result<VerifyReport> Rebuild() = 0;
};

}  // namespace tmdbc
