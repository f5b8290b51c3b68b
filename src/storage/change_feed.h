// SPDX-License-Identifier: MIT
// ChangeFeed: our own change feed for followers, the lines of the sealed segments in the order in which they
// were written, each with the number of the segment it was first sealed in (docs/storage-format.md,
// "Following the changes"). What is in the open segment follows when it is sealed. Reads only, also beside a
// process that writes and compacts. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/sqlite.h"
#include "storage/record_index.h"

namespace tmdbc {

// A stretch of the feed that cannot be read.
struct FeedDamage {
  std::int64_t sequence = 0;
  std::string file;          // from DATA_DIR
  std::uint64_t offset = 0;  // where the stretch begins
  std::string what;
};

class ChangeFeed {
 public:
  using Visit = std::function<Result<bool>(std::int64_t sequence, std::string_view line)>;
  using Skip = std::function<Result<void>(const FeedDamage&)>;

  // Both outlive the feed.
  ChangeFeed(FileSystem& files, Database& catalog) : files_(files), index_(catalog) {}

  // The newest sequence number of the type, 0 when nothing is sealed.
  Result<std::int64_t> NewestSequence(MediaType type);

  // Calls `visit` with the lines after `since` (exclusive), in the order in which they were written, each
  // with its sequence number, never going back. Ends after the sequence number within which `visit` said
  // false. Returns the one reached, from which to go on. Lines keep their sequence numbers through every
  // compaction, so nobody is ever too far behind; what was dropped by then is only missing. A compaction that
  // runs beside may make lines of one sequence number come twice. kInvalid when `since` is newer than the
  // newest: the store was made again, and the follower starts over from 0. kCorrupt names the damaged segment
  // and the number behind which to go on; unless there is a `skip`: then that is told of every stretch that
  // cannot be read, and the feed goes on behind it. What follows damage within a segment has the last of the
  // segment's sequence numbers, as the damage has: nobody knows how many lines were lost.
  Result<std::int64_t> Read(MediaType type, std::int64_t since, const Visit& visit, const Skip& skip = {});

 private:
  FileSystem& files_;
  RecordIndex index_;
};

}  // namespace tmdbc
