// SPDX-License-Identifier: MIT
// The Delta Lake log of each table, derived from the manifests: what Spark, Trino, Athena, Polars and DuckDB's delta_scan
// read. Reader version 1, writer version 2, no features (https://github.com/delta-io/delta/blob/master/PROTOCOL.md).
// Every entry follows from two manifests alone, so that who repeats it after a crash writes the same bytes.
// docs/tables-format.md has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "duckdb/database.h"
#include "tables/manifest.h"
#include "tables/spec.h"
#include "tables/table_folder.h"

namespace tmdbc::tables {

// Every so many versions a checkpoint spares readers the entries before it.
inline constexpr std::int64_t kCheckpointEvery = 20;

// Writes what is missing of each table's log to make `manifest` its newest version. `connection` writes the checkpoints,
// through tmp/. `previous`: the manifest that this one's parent is; null when it has none. A table whose delta_version is the same as before has not changed and gets nothing; one that has
// it one higher gets an entry, unless it is there. Done after the manifest is committed, and again by the next publish
// when it was cut short. One writer at a time.
Result<void> WriteDeltaLogs(TableFolder& folder, const Manifest& manifest, const Manifest* previous,
                            duckdb::Connection& connection);

// Takes from each table's log what came after `manifest` (null: all): a manifest that was between it and the next is
// damaged, and the next goes on from this one.
Result<void> CutDeltaLogs(TableFolder& folder, const Manifest* manifest);

// "movies/_delta_log/00000000000000000007.json"
std::string DeltaEntryPath(std::string_view table, std::int64_t version);
// "movies/_delta_log/00000000000000000020.checkpoint.parquet"
std::string DeltaCheckpointPath(std::string_view table, std::int64_t version);

// The entry of `table`: what `after` has and `before` (null: nothing) has not is added, and the reverse removed. The
// schema stands in version 0 and where the spec changed. NDJSON, one action a line.
std::string DeltaEntry(const Table& table, const Manifest& after, const Manifest* before);

// The table's columns as Delta's schemaString.
std::string DeltaSchema(const Table& table);

}  // namespace tmdbc::tables
