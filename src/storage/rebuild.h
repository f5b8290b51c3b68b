// SPDX-License-Identifier: MIT
// The index made again from the segments, when catalog.db is lost, damaged or restored from a copy. One
// thread, and no writer beside it: a RecordWriter is opened afterwards.
#pragma once

#include "base/files.h"
#include "base/sqlite.h"
#include "storage/verify.h"

namespace tmdbc {

// Makes the index again in one transaction, after putting back what was kept aside. The ledger of missing
// ids, the held deletions, the popularity and the tables of queue and harvester are kept. Frames that cannot
// be read are reported and left where they are, except at the end of an open segment, which is cut behind its
// last whole frame. Needs a catalog that is open for writing.
Result<VerifyReport> Rebuild(FileSystem& files, Database& catalog);

}  // namespace tmdbc
