// SPDX-License-Identifier: MIT
// Whether the files of the newest generation are those that its manifest names, to the byte. Reads only, beside a
// publish too: what that removes meanwhile is of older generations.
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

// `folder`: the tables'. kUnavailable when stopped.
Result<CheckReport> CheckTables(BlobReader& folder, const StopFlag& stop);

}  // namespace tmdbc::tables
