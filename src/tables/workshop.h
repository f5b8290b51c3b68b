// SPDX-License-Identifier: MIT
// Workshop: what the parts of a publish share: DuckDB, the rows that are new, the writer of files, the draft of the
// generation. Each part is one function, in a file of its own. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/stop.h"
#include "duckdb/database.h"
#include "tables/change_batch.h"
#include "tables/generation_draft.h"
#include "tables/page_sizes.h"
#include "tables/part_writer.h"
#include "tables/scratch.h"

namespace tmdbc::tables {

// How large files are to be. Defaults are for a whole mirror; tests have small ones.
struct PartSizes {
  std::int64_t first_width = 65'536;     // ids a file at least; a multiple of kBucketIds
  std::int64_t file_bytes = 48'000'000;  // that a file has at most, about, unless first_width has more
  std::int64_t version_ids = 1 << 20;    // ids a file of record_versions; not of seasons: they have one
  PageSizes pages;                       // of children; of root tables, whose rows are long, a quarter of the rows
};

struct PublishProgress {
  std::string_view what;  // "movie"
  std::int64_t done = 0;  // buckets
  std::int64_t total = 0;
};

struct Workshop {
  duckdb::Connection& connection;
  Scratch& scratch;
  PartWriter& writer;
  GenerationDraft& draft;
  const BaseOf& base_of;
  const PartSizes& sizes;
  const StopFlag& stop;
  const std::function<void(const PublishProgress&)>& progress;  // may be empty
};

// The partition [first, first + width) of a table: "0000000000-0000065535".
std::string RangeName(std::int64_t first, std::int64_t width);
// Of a table that has one file.
inline constexpr std::string_view kWhole = "all";

// Writes a part of a table from the rows that are new and those of the old file whose record (by `record`, a column) is
// not among `changed`, a table of ids in DuckDB that exists when there is an old file. Where nothing differs nothing is
// written. The new rows are gone then.
Result<void> ReplacePart(Workshop& workshop, std::size_t table, std::string_view partition,
                         std::string_view record);

// All rows of the records of a batch: their tables, rejects, unknown members, versions.
Result<void> PublishRecords(Workshop& workshop, ChangeBatch& batch);
// The tables of lists, whole, from a batch of all configuration records; their rejects, unknown members, versions.
Result<void> PublishLists(Workshop& workshop, ChangeBatch& batch);

// The parts of a type in the tables of rejects and unknown members, and its versions; `changed` as above.
Result<void> PublishRejects(Workshop& workshop, MediaType type);
Result<void> PublishVersions(Workshop& workshop, std::string_view partition);
// What this publish took in, and the dictionary.
Result<void> PublishSnapshots(Workshop& workshop, const std::map<MediaType, std::int64_t>& rows, Time now);
Result<void> PublishDictionary(Workshop& workshop);

// An export that the harvester has accepted.
struct PopularityExport {
  std::string name;  // "movie_ids"
  MediaType type{};
  std::chrono::sys_days day;
  std::string path;  // from DATA_DIR
};
// The part of popularity_daily that has its day: "movie-2026-11".
std::string PartOf(const PopularityExport& one);
// Those that the newest generation (null: there is none) has not taken in, or whose part of popularity_daily is among
// the `lost` ones, by part and day.
std::vector<PopularityExport> NewExports(const std::vector<PopularityExport>& accepted,
                                         const Manifest* previous, const std::set<std::string>& lost);
// The days of these, which are new, of all ids of at least that popularity. A file a type and month. An export that
// cannot be read is left out, and told in `damages`.
Result<void> PublishPopularity(Workshop& workshop, BlobReader& files,
                               const std::vector<PopularityExport>& exports, double minimum,
                               std::vector<std::string>& damages);

// Fills the table `changed` with the ids of a batch.
Result<void> FillChanged(Workshop& workshop, const ChangeBatch& batch);

}  // namespace tmdbc::tables
