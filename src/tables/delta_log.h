// SPDX-License-Identifier: MIT
// The Delta Lake log of each table, derived from the manifests: what Spark, Trino, Athena, Polars and DuckDB's
// delta_scan read. Reader version 1, writer version 2, no features
// (https://github.com/delta-io/delta/blob/master/PROTOCOL.md). Every entry follows from two manifests alone, so that
// who repeats it after a crash writes the same bytes. docs/tables-format.md has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "duckdb/database.h"
#include "tables/derived_files.h"
#include "tables/manifest.h"
#include "tables/spec.h"
#include "tables/table_folder.h"

namespace tmdbc::tables {

// Every so many versions a checkpoint spares readers the entries before it.
inline constexpr std::int64_t kCheckpointEvery = 20;

// Writes logs into a folder that nobody else writes. `files` are those of one log. One thread.
class DeltaLogs {
 public:
  DeltaLogs(TableFolder& folder, const duckdb::Library& duckdb) : folder_(folder), duckdb_(duckdb) {}

  // The entry of the version that the table has in `manifest`, and a checkpoint where one is due. Where `before`, which
  // has the version before, is null, the log begins with it: the entry has all, and a checkpoint stands beside it.
  Result<void> Append(const Table& table, const Manifest& manifest, const Manifest* before,
                      std::vector<DerivedFile>& files);
  // The log that these manifests give, oldest first, without what came before them.
  Result<std::vector<DerivedFile>> Make(const Table& table, const std::vector<Manifest>& kept);

 private:
  Result<void> PutCheckpoint(const Table& table, const Manifest& manifest, std::vector<DerivedFile>& files);
  Result<void> Put(const std::string& path, const std::string& text, std::vector<DerivedFile>& files);
  Result<duckdb::Connection*> Connection();

  TableFolder& folder_;
  const duckdb::Library& duckdb_;
  // Opened when a checkpoint is due.
  std::optional<duckdb::Database> database_;
  std::optional<duckdb::Connection> connection_;
};

// Drops the files of a log that a reader at version `oldest` or later does not need.
void DropOldEntries(std::string_view table, std::int64_t oldest, std::vector<DerivedFile>& files);

// The version of the table's log; -1: it has none.
std::int64_t DeltaVersion(const Manifest& manifest, std::string_view table);

// "movies/_delta_log/00000000000000000007.json"
std::string DeltaEntryPath(std::string_view table, std::int64_t version);
// "movies/_delta_log/00000000000000000020.checkpoint.parquet"
std::string DeltaCheckpointPath(std::string_view table, std::int64_t version);

// The entry of `table`: what `after` has and `before` (null: nothing) has not is added, and the reverse removed. The
// schema stands in version 0, where the spec changed and where `before` is null. NDJSON, one action a line.
std::string DeltaEntry(const Table& table, const Manifest& after, const Manifest* before);

// The table's columns as Delta's schemaString.
std::string DeltaSchema(const Table& table);

}  // namespace tmdbc::tables
