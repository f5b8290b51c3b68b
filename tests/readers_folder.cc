// SPDX-License-Identifier: MIT
// readers_folder FOLDER: tables as 25 publishes leave them, every table and every type of column filled with what is
// hard to get right, and a Delta log long enough to have a checkpoint. For tools/readers.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "tables/derived_files.h"
#include "tables/tables_world_test.h"

namespace tmdbc {
namespace {

constexpr int kGenerations = 25;

// Of row i of range().
std::string Value(const tables::Column& column, bool is_range) {
  using tables::ColumnType;
  std::string value;
  switch (column.type) {
    case ColumnType::kText:
      value =
          "CASE i % 5 WHEN 0 THEN '' WHEN 1 THEN 'é千😀' || i WHEN 2 THEN repeat('long ', 200) || i WHEN 3 THEN "
          "'line' || chr(10) || '\"quoted\", ' || i ELSE 'text' END";
      break;
    case ColumnType::kInteger:
      value =
          is_range
              ? "i"
              : "CASE i % 4 WHEN 0 THEN 0 WHEN 1 THEN -9223372036854775808 WHEN 2 THEN 9223372036854775807 "
                "ELSE i END";
      break;
    case ColumnType::kReal:
      value = "CASE i % 4 WHEN 0 THEN 0 WHEN 1 THEN 7.3 WHEN 2 THEN 0.1 + 0.2::DOUBLE ELSE -1e300 END";
      break;
    case ColumnType::kBool:
      value = "i % 2 = 0";
      break;
    case ColumnType::kDate:
      value =
          "CASE i % 4 WHEN 0 THEN DATE '0001-01-01' WHEN 1 THEN DATE '9999-12-31' WHEN 2 THEN DATE '1969-12-31' ELSE "
          "DATE '2024-02-29' END";
      break;
    case ColumnType::kTime:
      value =
          "CASE i % 3 WHEN 0 THEN TIMESTAMPTZ '1969-12-31 23:59:59.999+00' WHEN 1 THEN TIMESTAMPTZ '2026-03-29 "
          "01:30:00+00' ELSE TIMESTAMPTZ '1900-01-01 00:00:00+00' END";
      break;
  }
  if (!column.required && !is_range) value = fmt::format("CASE WHEN i % 7 = 6 THEN NULL ELSE {} END", value);
  return fmt::format("{} AS {}", value, duckdb::QuotedName(column.name));
}

std::string Rows(const tables::Table& table, std::int64_t from, std::int64_t count) {
  std::string columns;
  for (const tables::Column& column : table.columns)
    columns += (columns.empty() ? "" : ", ") + Value(column, column.name == table.range_column);
  return fmt::format("SELECT {} FROM range({}, {}) t(i) ORDER BY i", columns, from, from + count);
}

Result<void> Make(const std::string& path) {
  testing::TablesFolder folder{std::filesystem::path(path)};
  TRY_ASSIGN(auto files, tables::TableFolder::Open(path));
  for (int generation = 1; generation <= kGenerations; ++generation) {
    if (generation == 1) {
      for (const tables::Table& table : tables::Tables())
        folder.Put(table.name, "0000000000-0000065535", Rows(table, 1, 50));
    }
    // Some tables change with every publish, one never again.
    for (const tables::Table& table : tables::Tables()) {
      if (table.name == "movies" || (table.name.starts_with("tv_") && generation % 5 == 0))
        folder.Put(table.name, fmt::format("{:010}-{:010}", 65536, 131071), Rows(table, 65536, generation));
    }
    const tables::Manifest manifest = folder.Commit();
    TRY(tables::FinishGeneration(files, manifest, testing::Duckdb(), false));
  }
  return {};
}

}  // namespace
}  // namespace tmdbc

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto made = tmdbc::Make(argv[1]);
  if (made) return 0;
  std::fprintf(stderr, "readers_folder: %s\n", made.error().message.c_str());
  return 1;
}
