// SPDX-License-Identifier: MIT
// Compaction: sealed segments made into fewer ones, without what nobody will read again.
// RecordStore::Compact() has the promise. One thread.
//
// The new file is made durable under a new number; then one transaction moves the index rows and replaces the
// segment rows; then the old files go. Before the transaction the new file is a copy of what there is, after
// it the old files are: the next opening removes whichever is left over.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <vector>

#include "base/compression.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "storage/record_index.h"
#include "storage/record_store.h"

namespace tmdbc {

struct CompactionPlan {
  std::uint64_t small_bytes = 0;    // a segment below this is merged with its neighbours
  std::uint64_t most_bytes = 0;     // of the sources of one new segment
  std::size_t least_segments = 2;   // fewer are not merged
  std::set<std::uint32_t> rewrite;  // the numbers of segments to be rewritten whatever their size
};

// Runs of neighbours, each to become one segment. `in_order` are sealed segments in the order in which things
// happened. A run of fewer than the least only when something in it is to be rewritten. Pure.
std::vector<std::vector<SegmentRow>> PlanCompaction(std::span<const SegmentRow> in_order,
                                                    const CompactionPlan& plan);

// `frame_bytes`: of a frame before compression.
Result<RecordStore::CompactReport> CompactSegments(FileSystem& files, Database& catalog, RecordIndex& index,
                                                   ZstdEncoder& encoder, MediaType type,
                                                   std::uint64_t frame_bytes,
                                                   const RecordStore::CompactOptions& options,
                                                   const std::function<bool()>& stopping);

}  // namespace tmdbc
