// SPDX-License-Identifier: MIT
// Manifest: which files are the tables, as of one publish. tables/manifests/000000124.json is one; that it exists is
// the commit, and it is never changed. Built and parsed here and nowhere else. docs/tables-format.md has the bytes.
//
//   {"format":1,"spec":1,"generation":124,"parent":123,"committed_at":"2026-11-30T15:00:00.000Z",
//    "purged":false,"sequences":{"movie":12,"tv":4},
//    "marks":{"movie":[{"id":550,"version":3,"fetched_at":"2026-11-30T14:59:00.000Z","stats":false}]},
//    "exports":{"movie_ids":"2026-11-29"},
//    "tables":{"movies":{"delta_version":7,"width":65536,"built_bytes":9120331,
//      "files":[{"path":"movies/0000000000-0000065535.000000123.parquet",
//      "rows":47102,"bytes":9120331,"first":2,"last":65531,"sha256":"..."}],"recent":null}},"superseded":{}}
//
// A reader opens the one that manifest.json names (a hint: else the highest number in the folder), once, and keeps its
// list of files: no lock, no mix. Unknown members are passed over; an unknown format is refused.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "tmdb/media_traits.h"

namespace tmdbc::tables {

inline constexpr int kManifestFormat = 1;
// 490 files take 90 kB.
inline constexpr std::uint64_t kMaxManifestBytes = 64 << 20;

// A Parquet file of a table: immutable, its name never used again.
struct DataFile {
  std::string path;  // from the tables' folder: TABLE/PARTITION.GENERATION.parquet
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::int64_t first = 0,
               last = 0;  // lowest and highest value of the table's range column; 0 where it has none
  std::string sha256;
  bool operator==(const DataFile&) const = default;
};

struct TableFiles {
  std::int64_t delta_version =
      -1;                       // of the table's Delta log as of this generation; -1: nothing was written yet
  std::int64_t width = 0;       // ids a file; 0: the files are not ranges of ids
  std::int64_t built_bytes = 0;  // of the largest file when all was made last; 0: not known
  std::vector<DataFile> files;  // ascending by path; none: the table is empty
  bool operator==(const TableFiles&) const = default;
};

// A line of the change feed that was taken in, by which the store is known again: one that was put back from an old
// copy has not got it.
struct FeedMark {
  std::int64_t id = 0;
  std::int64_t version = 0;
  Time fetched_at{};   // in milliseconds
  bool stats = false;  // else it began the version
  bool operator==(const FeedMark&) const = default;
};

struct Manifest {
  int spec = 0;
  std::int64_t generation = 0;  // from 1
  std::int64_t parent = 0;      // 0: none
  Time committed_at{};          // in milliseconds
  bool purged = false;          // it took in a purge: what was before goes as soon as may be
  std::map<MediaType, std::int64_t> sequences = {};  // up to where the change feed of each type was read
  std::map<MediaType, std::vector<FeedMark>> marks = {};  // newest first; may be absent
  std::map<std::string, std::chrono::sys_days, std::less<>> exports = {};  // the last day taken in, by their names
  std::map<std::string, TableFiles, std::less<>> tables = {};
  bool operator==(const Manifest&) const = default;
};

std::string FormatManifest(const Manifest& manifest);
// kCorrupt, with what is wrong, when the text is none; kInvalid when a later program wrote it.
Result<Manifest> ParseManifest(std::string_view json);

// "manifests/000000124.json"
std::string ManifestPath(std::int64_t generation);
// Its inverse, of a name without folder; empty for any other.
std::optional<std::int64_t> ParseManifestName(std::string_view name);
inline constexpr std::string_view kHint = "manifest.json";
// What it holds, {"generation":124}, and its inverse (empty when it says nothing).
std::string FormatHint(std::int64_t generation);
std::optional<std::int64_t> ParseHint(std::string_view json);

// "movies/0000000000-0000065535.000000123.parquet" of "movies", "0000000000-0000065535", 123.
std::string DataPath(std::string_view table, std::string_view partition, std::int64_t generation);
// Which part of its table a file holds: "0000000000-0000065535". Of one table there is one file a part.
std::string_view PartitionOf(std::string_view path);

// The newest generation in the tables' folder ("DATA_DIR/tables"), by the folder of manifests and not by the hint; 0
// when there is none.
Result<std::int64_t> NewestGeneration(BlobReader& folder);
// What that generation is; kNotFound when it is not there.
Result<Manifest> ReadManifest(BlobReader& folder, std::int64_t generation);
// The newest one below that number whose manifest is whole; damaged ones are passed over.
Result<std::optional<Manifest>> NewestWholeBefore(BlobReader& folder, std::int64_t generation);

}  // namespace tmdbc::tables
