// SPDX-License-Identifier: MIT
// The exports against the store: deletion candidates, returns, and how seldom the hopeless are asked for.
#include "harvester/export_harvest.h"

#include "harvester/harvest_world_test.h"
#include "harvester/orphans.h"

namespace tmdbc {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr MediaId kMovie3{MediaType::kMovie, 3};

// Movies 1 to 40, all stored on kToday at 9:00.
class CompareTest : public HarvestWorld {
 protected:
  CompareTest() {
    Publish("movie_ids", Movies(1, 40));
    Harvest({MediaType::kMovie});
    Collect();
  }
  // A day later, with the export as it is by then.
  void NextDay(const std::string& lines) {
    clock_.Advance(24h);
    Publish("movie_ids", lines, std::chrono::floor<days>(clock_.Now()));
  }
  static std::string Without(std::int64_t id, std::int64_t last = 40) {
    return Movies(1, id - 1) + Movies(id + 1, last);
  }
  static const TypeReport& Of(const HarvestReport& report) { return report.types.at(0); }
};

TEST_F(CompareTest, AnIdThatIsGoneFromTheExportIsAskedForAndTheAnswerDecides) {
  NextDay(Without(3));
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(Of(report).candidates, 1);
  EXPECT_EQ(Queued(), "movie:3");
  EXPECT_EQ(store_->ledger.StateOf(kMovie3).value().standing, Standing::kLive);
  Collect({kMovie3});
  EXPECT_EQ(store_->ledger.StateOf(kMovie3).value().standing, Standing::kTombstone);
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 0);
}

TEST_F(CompareTest, ANewExportIsBelievedWhateverOurClockSays) {
  NextDay(Without(3));
  Store(kMovie3);  // by our clock after the export was made
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 1);
  Collect();
  // The same file again: what was verified since it was accepted is not a candidate.
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 0);
}

TEST_F(CompareTest, WhatIsAboveAllThatTheExportListsIsNewerThanIt) {
  Store({MediaType::kMovie, 41});
  NextDay(Without(3));
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 1);
  EXPECT_EQ(Queued(), "movie:3");
}

TEST_F(CompareTest, ADeadIdThatANewExportListsIsAskedForAtOnceTheFirstTime) {
  NextDay(Movies(1, 40));
  Gone(kMovie3);
  EXPECT_EQ(Of(Harvest({MediaType::kMovie})).returns, 1);
  Gone(kMovie3);
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 0);
}

TEST_F(CompareTest, OneThatAnswersAlthoughItIsAbsentIsAskedForMoreAndMoreRarely) {
  std::vector<int> asked_on;
  for (int day = 1; day <= 100; ++day) {
    NextDay(Without(3));
    if (Harvest({MediaType::kMovie}).queued() > 0) asked_on.push_back(day);
    Collect();
  }
  EXPECT_EQ(asked_on, (std::vector<int>{1, 2, 4, 8, 16, 32, 64, 96}));
  EXPECT_EQ(ReadOrphans(*catalog_, MediaType::kMovie).value().size(), 1U);
  // Back in the export it is forgotten.
  NextDay(Movies(1, 40));
  Harvest({MediaType::kMovie});
  EXPECT_TRUE(ReadOrphans(*catalog_, MediaType::kMovie).value().empty());
}

TEST_F(CompareTest, OneThatWaitsInTheQueueIsNotAskedForTwice) {
  for (int day = 1; day <= 5; ++day) {
    NextDay(Without(3));
    EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), day == 1 ? 1 : 0);
  }
  EXPECT_EQ(ReadOrphans(*catalog_, MediaType::kMovie).value().at(3).attempts, 1);
}

TEST_F(CompareTest, ADeadIdThatTheExportListsIsAskedForEverMoreRarelyUntilItsLedgerEnds) {
  Gone(kMovie3);
  std::vector<int> asked_on;
  for (int day = 1; day <= 200; ++day) {
    NextDay(Movies(1, 40));
    const HarvestReport report = Harvest({MediaType::kMovie});
    if (Of(report).returns > 0) asked_on.push_back(day);
    Collect({kMovie3});
  }
  EXPECT_EQ(asked_on, (std::vector<int>{1, 3, 7, 15, 31, 63, 95}));
}

TEST_F(CompareTest, ADeadIdThatReturnsIsRestored) {
  Gone(kMovie3);
  NextDay(Movies(1, 40));
  EXPECT_EQ(Of(Harvest({MediaType::kMovie})).returns, 1);
  Collect();
  EXPECT_EQ(store_->ledger.StateOf(kMovie3).value().standing, Standing::kLive);
  EXPECT_EQ(store_->reader.History(kMovie3).value().back().change, Change::kRestore);
}

TEST_F(CompareTest, AWithheldOrHalvedOrDamagedExportDeletesNothing) {
  clock_.Advance(24h);
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 0);  // withheld
  Publish("movie_ids", Movies(1, 20), kToday + days(1));
  EXPECT_EQ(Harvest({MediaType::kMovie}).exit_code(), 1);
  Publish("movie_ids", Movies(1, 40), kToday + days(1));
  host_.Plan(FileName("movie_ids", kToday + days(1)), testing::FakeExportHost::Fault::kShort, 5);
  EXPECT_EQ(Harvest({MediaType::kMovie}).exit_code(), 1);
  EXPECT_EQ(Queued(), "");
  EXPECT_TRUE(ReadOrphans(*catalog_, MediaType::kMovie).value().empty());
}

TEST_F(CompareTest, NothingIsAbsentUntilAllFilesOfTheTypeAreHere) {
  const HarvestOptions both{.types = {MediaType::kMovie}, .include_adult = true, .limit = {}};
  Publish("adult_movie_ids", Movie(500, 1, true) + Movie(501, 1, true));
  Harvest(both);
  Collect();
  NextDay(Without(3));
  Publish("adult_movie_ids", Movie(500, 1, true), kToday + days(1));  // half of it: refused
  EXPECT_EQ(Harvest(both).queued(), 0);
  clock_.Advance(24h);
  Publish("movie_ids", Without(3), kToday + days(2));
  Publish("adult_movie_ids", Movie(500, 1, true) + Movie(501, 1, true), kToday + days(2));
  EXPECT_EQ(Of(Harvest(both)).candidates, 1);
  EXPECT_EQ(Queued(), "movie:3");
}

TEST_F(CompareTest, TypesWithoutAFeedAreComparedToo) {
  Publish("collection_ids", Named(10, "Star Wars Collection") + Named(11, "Alien Collection"));
  Harvest({MediaType::kCollection});
  Collect();
  clock_.Advance(24h);
  Publish("collection_ids", Named(11, "Alien Collection"), kToday + days(1));
  const HarvestReport refused = Harvest({MediaType::kCollection});
  EXPECT_EQ(refused.queued(), 0);
  const HarvestReport report =
      Harvest(HarvestOptions{.types = {MediaType::kCollection}, .accept_export = true, .limit = {}});
  EXPECT_EQ(Of(report).candidates, 1);
  EXPECT_EQ(Queued(), "collection:10");
}

TEST_F(CompareTest, HeldDeletionsAreAskedForOnceAnExportAndGoWhenAPersonAgrees) {
  for (const std::int64_t id : {3, 4})
    ASSERT_TRUE(store_->writer->HoldDeletion({MediaType::kMovie, id}, clock_.Now()));
  Commit();
  NextDay(Without(3));
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(Of(report).held, 2);
  EXPECT_EQ(Of(report).held_queued, 2);
  EXPECT_EQ(Of(report).candidates, 0);
  EXPECT_EQ(Queued(), "movie:4 movie:3");
  // Movie 4 is there again; movie 3 is not, and a new 404 of it is held as before.
  Store({MediaType::kMovie, 4});
  ASSERT_TRUE(store_->writer->HoldDeletion(kMovie3, clock_.Now()));
  Commit();
  EXPECT_EQ(Of(Harvest({MediaType::kMovie})).held_queued, 0) << "the same export is no news";
  const HarvestOptions accept{.types = {MediaType::kMovie}, .limit = {}, .accept_deletions = true};
  const HarvestReport accepted = Harvest(accept);
  EXPECT_EQ(Of(accepted).held, 1);
  Collect({kMovie3});
  EXPECT_EQ(store_->ledger.StateOf(kMovie3).value().standing, Standing::kTombstone);
}

TEST_F(CompareTest, AShowWhoseSeasonsAreHeldIsAskedForOnceAPersonAgrees) {
  Document season;
  season.id = {MediaType::kSeason, 3624};
  season.tv_id = 1399;
  season.season_number = 1;
  season.fetched_at = clock_.Now();
  season.data = R"({"season_number":1,"episodes":[]})";
  ASSERT_TRUE(store_->writer->Put(season));
  ASSERT_TRUE(store_->writer->HoldDeletion(season.id, clock_.Now()));
  Commit();
  const HarvestOptions accept{.types = {MediaType::kTv}, .limit = {}, .accept_deletions = true};
  Harvest(accept);
  EXPECT_NE(Queued().find("tv:1399"), std::string::npos) << Queued();
}

TEST_F(CompareTest, ADryRunTellsAndLeavesTheLedgersAlone) {
  NextDay(Without(3));
  const HarvestReport report =
      Harvest(HarvestOptions{.types = {MediaType::kMovie}, .limit = {}, .dry_run = true});
  EXPECT_EQ(Of(report).candidates, 1);
  EXPECT_EQ(Queued(), "");
  EXPECT_TRUE(ReadOrphans(*catalog_, MediaType::kMovie).value().empty());
}

}  // namespace
}  // namespace tmdbc
