// SPDX-License-Identifier: MIT
// OpenTail: the committed lines of the segment that is still being written to, for followers that cannot wait until it
// is sealed (within an hour). The same lines come again from ChangeFeed under the segment's number when it is sealed,
// so a reader of the tail must take a line twice without harm. Reads only, beside the process that writes; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/files.h"
#include "base/sqlite.h"
#include "storage/record_index.h"

namespace tmdbc {

class OpenTail {
 public:
  // A place in an open segment, between two commits; segment 0: before everything.
  struct Position {
    std::uint32_t segment = 0;
    std::uint64_t bytes = 0;
    bool operator==(const Position&) const = default;
  };
  struct Reached {
    Position position;
    // False: not all lines that were committed have been visited. They were sealed just now, or others come before them
    // that have been sealed: the feed has them; or a frame could not be read.
    bool all = true;
  };
  using Visit = std::function<Result<void>(std::string_view line)>;

  // Both outlive it.
  OpenTail(BlobReader& files, Database& catalog) : files_(files), index_(catalog) {}

  // Calls `visit` with each line that was committed behind `known`, in order, and says where the commits end now.
  // Reads nothing and returns `known` when `sealed` is not the newest sequence number of the feed any more: what was
  // sealed comes first, or an old line would hide a newer one. A frame that cannot be read is passed over: the feed
  // tells of it once the segment is sealed.
  Result<Reached> Read(MediaType type, std::int64_t sealed, Position known, const Visit& visit);

  // By what a follower knows the store again that it followed up to `sequence`: the checksum of that segment. 0 when it
  // has been compacted since, or is none: then nobody can tell.
  Result<std::uint32_t> MarkOf(MediaType type, std::int64_t sequence);

 private:
  BlobReader& files_;
  RecordIndex index_;
};

}  // namespace tmdbc
