// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "app/newest_tables.h"
#include "app/program_world_test.h"
#include "app/sql_output.h"
#include "base/files.h"
#include "tables/tables_world_test.h"

namespace tmdbc {
namespace {

using testing::Outcome;

class SqlCommandTest : public testing::ProgramWorld {
 protected:
  void PutTables() {
    testing::TablesFolder folder(std::filesystem::absolute("data/tables"));
    testing::PutTwoFilms(folder);
    folder.Commit();
  }
  static Outcome Sql(const std::string& statement, std::vector<const char*> flags = {}) {
    std::vector<const char*> words = {"sql", statement.c_str()};
    words.insert(words.end(), flags.begin(), flags.end());
    const std::string library = "--duckdb-library=" + testing::DuckdbPath();
    words.push_back(library.c_str());
    return Run(words);
  }
};

TEST_F(SqlCommandTest, PrintsATableForPeople) {
  PutTables();
  const Outcome outcome = Sql("SELECT movie_id, title, vote_average, overview FROM movies ORDER BY 1");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "movie_id | title      | vote_average | overview\n"
            "---------+------------+--------------+---------\n"
            "       2 | Ariel      |          7.1 | NULL\n"
            "     550 | Fight Club |          8.4 | NULL\n"
            "(2 rows)\n");
}

TEST_F(SqlCommandTest, PrintsCsvJsonLinesAndJsonForPrograms) {
  PutTables();
  const std::string statement =
      "SELECT movie_id AS id, title, NULL AS none, '' AS empty, 'a \"b\", c' AS quoted, release_date FROM movies "
      "ORDER BY id";
  EXPECT_EQ(Sql(statement, {"--format=csv"}).out,
            "id,title,none,empty,quoted,release_date\n"
            "2,Ariel,,\"\",\"a \"\"b\"\", c\",\n"
            "550,Fight Club,,\"\",\"a \"\"b\"\", c\",1999-10-15\n");
  EXPECT_EQ(
      Sql(statement, {"--format=jsonl"}).out,
      R"({"id":2,"title":"Ariel","none":null,"empty":"","quoted":"a \"b\", c","release_date":null})"
      "\n"
      R"({"id":550,"title":"Fight Club","none":null,"empty":"","quoted":"a \"b\", c","release_date":"1999-10-15"})"
      "\n");
  EXPECT_EQ(Sql("SELECT movie_id FROM movies ORDER BY 1", {"--json"}).out,
            "[\n{\"movie_id\":2},\n{\"movie_id\":550}\n]\n");
  EXPECT_EQ(Sql("SELECT movie_id FROM movies WHERE false", {"--format=json"}).out, "[]\n");
  EXPECT_EQ(Sql("SELECT 1 AS a, 2 AS a, 3 AS a_1", {"--format=jsonl"}).out,
            "{\"a\":1,\"a_2\":2,\"a_1\":3}\n");
}

TEST_F(SqlCommandTest, WritesParquetWholeOrNotAtAll) {
  PutTables();
  Outcome outcome =
      Sql("SELECT movie_id, title FROM movies ORDER BY 1", {"--format=parquet", "--out=films.parquet"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  auto database = duckdb::Database::Open(testing::Duckdb(), {}).value();
  auto connection = database.Connect().value();
  EXPECT_EQ(connection.QueryNumber("SELECT sum(movie_id)::BIGINT FROM 'films.parquet'").value(), 552);
  outcome = Sql("SELECT error('halfway') FROM movies", {"--format=parquet", "--out=films.parquet"});
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_EQ(connection.QueryNumber("SELECT sum(movie_id)::BIGINT FROM 'films.parquet'").value(), 552);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("."))
    files += entry.path().string().contains("films");
  EXPECT_EQ(files, 1);
  ExpectOneLine(Sql("SELECT 1", {"--format=parquet"}), 2, "go together");
  ExpectOneLine(Sql("SELECT 1", {"--out=x"}), 2, "go together");
}

TEST_F(SqlCommandTest, WritesOverFilesAloneAndNamesTheOneThatWasGiven) {
  PutTables();
  std::filesystem::create_directory("folder");
  std::filesystem::create_symlink("/dev/full", "device");
  for (const char* out : {"--out=data/catalog.db", "--out=data/tables/movies/x.parquet", "--out=data/x"})
    ExpectOneLine(Sql("FROM movies", {"--format=parquet", out}), 2, "is within the mirror, ./data");
  ExpectOneLine(Sql("FROM movies", {"--format=parquet", "--out=-"}), 2, "--out is -");
  for (const char* out : {"--out=folder", "--out=device", "--out=/dev/full"})
    ExpectOneLine(Sql("FROM movies", {"--format=parquet", out}), 2, "name another");
  EXPECT_TRUE(std::filesystem::is_symlink("device"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  const Outcome outcome = Sql("FROM movies", {"--format=parquet", "--out=nowhere/films.parquet"});
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_NE(outcome.err.find("nowhere/films.parquet\""), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find(".tmp"), std::string::npos) << outcome.err;
}

TEST_F(SqlCommandTest, ADamagedFileOfTheTablesIsNoFaultOfTheStatement) {
  PutTables();
  const std::string file = "data/tables/movies/0000000000-0000065535.000000001.parquet";
  ASSERT_TRUE(std::filesystem::exists(file));
  const auto size = std::filesystem::file_size(file);
  const auto expect_told = [&] {
    ExpectOneLine(Sql("SELECT max(title), sum(vote_count) FROM movies"), 3,
                  "`tables --check` names what is damaged");
  };
  // The first page: its header begins behind the magic bytes.
  std::fstream(file, std::ios::in | std::ios::out).seekp(4).write(std::string(200, '\xFF').data(), 200);
  expect_told();
  std::filesystem::resize_file(file, size / 2);
  expect_told();
  std::filesystem::resize_file(file, 0);
  expect_told();
  std::filesystem::remove(file);
  expect_told();
}

TEST_F(SqlCommandTest, ADamagedManifestIsToldWithWhatHelps) {
  PutTables();
  {
    testing::DataStore store;
  }
  std::ofstream("data/tables/manifests/000000001.json") << "{";
  const std::string library = "--duckdb-library=" + testing::DuckdbPath();
  ExpectOneLine(Sql("SELECT 1"), 3, "`tables --rebuild` makes all tables again");
  ExpectOneLine(Run({"tables", library.c_str()}), 3, "`tables --rebuild` makes all tables again");
  ExpectOneLine(Run({"tables", "--check"}), 3, "`tables --rebuild` makes all tables again");
}

TEST_F(SqlCommandTest, PointsAtTheMistakeInAStatement) {
  PutTables();
  const Outcome outcome = Sql("SELECT titel FROM movies");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("tmdb-collector: Binder Error: ")) << outcome.err;
  EXPECT_NE(outcome.err.find("\nLINE 1: SELECT titel FROM movies\n               ^\n"), std::string::npos)
      << outcome.err;
  ExpectOneLine(Sql("DROP VIEW movies"), 2, "one statement that reads is allowed");
  ExpectOneLine(Sql("COPY movies TO 'x.csv'"), 2, "Permission Error");
  EXPECT_FALSE(std::filesystem::exists("x.csv"));
  const Outcome json = Sql("SELEKT 1", {"--log-format=json"});
  EXPECT_EQ(json.err.find('\n'), json.err.size() - 1) << json.err;
}

TEST_F(SqlCommandTest, ExplainRunsItAndShowsThePlan) {
  PutTables();
  const Outcome outcome = Sql("SELECT count(*) FROM movies", {"--explain"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("Total Time"), std::string::npos) << outcome.out;
  ExpectOneLine(Sql("COPY movies TO 'x.csv'", {"--explain"}), 2, "Permission Error");
  ExpectOneLine(Sql("DROP VIEW movies", {"--explain"}), 2, "one statement that reads is allowed");
  EXPECT_FALSE(std::filesystem::exists("x.csv"));
}

TEST_F(SqlCommandTest, ViewsAreSqlThatDuckdbsOwnShellRuns) {
  PutTables();
  const Outcome outcome = Run({"sql", "--views"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  auto database = duckdb::Database::Open(testing::Duckdb(), {}).value();
  auto connection = database.Connect().value();
  std::filesystem::create_directory("elsewhere");
  const auto made = connection.Execute(outcome.out);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(connection.QueryNumber("SELECT count(*) FROM kaggle_movies").value(), 2);
}

TEST_F(SqlCommandTest, WithoutTablesOrLibraryOneSentenceSaysWhatToDo) {
  ExpectOneLine(Sql("SELECT 1"), 1, "there are no tables in ./data yet: `tmdb-collector tables` makes them");
  PutTables();
  ExpectOneLine(Run({"sql", "SELECT 1", "--duckdb-library=/nowhere/libduckdb.so"}), 3, "./dev duckdb");
  ExpectOneLine(Run({"sql"}), 2, "sql needs a statement");
  ExpectOneLine(Run({"sql", "SELECT 1", "--format=xml"}), 2, "use table, csv, jsonl, json or parquet");
  ExpectOneLine(Run({"sql", "SELECT 1", "--s3-bucket-name=my-bucket"}), 2, "S3_BUCKET_NAME");
}

TEST_F(SqlCommandTest, ReadsTheNewestGenerationWhateverTheHintSays) {
  testing::TablesFolder folder(std::filesystem::absolute("data/tables"));
  testing::PutTwoFilms(folder);
  folder.Commit();
  folder.Put("movies", "0000000000-0000065535", "SELECT 7 AS movie_id");
  folder.Commit();
  std::ofstream("data/tables/manifest.json") << "{\"generation\":1}";
  EXPECT_EQ(Sql("SELECT movie_id FROM movies", {"--format=csv"}).out, "movie_id\n7\n");
}

// The tables of the test are of December 2026 and the first of a store that has gone on.
TEST_F(SqlCommandTest, TablesThatTheStoreHasLeftBehindAreOldNewsAndItSaysSo) {
  testing::TablesFolder folder(std::filesystem::absolute("data/tables"));
  {
    testing::DataStore store;
    store.Put({MediaType::kMovie, 550}, R"({"id":550,"title":"Fight Club"})", "2026-11-22T10:00:00Z");
    store.Seal();
  }
  testing::PutTwoFilms(folder);
  folder.manifest().sequences[MediaType::kMovie] = 0;
  const tables::Manifest manifest = folder.Commit();
  Settings settings;
  settings.data_dir = "data";
  const auto after = [&](int days) { return manifest.committed_at + std::chrono::days(days); };
  EXPECT_EQ(WhyTablesAreBehind(settings, manifest, after(6)), "");
  EXPECT_EQ(WhyTablesAreBehind(settings, manifest, after(9)),
            "the tables are 9 days old, and the store has changed since: `tables` brings them up to date");
  folder.manifest().sequences[MediaType::kMovie] = 1;
  EXPECT_EQ(WhyTablesAreBehind(settings, folder.Commit(), after(9)), "");
}

// Sent before, it would end the test itself.
std::jthread CtrlCWhenItListens() {
  return std::jthread([](const std::stop_token& gives_up) {
    struct sigaction action{};
    while (!gives_up.stop_requested() && action.sa_handler == SIG_DFL) ::sigaction(SIGINT, nullptr, &action);
    if (action.sa_handler != SIG_DFL) ::kill(::getpid(), SIGINT);
  });
}

TEST_F(SqlCommandTest, CtrlCEndsAQuery) {
  PutTables();
  const std::jthread person = CtrlCWhenItListens();
  // Without it, for weeks.
  ExpectOneLine(
      Sql("SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3"), 1,
      "stopped");
}

// DuckDB's bound knows nothing of it, and no interrupt ends it: without a bound of our own it takes 4 GB and more than a
// minute.
TEST_F(SqlCommandTest, AValueThatIsLargerThanTheMemoryIsAnError) {
  PutTables();
  const Outcome outcome = Sql("SELECT length(repeat('x', 3900000000))");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("Out of Memory"), std::string::npos) << outcome.err;
}

TEST_F(SqlCommandTest, CtrlCEndsAPublishAsItEndsAQuery) {
  {
    testing::DataStore store;
    store.Put({MediaType::kMovie, 550}, R"({"id":550,"title":"Fight Club"})", "2026-11-22T10:00:00Z");
    store.Seal();
  }
  const std::jthread person = CtrlCWhenItListens();
  const std::string library = "--duckdb-library=" + testing::DuckdbPath();
  ExpectOneLine(Run({"tables", library.c_str()}), 1, "stopped");
}

TEST(SqlOutput, WideLettersTakeTwoColumnsAndMarksNone) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("千と"), 4u);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1u);
  EXPECT_EQ(DisplayWidth("\xF0\x9F\x98\x80"), 2u);
}

TEST_F(SqlCommandTest, ATableKeepsItsShapeWhateverIsInItsCells) {
  PutTables();
  EXPECT_EQ(
      Sql("SELECT '千と千尋' AS a, 1 AS b UNION ALL SELECT 'line' || chr(10) || chr(27) || '[2J', 20 ORDER BY b")
          .out,
      "a               |  b\n"
      "----------------+---\n"
      "千と千尋        |  1\n"
      "line\\n\\u001b[2J | 20\n"
      "(2 rows)\n");
  EXPECT_EQ(Sql("SELECT NULL::VARCHAR AS a, '' AS b, 1 AS c").out,
            "a    | b | c\n-----+---+--\nNULL |   | 1\n(1 row)\n");
  const Outcome outcome = Sql("SELECT repeat('x', 5000) AS long");
  EXPECT_NE(outcome.out.find("\n" + std::string(59, 'x') + "…\n"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace tmdbc
