// SPDX-License-Identifier: MIT
// PartWriter: makes one Parquet file of a table with DuckDB: rows in their total order, on one thread, so that equal
// rows make equal bytes. What was written, by it or by PageFileWriter, it reads back and believes only then. One
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "duckdb/database.h"
#include "tables/manifest.h"
#include "tables/spec.h"

namespace tmdbc::tables {

class PartWriter {
 public:
  // `connection` outlives it; `folder` is where files are made.
  PartWriter(duckdb::Connection& connection, std::string folder)
      : connection_(connection), folder_(std::move(folder)) {}

  struct Part {
    std::string temporary;  // path of the file
    DataFile file;          // its path is not set
  };
  // Writes what `select` gives, which has the table's columns. Empty when there is no row. kCorrupt when what was
  // written is not what was to be; then nothing of it is left.
  Result<std::optional<Part>> Write(const Table& table, const std::string& select);

  // A name for a file that somebody else makes, and what Write() does when it is made: `sha256` of what was written;
  // empty: it is read again for it.
  std::string NextPath(const Table& table);
  Result<std::optional<Part>> Believe(const Table& table, const std::string& path, std::int64_t rows,
                                      std::string sha256);

 private:
  Result<std::optional<Part>> Check(const Table& table, const std::string& path, std::int64_t written,
                                    std::string sha256);

  duckdb::Connection& connection_;
  const std::string folder_;
  int made_ = 0;
};

// "read_parquet('/...')"
std::string ReadParquet(const std::string& path);

}  // namespace tmdbc::tables
