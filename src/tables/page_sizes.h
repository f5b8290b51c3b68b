// SPDX-License-Identifier: MIT
// How large the pieces of a Parquet file are. Constant data.
#pragma once

#include <cstdint>

namespace tmdbc::tables {

// Rows a row group: DuckDB's own. An id's rows are together, so that they are in one or two.
inline constexpr std::int64_t kRowGroupRows = 122'880;
inline constexpr int kParquetZstdLevel = 3;  // docs/decisions/tables.md has what 1 and 9 take

// Of a PageFile.
struct PageSizes {
  std::int64_t page_rows = 8192;            // about; a page has half to twice as many, and the rest of a record
  std::int64_t group_rows = kRowGroupRows;  // at least, and the rest of a page
};

}  // namespace tmdbc::tables
