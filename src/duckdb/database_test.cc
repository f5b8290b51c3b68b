// SPDX-License-Identifier: MIT
#include "duckdb/database.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "duckdb/appender.h"
#include "duckdb/interrupt_on_stop.h"
#include "testing/duckdb_library.h"

namespace tmdbc::duckdb {
namespace {

struct World {
  explicit World(const DatabaseOptions& options = {})
      : database(Database::Open(tmdbc::testing::Duckdb(), options).value()),
        connection(database.Connect().value()) {}
  void Do(const std::string& sql) {
    const auto done = connection.Execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }
  Error FailureOf(const std::string& sql) {
    const auto done = connection.Execute(sql);
    return done ? Error{ErrorCode::kInternal, "it worked"} : done.error();
  }
  // Of a single text.
  std::string Text(const std::string& sql) {
    auto rows = connection.Query(sql);
    if (!rows) return rows.error().message;
    const auto some = rows->Next();
    if (!some) return some.error().message;
    return *some ? std::string(rows->Varchar(0, 0)) : "no row";
  }
  Database database;
  Connection connection;
};

TEST(Rows, GiveEachTypeAndItsNulls) {
  World world;
  auto rows = world.connection.Query(
      "SELECT * FROM (VALUES (true, 1::BIGINT, 2.5::DOUBLE, DATE '1970-01-02', TIMESTAMPTZ '1970-01-01 00:00:01+00', "
      "'a text longer than twelve', 'short'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL)) "
      "AS t(b, i, d, day, instant, long, short)");
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->columns().size(), 7u);
  EXPECT_EQ(rows->columns()[4].name, "instant");
  const Type types[] = {Type::kBoolean,   Type::kBigint,  Type::kDouble, Type::kDate,
                        Type::kTimestamp, Type::kVarchar, Type::kVarchar};
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(rows->columns()[i].type, types[i]) << i;
  ASSERT_TRUE(*rows->Next());
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_TRUE(rows->Boolean(0, 0));
  EXPECT_EQ(rows->Bigint(1, 0), 1);
  EXPECT_EQ(rows->Double(2, 0), 2.5);
  EXPECT_EQ(rows->Date(3, 0), 1);
  EXPECT_EQ(rows->Timestamp(4, 0), 1'000'000);
  EXPECT_EQ(rows->Varchar(5, 0), "a text longer than twelve");
  EXPECT_EQ(rows->Varchar(6, 0), "short");
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_FALSE(rows->IsNull(i, 0)) << i;
    EXPECT_TRUE(rows->IsNull(i, 1)) << i;
  }
  EXPECT_EQ(rows->Varchar(5, 1), "");
  EXPECT_FALSE(*rows->Next());
}

TEST(Rows, ComeChunkByChunkAndAreAllThere) {
  World world;
  auto rows = world.connection.Query("SELECT i FROM range(100000) t(i) ORDER BY i");
  ASSERT_TRUE(rows);
  std::int64_t next = 0;
  for (;;) {
    const auto some = rows->Next();
    ASSERT_TRUE(some) << some.error().message;
    if (!*some) break;
    EXPECT_LE(rows->size(), 2048u);
    for (std::size_t row = 0; row < rows->size(); ++row) ASSERT_EQ(rows->Bigint(0, row), next++);
  }
  EXPECT_EQ(next, 100000);
}

TEST(Rows, AnErrorInTheMiddleIsToldAndIsNoEnd) {
  World world;
  auto rows = world.connection.Query(
      "SELECT CASE WHEN i = 2900000 THEN error('row of its own') ELSE i::VARCHAR END FROM range(3000000) t(i)");
  ASSERT_TRUE(rows) << rows.error().message;
  Result<bool> some = true;
  while (some && *some) some = rows->Next();
  ASSERT_FALSE(some);
  EXPECT_NE(some.error().message.find("row of its own"), std::string::npos) << some.error().message;
}

TEST(Connection, GivesOneNumberAndNothingElseForOne) {
  World world;
  EXPECT_EQ(world.connection.QueryNumber("SELECT count(*) FROM range(7)").value(), 7);
  EXPECT_EQ(world.connection.QueryNumber("SELECT sum(i) FROM range(4) t(i)").value(), 6);  // a HUGEINT
  EXPECT_EQ(world.connection.QueryNumber("SELECT -5::HUGEINT").value(), -5);
  for (const char* none : {"SELECT 1 WHERE false", "SELECT NULL::BIGINT", "SELECT 1, 2", "SELECT 'one'",
                           "SELECT 170141183460469231731687303715884105727", "SELECT unnest([1, 2])"})
    EXPECT_EQ(world.connection.QueryNumber(none).error().code, ErrorCode::kInternal) << none;
}

TEST(Connection, TellsWhatIsWrongWithAStatementInDuckdbsWords) {
  World world;
  const Error parse = world.FailureOf("SELEKT 1");
  EXPECT_EQ(parse.code, ErrorCode::kInvalid);
  EXPECT_NE(parse.message.find("LINE 1"), std::string::npos) << parse.message;
  EXPECT_EQ(world.FailureOf("SELECT * FROM absent").code, ErrorCode::kInvalid);
  EXPECT_EQ(world.FailureOf("SELECT * FROM read_parquet('/nowhere/x.parquet')").code, ErrorCode::kIo);
}

TEST(Connection, PreparesOneStatementAndKnowsWhetherItReads) {
  World world;
  world.Do("CREATE TABLE t (i BIGINT)");
  for (const char* reads : {"SELECT 1", "FROM t", "WITH a AS (SELECT 1) FROM a", "VALUES (1)", "DESCRIBE t",
                            "SUMMARIZE t", "SHOW TABLES"}) {
    const auto statement = world.connection.Prepare(reads);
    ASSERT_TRUE(statement) << reads << ": " << statement.error().message;
    EXPECT_TRUE(statement->IsSelect()) << reads;
  }
  for (const char* writes :
       {"INSERT INTO t VALUES (1)", "COPY t TO '/tmp/never.csv'", "EXPLAIN ANALYZE SELECT 1",
        "CREATE TABLE u (i BIGINT)", "SET threads = 1", "ATTACH ':memory:' AS other"}) {
    const auto statement = world.connection.Prepare(writes);
    ASSERT_TRUE(statement) << writes << ": " << statement.error().message;
    EXPECT_FALSE(statement->IsSelect()) << writes;
  }
  EXPECT_EQ(world.connection.Prepare("SELECT 1; SELECT 2").error().message,
            "there are 2 statements: one is allowed");
  EXPECT_EQ(world.connection.Prepare(" -- nothing\n").error().message, "there is no statement");
  EXPECT_EQ(world.connection.Prepare("SELECT 1 FROM absent").error().code, ErrorCode::kInvalid);
}

TEST(Connection, IsInterruptedByAStop) {
  World world;
  StopFlag stop;
  const InterruptOnStop interrupt(stop, world.connection);
  std::thread person([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stop.Request();
  });
  const auto number = world.connection.QueryNumber(
      "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3");
  person.join();
  ASSERT_FALSE(number);
  EXPECT_EQ(number.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(number.error().message, "INTERRUPT Error: Interrupted!");
}

TEST(InterruptOnStop, SaysWhenInterruptsEndNothing) {
  World world;
  StopFlag stop;
  std::promise<void> gave_up;
  const InterruptOnStop interrupt(stop, world.connection, [&] { gave_up.set_value(); });
  stop.Request();
  EXPECT_EQ(gave_up.get_future().wait_for(std::chrono::minutes(1)), std::future_status::ready);
}

TEST(Database, KeepsToItsMemoryAndSaysWhenThatIsNotEnough) {
  DatabaseOptions options;
  options.memory_limit = 32 << 20;
  World world(options);
  const auto number =
      world.connection.QueryNumber("SELECT count(DISTINCT 'text ' || i) FROM range(5000000) t(i)");
  ASSERT_FALSE(number);
  EXPECT_EQ(number.error().code, ErrorCode::kNoSpace) << number.error().message;
}

TEST(Database, RunsAsItsOptionsSay) {
  World world;
  EXPECT_EQ(world.Text("SELECT current_setting('TimeZone')"), "UTC");
  EXPECT_EQ(world.connection.QueryNumber("SELECT current_setting('threads')").value(), 1);
  EXPECT_EQ(world.Text("SELECT current_setting('autoload_known_extensions')::VARCHAR"), "false");
  EXPECT_EQ(world.Text("SELECT current_setting('temp_directory')"), "");
  EXPECT_EQ(world.Text("SELECT year(TIMESTAMPTZ '2026-12-31 23:30:00+00')::VARCHAR"), "2026");
}

TEST(Appender, PutsRowsOfEveryTypeIntoATable) {
  World world;
  world.Do("CREATE TABLE t (i BIGINT, s VARCHAR, d DOUBLE, b BOOLEAN, day DATE, instant TIMESTAMPTZ)");
  auto appender = Appender::Open(world.connection, "t");
  ASSERT_TRUE(appender) << appender.error().message;
  constexpr int kRows = 300000;  // chunks, and the appender's own flushes
  for (int i = 0; i < kRows; ++i) {
    i % 7 == 0 ? appender->Null() : appender->Bigint(i);
    i % 5 == 0 ? appender->Null() : appender->Varchar(std::string(i % 40, 'a' + i % 26));
    i % 3 == 0 ? appender->Null() : appender->Double(i / 2.0);
    i % 11 == 0 ? appender->Null() : appender->Boolean(i % 2);
    i % 13 == 0 ? appender->Null() : appender->Date(i % 10000);
    i % 17 == 0 ? appender->Null() : appender->Timestamp(i * 1'000'000LL);
    const auto done = appender->EndRow();
    ASSERT_TRUE(done) << done.error().message;
  }
  EXPECT_EQ(appender->rows(), kRows);
  ASSERT_TRUE(appender->Close());
  EXPECT_EQ(world.connection
                .QueryNumber(fmt::format(
                    "SELECT count(*) FROM (FROM t EXCEPT ALL SELECT "
                    "CASE WHEN i % 7 = 0 THEN NULL ELSE i END, "
                    "CASE WHEN i % 5 = 0 THEN NULL ELSE repeat(chr((97 + i % 26)::INT), i % 40) END, "
                    "CASE WHEN i % 3 = 0 THEN NULL ELSE i / 2 END, "
                    "CASE WHEN i % 11 = 0 THEN NULL ELSE i % 2 = 1 END, "
                    "CASE WHEN i % 13 = 0 THEN NULL ELSE DATE '1970-01-01' + (i % 10000)::INT END, "
                    "CASE WHEN i % 17 = 0 THEN NULL ELSE make_timestamptz(i * 1000000) END "
                    "FROM range({}) t(i))",
                    kRows))
                .value(),
            0);
  EXPECT_EQ(world.connection.QueryNumber("SELECT count(*) FROM t").value(), kRows);
}

TEST(Appender, TextsWithZeroBytesAndOtherLettersStayWhole) {
  World world;
  world.Do("CREATE TABLE t (s VARCHAR)");
  auto appender = Appender::Open(world.connection, "t").value();
  const std::string texts[] = {
      "",          "twelve bytes", "thirteen byte", "\xC3\xA9\xF0\x9F\x98\x80", std::string(100000, 'x'),
      "line\nfeed"};
  for (const std::string& text : texts) {
    appender.Varchar(text);
    ASSERT_TRUE(appender.EndRow());
  }
  ASSERT_TRUE(appender.Close());
  auto rows = world.connection.Query("FROM t").value();
  ASSERT_TRUE(*rows.Next());
  for (std::size_t i = 0; i < std::size(texts); ++i) EXPECT_EQ(rows.Varchar(0, i), texts[i]) << i;
}

TEST(Appender, ARowThatIsTooShortAndATableThatIsNotThereAreErrors) {
  World world;
  EXPECT_EQ(Appender::Open(world.connection, "absent").error().code, ErrorCode::kInvalid);
  world.Do("CREATE TABLE t (a BIGINT, b BIGINT)");
  auto appender = Appender::Open(world.connection, "t").value();
  appender.Bigint(1);
  EXPECT_EQ(appender.EndRow().error().message, "append to t: a row of 1 cells, and it has 2 columns");
  world.Do("CREATE TABLE u (a STRUCT(b BIGINT))");
  EXPECT_EQ(Appender::Open(world.connection, "u").error().code, ErrorCode::kInternal);
}

TEST(Quoting, DoublesTheQuotes) {
  EXPECT_EQ(Quoted("it's"), "'it''s'");
  EXPECT_EQ(QuotedName("a \"b\""), "\"a \"\"b\"\"\"");
}

}  // namespace
}  // namespace tmdbc::duckdb
