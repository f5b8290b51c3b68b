// SPDX-License-Identifier: MIT
// The opening for writing: what a crash left is finished or undone, and a catalog.db that does not belong to
// the segments is refused (kCorrupt). docs/storage-format.md, "What a crash leaves". One thread, and no other
// writer beside it.
#pragma once

#include <set>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "storage/record_index.h"

namespace tmdbc {

// Makes the tables of the index where there are none. Returns the files of kept_aside.h that still hold
// something that the index does not know.
Result<std::set<std::string>> RecoverStore(FileSystem& files, Database& catalog, RecordIndex& index,
                                           const Clock& clock);

}  // namespace tmdbc
