// SPDX-License-Identifier: MIT
// ChangeBatch: what happened to the records of one type after a sequence number of the change feed, in the order of
// ids: of each record its newest state, and every step on the way there. Read once from the feed into a spool, then
// given out bucket by bucket, so that memory is that of a bucket. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/stop.h"
#include "storage/change_feed.h"
#include "storage/record_line.h"
#include "tables/manifest.h"
#include "tables/spool.h"

namespace tmdbc::tables {

// Records of a bucket have ids, or seasons the ids of their shows, of the same 1,024.
inline constexpr std::int64_t kBucketIds = 1024;
// So many a type are kept in a manifest: of one a compaction may drop the version.
inline constexpr std::size_t kFeedMarks = 4;

// Gives the body that a version began with, for a patch that comes after it in the feed: it may be from before the
// batch. Empty: the record was purged since, as a later line says. kCorrupt: it cannot be read.
using BaseOf = std::function<Result<std::optional<std::string>>(MediaId id, std::int64_t version)>;

class ChangeBatch {
 public:
  // Reads the lines after `since`. `spool_path` is made and removed. What is damaged is left out, and said: fetched
  // again its records come in later lines. kUnavailable when stopped.
  static Result<ChangeBatch> Read(ChangeFeed& feed, MediaType type, std::int64_t since,
                                  std::string spool_path, const StopFlag& stop);

  MediaType type() const { return type_; }
  std::int64_t since() const { return since_; }
  // The sequence number that it reaches.
  std::int64_t sequence() const { return sequence_; }
  std::int64_t lines() const { return lines_; }
  // Whether a purge is among the lines.
  bool has_purge() const { return has_purge_; }
  // Of the newest lines, newest first: some that begin a version, of an id each, and the last one if it has only
  // numbers.
  std::vector<FeedMark> marks() const;
  std::vector<std::int64_t> Buckets() const { return spool_.Buckets(); }
  // What of the feed, and of the buckets read so far, could not be read and was left out, in words.
  const std::vector<std::string>& damages() const { return damages_; }
  // The records among these that ReadBucket() could not make out since it was asked last: what they were before holds.
  std::vector<std::int64_t> TakeDamaged() { return std::exchange(damaged_, {}); }
  // The records that have lines, ascending, each with the bucket of its newest one.
  const std::vector<std::pair<std::int64_t, std::int64_t>>& records() const { return records_; }

  // A record as it is now: a tombstone or purged has no data.
  struct State {
    RecordLine line;        // the newest; data and patch are views into what is below
    std::string_view data;  // the body, its newest numbers in it; empty: no rows
  };
  using VisitStep = std::function<Result<void>(const RecordLine& line)>;
  using VisitState = std::function<Result<void>(const State& state)>;
  // Of the bucket's lines all but stats to `step`, in the order of the feed; then the newest states of the records
  // whose newest line is in this bucket to `state`, ascending by id. A record that cannot be made out, or that
  // `state` calls kCorrupt, is damage.
  Result<void> ReadBucket(std::int64_t bucket, const VisitStep& step, const VisitState& state,
                          const BaseOf& base_of);

 private:
  // What a line is to the newest state of its record.
  enum class Part : std::uint8_t { kNone, kNewest, kBase };
  enum class Kind : std::uint8_t { kBody, kPatch, kNoBody, kOtherBody };
  struct Entry {
    std::int64_t id;
    std::int64_t bucket;
    std::int64_t ordinal;
    Kind kind;
  };

  ChangeBatch(MediaType type, std::int64_t since, Spool spool)
      : type_(type), since_(since), spool_(std::move(spool)) {}
  Result<void> Take(std::int64_t sequence, std::string_view line);
  void Mark(const RecordLine& line);
  void Settle();
  static Result<void> Visit(std::string_view newest, std::string_view base, const VisitState& state,
                            const BaseOf& base_of);

  MediaType type_;
  std::int64_t since_;
  Spool spool_;
  std::int64_t sequence_ = 0;
  std::int64_t lines_ = 0;
  bool has_purge_ = false;
  std::vector<FeedMark> newest_;  // of lines that begin a version, newest last; some
  std::optional<FeedMark> numbers_;  // behind these
  std::vector<std::string> damages_;
  std::vector<std::int64_t> damaged_;
  std::vector<Entry> entries_;  // while reading
  std::vector<Part> parts_;     // by ordinal
  std::vector<std::pair<std::int64_t, std::int64_t>> records_;
};

// Of a record, or of a season by its show.
std::int64_t BucketOf(MediaType type, std::int64_t id, std::int64_t tv_id);

}  // namespace tmdbc::tables
