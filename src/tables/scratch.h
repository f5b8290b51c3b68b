// SPDX-License-Identifier: MIT
// Scratch: the rows of a publish while it is being made, in tables of DuckDB: the table movies has them in n_movies.
// What does not fit in memory is spilled by DuckDB. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "duckdb/appender.h"
#include "duckdb/database.h"
#include "storage/record_line.h"
#include "tables/extraction.h"

namespace tmdbc::tables {

class Scratch final : public RowSink {
 public:
  // `connection` outlives it.
  explicit Scratch(duckdb::Connection& connection);

  // Whose rows, rejects and unknown members come next.
  void BeginRecord(MediaType type, std::int64_t id);
  Result<void> Row(std::size_t table, std::span<const Cell> cells) override;
  Result<void> Reject(std::string_view path, std::string_view value, std::string_view reason) override;
  Result<void> Unknown(std::string_view path) override;
  // A row of record_versions; valid_to and is_current are not known yet.
  Result<void> Version(const RecordLine& line);

  // "n_movies", with all its rows; made when nothing was put in yet.
  Result<std::string> Take(std::size_t table);
  // Empties it.
  Result<void> Clear(std::size_t table);
  // Since it was emptied last.
  std::int64_t rows(std::size_t table) const { return slots_[table].rows; }
  // A row that somebody else keeps.
  void CountRow() { ++total_rows_; }
  // Of all tables since it was made, those too.
  std::int64_t total_rows() const { return total_rows_; }

 private:
  struct Slot {
    bool made = false;
    std::optional<duckdb::Appender> appender;
    std::int64_t rows = 0;
  };
  Result<void> Make(std::size_t table);

  duckdb::Connection& connection_;
  std::vector<Slot> slots_;
  const std::size_t rejects_, unknown_members_, record_versions_;
  std::string_view record_type_;
  std::int64_t id_ = 0;
  std::int64_t total_rows_ = 0;
};

// "movie_id", "title"...: the columns of a table, for a SELECT.
std::string ColumnList(const Table& table);
// The columns with their types, for a CREATE TABLE.
std::string ColumnDefinitions(const Table& table);

}  // namespace tmdbc::tables
