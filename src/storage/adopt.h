// SPDX-License-Identifier: MIT
// The index brought up to what a bucket holds. There the segments are the log and catalog.db is a checkpoint of it: an
// owner that died before it published its catalog leaves segments that no catalog knows, and so does a call of its that
// arrived late. They are true: their numbers are taken, and what they say TMDB has answered. The next owner of the
// catalog adopts them before it opens a RecordWriter, which refuses what it does not know.
//
// On one machine there is nothing to adopt: catalog.db and the segments are in one place, and what one does not know
// of the other is damage (rebuild.h).
#pragma once

#include <cstdint>
#include <vector>

#include "base/files.h"
#include "base/sqlite.h"
#include "storage/verify.h"

namespace tmdbc {

struct AdoptReport {
  std::int64_t segments = 0;   // that the index did not know
  std::int64_t compacted = 0;  // of these, such as stand for others
  std::int64_t records = 0;    // lines that were new to it
  std::int64_t known = 0;      // lines that it had, and that a compaction has put elsewhere
  std::vector<Damage> damage;  // what could not be read; the rest is adopted
};

// Tells the index, in one transaction, what every sealed segment says that it does not know, in the order in which
// things happened: afterwards it is the one that Rebuild() would make, and knows all that the catalog knew better. Of a
// compacted segment the known lines are moved; the rows of the segments that went into it go. Changes no file.
//
// A catalog without an index adopts nothing: RecordWriter::Open() makes one, or says that there are records without.
// kCorrupt when lines that the catalog knows went with a segment that is replaced: then Rebuild() helps.
Result<AdoptReport> AdoptSegments(BlobReader& files, Database& catalog);

}  // namespace tmdbc
