// SPDX-License-Identifier: MIT
// TablesFolder: a small tables' folder, written by hand through DuckDB, as a publish leaves one. For tests only.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/hash.h"
#include "duckdb/database.h"
#include "tables/manifest.h"
#include "tables/spec.h"
#include "testing/duckdb_library.h"

namespace tmdbc::testing {

class TablesFolder {
 public:
  explicit TablesFolder(std::filesystem::path folder) : path_(std::move(folder)) {
    std::filesystem::create_directories(path_);
    manifest_.spec = tables::kSpecVersion;
    manifest_.committed_at = *ParseTime("2026-11-30T15:00:00.000Z");
    for (const tables::Table& table : tables::Tables()) manifest_.tables[table.name];
  }

  // A file of the next generation: the table's columns that `select` does not give are NULL.
  void Put(const std::string& table_name, const std::string& partition, const std::string& select) {
    const tables::Table& table = tables::Tables()[*tables::FindTable(table_name)];
    const std::string path = tables::DataPath(table_name, partition, manifest_.generation + 1);
    std::filesystem::create_directories(path_ / table_name);
    std::string columns;
    for (const tables::Column& column : table.columns)
      columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", duckdb::QuotedName(column.name),
                             SqlName(column.type));
    Do(fmt::format("CREATE OR REPLACE TABLE rows ({})", columns));
    Do(fmt::format("INSERT INTO rows BY NAME {}", select));
    Do(fmt::format("COPY rows TO {} (FORMAT parquet, COMPRESSION zstd)",
                   duckdb::Quoted((path_ / path).string())));
    tables::DataFile file;
    file.path = path;
    file.rows = connection_.QueryNumber("SELECT count(*) FROM rows").value();
    PosixFileSystem files(path_.string());
    file.sha256 = Sha256Hex(files.Read(path, 0, 1 << 30).value());
    file.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path_ / path));
    if (!table.range_column.empty() && file.rows > 0) {
      file.first =
          connection_.QueryNumber(fmt::format("SELECT min({}) FROM rows", table.range_column)).value();
      file.last =
          connection_.QueryNumber(fmt::format("SELECT max({}) FROM rows", table.range_column)).value();
    }
    auto& of_table = manifest_.tables[table_name];
    std::erase_if(of_table.files,
                  [&](const auto& old) { return tables::PartitionOf(old.path) == partition; });
    of_table.files.push_back(std::move(file));
    changed_.push_back(table_name);
  }

  // The manifest with what was put since, as the next generation.
  tables::Manifest Commit() {
    manifest_.parent = manifest_.generation++;
    manifest_.committed_at += std::chrono::hours(24);
    std::ranges::sort(changed_);
    for (auto it = changed_.begin(); it != std::unique(changed_.begin(), changed_.end()); ++it) {
      ++manifest_.tables[*it].delta_version;
      manifest_.tables[*it].width = 65536;
    }
    changed_.clear();
    for (auto& [name, files] : manifest_.tables) std::ranges::sort(files.files, {}, &tables::DataFile::path);
    PosixFileSystem files(path_.string());
    EXPECT_TRUE(WriteWhole(files, tables::ManifestPath(manifest_.generation), FormatManifest(manifest_)));
    EXPECT_TRUE(WriteWhole(files, "manifest.json", tables::FormatHint(manifest_.generation)));
    return manifest_;
  }

  tables::Manifest& manifest() { return manifest_; }
  duckdb::Connection& connection() { return connection_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  void Do(const std::string& sql) {
    const auto done = connection_.Execute(sql);
    EXPECT_TRUE(done) << done.error().message << "\n" << sql;
  }

  const std::filesystem::path path_;
  tables::Manifest manifest_;
  std::vector<std::string> changed_;
  duckdb::Database database_ = duckdb::Database::Open(Duckdb(), {}).value();
  duckdb::Connection connection_ = database_.Connect().value();
};

// Two films, one with everything that a view asks for.
inline void PutTwoFilms(TablesFolder& folder) {
  folder.Put(
      "movies", "0000000000-0000065535",
      "SELECT 550 AS movie_id, 'Fight Club' AS title, 8.4 AS vote_average, 27000 AS vote_count, "
      "DATE '1999-10-15' AS release_date, 139 AS runtime, false AS adult, 'tt0137523' AS imdb_id, 1 AS version, "
      "TIMESTAMPTZ '2026-11-29 10:00:00+00' AS fetched_at UNION ALL BY NAME "
      "SELECT 2 AS movie_id, 'Ariel' AS title, 7.1 AS vote_average, 300 AS vote_count, 1 AS version, "
      "TIMESTAMPTZ '2026-11-29 10:00:00+00' AS fetched_at ORDER BY movie_id");
  folder.Put(
      "movie_genres", "0000000000-0000065535",
      "SELECT * FROM (VALUES (550, 0, 18, 'Drama'), (550, 1, 53, 'Thriller')) t(movie_id, position, genre_id, name)");
  folder.Put(
      "movie_crew", "0000000000-0000065535",
      "SELECT 550 AS movie_id, 0 AS position, 'Directing' AS department, 'Director' AS job, 7467 AS person_id, "
      "'David Fincher' AS name");
}

}  // namespace tmdbc::testing
