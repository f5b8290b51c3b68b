// SPDX-License-Identifier: MIT
// The harvester and the exports.
#include "harvester/harvester.h"

#include "harvester/harvest_world_test.h"
#include "harvester/upstream_time.h"
#include "tmdb/upstream_clock.h"

namespace tmdbc {
namespace {

using namespace std::chrono_literals;
using testing::FakeExportHost;
using Fault = FakeExportHost::Fault;

using HarvesterTest = HarvestWorld;

TEST_F(HarvesterTest, QueuesTheIdsOfTodaysExportMostPopularFirst) {
  Publish("movie_ids", Movie(3924, 1.8) + Movie(2, 8.8) + Movie(31975, 0) + Movie(5, 8.8));
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(Queued(), "movie:2 movie:5 movie:3924 movie:31975");
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(report.requests, 1);
  EXPECT_EQ(report.queued(), 4);
  ASSERT_EQ(report.exports.size(), 1U);
  const ExportReport& movies = report.exports[0];
  EXPECT_EQ(movies.name, "movie_ids");
  EXPECT_EQ(movies.type, MediaType::kMovie);
  EXPECT_EQ(movies.verdict, ExportVerdict::kAccepted);
  EXPECT_EQ(movies.reason, "");
  EXPECT_EQ(movies.date, kToday);
  EXPECT_EQ(movies.lines, 4);
  EXPECT_EQ(movies.ids, 4);
  EXPECT_EQ(movies.known, 0);
  EXPECT_EQ(Exports(), std::vector<std::string>{"exports/movie_ids_2026-11-22.json.gz"});
  EXPECT_EQ(movies.bytes, std::int64_t(files_.Size(Exports()[0]).value()));

  const auto accepted = AcceptedExports(*catalog_);
  ASSERT_TRUE(accepted);
  ASSERT_EQ(accepted->size(), 1U);
  EXPECT_EQ(accepted->front().date, kToday);
  EXPECT_EQ(accepted->front().lines, 4);
  EXPECT_EQ(accepted->front().ids, 4);

  const http::Request& request = host_.seen().front();
  EXPECT_EQ(request.url, "http://exports.test/p/exports/movie_ids_11_22_2026.json.gz");
  EXPECT_EQ(request.headers, (std::vector<http::Header>{{"User-Agent", "tmdb-collector/test"}}));
  EXPECT_GE(request.max_body, 500U << 20);
  EXPECT_GE(request.timeout, 10min);
}

TEST_F(HarvesterTest, EveryTypeComesFromItsOwnExport) {
  Publish("movie_ids", Movie(1, 1));
  Publish("tv_series_ids", Show(1, 2));
  Publish("person_ids", Person(1, 3));
  Publish("collection_ids", Named(10, "Star Wars Collection"));
  Publish("production_company_ids", Named(1, "Lucasfilm Ltd."));
  Publish("tv_network_ids", Named(1, "Fuji TV"));
  const HarvestReport report = Harvest({MediaType::kMovie, MediaType::kTv, MediaType::kPerson,
                                        MediaType::kCollection, MediaType::kCompany, MediaType::kNetwork});
  for (const char* id : {"movie:1", "tv:1", "person:1", "collection:10", "company:1", "network:1"})
    EXPECT_NE((" " + Queued() + " ").find(fmt::format(" {} ", id)), std::string::npos) << id;
  EXPECT_EQ(report.requests, 6);
  EXPECT_EQ(report.exports.size(), 6U);
  EXPECT_EQ(host_.most_at_once(), 2);
}

TEST_F(HarvesterTest, ASecondHarvestOfTheDayAsksForNothingAndQueuesNothing) {
  Publish("movie_ids", Movies(1, 500));
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 500);
  const HarvestReport again = Harvest({MediaType::kMovie});
  EXPECT_EQ(again.requests, 0);
  EXPECT_EQ(again.queued(), 0);
  EXPECT_EQ(again.exit_code(), 0);
  EXPECT_TRUE(again.exports.at(0).unchanged);
  EXPECT_EQ(again.exports.at(0).lines, 500);
  EXPECT_EQ(host_.requests(), 1);
}

TEST_F(HarvesterTest, IdsThatAreStoredOrKnownToBeMissingAreNotQueued) {
  Publish("movie_ids", Movie(1, 1) + Movie(2, 2) + Movie(3, 3) + Movie(4, 4));
  Store({MediaType::kMovie, 2});
  Store({MediaType::kTv, 3});    // of another type
  for (int i = 0; i < 2; ++i) {  // once dead it would be asked again
    ASSERT_TRUE(store_->writer->PutGone({MediaType::kMovie, 4}, clock_.Now()));
    Commit();
  }
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(Queued(), "movie:3 movie:1");
  EXPECT_EQ(report.exports.at(0).known, 2);
}

TEST_F(HarvesterTest, ALimitTakesTheMostPopularAndTheNextHarvestGoesOnFromThere) {
  Publish("movie_ids", Movie(1, 1) + Movie(2, 2) + Movie(3, 3) + Movie(4, 4));
  const HarvestOptions two{.types = {MediaType::kMovie}, .limit = 2};
  EXPECT_EQ(Harvest(two).queued(), 2);
  EXPECT_EQ(Queued(), "movie:4 movie:3");
  ASSERT_TRUE(queue_.Purge(std::nullopt, false));
  Store({MediaType::kMovie, 4});
  Store({MediaType::kMovie, 3});
  const HarvestReport rest = Harvest(two);
  EXPECT_EQ(rest.queued(), 2);
  EXPECT_EQ(rest.requests, 0);
  EXPECT_EQ(Queued(), "movie:2 movie:1");
}

// TMDB was ill for hours: no change, deletion or refresh of the id would be seen if it stayed in its grave.
TEST_F(HarvesterTest, ADeadLetterGetsAnotherChanceTheNextDayAndNotBefore) {
  Publish("movie_ids", Movie(1, 1) + Movie(2, 2));
  Harvest({MediaType::kMovie});
  const auto messages = queue_.Receive(2, 1h).value();
  for (const Message& message : messages)
    ASSERT_TRUE(queue_.Bury(message.receipt, "get movie: HTTP 500 after 5 tries"));
  clock_.Advance(1h);
  Harvest({MediaType::kMovie});
  EXPECT_EQ(Queued(), "");
  clock_.Advance(22h);
  Harvest({.types = {MediaType::kMovie}, .limit = {}, .dry_run = true});
  Harvest({MediaType::kTv});
  EXPECT_EQ(Queued(), "");
  Harvest({MediaType::kMovie});
  EXPECT_EQ(Queued(), "movie:2 movie:1");
  EXPECT_TRUE(queue_.DeadLetters({}, 10).value().empty());
}

TEST_F(HarvesterTest, WhatFailsOnTheWayIsTriedAgain) {
  const std::string gzip = Gzip(Movies(1, 5000));
  for (const Fault fault :
       {Fault::kReset, Fault::kShort, Fault::kShortUnnoticed, Fault::kEmpty, Fault::kFlippedBit, Fault::kHtml,
        Fault::kServerError, Fault::kTooManyRequests, Fault::kConnect, Fault::kTimeout}) {
    SCOPED_TRACE(int(fault));
    clock_.Advance(24h);
    const auto day = std::chrono::floor<std::chrono::days>(clock_.Now());
    host_.Publish(FileName("movie_ids", day), gzip);
    host_.Plan(FileName("movie_ids", day), fault);
    ASSERT_TRUE(queue_.Purge(std::nullopt, false));
    const HarvestReport report = Harvest({MediaType::kMovie});
    EXPECT_EQ(report.exit_code(), 0);
    EXPECT_EQ(report.requests, 2);
    EXPECT_EQ(report.exports.at(0).date, day);
    EXPECT_EQ(report.exports.at(0).lines, 5000);
    EXPECT_EQ(report.queued(), 5000);
  }
}

TEST_F(HarvesterTest, AFileThatNeverComesWholeIsGivenUpAndTheOldOneStaysInForce) {
  const struct {
    Fault fault;
    ExportVerdict verdict;
    int tries;
    int exit_code;
  } cases[] = {
      {Fault::kReset, ExportVerdict::kRefused, 5, 1},
      {Fault::kShort, ExportVerdict::kRefused, 5, 1},
      {Fault::kShortUnnoticed, ExportVerdict::kRefused, 5, 1},
      {Fault::kEmpty, ExportVerdict::kRefused, 5, 1},
      {Fault::kFlippedBit, ExportVerdict::kRefused, 5, 1},
      {Fault::kHtml, ExportVerdict::kUnreachable, 5, 3},
      {Fault::kServerError, ExportVerdict::kUnreachable, 5, 3},
      {Fault::kGone, ExportVerdict::kUnreachable, 5, 3},
  };
  Publish("movie_ids", Movies(1, 3000));
  Harvest({MediaType::kMovie});
  const auto kept = Exports();
  const auto tomorrow = kToday + std::chrono::days(1);
  Publish("movie_ids", Movies(1, 4000), tomorrow);
  clock_.Advance(24h);
  for (const auto& c : cases) {
    SCOPED_TRACE(int(c.fault));
    host_.Plan(FileName("movie_ids", tomorrow), c.fault, c.tries);
    const auto started = clock_.Mono();
    const HarvestReport report = Harvest({MediaType::kMovie});
    EXPECT_EQ(int(report.exports.at(0).verdict), int(c.verdict));
    EXPECT_FALSE(report.exports.at(0).reason.empty());
    EXPECT_EQ(report.exit_code(), c.exit_code);
    EXPECT_EQ(report.requests, c.tries);
    EXPECT_EQ(report.queued(), 0);
    if (c.tries > 1) {
      EXPECT_GE(clock_.Mono() - started, 11s);  // 1 + 2 + 4 + 8 s between the tries, a quarter more or less
    }
    EXPECT_LT(clock_.Mono() - started, 20s);
    EXPECT_EQ(Exports(), kept);
    EXPECT_EQ(AcceptedExports(*catalog_).value().size(), 1U);
  }
}

TEST_F(HarvesterTest, AHostThatNeverAnswersEndsTheHarvestWithin15Seconds) {
  for (const Fault fault : {Fault::kConnect, Fault::kSilent, Fault::kTimeout}) {
    SCOPED_TRACE(int(fault));
    host_.PlanAll(fault);
    const auto started = clock_.Mono();
    const HarvestReport report = Harvest({MediaType::kMovie, MediaType::kTv, MediaType::kPerson});
    EXPECT_EQ(report.exit_code(), 3);
    ASSERT_EQ(report.exports.size(), 3U);
    for (const ExportReport& entry : report.exports) {
      EXPECT_EQ(entry.verdict, ExportVerdict::kUnreachable);
      EXPECT_FALSE(entry.reason.empty());
    }
    EXPECT_GE(clock_.Mono() - started, 10s);
    EXPECT_LE(clock_.Mono() - started, 13s);
    EXPECT_EQ(host_.InFlight(), 0);
    EXPECT_TRUE(Exports().empty());
  }
}

TEST_F(HarvesterTest, ASlowHostThatAnswersIsWaitedFor) {
  Publish("movie_ids", Movies(1, 20'000));
  host_.piece_time = 60s;
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(report.queued(), 20'000);
}

TEST_F(HarvesterTest, OneFileThatCannotBeHadDoesNotHoldUpTheOthers) {
  Publish("movie_ids", Movies(1, 10));
  Publish("tv_series_ids", Show(1, 1));
  host_.Plan(FileName("movie_ids"), Fault::kServerError, 5);
  const HarvestReport report = Harvest({MediaType::kMovie, MediaType::kTv});
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kUnreachable);
  EXPECT_EQ(report.exports.at(1).verdict, ExportVerdict::kAccepted);
  EXPECT_EQ(Queued(), "tv:1");
}

TEST_F(HarvesterTest, GoesBackDayByDayUntilAnExportIsPublishedAndSaysSo) {
  Publish("movie_ids", Movies(1, 10), kToday - std::chrono::days(2));
  host_.Plan(FileName("movie_ids"), Fault::kForbidden);  // any body
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.requests, 3);
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kAccepted);
  EXPECT_EQ(report.exports.at(0).date, kToday - std::chrono::days(2));
  EXPECT_EQ(report.exports.at(0).reason, "that of 2026-11-22 is not published yet");
  EXPECT_NE(LogText().find("2026-11-20"), std::string::npos);
  EXPECT_EQ(Exports(), std::vector<std::string>{"exports/movie_ids_2026-11-20.json.gz"});
}

TEST_F(HarvesterTest, AnExportWithheldForAWeekIsNoFailure) {
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kWithheld);
  EXPECT_EQ(report.exports.at(0).reason, "nothing is published from 2026-11-22 back to 2026-11-15");
  EXPECT_EQ(report.exports.at(0).hint, Hint::kCheckExportUrl) << "it has never given a file";
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(report.requests, 8);
  EXPECT_TRUE(Exports().empty());
}

TEST_F(HarvesterTest, AHostThatKnowsNoExportsAtAllIsProbablyTheWrongOne) {
  host_.absent_status = 404;
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kUnreachable);
  EXPECT_EQ(report.exports.at(0).hint, Hint::kCheckExportUrl);
  EXPECT_EQ(report.exit_code(), 3);
}

TEST_F(HarvesterTest, AHostThatIsNotTrustedIsToldOfWithWhatToDo) {
  Publish("movie_ids", Movies(1, 10));
  host_.PlanAll(Fault::kUntrusted);
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kUnreachable);
  EXPECT_EQ(report.exports.at(0).hint, Hint::kCertificate);
  EXPECT_EQ(report.exit_code(), 3);
}

TEST_F(HarvesterTest, BeforeEightYesterdaysExportIsTaken) {
  clock_.JumpWall(-6h);
  Publish("movie_ids", Movies(1, 10), kToday - std::chrono::days(1));
  Publish("movie_ids", Movies(1, 11), kToday);
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.requests, 1);
  EXPECT_EQ(report.exports.at(0).date, kToday - std::chrono::days(1));
  EXPECT_FALSE(report.exports.at(0).reason.empty());
  EXPECT_EQ(Harvest({MediaType::kMovie}).requests, 0);
}

TEST_F(HarvesterTest, WhenNothingNewerIsPublishedTheKeptExportIsUsedAgain) {
  Publish("movie_ids", Movies(1, 10));
  Harvest({MediaType::kMovie});
  clock_.Advance(48h);
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.requests, 2);  // for the two days since
  EXPECT_TRUE(report.exports.at(0).unchanged);
  EXPECT_EQ(report.exports.at(0).reason, "nothing newer than 2026-11-22 is published");
  EXPECT_EQ(host_.requests(FileName("movie_ids")), 1);
}

TEST_F(HarvesterTest, AnExportWithFarFewerLinesThanTheLastIsRefusedUnlessAccepted) {
  Publish("movie_ids", Movies(1, 1000));
  Harvest({MediaType::kMovie});
  const auto kept = Exports();
  const auto tomorrow = kToday + std::chrono::days(1);
  clock_.Advance(24h);
  Publish("movie_ids", Movies(2001, 2949), tomorrow);
  ASSERT_TRUE(queue_.Purge(std::nullopt, false));

  const HarvestReport refused = Harvest({MediaType::kMovie});
  EXPECT_EQ(refused.exports.at(0).verdict, ExportVerdict::kRefused);
  EXPECT_NE(refused.exports.at(0).reason.find("fewer than 95 %"), std::string::npos);
  EXPECT_EQ(refused.exports.at(0).lines, 949);
  EXPECT_EQ(refused.exit_code(), 1);
  EXPECT_EQ(refused.requests, 1);  // it came whole: once is enough
  EXPECT_EQ(Queued(), "");
  EXPECT_EQ(Exports(), kept);

  const HarvestReport accepted = Harvest({.types = {MediaType::kMovie}, .accept_export = true, .limit = {}});
  EXPECT_EQ(accepted.exit_code(), 0);
  EXPECT_EQ(accepted.queued(), 949);
  EXPECT_EQ(Exports().size(), 2U);
}

TEST_F(HarvesterTest, AnExportOf95PercentIsTaken) {
  Publish("movie_ids", Movies(1, 1000));
  Harvest({MediaType::kMovie});
  clock_.Advance(24h);
  Publish("movie_ids", Movies(1, 950), kToday + std::chrono::days(1));
  EXPECT_EQ(Harvest({MediaType::kMovie}).exit_code(), 0);
}

TEST_F(HarvesterTest, BadLinesLoseOnlyThemselvesUntilThereAreTooMany) {
  std::string text = Movies(1, 2000);
  for (int i = 0; i < 15; ++i) text += "{\"adult\":false,\"id\":\"x\"}\n";
  Publish("movie_ids", text);
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(report.queued(), 2000);
  EXPECT_EQ(report.exports.at(0).bad_lines, 15);
  EXPECT_NE(LogText().find("line 2001"), std::string::npos);

  clock_.Advance(24h);
  for (int i = 0; i < 10; ++i) text += "garbage\n";
  Publish("movie_ids", text, kToday + std::chrono::days(1));
  const HarvestReport refused = Harvest({MediaType::kMovie});
  EXPECT_EQ(refused.exports.at(0).verdict, ExportVerdict::kRefused);
  EXPECT_EQ(refused.exit_code(), 1);
}

TEST_F(HarvesterTest, TheLastTwoAcceptedExportsOfANameAreKept) {
  for (int day = 0; day < 4; ++day) {
    Publish("movie_ids", Movies(1, 10 + day), kToday + std::chrono::days(day));
    Publish("tv_series_ids", Show(1, 1), kToday + std::chrono::days(day));
    Harvest({MediaType::kMovie, MediaType::kTv});
    clock_.Advance(24h);
  }
  EXPECT_EQ(Exports(),
            (std::vector<std::string>{
                "exports/movie_ids_2026-11-24.json.gz", "exports/movie_ids_2026-11-25.json.gz",
                "exports/tv_series_ids_2026-11-24.json.gz", "exports/tv_series_ids_2026-11-25.json.gz"}));
}

TEST_F(HarvesterTest, AKeptExportThatIsDamagedOrGoneIsFetchedAgain) {
  Publish("movie_ids", Movies(1, 3000));
  Harvest({MediaType::kMovie});
  const std::string kept = Exports().at(0);
  const std::string whole = files_.Read(kept, 0, 1 << 20).value();
  {
    std::string damaged = whole;
    damaged[damaged.size() / 2] ^= 1;
    ASSERT_TRUE(WriteWhole(files_, kept, damaged));
  }
  HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.requests, 1);
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_FALSE(report.exports.at(0).unchanged);
  EXPECT_EQ(files_.Read(kept, 0, 1 << 20).value(), whole);

  ASSERT_TRUE(files_.Remove(kept));
  report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.requests, 1);
  EXPECT_EQ(files_.Read(kept, 0, 1 << 20).value(), whole);

  ASSERT_TRUE(files_.Remove(kept));
  host_.Withdraw(FileName("movie_ids"));
  report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kWithheld);
}

TEST_F(HarvesterTest, PopularityIsRefreshedForKnownIdsToo) {
  Publish("movie_ids", Movie(1, 1.5) + Movie(2, 2.5));
  Store({MediaType::kMovie, 1});
  Harvest({MediaType::kMovie});
  EXPECT_EQ(store_->popularity.Find({MediaType::kMovie, 1}).value(), 1.5F);
  clock_.Advance(24h);
  Publish("movie_ids", Movie(1, 9.25) + Movie(2, 2.5), kToday + std::chrono::days(1));
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 0);
  EXPECT_EQ(store_->popularity.Find({MediaType::kMovie, 1}).value(), 9.25F);
}

TEST_F(HarvesterTest, AdultTitlesComeOnlyWhenAskedFor) {
  Publish("movie_ids", Movie(1, 1) + Movie(8, 4, true));
  Publish("adult_movie_ids", Movie(26228, 2, true));
  const HarvestReport without = Harvest({MediaType::kMovie});
  EXPECT_EQ(Queued(), "movie:1");
  EXPECT_EQ(without.exports.size(), 1U);
  EXPECT_EQ(host_.requests(FileName("adult_movie_ids")), 0);

  const HarvestReport with = Harvest({.types = {MediaType::kMovie}, .include_adult = true, .limit = {}});
  EXPECT_EQ(Queued(), "movie:8 movie:26228 movie:1");
  ASSERT_EQ(with.exports.size(), 2U);
  EXPECT_EQ(with.exports[1].name, "adult_movie_ids");
  // Both files make one list of popularity.
  EXPECT_EQ(store_->popularity.Find({MediaType::kMovie, 1}).value(), 1.0F);
  EXPECT_EQ(store_->popularity.Find({MediaType::kMovie, 26228}).value(), 2.0F);
}

TEST_F(HarvesterTest, ARefusedAdultFileKeepsItsOldPopularity) {
  const HarvestOptions options{.types = {MediaType::kMovie}, .include_adult = true, .limit = {}};
  Publish("movie_ids", Movie(1, 1));
  Publish("adult_movie_ids", Movie(26228, 2, true) + Movie(26229, 3, true));
  Harvest(options);
  clock_.Advance(24h);
  Publish("movie_ids", Movie(1, 7), kToday + std::chrono::days(1));
  Publish("adult_movie_ids", Movie(26228, 9, true), kToday + std::chrono::days(1));
  EXPECT_EQ(Harvest(options).exit_code(), 1);
  EXPECT_EQ(store_->popularity.Find({MediaType::kMovie, 1}).value(), 7.0F);
  EXPECT_EQ(store_->popularity.Find({MediaType::kMovie, 26228}).value(), 2.0F);
}

TEST_F(HarvesterTest, AKeywordsLineIsItsRecord) {
  const std::string line = R"({"id":378,"name":" prison  \u0026 \"break\" "})";
  Publish("keyword_ids",
          line + "\n" + Named(240, "underdog") + Named(240, "again") + "{\"id\":9,\"name\":tru}\n");
  const HarvestReport report = Harvest({MediaType::kKeyword});
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(report.exports.at(0).stored, 2);
  EXPECT_EQ(report.exports.at(0).queued, 0);
  EXPECT_EQ(report.exports.at(0).duplicates, 1);
  EXPECT_EQ(report.exports.at(0).bad_lines, 1);
  EXPECT_EQ(Queued(), "");
  const auto prison = store_->reader.Find({MediaType::kKeyword, 378});
  ASSERT_TRUE(prison) << prison.error().message;
  EXPECT_EQ(prison->data, line);
  EXPECT_EQ(prison->etag, std::nullopt);
  EXPECT_NE(store_->reader.Find({MediaType::kKeyword, 240})->data.find("underdog"), std::string::npos);
  EXPECT_FALSE(store_->reader.Find({MediaType::kKeyword, 9}));
}

// Else they would be 56 years old once the clock is set, and purged.
TEST_F(HarvesterTest, KeywordsThatAMachineAt1970ReadsAreDatedByTmdb) {
  Publish("keyword_ids", Named(240, "underdog"));
  const Time now = clock_.Now();
  clock_.JumpWall(-now.time_since_epoch());
  host_.clock_offset = now.time_since_epoch();
  EXPECT_EQ(Harvest({MediaType::kKeyword}).exports.at(0).stored, 1);
  const auto keyword = store_->reader.Find({MediaType::kKeyword, 240});
  ASSERT_TRUE(keyword) << keyword.error().message;
  EXPECT_GE(keyword->fetched_at, now - 1min);
}

TEST_F(HarvesterTest, UnchangedKeywordsWriteNothing) {
  const auto tomorrow = kToday + std::chrono::days(1);
  std::string lines;
  for (int id = 1; id <= 3000; ++id) lines += Named(id, fmt::format("keyword {}", id));
  Publish("keyword_ids", lines);
  EXPECT_EQ(Harvest({MediaType::kKeyword}).exports.at(0).stored, 3000);
  clock_.Advance(24h);
  Publish("keyword_ids", lines.replace(lines.find("keyword 77\""), 10, "renamed 77") + Named(5000, "new"),
          tomorrow);
  const HarvestReport report = Harvest({MediaType::kKeyword});
  EXPECT_EQ(report.exports.at(0).stored, 2);
  EXPECT_EQ(report.exports.at(0).known, 3000);
  EXPECT_EQ(store_->reader.Find({MediaType::kKeyword, 77})->version, 2);
  EXPECT_EQ(store_->reader.Find({MediaType::kKeyword, 78})->version, 1);
}

TEST_F(HarvesterTest, ALimitHoldsForKeywordsToo) {
  Publish("keyword_ids", Named(30, "c") + Named(10, "a") + Named(20, "b"));
  EXPECT_EQ(Harvest({.types = {MediaType::kKeyword}, .limit = 2}).exports.at(0).stored, 2);
  EXPECT_TRUE(store_->reader.Find({MediaType::kKeyword, 10}));
  EXPECT_TRUE(store_->reader.Find({MediaType::kKeyword, 20}));
  EXPECT_FALSE(store_->reader.Find({MediaType::kKeyword, 30}));
}

TEST_F(HarvesterTest, ADryRunCountsAndLeavesNothingBehind) {
  Publish("movie_ids", Movie(1, 1) + Movie(2, 2) + Movie(3, 3));
  Publish("tv_series_ids", Show(1, 1));
  Publish("keyword_ids", Named(378, "prison"));
  Store({MediaType::kMovie, 2});
  const HarvestReport report =
      Harvest({.types = {MediaType::kMovie, MediaType::kTv, MediaType::kKeyword, MediaType::kConfiguration},
               .limit = {},
               .dry_run = true});
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(report.exports.at(0).queued, 2);
  EXPECT_EQ(report.exports.at(0).known, 1);
  EXPECT_EQ(report.exports.at(2).stored, 1);
  EXPECT_EQ(report.exports.at(3).queued, std::int64_t(ConfigurationPaths().size()));
  EXPECT_EQ(Queued(), "");
  EXPECT_TRUE(Exports().empty());
  EXPECT_TRUE(AcceptedExports(*catalog_).value().empty());
  EXPECT_FALSE(store_->reader.Find({MediaType::kKeyword, 378}));
  EXPECT_EQ(store_->popularity.Find({MediaType::kMovie, 1}).value(), std::nullopt);
}

TEST_F(HarvesterTest, AStopDuringTheDownloadLeavesNothingHalfDone) {
  Publish("movie_ids", Movies(1, 50'000));
  int pieces = 0;
  host_.on_piece = [&] {
    if (++pieces == 3) stop_.Request();
  };
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kStopped);
  EXPECT_EQ(host_.InFlight(), 0);
  EXPECT_EQ(Queued(), "");
  EXPECT_TRUE(Exports().empty());
}

TEST_F(HarvesterTest, AStopWhileAFileIsReadLeavesThatOneForTheNextHarvest) {
  Publish("movie_ids", Movies(1, 20'000));
  Publish("tv_series_ids", Show(1, 1));
  files_.on_read = [&](const std::string& path) {
    if (path == "exports/movie_ids.part") stop_.Request();
  };
  const HarvestReport report = Harvest({MediaType::kTv, MediaType::kMovie});
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kAccepted);
  EXPECT_EQ(report.exports.at(1).verdict, ExportVerdict::kStopped);
  EXPECT_EQ(Queued(), "tv:1");
  EXPECT_EQ(Exports(), std::vector<std::string>{"exports/tv_series_ids_2026-11-22.json.gz"});
}

TEST_F(HarvesterTest, AQueueThatFailsLeavesTheExportUnacceptedAndTheNextHarvestDoesItAll) {
  Publish("movie_ids", Movies(1, 100));
  sender_.failure = Error{ErrorCode::kNoSpace, "send 100 ids: database or disk is full"};
  const auto failed = TryHarvest({.types = {MediaType::kMovie}, .limit = {}});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE(AcceptedExports(*catalog_).value().empty());
  EXPECT_TRUE(Exports().empty());
  sender_.failure.reset();
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 100);
}

TEST_F(HarvesterTest, ACrashBeforeTheLastStepReadsTheSameExportAgainAndQueuesNothingTwice) {
  Publish("movie_ids", Movies(1, 100));
  Harvest({MediaType::kMovie});
  // As if the process had died after keeping the file and before writing it down, with the next day's
  // download begun.
  ASSERT_TRUE(catalog_->Execute("DELETE FROM accepted_export"));
  ASSERT_TRUE(WriteWhole(files_, "exports/person_ids.part", "\x1f\x8b half"));
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.requests, 1);
  EXPECT_EQ(report.queued(), 0);
  EXPECT_EQ(queue_.Counts().value().at(MediaType::kMovie).waiting, 100);
  EXPECT_EQ(AcceptedExports(*catalog_).value().size(), 1U);
  EXPECT_EQ(Exports(), std::vector<std::string>{"exports/movie_ids_2026-11-22.json.gz"});
}

TEST_F(HarvesterTest, AFullDiskIsAnErrorThatSaysSo) {
  Publish("movie_ids", Movies(1, 50'000));
  Publish("tv_series_ids", Show(1, 1));
  files_.room = 100'000;
  const auto failed = TryHarvest({.types = {MediaType::kMovie, MediaType::kTv}, .limit = {}});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(host_.InFlight(), 0);
  for (const std::string& path : Exports()) EXPECT_FALSE(path.ends_with(".part")) << path;
  files_.room = 1 << 30;
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 50'000);
}

TEST_F(HarvesterTest, TheConfigurationListsAreQueuedBeforeEverythingElseAndOnce) {
  Publish("movie_ids", Movie(1, 5000));
  const auto lists = std::int64_t(ConfigurationPaths().size());
  Store({MediaType::kConfiguration, 2});
  const HarvestReport report = Harvest({MediaType::kMovie, MediaType::kConfiguration});
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(report.exports.at(1).name, "configuration");
  EXPECT_EQ(report.exports.at(1).queued, lists - 1);
  EXPECT_EQ(report.exports.at(1).known, 1);
  EXPECT_TRUE(Queued(2).starts_with("configuration:1 configuration:3")) << Queued(2);
  EXPECT_EQ(Harvest({MediaType::kConfiguration}).queued(), 0);
}

TEST_F(HarvesterTest, GenresComeInEveryPrimaryLanguageAndEveryListOnceAWeek) {
  Document document;
  document.id = {MediaType::kConfiguration, kPrimaryTranslations};
  document.fetched_at = clock_.Now();
  document.data = R"(["de-DE","fr-FR"])";
  document.hash = HashContent(document.data).value();
  ASSERT_TRUE(store_->writer->Put(std::move(document)));
  Commit();
  const auto lists = std::int64_t(ConfigurationPaths().size());
  EXPECT_EQ(Harvest({MediaType::kConfiguration}).queued(), lists - 1 + 4);
  Collect();
  clock_.Advance(std::chrono::days(6));
  EXPECT_EQ(Harvest({MediaType::kConfiguration}).queued(), 0);
  clock_.Advance(std::chrono::days(1));
  EXPECT_GE(Harvest({MediaType::kConfiguration}).queued(), lists);
}

TEST_F(HarvesterTest, SeasonsHaveNoExport) {
  const auto report = TryHarvest({.types = {MediaType::kMovie, MediaType::kSeason}, .limit = {}});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(report.error().message,
            "there is no export of type season: seasons come with their show, use type tv");
  EXPECT_EQ(host_.requests(), 0);
}

TEST_F(HarvesterTest, IdsThatAPersonNamesAreQueuedKnownOrNot) {
  Harvester harvester = MakeHarvester();
  Publish("movie_ids", Movie(550, 60));
  Store({MediaType::kMovie, 550});
  Harvest({MediaType::kMovie});
  EXPECT_EQ(harvester.HarvestIds(MediaType::kMovie, {551, 550, 551}).value(), 2);
  EXPECT_EQ(Queued(), "movie:550 movie:551");
  EXPECT_EQ(harvester.HarvestIds(MediaType::kMovie, {550}).value(), 0);
  for (const std::int64_t id : {std::int64_t(0), std::int64_t(-1), std::int64_t(1) << 32}) {
    const auto refused = harvester.HarvestIds(MediaType::kMovie, {id});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  }
  EXPECT_EQ(harvester.HarvestIds(MediaType::kEpisode, {1}).error().code, ErrorCode::kInvalid);
}

TEST(EstimateRequests, SeasonsWithMoreCostMore) {
  HarvestReport report;
  report.exports.resize(2);
  report.exports[0].type = MediaType::kTv;
  report.exports[1].type = MediaType::kMovie;
  report.exports[0].queued = report.exports[1].queued = 1000;
  EXPECT_EQ(EstimateRequests(report), 2040);
  EXPECT_EQ(EstimateRequests(report, {.namespaces = {}, .languages = {"de", "fr"}}), 4040);
}

TEST(EstimateRequests, CountsOneAnIdAndALittleMoreAShow) {
  const auto entry = [](MediaType type, std::int64_t queued) {
    ExportReport report;
    report.type = type;
    report.queued = queued;
    return report;
  };
  const struct {
    std::vector<ExportReport> exports;
    std::int64_t requests;
  } cases[] = {
      {{}, 0},
      {{entry(MediaType::kMovie, 1'238'234)}, 1'238'234},
      {{entry(MediaType::kTv, 100)}, 104},
      {{entry(MediaType::kTv, 10)}, 11},
      {{entry(MediaType::kMovie, 5), entry(MediaType::kTv, 50), entry(MediaType::kPerson, 7)}, 64},
      {{entry(MediaType::kKeyword, 67'483)}, 0},
      {{entry(MediaType::kConfiguration, 13)}, 13},
  };
  for (const auto& c : cases) EXPECT_EQ(EstimateRequests({.exports = c.exports}), c.requests);
}

TEST_F(HarvesterTest, AFirstRunWithAClockAt1970ReadsTheExportOfTmdbsDay) {
  Publish("movie_ids", Movies(1, 20));
  const Duration gap = clock_.Now().time_since_epoch();
  clock_.JumpWall(-gap);
  host_.clock_offset = gap;
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kAccepted) << report.exports.at(0).reason;
  EXPECT_EQ(report.exports.at(0).queued, 20);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21") << "by the export's own date";
}

TEST_F(HarvesterTest, WhatAHostGivesForTheDayOfAWrongClockIsNotTakenForThatDays) {
  Publish("movie_ids", Movies(1, 20));
  for (const int day : {-1, 0}) Publish("movie_ids", Movies(1, 20), std::chrono::sys_days(std::chrono::days(day)));
  const Duration gap = clock_.Now().time_since_epoch();
  clock_.JumpWall(-gap);
  host_.clock_offset = gap;
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exports.at(0).queued, 20);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21");
}

// A proxy's clock, or a server's. What is published under this machine's day is evidence enough.
TEST_F(HarvesterTest, AFirstRunUnderADateOfTheFarFutureReadsWhatIsPublished) {
  for (const int years : {1, 74, 7973}) {
    SCOPED_TRACE(years);
    ASSERT_TRUE(queue_.Purge(std::nullopt, false));
    ASSERT_TRUE(catalog_->Execute("DROP TABLE IF EXISTS harvest_watermarks"));
    ASSERT_TRUE(catalog_->Execute("DROP TABLE IF EXISTS accepted_export"));
    host_.clock_offset = std::chrono::days(366) * years;
    Publish("movie_ids", Movies(1, 20));
    const HarvestReport report = Harvest({MediaType::kMovie});
    EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kAccepted) << report.exports.at(0).reason;
    EXPECT_EQ(report.exports.at(0).date, kToday);
    EXPECT_EQ(report.exports.at(0).queued, 20);
    EXPECT_EQ(report.exit_code(), 0);
    EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21");
    const UpstreamClock answered(clock_, upstream_);
    EXPECT_EQ(answered.Now(), clock_.Now()) << "no record is dated by it";
    EXPECT_LE(ReadUpstreamTime(*catalog_).value().value_or(Time{}), clock_.Now()) << "no later run goes by it";
  }
}

TEST_F(HarvesterTest, ARunThatCannotKnowTheDayAndFindsNothingIsNotDone) {
  Publish("movie_ids", Movies(1, 20));
  const Time now = clock_.Now();
  for (const int year : {1970, 2100, 9999}) {
    SCOPED_TRACE(year);
    const Time here = Time(std::chrono::sys_days(std::chrono::year(year) / 1 / 2));
    clock_.JumpWall(here - clock_.Now());
    host_.clock_offset = Time(std::chrono::sys_days(std::chrono::year(9999) / 12 / 1)) - here;
    const HarvestReport report = Harvest({MediaType::kMovie});
    EXPECT_EQ(report.exit_code(), 3);
    EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kUnreachable);
    EXPECT_EQ(report.exports.at(0).hint, Hint::kClock) << report.exports.at(0).reason;
    EXPECT_EQ(Watermark(MediaType::kMovie), "none");
  }
  clock_.JumpWall(now - clock_.Now());
  host_.clock_offset = {};
  EXPECT_EQ(Harvest({MediaType::kMovie}).queued(), 20) << "and once the clock is set all is well";
}

TEST_F(HarvesterTest, ATimeOfTmdbThatWasRememberedWrongIsGivenUp) {
  ASSERT_TRUE(CreateUpstreamTime(*catalog_));
  ASSERT_TRUE(PutUpstreamTime(*catalog_, UpstreamDate(clock_.Now() + std::chrono::days(365 * 70))));
  Publish("movie_ids", Movies(1, 20));
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kAccepted) << report.exports.at(0).reason;
  EXPECT_LE(ReadUpstreamTime(*catalog_).value().value_or(Time::max()), clock_.Now());
}

TEST_F(HarvesterTest, AnExportWithoutALineIsRefused) {
  Publish("movie_ids", "");
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kRefused);
  EXPECT_EQ(report.exports.at(0).reason, "it has no lines");
  EXPECT_TRUE(AcceptedExports(*catalog_).value().empty());
}

TEST_F(HarvesterTest, AnExportThatComesInflatedIsReadAndKeptGzipped) {
  host_.Publish(FileName("movie_ids"), "\xef\xbb\xbf" + Movies(1, 40'000));
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kAccepted) << report.exports.at(0).reason;
  EXPECT_EQ(report.exports.at(0).bad_lines, 0);
  EXPECT_EQ(report.exports.at(0).queued, 40'000);
  const std::string kept = Exports().at(0);
  EXPECT_TRUE(kept.ends_with(".json.gz"));
  EXPECT_TRUE(files_.Read(kept, 0, 2).value() == "\x1f\x8b");
  EXPECT_TRUE(Harvest({MediaType::kMovie}).exports.at(0).unchanged) << "and read again from the disk";
}

TEST_F(HarvesterTest, ZerosBehindTheGzipArePassedOver) {
  host_.Publish(FileName("movie_ids"), Gzip(Movies(1, 20)) + std::string(5000, '\0'));
  EXPECT_EQ(Harvest({MediaType::kMovie}).exports.at(0).queued, 20);
}

TEST_F(HarvesterTest, AnHtmlPageIsNamedSo) {
  host_.Plan(FileName("movie_ids"), testing::FakeExportHost::Fault::kHtml, 5);
  Publish("movie_ids", Movies(1, 20));
  const HarvestReport report = Harvest({MediaType::kMovie});
  EXPECT_NE(report.exports.at(0).reason.find("an HTML page"), std::string::npos) << report.exports.at(0).reason;
  EXPECT_EQ(report.exports.at(0).hint, Hint::kCheckExportUrl) << "or it is the page of another server";
}

}  // namespace
}  // namespace tmdbc
