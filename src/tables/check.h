// SPDX-License-Identifier: MIT
// Whether the files of the newest generation are those that its manifest names, to the byte, and what follows from it
// (derived_files.h) is as it was written. Reads only, beside a publish too: what that removes meanwhile is of older
// generations.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/stop.h"
#include "tables/manifest.h"

namespace tmdbc::tables {

// What the file is not that was written, in words: "it is missing". Empty when it is whole. `folder`: the tables'.
Result<std::string> FaultOf(BlobReader& folder, const DataFile& file);

struct CheckReport {
  std::int64_t generation = 0;  // 0: there are no tables
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::vector<std::string> faults;  // "movies/...: it is missing"
};

// `folder`: the tables'; `root`: where that is on this machine, for the links that a disk has, empty for a bucket.
// kUnavailable when stopped. Of a generation that is published just then only the files are looked at.
Result<CheckReport> CheckTables(BlobReader& folder, const std::string& root, const StopFlag& stop);

}  // namespace tmdbc::tables
