// SPDX-License-Identifier: MIT
#include "tables/delta_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/json.h"
#include "tables/tables_world_test.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;

class DeltaLogTest : public ::testing::Test {
 protected:
  DeltaLogTest()
      : root_(fs::canonical(fs::path(::testing::TempDir())) / fmt::format("delta-{}", ::getpid())),
        folder_(root_ / "tables"),
        files_(TableFolder::Open(folder_.path().string()).value()) {}
  ~DeltaLogTest() override { fs::remove_all(root_); }

  // A publish with its log.
  Manifest Publish() {
    const Manifest manifest = folder_.Commit();
    Finish(manifest);
    return manifest;
  }
  void Finish(const Manifest& manifest) {
    const auto finished = FinishGeneration(files_, manifest, testing::Duckdb(), false);
    ASSERT_TRUE(finished) << finished.error().message;
  }
  std::string Entry(const std::string& table, std::int64_t version) {
    std::ifstream in(folder_.path() / DeltaEntryPath(table, version));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  // What a reader that plays the log finds: the paths, from the newest checkpoint on when `checkpoint`.
  std::set<std::string> Replay(const std::string& table, std::int64_t version, std::int64_t checkpoint = -1) {
    std::set<std::string> paths;
    const std::string folder = (folder_.path() / table / "_delta_log").string();
    if (checkpoint >= 0) {
      auto rows =
          folder_.connection()
              .Query(fmt::format("SELECT add.path FROM '{}/{:020}.checkpoint.parquet' WHERE add IS NOT NULL",
                                 folder, checkpoint))
              .value();
      while (*rows.Next()) {
        for (std::size_t row = 0; row < rows.size(); ++row) paths.emplace(rows.Varchar(0, row));
      }
    }
    for (std::int64_t v = checkpoint + 1; v <= version; ++v) {
      auto rows = folder_.connection()
                      .Query(fmt::format("SELECT json->>'$.add.path', json->>'$.remove.path' FROM "
                                         "read_json_objects('{}/{:020}.json', format = 'newline_delimited')",
                                         folder, v))
                      .value();
      while (*rows.Next()) {
        for (std::size_t row = 0; row < rows.size(); ++row) {
          if (!rows.IsNull(1, row)) paths.erase(std::string(rows.Varchar(1, row)));
          if (!rows.IsNull(0, row)) paths.emplace(rows.Varchar(0, row));
        }
      }
    }
    return paths;
  }

  const fs::path root_;
  testing::TablesFolder folder_;
  TableFolder files_;
};

TEST_F(DeltaLogTest, TheFirstEntryHasProtocolSchemaAndFiles) {
  testing::PutTwoFilms(folder_);
  Publish();
  std::istringstream lines(Entry("movies", 0));
  std::vector<std::string> actions;
  for (std::string line; std::getline(lines, line);) actions.push_back(line);
  ASSERT_EQ(actions.size(), 5u);
  EXPECT_TRUE(actions[0].starts_with(R"({"commitInfo":{"timestamp":1796137200000,"operation":"WRITE")"))
      << actions[0];
  EXPECT_EQ(actions[1], R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})");
  EXPECT_TRUE(actions[2].starts_with(R"({"metaData":{"id":")")) << actions[2];
  EXPECT_NE(actions[2].find(
                R"({\"name\":\"movie_id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{\"comment\":\")"),
            std::string::npos)
      << actions[2];
  EXPECT_EQ(actions[3], R"({"txn":{"appId":"tmdb-collector","version":1,"lastUpdated":1796137200000}})");
  EXPECT_NE(
      actions[4].find(R"("add":{"path":"0000000000-0000065535.000000001.parquet","partitionValues":{},)"),
      std::string::npos)
      << actions[4];
  EXPECT_NE(
      actions[4].find(
          R"("stats":"{\"numRecords\":2,\"minValues\":{\"movie_id\":2},\"maxValues\":{\"movie_id\":550}}")"),
      std::string::npos)
      << actions[4];
}

TEST_F(DeltaLogTest, LaterEntriesTellTheDifferenceAndOnlyOfTablesThatChanged) {
  testing::PutTwoFilms(folder_);
  Publish();
  folder_.Put("movies", "0000000000-0000065535", "SELECT 3 AS movie_id");
  folder_.Put("movies", "0000065536-0000131071", "SELECT 70000 AS movie_id");
  Publish();
  const std::string entry = Entry("movies", 1);
  EXPECT_EQ(entry.find("metaData"), std::string::npos);
  EXPECT_EQ(entry.find("protocol"), std::string::npos);
  EXPECT_EQ(Replay("movies", 1), (std::set<std::string>{"0000000000-0000065535.000000002.parquet",
                                                        "0000065536-0000131071.000000002.parquet"}));
  EXPECT_EQ(Replay("movies", 0), (std::set<std::string>{"0000000000-0000065535.000000001.parquet"}));
  EXPECT_FALSE(fs::exists(folder_.path() / DeltaEntryPath("movie_genres", 1)));
  EXPECT_FALSE(fs::exists(folder_.path() / "episodes"));  // nothing was written of it
}

TEST_F(DeltaLogTest, ARepeatChangesNothingAndCompletesWhatWasCutShort) {
  testing::PutTwoFilms(folder_);
  Publish();
  folder_.Put("movies", "0000000000-0000065535", "SELECT 3 AS movie_id");
  folder_.Put("movie_genres", "0000000000-0000065535", "SELECT 3 AS movie_id, 0 AS position");
  const Manifest second = Publish();
  const std::string movies = Entry("movies", 1), genres = Entry("movie_genres", 1);
  const auto written = fs::last_write_time(folder_.path() / DeltaEntryPath("movies", 1));
  Finish(second);
  EXPECT_EQ(fs::last_write_time(folder_.path() / DeltaEntryPath("movies", 1)), written);
  fs::remove(folder_.path() / DeltaEntryPath("movie_genres", 1));
  Finish(second);
  EXPECT_EQ(Entry("movie_genres", 1), genres);
  EXPECT_EQ(Entry("movies", 1), movies);
}

TEST_F(DeltaLogTest, AnotherSpecBringsItsSchemaAndKeepsTheTablesId) {
  testing::PutTwoFilms(folder_);
  Publish();
  folder_.manifest().spec += 1;
  folder_.Put("movies", "0000000000-0000065535", "SELECT 3 AS movie_id");
  Publish();
  const auto id = [](const std::string& entry) {
    return entry.substr(entry.find(R"("metaData":{"id":")"), 60);
  };
  ASSERT_NE(Entry("movies", 1).find("metaData"), std::string::npos);
  EXPECT_EQ(id(Entry("movies", 1)), id(Entry("movies", 0)));
}

TEST_F(DeltaLogTest, ACheckpointGivesTheSameFilesAsTheWholeLog) {
  testing::PutTwoFilms(folder_);
  Publish();
  for (int i = 1; i <= kCheckpointEvery + 2; ++i) {
    folder_.Put("movies", fmt::format("{:010}-{:010}", (i % 4) * 65536, (i % 4) * 65536 + 65535),
                fmt::format("SELECT {} AS movie_id", (i % 4) * 65536));
    Publish();
  }
  const std::int64_t newest = kCheckpointEvery + 2;
  EXPECT_EQ(Replay("movies", newest), Replay("movies", newest, kCheckpointEvery));
  EXPECT_EQ(Replay("movies", newest).size(), 4u);
  std::ifstream hint(folder_.path() / "movies/_delta_log/_last_checkpoint");
  std::string line;
  std::getline(hint, line);
  EXPECT_EQ(line, R"({"version":20,"size":7})");
  const std::string checkpoint =
      (folder_.path() / fmt::format("movies/_delta_log/{:020}.checkpoint.parquet", kCheckpointEvery))
          .string();
  const auto count = [&](const std::string& what) {
    return folder_.connection()
        .QueryNumber(fmt::format("SELECT count({}) FROM '{}'", what, checkpoint))
        .value();
  };
  EXPECT_EQ(count("protocol.minReaderVersion"), 1);
  EXPECT_EQ(count("\"metaData\".schemaString"), 1);
  EXPECT_EQ(count("txn.version"), 1);
  EXPECT_EQ(count("add.partitionValues"), 4);
  EXPECT_EQ(count("remove.path"), 0);
}

TEST_F(DeltaLogTest, BehindAGapTheLogBeginsWithACheckpoint) {
  testing::PutTwoFilms(folder_);
  folder_.Commit();
  folder_.Put("movies", "0000000000-0000065535", "SELECT 3 AS movie_id");
  folder_.manifest().parent = 0;
  const Manifest second = folder_.Commit();
  fs::remove(folder_.path() / ManifestPath(1));
  Finish(second);
  const std::set<std::string> files = {"0000000000-0000065535.000000002.parquet"};
  EXPECT_EQ(Replay("movies", 1, 1), files);
  EXPECT_TRUE(Entry("movies", 0).empty());
  // Its entry stands for itself.
  EXPECT_NE(Entry("movies", 1).find("protocol"), std::string::npos);
  EXPECT_NE(Entry("movies", 1).find("metaData"), std::string::npos);
  EXPECT_TRUE(fs::exists(folder_.path() / DeltaEntryPath("movie_genres", 0)));
}

}  // namespace
}  // namespace tmdbc::tables
