// SPDX-License-Identifier: MIT
// Compaction: sealed segments made into fewer ones, without what nobody will read again. One thread.
//
// The new file is made durable under a new number; then one transaction moves the index rows and replaces the
// segment rows; then the old files go. Before the transaction the new file is a copy of what there is, after
// it the old files are: the next opening removes whichever is left over.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/files.h"
#include "base/sqlite.h"
#include "storage/record_index.h"
#include "storage/record_writer.h"

namespace tmdbc {

// Slower than kZstdLevel, and smaller (docs/decisions/storage.md): it is done once, when there is nothing else to do.
inline constexpr int kCompactionLevel = 9;

// How much of a segment's lines nobody will read again, 0 to 1.
double DeadShare(const SegmentRow& row);

// For a compaction every day. Fewer small segments are not worth it, and what is larger than so many times all those
// behind it waits for more of them: a record is then written log(n) times and not every day.
inline constexpr std::size_t kLeastToMerge = 8;
inline constexpr std::uint64_t kMuchLarger = 4;

struct CompactionPlan {
  std::uint64_t small_bytes = 0;    // a segment below this is merged with its neighbours
  std::uint64_t most_bytes = 0;     // of what lives in the sources of one new segment
  std::size_t least_segments = 2;   // fewer are not merged
  // What is larger than so many times all behind it in a run is left as it is; 0: nothing is.
  std::uint64_t much_larger = 0;
  std::set<std::uint32_t> rewrite;  // the numbers of segments to be rewritten whatever their size
};

// Runs of neighbours, each to become one segment. `in_order` are sealed segments in the order in which things
// happened. A run of fewer than the least only when something in it is to be rewritten. Pure.
std::vector<std::vector<SegmentRow>> PlanCompaction(std::span<const SegmentRow> in_order,
                                                    const CompactionPlan& plan);

struct CompactOptions {
  std::uint64_t small_bytes = 16 << 20;    // runs of neighbouring segments below this are merged
  std::uint64_t segment_bytes = 32 << 20;  // into segments of at most about this
  std::size_t least_segments = 2;          // fewer are not merged, unless something in them has to go
  // What is larger than so many times all behind it in its run is left as it is, unless something in it has to go.
  // 0: all are merged.
  std::uint64_t much_larger = 0;
  // These segments are rewritten whatever their size:
  double dead_share = 0.25;  // where at least this share of the lines' bytes is dead
  bool reframe = true;       // whose frames were closed by the clock, much below their size
  bool pack = false;         // that no compaction has written yet
  // Versions that were replaced before this are dropped (what was in force then is kept); empty: none ever.
  std::optional<Time> versions_before{};
  bool dry_run = false;  // reads all and tells what would be; writes nothing, leaves open segments alone
  std::uint64_t frame_bytes = 1 << 20;  // of a new frame, before compression
  int zstd_level = kCompactionLevel;
};

struct CompactReport {
  std::int64_t segments_before = 0, segments_after = 0;  // of what was merged
  std::int64_t records_kept = 0;
  std::int64_t stats_dropped = 0, versions_dropped = 0, purged_dropped = 0;
  std::int64_t ids_dropped = 0;  // from verified lines
  std::int64_t bytes_before = 0, bytes_after = 0;
  std::int64_t damaged_segments = 0;  // left as they are: `verify --deep` names them

  void Add(const CompactReport& more);
};

// Seals the open segment of the type, merges and rewrites sealed ones under new numbers in full frames, drops stats
// lines that were replaced, ids of verified lines that TMDB has answered for since and the bodies of purged records,
// never a version unless versions_before says so, and removes the old files. A crash at any moment leaves of each run
// either all of the old or all of the new. Readers beside it find every record throughout, the change feed keeps its
// numbers. Takes about 50 MB for a run. `files` and `catalog` are those of the `writer`, whose batch is empty.
// `stopping` (may be empty) is asked every few milliseconds, but for the writing of a file of 32 MiB: what has not been
// finished then has not begun.
Result<CompactReport> Compact(FileSystem& files, Database& catalog, RecordWriter& writer, MediaType type,
                              const CompactOptions& options, const std::function<bool()>& stopping = {});

}  // namespace tmdbc
