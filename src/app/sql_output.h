// SPDX-License-Identifier: MIT
// The rows of a query on stdout, as they come: as a table for people, or as CSV, JSON lines or one JSON array for
// programs. Memory is that of one chunk, and of the first rows of a table.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "app/output.h"
#include "base/result.h"
#include "duckdb/database.h"

namespace tmdbc {

enum class SqlFormat : std::uint8_t { kTable, kCsv, kJsonLines, kJson, kParquet };
// "table", "csv", "jsonl", "json", "parquet"; empty for another word.
std::optional<SqlFormat> ParseSqlFormat(std::string_view text);

// table   columns as wide as the first 1,000 rows need, at most 60; what is longer is cut (…), NULL is empty; ends with
//         the number of rows. Nothing in it can speak to the terminal.
// csv     RFC 4180 with line feeds; a header; NULL is empty and an empty text is "".
// jsonl   an object a row; json: the same in an array. A name that is there already gets _1, _2 and so on.
// Ends early, without error, when the reader has gone or a stop was asked for in mid-write.
Result<void> PrintRows(duckdb::Rows& rows, SqlFormat format, OutStream& out);

// How many columns of a terminal a text takes: wide characters (East Asian, emoji) take two, marks that combine none.
std::size_t DisplayWidth(std::string_view text);

}  // namespace tmdbc
