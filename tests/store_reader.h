// SPDX-License-Identifier: MIT
// An independent reader of the store: docs/storage-format.md and libzstd, and of src/storage only what applies a patch.
// What it sees is what a stranger's program sees.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tmdbc::testing {

struct Line {
  std::string type;
  std::int64_t id = 0;
  std::int64_t version = 0;
  std::string change;
  std::int64_t tv_id = 0, season_number = 0;  // of a season
  std::string data;                           // "null" for a tombstone; of a stats line the patched body
  std::string patch;                          // of a stats line that has one
};

// How much of each open segment is committed, by its path below `data_dir`. Empty as long as there is no index.
std::map<std::string, std::size_t> CommittedBytes(const std::filesystem::path& data_dir);

// Every committed record, in order of type and sequence. Throws when a file is not what the format promises.
std::vector<Line> ReadStore(const std::filesystem::path& data_dir);

}  // namespace tmdbc::testing
