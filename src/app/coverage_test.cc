// SPDX-License-Identifier: MIT
#include "app/coverage.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <fstream>

#include "app/program_world_test.h"
#include "base/compression.h"
#include "harvester/accepted_exports.h"
#include "harvester/watermarks.h"
#include "queue/sqlite_queue.h"

namespace tmdbc {
namespace {

using testing::DataStore;
using testing::ExpectOneLine;
using testing::Outcome;
using testing::ProgramWorld;

const Time kNoon = ParseTime("2026-11-22T12:00:00Z").value();

IdState State(std::int64_t id, Standing standing, std::chrono::seconds age = std::chrono::hours(1)) {
  return {.id = id, .standing = standing, .verified_at = kNoon - age, .gone_answers = 0};
}

TEST(Coverage, EveryIdIsInOneClass) {
  TypeCoverage coverage(MediaType::kMovie);
  coverage.export_date = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
  const std::vector<std::uint32_t> listed = {2, 3, 5, 7, 9, 11};
  const std::vector<std::int64_t> queued = {3, 9, 20};
  CoverageTally tally(coverage, listed, queued, kNoon);
  for (const IdState& state :
       {State(1, Standing::kLive), State(3, Standing::kLive), State(4, Standing::kTombstone),
        State(5, Standing::kTombstone), State(6, Standing::kMissing), State(7, Standing::kMissing),
        State(11, Standing::kLive), State(20, Standing::kLive)}) {
    tally.Add(state);
  }
  tally.Finish();
  EXPECT_EQ(coverage.listed, 6);
  EXPECT_EQ(coverage.listed_live, 2);
  EXPECT_EQ(coverage.missing.first, (std::vector<std::int64_t>{2, 9}));
  EXPECT_EQ(coverage.dead.first, (std::vector<std::int64_t>{5, 7}));
  EXPECT_EQ(coverage.extra.first, (std::vector<std::int64_t>{1, 20}));
  EXPECT_EQ(coverage.live, 4);
  EXPECT_EQ(coverage.to_refresh, 2);
  EXPECT_DOUBLE_EQ(coverage.covered().value(), 2.0 / 4);
  EXPECT_DOUBLE_EQ(coverage.fresh(), 0.5);
}

TEST(Coverage, WhatTmdbDoesNotHaveIsNoPartOfWhatThereIsToCover) {
  const struct {
    std::vector<Standing> listed;
    std::optional<double> covered;
  } cases[] = {
      {{}, std::nullopt},
      {{Standing::kMissing, Standing::kTombstone}, std::nullopt},
      {{Standing::kMissing, Standing::kUnknown}, 0.0},
      {{Standing::kLive, Standing::kMissing}, 1.0},
      {{Standing::kLive, Standing::kTombstone, Standing::kUnknown}, 0.5},
  };
  for (const auto& c : cases) {
    TypeCoverage coverage(MediaType::kMovie);
    coverage.export_date = std::chrono::sys_days();
    std::vector<std::uint32_t> listed;
    for (std::uint32_t id = 1; id <= c.listed.size(); ++id) listed.push_back(id);
    CoverageTally tally(coverage, listed, {}, kNoon);
    for (std::size_t i = 0; i < c.listed.size(); ++i) tally.Add(State(std::int64_t(i) + 1, c.listed[i]));
    tally.Finish();
    EXPECT_EQ(coverage.covered(), c.covered) << c.listed.size();
  }
}

TEST(Coverage, OnlyTheFirstIdsOfAClassAreNamed) {
  TypeCoverage coverage(MediaType::kMovie);
  coverage.export_date = std::chrono::sys_days();
  std::vector<std::uint32_t> listed;
  for (std::uint32_t id = 1; id <= 50; ++id) listed.push_back(id);
  CoverageTally(coverage, listed, {}, kNoon).Finish();
  EXPECT_EQ(coverage.missing.count, 50);
  EXPECT_EQ(coverage.missing.first.size(), IdClass::kShown);
  EXPECT_EQ(coverage.missing.first.back(), 20);
}

TEST(Coverage, AgesAndWhatIsDueAreOfTheLiveRecords) {
  using std::chrono::days;
  TypeCoverage coverage(MediaType::kTv);
  CoverageTally tally(coverage, {}, {}, kNoon);
  std::int64_t id = 0;
  for (int age = 1; age <= 98; ++age) tally.Add(State(++id, Standing::kLive, std::chrono::hours(1)));
  tally.Add(State(++id, Standing::kLive, days(26)));                // 30 within the week
  tally.Add(State(++id, Standing::kLive, days(175)));               // 180 within the week
  tally.Add(State(++id, Standing::kTombstone, days(400)));          // not kept
  tally.Add(State(++id, Standing::kLive, -std::chrono::hours(1)));  // by a clock that was ahead
  tally.Finish();
  EXPECT_EQ(coverage.age_p50, std::chrono::hours(1));
  EXPECT_EQ(coverage.age_p99, days(26));
  EXPECT_EQ(coverage.age_oldest, days(175));
  EXPECT_EQ(coverage.due[0].over, 1);
  EXPECT_EQ(coverage.due[0].within_week, 1);
  EXPECT_EQ(coverage.due[1].over, 1);
  EXPECT_EQ(coverage.due[1].within_week, 0);
  EXPECT_EQ(coverage.due[2].over, 0);
  EXPECT_EQ(coverage.due[2].within_week, 1);
  // Without an export nothing is said of what it would lack.
  EXPECT_EQ(coverage.extra.count, 0);
}

using CoverageCommand = ProgramWorld;

// An export of the 22nd that lists 1, 2, 2, 3 and an adult title; stored are 1 and 9, dead is 2; 1 waits in
// the queue, the deletion of 9 is held.
void MakeMirror(const std::string& last_line) {
  DataStore data;
  data.clock().JumpWall(ParseTime("2026-11-22T09:00:00Z").value() - data.clock().Now());
  data.Put({MediaType::kMovie, 1}, R"({"id":1,"title":"one"})", "2026-11-21T09:00:00Z");
  data.Put({MediaType::kMovie, 9}, R"({"id":9,"title":"nine"})", "2026-11-20T09:00:00Z");
  data.PutGone({MediaType::kMovie, 2}, "2026-11-21T10:00:00Z");
  data.Commit();
  ASSERT_TRUE(
      data.store().writer->HoldDeletion({MediaType::kMovie, 9}, ParseTime("2026-11-21T11:00:00Z").value()));
  data.Seal();
  std::filesystem::create_directories("data/exports");
  std::ofstream("data/exports/movie_ids_2026-11-22.json.gz", std::ios::binary) << Gzip(
      "{\"adult\":false,\"id\":3,\"popularity\":1}\n{\"adult\":false,\"id\":2}\n{\"id\":2}\n{\"id\":1}\n" +
      last_line);
  ASSERT_TRUE(CreateAcceptedExports(data.catalog()));
  ASSERT_TRUE(RecordAcceptedExport(data.catalog(), {.name = "movie_ids",
                                                    .date = ParseDate("2026-11-22").value(),
                                                    .lines = 5,
                                                    .ids = 3,
                                                    .bytes = 100,
                                                    .accepted_at = data.clock().Now()}));
  ASSERT_TRUE(CreateWatermarks(data.catalog()));
  ASSERT_TRUE(SetWatermark(data.catalog(), MediaType::kMovie, ParseDate("2026-11-21").value()));
  const auto queue = SqliteIdQueue::Open(data.catalog(), data.clock()).value();
  const QueueItem items[] = {{{MediaType::kMovie, 1}, 5}, {{MediaType::kMovie, 3}, 4}};
  ASSERT_TRUE(queue->Send(items));
}

TEST_F(CoverageCommand, ComparesTheExportInForceWithTheStore) {
  MakeMirror("{\"adult\":true,\"id\":77}\n");
  const Outcome status = Run({"status", "--coverage", "--json"});
  ASSERT_EQ(status.code, 0) << status.err;
  simdjson::dom::parser parser;
  const simdjson::dom::element movie = parser.parse(status.out).value()["coverage"]["movie"];
  EXPECT_EQ(simdjson::to_string(movie["missing"]), R"({"count":1,"first":[3]})");
  EXPECT_EQ(simdjson::to_string(movie["extra"]), R"({"count":1,"first":[9]})");
  EXPECT_EQ(simdjson::to_string(movie["dead"]), R"({"count":1,"first":[2]})");
  EXPECT_EQ(simdjson::to_string(movie["duplicates"]), R"({"count":1,"first":[2]})");
  EXPECT_EQ(simdjson::to_string(movie["held_deletions"]), R"({"count":1,"first":[9]})");
  EXPECT_EQ(std::int64_t(movie["listed"]), 3);
  EXPECT_EQ(std::int64_t(movie["listed_live"]), 1);
  EXPECT_EQ(std::int64_t(movie["to_refresh"]), 1);
  EXPECT_DOUBLE_EQ(double(movie["covered"]), 0.5);
  EXPECT_EQ(std::string_view(movie["watermark"]), "2026-11-21");
  EXPECT_EQ(std::string_view(movie["export_date"]), "2026-11-22");
}

TEST_F(CoverageCommand, AdultTitlesCountWhenTheyAreMirrored) {
  MakeMirror("{\"adult\":true,\"id\":77}\n");
  const Outcome status = Run({"status", "--coverage", "--json", "--include-adult=true"});
  EXPECT_NE(status.out.find(R"("missing":{"count":2,"first":[3,77]})"), std::string::npos) << status.out;
}

TEST_F(CoverageCommand, IsATableForAPerson) {
  MakeMirror("");
  const Outcome status = Run({"status", "--coverage"});
  EXPECT_EQ(status.code, 0) << status.err;
  EXPECT_NE(
      status.out.find(
          "movie         2026-11-22          3          1         1       1       1          1   50.00 %\n"),
      std::string::npos)
      << status.out;
}

TEST_F(CoverageCommand, AnExportOfDeadIdsAloneCoversNothing) {
  {
    DataStore data;
    for (const std::int64_t id : {1, 2}) data.PutGone({MediaType::kMovie, id}, "2026-11-21T10:00:00Z");
    data.Seal();
    std::filesystem::create_directories("data/exports");
    std::ofstream("data/exports/movie_ids_2026-11-22.json.gz", std::ios::binary)
        << Gzip("{\"id\":1}\n{\"id\":2}\n");
    ASSERT_TRUE(CreateAcceptedExports(data.catalog()));
    ASSERT_TRUE(RecordAcceptedExport(data.catalog(), {.name = "movie_ids",
                                                      .date = ParseDate("2026-11-22").value(),
                                                      .lines = 2,
                                                      .ids = 2,
                                                      .bytes = 100,
                                                      .accepted_at = data.clock().Now()}));
    ASSERT_TRUE(CreateWatermarks(data.catalog()));
    ASSERT_TRUE(SqliteIdQueue::Open(data.catalog(), data.clock()));
  }
  const Outcome text = Run({"status", "--coverage"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(
      text.out.find(
          "movie         2026-11-22          2          0         0       0       2          0         -\n"),
      std::string::npos)
      << text.out;
  EXPECT_EQ(text.out.find('%'), std::string::npos) << text.out;
  const Outcome json = Run({"status", "--coverage", "--json"});
  EXPECT_NE(json.out.find("\"covered\":null"), std::string::npos) << json.out;
  EXPECT_NE(json.out.find("\"export_ids\":2,\"coverage\":null"), std::string::npos) << json.out;
}

TEST_F(CoverageCommand, PlainStatusSaysHowFreshTheMirrorIs) {
  MakeMirror("");
  const Outcome status = Run({"status"});
  EXPECT_NE(status.out.find("fresh     oldest verified 2026-11-20T09:00:00.000Z; changes queued before movie "
                            "2026-11-21; 1 deletions held (--accept-deletions)\n"),
            std::string::npos)
      << status.out;
  EXPECT_EQ(Run({"status", "--json"}).out.find("\"coverage\":{"), std::string::npos);
}

TEST_F(CoverageCommand, AnExportThatCannotBeReadIsNamed) {
  MakeMirror("");
  std::filesystem::resize_file("data/exports/movie_ids_2026-11-22.json.gz", 30);
  ExpectOneLine(Run({"status", "--coverage"}), 3, "exports/movie_ids_2026-11-22.json.gz");
  EXPECT_EQ(Run({"status"}).code, 0);
}

TEST_F(CoverageCommand, IsNotForLoops) {
  MakeMirror("");
  ExpectOneLine(Run({"status", "--coverage", "--watch"}), 2, "not with --watch");
}

}  // namespace
}  // namespace tmdbc
