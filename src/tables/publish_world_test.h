// SPDX-License-Identifier: MIT
// PublishWorld: a store on a fake disk and its tables in a folder of this machine. For the tests of this folder.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "base/hash.h"
#include "duckdb/database.h"
#include "storage/store_world_test.h"
#include "tables/derived_files.h"
#include "tables/publish.h"
#include "testing/duckdb_library.h"
#include "testing/memory_folder.h"

namespace tmdbc::testing {

struct PublishWorld {
  StoreWorld store;
  StopFlag stop;
  std::filesystem::path root;
  tables::PublishOptions options;
  std::vector<tables::PopularityExport> exports;

  PublishWorld() {
    static int made = 0;
    root = MemoryFolder() / fmt::format("tables_{}_{}", ::getpid(), ++made);
    std::filesystem::remove_all(root);
    options.root = root;
    // Files of 1,024 ids each, whatever is in them: small worlds have several; and pages of a few rows.
    options.sizes = {.first_width = tables::kBucketIds,
                     .file_bytes = 0,
                     .version_ids = 2048,
                     .pages = {.page_rows = 8, .group_rows = 12}};
  }
  PublishWorld(const PublishWorld&) = delete;
  ~PublishWorld() { std::filesystem::remove_all(root); }

  void Put(const Document& document) { store.Put(document); }
  void Commit() { store.Commit(); }
  // What was put is in the feed.
  void Seal() {
    store.Commit();
    store.Seal();
  }
  Result<tables::PublishReport> TryPublish(const tables::PublishOptions& with) {
    return tables::Publish(
        {store.store->feed, store.store->reader, Duckdb(), store.clock, stop, store.files, exports, {}},
        with);
  }
  tables::PublishReport Publish() { return Publish(options); }
  tables::PublishReport Publish(const tables::PublishOptions& with) {
    auto report = TryPublish(with);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(tables::PublishReport{});
  }
  tables::Manifest Newest() { return NewestIn(root); }
  static tables::Manifest NewestIn(const std::string& folder) {
    PosixFileSystem files(folder);
    const auto newest = tables::NewestGeneration(files);
    EXPECT_TRUE(newest && *newest > 0);
    auto manifest = tables::ReadManifest(files, newest.value_or(0));
    EXPECT_TRUE(manifest) << manifest.error().message;
    return manifest.value_or(tables::Manifest{});
  }
  // By table and part the hash of each file; the table of what was published when is its own.
  static std::map<std::string, std::string> PartsOf(const tables::Manifest& manifest) {
    std::map<std::string, std::string> parts;
    for (const auto& [name, table] : manifest.tables) {
      if (name == "snapshots") continue;
      for (const auto& file : table.files)
        parts[fmt::format("{}/{}", name, tables::PartitionOf(file.path))] = file.sha256;
    }
    return parts;
  }
  // The same of tables that are built whole, in a folder beside.
  std::map<std::string, std::string> PartsOfABuild() {
    tables::PublishOptions again = options;
    again.root = root.string() + "_again";
    again.before = {};
    std::filesystem::remove_all(again.root);
    Publish(again);
    auto parts = PartsOf(NewestIn(again.root));
    std::filesystem::remove_all(again.root);
    return parts;
  }

  // The files of a table that its Delta log leads to: those of its last checkpoint, and what was done since. `log` has
  // the files of the log by name.
  static std::set<std::string> ByLog(const std::string& table, const std::map<std::string, std::string>& log) {
    std::set<std::string> paths;
    std::int64_t version = 0;
    for (const auto& [name, bytes] : log) {
      if (!name.ends_with(".checkpoint.parquet")) continue;
      const std::string path = ::testing::TempDir() + fmt::format("checkpoint_{}.parquet", ::getpid());
      std::ofstream(path, std::ios::binary) << bytes;
      version = std::stoll(name.substr(0, 20)) + 1;
      paths.clear();
      auto database = duckdb::Database::Open(Duckdb(), {});
      auto connection = database->Connect();
      auto rows = connection->Query(fmt::format("SELECT add.path FROM '{}' WHERE add IS NOT NULL", path));
      EXPECT_TRUE(rows) << name << ": " << rows.error().message;
      while (rows && rows->Next().value_or(false)) {
        for (std::size_t row = 0; row < rows->size(); ++row)
          paths.insert(table + "/" + std::string(rows->Varchar(0, row)));
      }
      std::filesystem::remove(path);
    }
    for (;; ++version) {
      const auto entry = log.find(fmt::format("{:020}.json", version));
      if (entry == log.end()) break;
      std::istringstream lines(entry->second);
      for (std::string line; std::getline(lines, line);) {
        const auto at = line.find(R"("path":")");
        if (at == std::string::npos) continue;
        const std::string path = table + "/" + line.substr(at + 8, line.find('"', at + 8) - at - 8);
        if (line.starts_with(R"({"add")")) paths.insert(path);
        if (line.starts_with(R"({"remove")")) paths.erase(path);
      }
    }
    EXPECT_TRUE(log.empty() || !std::isdigit(log.rbegin()->first[0]) ||
                log.rbegin()->first < fmt::format("{:020}", version))
        << log.rbegin()->first << " is behind a gap";
    return paths;
  }
  std::set<std::string> ByLog(const std::string& table) const {
    std::map<std::string, std::string> log;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(root / table / "_delta_log", error)) {
      std::ifstream file(entry.path(), std::ios::binary);
      log[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
    }
    return ByLog(table, log);
  }
  // What every log adds up to is what the manifest has.
  void ExpectLogsOfTheManifest() {
    for (const auto& [name, table] : Newest().tables) {
      std::set<std::string> named;
      for (const auto& file : table.files) named.insert(file.path);
      EXPECT_EQ(ByLog(name), named) << name;
    }
  }

  // Takes a file away, under both of its names.
  void Lose(const std::string& path) {
    EXPECT_TRUE(std::filesystem::remove(root / path)) << path;
    std::filesystem::remove(root / "latest" / path);
  }

  // A SELECT over the newest generation, its rows apart by "; ", its cells by a blank. {movies} stands for the table.
  std::string Ask(std::string sql) {
    const tables::Manifest manifest = Newest();
    for (const auto& [name, table] : manifest.tables) {
      std::string files;
      for (const auto& file : table.files)
        files += (files.empty() ? "'" : ", '") + (root / file.path).string() + "'";
      const std::string place = "{" + name + "}";
      for (auto at = sql.find(place); at != std::string::npos; at = sql.find(place))
        sql.replace(at, place.size(), files.empty() ? "no_rows" : "read_parquet([" + files + "])");
    }
    auto database = duckdb::Database::Open(Duckdb(), {});
    auto connection = database->Connect();
    auto rows = connection->Query("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (" + sql + ")");
    if (!rows) return rows.error().message;
    std::string text;
    while (rows->Next().value_or(false)) {
      for (std::size_t row = 0; row < rows->size(); ++row) {
        if (!text.empty()) text += "; ";
        for (std::size_t column = 0; column < rows->columns().size(); ++column) {
          if (column > 0) text += ' ';
          text += rows->IsNull(column, row) ? "NULL" : std::string(rows->Varchar(column, row));
        }
      }
    }
    return text;
  }
};

}  // namespace tmdbc::testing
