// SPDX-License-Identifier: MIT
// The care of a store: does what the index says agree with what the segments hold (verify), and the index
// made anew from the segments (rebuild). RecordStore's Verify() and Rebuild() have the promises. One thread.
#pragma once

#include <functional>

#include "base/files.h"
#include "base/sqlite.h"
#include "storage/record_index.h"
#include "storage/record_store.h"

namespace tmdbc {

Result<RecordStore::VerifyReport> VerifyRecords(FileSystem& files, RecordIndex& index, bool deep,
                                                const std::function<void()>& pause);

// One transaction; then what a torn tail left behind is cut off.
Result<RecordStore::VerifyReport> RebuildIndex(FileSystem& files, Database& catalog, RecordIndex& index);

}  // namespace tmdbc
