// SPDX-License-Identifier: MIT
#include "tables/sandbox.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tables/tables_world_test.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;

class SandboxTest : public ::testing::Test {
 protected:
  SandboxTest()
      : root_(fs::canonical(fs::path(::testing::TempDir())) / fmt::format("sandbox-{}", ::getpid())),
        folder_(root_ / "tables") {
    testing::PutTwoFilms(folder_);
    manifest_ = folder_.Commit();
    std::ofstream(root_ / "secret.csv") << "a\n1\n";
  }
  ~SandboxTest() override { fs::remove_all(root_); }

  Result<Sandbox> Open(const std::string& statement, const SandboxOptions& options = {}) {
    return Sandbox::Open(tmdbc::testing::Duckdb(), folder_.path().string(), manifest_, statement, options);
  }
  // Of one text or number; else the error's words.
  std::string Answer(const std::string& statement) {
    auto sandbox = Open(statement);
    if (!sandbox) return sandbox.error().message;
    if (const auto fine = sandbox->Check(); !fine) return fine.error().message;
    auto rows = sandbox->Run();
    if (!rows) return rows.error().message;
    const auto some = rows->Next();
    if (!some) return some.error().message;
    if (!*some) return "no row";
    const auto number = rows->WholeNumber(0, 0);
    return number ? std::to_string(*number) : std::string(rows->Varchar(0, 0));
  }
  // Everything under the folder of the test, with sizes.
  std::string Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(root_))
      files.push_back(
          fmt::format("{} {}", entry.path().string(), entry.is_regular_file() ? entry.file_size() : 0));
    std::ranges::sort(files);
    return fmt::format("{}", fmt::join(files, "\n"));
  }

  const fs::path root_;
  testing::TablesFolder folder_;
  Manifest manifest_;
};

TEST_F(SandboxTest, AnswersOverTheTablesAndTheDropInViews) {
  EXPECT_EQ(Answer("SELECT count(*) FROM movies"), "2");
  EXPECT_EQ(Answer("SELECT title FROM movies JOIN movie_genres USING (movie_id) WHERE name = 'Thriller'"),
            "Fight Club");
  EXPECT_EQ(Answer("FROM MOVIES SELECT title ORDER BY movie_id"), "Ariel");
  EXPECT_EQ(Answer("SELECT genres FROM kaggle_movies WHERE id = 550"), "Drama, Thriller");
  EXPECT_EQ(Answer("SELECT count(*) FROM kaggle_movies"), "2");
  EXPECT_EQ(Answer("SELECT name FROM directors"), "David Fincher");
  EXPECT_EQ(Answer("SELECT imdb_number FROM imdb_links"), "137523");
  EXPECT_EQ(Answer("SELECT count(*) FROM credits"), "1");
  EXPECT_EQ(Answer("SELECT count(*) FROM movie_watch_now"), "0");
  EXPECT_EQ(Answer("SELECT count(*) FROM episodes"), "0");  // has no file
  EXPECT_EQ(Answer("SELECT 1 -- a comment"), "1");
  EXPECT_EQ(Answer("SELECT 1;"), "1");
}

TEST_F(SandboxTest, EveryTableAndViewIsThereWhetherItHasFilesOrNot) {
  for (const View& view : ViewsOf(manifest_, ""))
    EXPECT_NE(Answer("SELECT count(*) FROM " + view.name).find_first_of("0123456789"), std::string::npos)
        << view.name;
  EXPECT_EQ(Answer("SELECT count(*) FROM (SHOW TABLES)"), std::to_string(ViewsOf(manifest_, "").size()));
  EXPECT_EQ(Answer("SELECT count(*) FROM information_schema.columns WHERE table_name = 'kaggle_movies'"),
            "24");
  EXPECT_EQ(Answer("SELECT count(*) FROM information_schema.columns WHERE table_name = 'kaggle_tv_shows'"),
            "29");
}

TEST_F(SandboxTest, AStatementThatDoesMoreThanReadIsRefusedAndLeavesNothing) {
  const std::string outside = (root_ / "written").string(), inside = (folder_.path() / "written").string();
  const std::string before = Files();
  const std::string refused[] = {
      "COPY movies TO '" + outside + ".csv'",
      "COPY movies TO '" + inside + ".csv'",
      "COPY (SELECT 1) TO '" + inside + ".parquet' (FORMAT parquet)",
      "EXPLAIN ANALYZE COPY movies TO '" + inside + ".csv'",
      "EXPLAIN COPY movies TO '" + inside + ".csv'",
      "EXPORT DATABASE '" + inside + "'",
      "CREATE TABLE t AS SELECT 1",
      "CREATE OR REPLACE VIEW movies AS SELECT 1",
      "CREATE MACRO f(x) AS x",
      "CREATE SECRET s (TYPE s3)",
      "INSERT INTO movies SELECT * FROM movies",
      "UPDATE movies SET title = ''",
      "DELETE FROM movies",
      "DROP VIEW movies",
      "ALTER VIEW movies RENAME TO films",
      "ATTACH '" + outside + ".db' AS other",
      "ATTACH '" + inside + ".db' AS other",
      "DETACH memory",
      "USE memory",
      "INSTALL httpfs",
      "LOAD httpfs",
      "LOAD '" + inside + ".so'",
      "SET threads = 1",
      "SET enable_external_access = true",
      "SET lock_configuration = false",
      "RESET allowed_directories",
      "PRAGMA enable_profiling",
      "SET VARIABLE x = 1",
      "CALL enable_logging(storage = 'file', storage_path = '" + inside + "')",
      "CHECKPOINT",
      "VACUUM",
      "BEGIN",
      "PREPARE p AS SELECT 1",
      "EXECUTE p",
      "SELECT 1; SELECT 2",
      "SELECT 1; COPY movies TO '" + inside + ".csv'",
      "WITH x AS (INSERT INTO movies SELECT 1 RETURNING *) SELECT * FROM x",
      "PIVOT movies ON title",
      "",
      "-- nothing",
  };
  for (const std::string& statement : refused) {
    auto sandbox = Open(statement);
    ASSERT_TRUE(sandbox) << sandbox.error().message;
    const auto check = sandbox->Check();
    ASSERT_FALSE(check) << statement;
    EXPECT_EQ(check.error().code, ErrorCode::kInvalid) << statement << ": " << check.error().message;
  }
  EXPECT_EQ(Files(), before);
}

// What passes as reading is held by the settings.
TEST_F(SandboxTest, AReadThatReachesOutIsRefusedAndLeavesNothing) {
  const std::string secret = (root_ / "secret.csv").string(), inside = (folder_.path() / "log").string();
  const std::string before = Files();
  const std::string refused[] = {
      "SELECT * FROM '" + secret + "'",
      "SELECT * FROM read_csv('" + secret + "')",
      "SELECT * FROM read_text('" + secret + "')",
      "SELECT * FROM read_blob('/proc/self/environ')",
      "SELECT * FROM read_csv('" + folder_.path().string() + "/../secret.csv')",
      "SELECT * FROM read_text('" + root_.string() + "/*')",
      "SELECT * FROM glob('/etc/*')",
      "SELECT * FROM sniff_csv('" + secret + "')",
      "SELECT * FROM parquet_metadata('/etc/hostname')",
      "SELECT * FROM read_json('https://example.org/x.json')",
      "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
      "SELECT * FROM query('COPY movies TO ''" + inside + ".csv''')",
      "SELECT * FROM '" + (folder_.path() / "manifest.json").string() + "'",
      "SELECT * FROM read_text('" + folder_.path().string() + "/manifests/*')",
      "SELECT * FROM enable_profiling(save_location = '" + inside + ".json')",
      "SELECT getenv('HOME')",
      "SELECT * FROM load_aws_credentials()",
  };
  for (const std::string& statement : refused) {
    auto sandbox = Open(statement);
    ASSERT_TRUE(sandbox) << sandbox.error().message;
    auto fine = sandbox->Check();
    if (fine) {
      auto rows = sandbox->Run();
      if (rows) {
        Result<bool> more = true;
        while (more && *more) more = rows->Next();
        fine = more ? Result<void>() : std::unexpected(more.error());
      } else {
        fine = std::unexpected(rows.error());
      }
    }
    EXPECT_FALSE(fine) << statement;
  }
  EXPECT_EQ(Files(), before);
}

// FROM enable_logging() passes as reading.
TEST_F(SandboxTest, ALogThatAStatementTurnsOnReachesNoFile) {
  const std::string before = Files();
  const std::string data = (folder_.path() / manifest_.tables["movies"].files[0].path).string();
  for (const std::string& path : std::vector<std::string>{folder_.path().string(), root_.string(),
                                                          (root_ / "log.csv").string(), data}) {
    for (const char* function : {"enable_logging", "system.main.enable_logging"}) {
      for (const char* name : {"storage_path = ", "storage_config = {'path': "}) {
        const std::string close = std::string(name).contains('{') ? "}" : "";
        Answer(fmt::format("SELECT count(*) FROM movies, {}('QueryLog', storage = 'file', {}'{}'{})",
                           function, name, path, close));
      }
    }
    EXPECT_EQ(Files(), before);
    EXPECT_EQ(Answer("SELECT count(*) FROM movies"), "2");
  }
}

TEST_F(SandboxTest, AWrongNameGetsTheNearestRightOne) {
  const std::string words = Answer("SELECT * FROM movie_casts");
  EXPECT_NE(words.find("movie_cast"), std::string::npos) << words;
  EXPECT_NE(Answer("SELECT titel FROM movies").find("title"), std::string::npos);
  EXPECT_NE(Answer("SELEKT 1").find("LINE 1"), std::string::npos);
}

TEST_F(SandboxTest, WritesParquetOfWhatWasAskedAndNowhereElse) {
  SandboxOptions options;
  options.output_file = (root_ / "out.parquet").string();
  for (const std::string statement :
       {"SELECT movie_id, title FROM movies ORDER BY 1", "SELECT movie_id, title FROM movies ORDER BY 1; ",
        "SELECT movie_id, ')' AS title FROM movies ORDER BY 1 -- ) a comment"}) {
    auto sandbox = Open(statement, options).value();
    ASSERT_TRUE(sandbox.Check());
    const auto written = sandbox.WriteParquet();
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(folder_.connection()
                  .QueryNumber(fmt::format("SELECT sum(movie_id)::BIGINT FROM '{}'", options.output_file))
                  .value(),
              552);
  }
}

TEST_F(SandboxTest, ExplainsWhatItRan) {
  auto sandbox = Open("SELECT count(*) FROM movies").value();
  ASSERT_TRUE(sandbox.Check());
  const auto plan = sandbox.Explain();
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_NE(plan->find("Total Time"), std::string::npos) << *plan;
}

TEST_F(SandboxTest, OlderFilesLackAColumnAndAreReadAllTheSame) {
  // A file as an earlier program wrote it.
  const std::string path = "movies/0000065536-0000131071.000000001.parquet";
  ASSERT_TRUE(folder_.connection().Execute(
      fmt::format("COPY (SELECT 70000::BIGINT AS movie_id, 'Old' AS title) TO '{}' (FORMAT parquet)",
                  (folder_.path() / path).string())));
  manifest_.tables["movies"].files.emplace_back().path = path;
  EXPECT_EQ(Answer("SELECT title FROM movies WHERE overview IS NULL AND movie_id = 70000"), "Old");
  EXPECT_EQ(Answer("SELECT count(*) FROM movies"), "3");
}

}  // namespace
}  // namespace tmdbc::tables
