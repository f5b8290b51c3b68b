// SPDX-License-Identifier: MIT
#include "tables/part_writer.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/files.h"
#include "base/hash.h"
#include "tables/page_sizes.h"
#include "tables/scratch.h"

namespace tmdbc::tables {

std::string ReadParquet(const std::string& path) {
  return fmt::format("read_parquet({})", duckdb::Quoted(path));
}

Result<std::optional<PartWriter::Part>> PartWriter::Write(const Table& table, const std::string& select) {
  const std::string path = NextPath(table);
  std::string order;
  for (const std::string& column : table.sort)
    order += (order.empty() ? "" : ", ") + duckdb::QuotedName(column);
  auto copied = connection_.QueryNumber(fmt::format(
      "COPY (SELECT {} FROM ({}) ORDER BY {}) TO {} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {}, "
      "ROW_GROUP_SIZE {})",
      ColumnList(table), select, order, duckdb::Quoted(path), kParquetZstdLevel, kRowGroupRows));
  if (copied) return Believe(table, path, *copied, "");
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return Within(fmt::format("write table {}", table.name).c_str(), copied.error());
}

std::string PartWriter::NextPath(const Table& table) {
  return fmt::format("{}/{}.{}.parquet", folder_, table.name, ++made_);
}

Result<std::optional<PartWriter::Part>> PartWriter::Believe(const Table& table, const std::string& path,
                                                            std::int64_t rows, std::string sha256) {
  auto part = Check(table, path, rows, std::move(sha256));
  std::error_code ignored;
  if (!part || !*part) std::filesystem::remove(path, ignored);
  if (!part) return Within(fmt::format("write table {}", table.name).c_str(), part.error());
  return part;
}

Result<std::optional<PartWriter::Part>> PartWriter::Check(const Table& table, const std::string& path,
                                                          std::int64_t written, std::string sha256) {
  // A Parquet file says of no column that it may not be NULL; the spec does.
  std::string nulls = "0";
  for (const Column& column : table.columns) {
    if (column.required) nulls += fmt::format(" + count(*) - count({})", duckdb::QuotedName(column.name));
  }
  const std::string range = table.range_column.empty() ? "0::BIGINT" : duckdb::QuotedName(table.range_column);
  TRY_ASSIGN(auto rows,
             connection_.Query(fmt::format(
                 "SELECT count(*), coalesce(min({0}), 0), coalesce(max({0}), 0), ({1})::BIGINT FROM {2}",
                 range, nulls, ReadParquet(path))));
  TRY_ASSIGN(const bool some, rows.Next());
  if (!some) return Fail(ErrorCode::kInternal, "DuckDB counts no rows of {}", path);
  Part part;
  part.temporary = path;
  part.file.rows = rows.Bigint(0, 0);
  part.file.first = rows.Bigint(1, 0);
  part.file.last = rows.Bigint(2, 0);
  if (part.file.rows != written)
    return Fail(ErrorCode::kCorrupt, "{} of {} rows are in the file", part.file.rows, written);
  if (rows.Bigint(3, 0) != 0)
    return Fail(ErrorCode::kCorrupt, "{} values are NULL that never are", rows.Bigint(3, 0));
  if (part.file.rows == 0) return std::optional<Part>();
  PosixFileSystem files(folder_);
  const std::string name = path.substr(folder_.size() + 1);
  TRY_ASSIGN(const std::uint64_t size, files.Size(name));
  part.file.bytes = std::int64_t(size);
  part.file.sha256 = std::move(sha256);
  if (part.file.sha256.empty()) {
    TRY_ASSIGN(part.file.sha256, Sha256OfFile(files, name));
  }
  return std::optional<Part>(std::move(part));
}

}  // namespace tmdbc::tables
