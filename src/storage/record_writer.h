// SPDX-License-Identifier: MIT
// RecordWriter: takes records and makes them durable, in batches. It knows records and their versions, no
// policy: what is deleted, held or purged others decide. docs/storage-format.md has the bytes.
//
// The commit: whole zstd frames are appended to the open segment of each type and fsynced; then ONE SQLite
// transaction adds the index rows and runs the caller's `within` (which acknowledges the queue's messages).
// A crash before that transaction leaves bytes that recovery cuts off; a crash after it has lost nothing.
// What Put() returned is not stored until Commit() has returned. Put() compares with the batch too; a
// reader sees what has been committed. One thread, and no second writer beside it.
#pragma once

#include <cstdint>
#include <deque>
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
#include "base/compression.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "storage/deletion_policy.h"
#include "storage/record.h"
#include "tmdb/document.h"
#include "tmdb/media_id.h"

namespace tmdbc {

class RecordIndex;
class RecordLoader;
class SegmentWriter;
class ZstdEncoder;
struct IndexRow;
struct Place;
struct RecordLine;

struct RecordWriterOptions {
  Duration commit_interval = std::chrono::seconds(1);
  // The first commit of a process comes this early and the next ones each twice as late, up to
  // commit_interval: a process that is killed young again and again still makes progress.
  Duration first_commit_interval = std::chrono::milliseconds(100);
  std::uint64_t commit_bytes = 4 << 20;    // of data put since the last commit
  std::uint64_t frame_bytes = 512 << 10;   // before compression
  std::uint64_t segment_bytes = 32 << 20;  // compressed; sealed above
  Duration segment_age = std::chrono::hours(1);
  int zstd_level = kZstdLevel;
  // Behind a batch that commit_bytes ended and not the clock: there is more to do than time.
  int fast_zstd_level = kFastZstdLevel;
  // What was sealed is where it was put, as it was put: a bucket sees to that. Then a record is not read before it is
  // found unchanged, and new numbers are stored as a patch only where the frame of their body is at hand, or is asked
  // for the second time within kFramesRemembered: else with the whole body. A refresh, which asks in about the order in
  // which was stored, reads each frame once; whatever comes in no order reads none, where it would read one a record.
  bool trust_segments = false;
};
inline constexpr std::size_t kFramesRemembered = 256;

class RecordWriter {
 public:
  // Recovers: cuts open segments back to the last committed byte, finishes a seal or a compaction that was
  // interrupted. `catalog` and `files` outlive the writer and belong to the same thread. kCorrupt when
  // segments and index do not belong together (catalog.db lost or restored from a copy, a segment missing or
  // of another size): then Rebuild() of rebuild.h helps.
  static Result<std::unique_ptr<RecordWriter>> Open(FileSystem& files, Database& catalog, const Clock& clock,
                                                    RecordWriterOptions options);
  ~RecordWriter();
  // What a person should be told about the opening, a sentence each, with Hint::kRebuild: bytes that were kept aside.
  const std::vector<std::string>& notices() const { return notices_; }

  // Takes a fetched document into the batch. Compares it with the current view: kInsert, kUpdate, kStats,
  // kRestore write a record, kUnchanged only marks it verified. The later answer wins, whatever its time:
  // change_rule.h has the table. Members that it lacks are those of the current view. kInvalid when the id is not
  // 1..2^52-1 or the record would be longer than 64 MiB.
  Result<Change> Put(Document document);
  // TMDB has it no more: a live record gets a tombstone that says the `evidence` (kDelete; a show's seasons go with
  // it), an id that is not live gets one more 404 in the ledger (kUnchanged). Put() takes it out of there.
  Result<Change> PutGone(MediaId id, Time at, DeletionEvidence evidence = DeletionEvidence::kNotFound);
  // A live record seems to be gone, but a person has to agree first: it stays live and is remembered as held, until
  // a Put() or PutGone() of it. Into the batch, as those. Nothing for what is not live.
  Result<void> HoldDeletion(MediaId id, Time at);
  // Takes a live record (a show with its seasons) out of the current view and the history: reading it gives
  // kNotFound, and for the ledger it is unknown, so that a harvest fetches it as a new one. Its bytes go with
  // the next compaction. Nothing for what is not live.
  Result<void> PutPurge(MediaId id, Time at);

  // The batch counted in, as for Put(): when TMDB last answered for `id`, with a document or a 404, as far as is known.
  // Empty when it never did, or what it said was purged.
  Result<std::optional<Time>> AnsweredAt(MediaId id);
  // Also with the batch: whether the current view of `id` has data, and a show's seasons whose view
  // has, by id.
  Result<bool> IsLive(MediaId id);
  struct LiveSeason {
    MediaId id{};
    std::int64_t number = 0;
    bool holds_number = false;  // of several with one number it is the one that was fetched last
  };
  Result<std::vector<LiveSeason>> LiveSeasons(std::int64_t tv_id);

  // True when the batch is old or large enough (commit_interval, commit_bytes).
  bool CommitDue() const;
  // When CommitDue() will become true by age; empty while the batch is empty.
  std::optional<MonoTime> CommitDeadline() const;
  // Makes the batch durable, with what `within` does on the same catalog. On an error nothing of the batch is
  // acknowledged and the batch is kept: Commit() may be called again (disk full: when there is room). Seals
  // segments that are large or old enough; a failed seal does not fail the commit, the next Commit() or
  // Seal() tries again. Not within a transaction of the caller's.
  Result<void> Commit(const std::function<Result<void>()>& within);
  // Seals every open segment that holds something (end of a drain or a run). A batch that could not be
  // committed stays one.
  Result<void> Seal();
  // Seals those that are large or old enough. For a process that has nothing to commit: followers are
  // promised what was stored an hour ago.
  Result<void> SealDue();

  // Seals the type's open segment and runs `replace`, which may put new sealed segments in the place of old
  // ones (compaction.h); then goes on behind the numbers that it took. Requires an empty batch.
  Result<void> ReplaceSegments(MediaType type, const std::function<Result<void>()>& replace);
  // Finds its place again after the index was made again. Requires an empty batch.
  Result<void> Reload();

 private:
  struct Batch;

  RecordWriter(FileSystem& files, Database& catalog, const Clock& clock, RecordWriterOptions options);

  Result<void> LoadWriter(MediaType type);
  Result<void> WriteState(MediaType type);
  Result<void> SealOne(MediaType type);
  // Makes sure that a transaction whose commit failed did not happen, so that its bytes may be cut off.
  Result<void> ForgetFailedCommit(SegmentWriter& writer);
  bool IsSealDue(MediaType type) const;

  Result<std::optional<IndexRow>> CurrentView(MediaId id);
  Result<std::vector<IndexRow>> SeasonsInView(std::int64_t tv_id);
  // `verified_at`: when the answer came by the clock of that moment; the line may be dated later.
  Result<void> Write(const std::optional<IndexRow>& before, RecordLine& line, const ContentHash& hash,
                     Time verified_at);
  // A record without data: a tombstone, a purge.
  Result<void> WriteEmpty(const IndexRow& before, RecordLine line, Time at);
  Result<void> WriteTombstone(const IndexRow& before, Time at, DeletionEvidence evidence);
  Result<void> WritePurge(const IndexRow& before, Time at);
  // False when the bytes of the view are damaged or lost: then what comes is stored, changed or not.
  Result<bool> Readable(const IndexRow& row);
  // Puts the members that `document` lacks behind its own, as the view has them. False: the view is to stay as it is.
  Result<bool> KeepLacking(const IndexRow& view, Document& document);
  // The stats patch that makes the view say what `data` says; left empty where the whole body is to be written. False
  // when the body that began the version is damaged or lost.
  Result<bool> MakePatch(const IndexRow& before, std::string_view data, std::string& patch);
  // Where the line is that began the version of the view.
  Result<Place> BaseOf(const IndexRow& row);
  // Whether the frame is worth reading for a patch: trust_segments has the rule.
  bool WorthReading(MediaType type, const Place& place);
  // Puts what was only verified, or not there, into lines of the batch.
  void AppendVerified();
  void AppendVerified(MediaType type, int status, Time at, std::vector<std::int64_t> ids);
  // One more 404 of an id that is not live, into the ledger.
  Result<void> CountGone(MediaId id, Time at, bool tombstone);
  // TMDB has answered for it: its deletion is held no longer.
  Result<void> Unhold(MediaId id);
  void Touch(std::uint64_t bytes);
  Result<void> FlushBatch();
  Result<void> IndexBatch();

  // Constant after construction.
  FileSystem& files_;
  Database& catalog_;
  const Clock& clock_;
  const RecordWriterOptions options_;

  const std::unique_ptr<RecordIndex> index_;
  const std::unique_ptr<RecordLoader> loader_;
  const std::unique_ptr<ZstdEncoder> encoder_;
  std::map<MediaType, std::unique_ptr<SegmentWriter>> writers_;  // of every type
  std::set<MediaType> state_behind_;  // state.json is older than the last sealed segment
  std::set<std::string> asides_;      // files of kept_aside.h
  std::vector<std::string> notices_;
  std::deque<std::pair<MediaType, Place>> passed_by_;  // frames that were not worth reading; the oldest first
  Duration commit_interval_;  // now in force: see first_commit_interval
  std::unique_ptr<Batch> batch_;
};

}  // namespace tmdbc
