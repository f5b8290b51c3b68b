// SPDX-License-Identifier: MIT
// ValueWriter: the cells of a result as text, of whatever type they are. Two forms: plain text, for CSV and tables, and
// JSON. Dates and times are ISO 8601 (2026-11-30, 2026-11-30T15:00:00Z with a zone, without Z where there is none;
// fractions only when there are any). Doubles have the fewest digits that give the same number, and always a point or
// an exponent. HUGEINT and DECIMAL are numbers with all their digits. In plain text NULL is empty, lists and structs
// are JSON. In JSON what is not finite is null, for JSON has no such number; BLOBs are hexadecimal in both.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "duckdb/database.h"

namespace tmdbc::duckdb {

class ValueWriter {
 public:
  // For the rows of that result. kInvalid, naming the column and what to do, when a column has a type that is not known
  // here (one that a later DuckDB has added).
  static Result<ValueWriter> For(const Rows& rows);

  ValueWriter(ValueWriter&&) noexcept;
  ValueWriter& operator=(ValueWriter&&) = delete;
  ~ValueWriter();

  // Whether a column's values are numbers.
  bool IsNumber(std::size_t column) const;
  // Appends a cell of the current chunk.
  void Text(const Rows& rows, std::size_t column, std::size_t row, std::string& out) const;
  void Json(const Rows& rows, std::size_t column, std::size_t row, std::string& out) const;

 private:
  struct Kind;
  explicit ValueWriter(std::vector<Kind> kinds);

  std::vector<Kind> kinds_;  // of each column
};

}  // namespace tmdbc::duckdb
