// SPDX-License-Identifier: MIT
// The index made again from the segments, when catalog.db is lost, damaged or restored from a copy. One
// thread, and no writer beside it: a RecordWriter is opened afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/files.h"
#include "base/sqlite.h"
#include "storage/verify.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct RebuildOptions {
  bool upgrade = false;  // also a store of an earlier schema: its lines are lines of this one
  // The last sequence numbers that were ever sealed, as far as something beside the store remembers them: where files
  // are gone, it is missed by them, and they are not given again.
  std::map<MediaType, std::uint32_t> sealed_up_to = {};
  // Called before each segment, which may take long to come from afar; its error ends the rebuild. May be empty.
  std::function<Result<void>()> before_segment = {};
};

// Makes the index again in one transaction, after putting back what was kept aside: the records, when TMDB last
// answered for each, the ledger of missing ids and the held deletions. What a sound catalog knows better, because the
// lines that said so are lost, is kept; so are its popularity and the tables of queue and harvester. Frames that cannot
// be read are reported and left where they are, except at the end of an open segment, which is cut behind its last
// whole frame. Needs a catalog that is open for writing. kInvalid when the store has an earlier schema, unless it is to
// be upgraded, or a later one. Takes about 110 MiB of memory, however many records there are, and 8 bytes for each id
// that is missing.
Result<VerifyReport> Rebuild(FileSystem& files, Database& catalog, const RebuildOptions& options = {});

// SQLite finds nothing wrong with the catalog (quick_check).
bool IsSound(Database& catalog);
// Sets pages of the catalog right where they can be (Database::MendPages) and says which those were. Empty: it is
// damaged for good. Errors are those that may pass.
Result<std::optional<std::vector<DamagedPage>>> MendCatalog(Database& catalog);

}  // namespace tmdbc
