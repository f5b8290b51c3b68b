// SPDX-License-Identifier: MIT
// The change feeds: what is read, what is queued, and where the watermark stands afterwards.
#include "harvester/change_harvest.h"

#include "harvester/harvest_world_test.h"

namespace tmdbc {
namespace {

using namespace std::chrono_literals;
using testing::FakeExportHost;
using Fault = FakeExportHost::Fault;
using std::chrono::days;

// A mirror of movies 1 to 20 whose first harvest was on kToday at 9:00, all of them fetched at once. Its
// watermark is the day before.
class ChangesTest : public HarvestWorld {
 protected:
  ChangesTest() {
    Publish("movie_ids", Movies(1, 20));
    EXPECT_EQ(Auto({MediaType::kMovie}).exit_code(), 0);
    EXPECT_EQ(Collect(), 20);
  }

  void Change(std::chrono::sys_days day, std::vector<std::string> rows) {
    host_.PublishChanges(MediaType::kMovie, day, std::move(rows));
  }
  void NextDay() {
    clock_.Advance(24h);
    Publish("movie_ids", Movies(1, 20), std::chrono::floor<days>(clock_.Now()));
  }
  HarvestReport Movie() { return Auto({MediaType::kMovie}); }
  static const ChangesReport& ChangesOf(const HarvestReport& report) { return *report.types.at(0).changes; }
  HarvestOptions Changes() {
    return {.types = {MediaType::kMovie}, .limit = {}, .mode = HarvestMode::kChanges};
  }
  static std::string Page(std::chrono::sys_days day, int page) {
    return FakeExportHost::PageName(MediaType::kMovie, day, page);
  }
  // The days whose pages were asked for, in order.
  std::vector<std::string> DaysAsked() {
    std::vector<std::string> asked;
    for (const http::Request& request : host_.seen()) {
      const std::size_t at = request.url.find("start_date=");
      if (at == std::string::npos) continue;
      const std::string day = request.url.substr(at + 11, 10);
      if (asked.empty() || asked.back() != day) asked.push_back(day);
    }
    return asked;
  }
};

TEST_F(ChangesTest, TheFirstHarvestIsTheExportAndSetsTheWatermarkADayBefore) {
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21");
  EXPECT_EQ(host_.change_requests(), 0);
}

TEST_F(ChangesTest, TheNextHarvestReadsEveryDaySinceAndQueuesWhatChanged) {
  NextDay();
  Change(kToday, {Row(3), Row(4), Row(77)});
  Change(kToday + days(1), {Row(5)});
  const HarvestReport report = Movie();
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(DaysAsked(), (std::vector<std::string>{"2026-11-21", "2026-11-22", "2026-11-23"}));
  const ChangesReport& changes = ChangesOf(report);
  EXPECT_EQ(changes.verdict, ChangesVerdict::kRead);
  EXPECT_EQ(changes.days, 3);
  EXPECT_EQ(changes.pages, 3);
  EXPECT_EQ(changes.rows, 4);
  EXPECT_EQ(changes.ids, 4);
  EXPECT_EQ(changes.queued, 4);
  EXPECT_EQ(report.api_requests, 3);
  EXPECT_EQ(changes.watermark_before, kToday - days(1));
  EXPECT_EQ(changes.watermark_after, kToday + days(1));
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
  EXPECT_EQ(Collect(), 4);
  EXPECT_EQ(store_->ledger.StateOf({MediaType::kMovie, 77}).value().standing, Standing::kLive);
}

TEST_F(ChangesTest, ADayIsClosedEightHoursAfterItsEnd) {
  clock_.Advance(22h);  // 7:00 of the next day
  Movie();
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-22");
  clock_.Advance(59min);
  Movie();
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-22");
  clock_.Advance(2min);
  Movie();
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
}

TEST_F(ChangesTest, TheBoundaryDayIsReadAgainAndWhatWasFetchedDuringItIsFetchedOnceMore) {
  NextDay();
  Change(kToday + days(1), {Row(5)});
  Movie();
  EXPECT_EQ(Collect(), 1);
  // Later that day nothing of it is settled yet.
  clock_.Advance(10h);
  EXPECT_EQ(ChangesOf(Movie()).queued, 1);
  EXPECT_EQ(Collect(), 1);
  // The next day it is fetched with all that the caches may have held back.
  clock_.Advance(14h);
  EXPECT_EQ(ChangesOf(Movie()).queued, 1);
  EXPECT_EQ(Collect(), 1);
  // From then on it is fresh. Only a person who names the day has it fetched again.
  clock_.Advance(1h);
  EXPECT_EQ(ChangesOf(Movie()).queued, 0);
  HarvestOptions again = Changes();
  again.since = again.until = kToday + days(1);
  EXPECT_EQ(ChangesOf(Run(again)).queued, 1);
}

TEST_F(ChangesTest, WhatADayListsForTheFirstTimeIsFetchedHoweverLatelyItWasVerified) {
  NextDay();
  Change(kToday, {Row(3)});
  EXPECT_EQ(ChangesOf(Movie()).queued, 1);
  EXPECT_EQ(Collect(), 1);
  // Verified after the end of that day and eight hours, by a clock that may be wrong; yet movie 4 is news.
  for (const MediaId id : {MediaId{MediaType::kMovie, 3}, MediaId{MediaType::kMovie, 4}}) Store(id);
  ASSERT_TRUE(SetWatermark(*catalog_, MediaType::kMovie, kToday));
  Change(kToday, {Row(3), Row(4)});
  EXPECT_EQ(ChangesOf(Movie()).queued, 2) << "the sightings of a day that was closed are forgotten";
  EXPECT_EQ(Collect(), 2);
  Change(kToday + days(1), {Row(5)});
  EXPECT_EQ(ChangesOf(Movie()).queued, 1);
}

TEST_F(ChangesTest, DaysBehindAGapAreRememberedToo) {
  clock_.Advance(48h + 9h);
  Publish("movie_ids", Movies(1, 20), std::chrono::floor<days>(clock_.Now()));
  Change(kToday, Rows(1000, 52'000));  // more than 500 pages
  Change(kToday + days(1), {Row(3), Row(4)});
  EXPECT_EQ(Movie().exit_code(), 1);
  Collect();
  Change(kToday + days(1), {Row(3), Row(4), Row(5)});
  EXPECT_EQ(ChangesOf(Movie()).queued, 1);  // movie 5; what the overfull day lists was sighted and is settled
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-22");
}

TEST_F(ChangesTest, RowsWithoutAnIdAreSkippedAndANullAdultIsFetchedLikeAnyOther) {
  NextDay();
  Change(kToday,
         {R"({"id":null,"adult":null})", Row(7, "null"), Row(90, "null"), Row(7), R"({"adult":false})"});
  const HarvestReport report = Movie();
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(ChangesOf(report).rows, 5);
  EXPECT_EQ(ChangesOf(report).ids, 2);
  EXPECT_EQ(Collect({{MediaType::kMovie, 7}, {MediaType::kMovie, 90}}), 2);
  EXPECT_EQ(store_->ledger.StateOf({MediaType::kMovie, 7}).value().standing, Standing::kTombstone);
  EXPECT_EQ(store_->ledger.StateOf({MediaType::kMovie, 90}).value().standing, Standing::kMissing);
}

TEST_F(ChangesTest, AdultTitlesThatNobodyAskedForAreLeftOutUnlessTheyAreStored) {
  NextDay();
  Change(kToday, {Row(7, "true"), Row(500, "true")});
  EXPECT_EQ(ChangesOf(Movie()).queued, 1);
  EXPECT_EQ(Queued(), "movie:7");
  HarvestOptions with = Changes();
  with.include_adult = true;
  with.since = kToday;
  EXPECT_EQ(ChangesOf(Run(with)).queued, 1);
  EXPECT_EQ(Collect(), 2);
}

TEST_F(ChangesTest, ManyPagesAreReadAtOnceAndAllOfTheirIdsAreQueued) {
  NextDay();
  Change(kToday, Rows(1001, 2550));
  const HarvestReport report = Movie();
  EXPECT_EQ(ChangesOf(report).pages, 16 + 2);
  EXPECT_EQ(ChangesOf(report).queued, 1550);
  EXPECT_GT(host_.most_at_once(), 2);
  EXPECT_LE(host_.most_at_once(), 5);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
}

TEST_F(ChangesTest, FortyDaysDownAreCaughtUpDayByDay) {
  clock_.Advance(40 * 24h);
  for (int day = 0; day < 40; ++day) Change(kToday + days(day), {Row(1000 + day), Row(2000 + day)});
  Publish("movie_ids", Movies(1, 20), kToday + days(40));
  const HarvestReport report = Movie();
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(ChangesOf(report).days, 42);
  EXPECT_EQ(ChangesOf(report).queued, 80);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2027-01-01");
}

TEST_F(ChangesTest, AKillInTheMiddleOfACatchUpGoesOnWhereItWas) {
  clock_.Advance(40 * 24h);
  for (int day = 0; day < 40; ++day) Change(kToday + days(day), {Row(1000 + day)});
  host_.on_request = [&](const std::string& file) {
    if (file == Page(kToday + days(17), 1)) stop_.Request();
  };
  const HarvestReport stopped = Run(Changes());
  EXPECT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.exit_code(), 1);
  EXPECT_EQ(ChangesOf(stopped).verdict, ChangesVerdict::kStopped);
  EXPECT_EQ(host_.InFlight(), 0);
  EXPECT_EQ(Watermark(MediaType::kMovie), FormatDate(kToday + days(17)));
  EXPECT_EQ(queue_.Counts().value().at(MediaType::kMovie).waiting, 18);  // the page under way came, too

  host_.on_request = {};
  const std::size_t before = host_.seen().size();
  StopFlag go_on;
  const auto report = MakeHarvester().Harvest(Changes(), go_on);
  ASSERT_TRUE(report);
  EXPECT_NE(host_.seen().at(before).url.find("start_date=" + FormatDate(kToday + days(17))),
            std::string::npos);
  EXPECT_EQ(queue_.Counts().value().at(MediaType::kMovie).waiting, 40);
}

TEST_F(ChangesTest, TheWatermarkIsNeverAheadOfTheQueue) {
  clock_.Advance(5 * 24h);
  for (int day = 0; day < 5; ++day) Change(kToday + days(day), Rows(1000 * day + 1000, 1000 * day + 1150));
  host_.on_request = [&](const std::string& file) {
    if (file == Page(kToday + days(2), 2))
      sender_.failure = Error{ErrorCode::kNoSpace, "send 51 ids: database or disk is full"};
  };
  const auto failed = TryRun(Changes());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(host_.InFlight(), 0);
  EXPECT_EQ(Watermark(MediaType::kMovie), FormatDate(kToday + days(2)));
  sender_.failure.reset();
  host_.on_request = {};
  EXPECT_EQ(Run(Changes()).exit_code(), 0);
  EXPECT_EQ(queue_.Counts().value().at(MediaType::kMovie).waiting, 5 * 151);
}

TEST_F(ChangesTest, ADayOfTooManyPagesIsQueuedAsFarAsItGoesAndHoldsTheWatermark) {
  clock_.Advance(3 * 24h);
  host_.last_page = 4;
  Change(kToday + days(1), Rows(1001, 1650));
  Change(kToday + days(2), {Row(9)});
  const HarvestReport report = Run(Changes());
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(ChangesOf(report).verdict, ChangesVerdict::kOverfull);
  EXPECT_EQ(ChangesOf(report).overfull, 1);
  EXPECT_EQ(ChangesOf(report).reason,
            "2026-11-23 has 7 pages of movie changes, and TMDB gives only the first 4");
  EXPECT_EQ(ChangesOf(report).queued, 401);  // the later day is not held up
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
  // Until it can be read, every harvest tries it again...
  EXPECT_EQ(Run(Changes()).exit_code(), 1);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
  // ...or a person goes past it.
  HarvestOptions accept = Changes();
  accept.accept_gap = true;
  EXPECT_EQ(Run(accept).exit_code(), 0);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-25");
  // The gap stays a gap: the next harvest says nothing of it.
  EXPECT_EQ(Run(Changes()).exit_code(), 0);
}

TEST_F(ChangesTest, MoreThan500PagesArePromisedAndOnly500AreAskedFor) {
  NextDay();
  host_.total_pages = 501;
  HarvestOptions day = Changes();
  day.since = day.until = kToday;
  const HarvestReport report = Run(day);
  EXPECT_EQ(ChangesOf(report).verdict, ChangesVerdict::kOverfull);
  EXPECT_EQ(ChangesOf(report).pages, 500);
  EXPECT_EQ(host_.requests(Page(kToday, 500)), 1);
  EXPECT_EQ(host_.requests(Page(kToday, 501)), 0);
}

TEST_F(ChangesTest, PagesThatShiftWhileTheyAreReadAreReadAgain) {
  NextDay();
  Change(kToday, Rows(1001, 1250));
  // Between the first and the second page ten rows come in front and the last of page 1 move to page 2, so
  // that the first ten are not seen in the first reading.
  bool shifted = false;
  host_.on_request = [&](const std::string& file) {
    if (file != Page(kToday, 2) || std::exchange(shifted, true)) return;
    auto& rows = host_.ChangesOf(MediaType::kMovie, kToday);
    const auto fresh = Rows(5001, 5010);
    rows.insert(rows.begin(), fresh.begin(), fresh.end());
  };
  const HarvestReport report = Movie();
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(ChangesOf(report).queued, 260);
  EXPECT_EQ(ChangesOf(report).ids, 260);
  EXPECT_EQ(host_.requests(Page(kToday, 1)), 2);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
}

TEST_F(ChangesTest, AClosedDayWhoseTotalIsOffByOneIsCompleteWhenTwoReadingsAgree) {
  NextDay();
  Change(kToday, Rows(1001, 1100));
  host_.total_results = 101;
  const HarvestReport report = Run(Changes());
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(host_.requests(Page(kToday, 1)), 2);
  EXPECT_EQ(ChangesOf(report).queued, 100);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
  EXPECT_NE(LogText().find("TMDB counts 101 movie changes of 2026-11-22 and gives 100"), std::string::npos);
}

TEST_F(ChangesTest, ALastPageThatIsPromisedAndEmptyIsATotalThatIsWrong) {
  NextDay();
  Change(kToday, Rows(1001, 1100));
  host_.total_results = 101;
  host_.total_pages = 2;
  EXPECT_EQ(Run(Changes()).exit_code(), 0);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
}

TEST_F(ChangesTest, RowsThatDoNotComeHoldTheWatermarkOfAClosedDayWhileTheReadingsDiffer) {
  NextDay();
  Change(kToday, Rows(1001, 1150));
  host_.total_results = 151;
  std::int64_t other = 3000;  // the last row is another one each time
  host_.on_request = [&](const std::string& file) {
    if (file == Page(kToday, 2)) host_.ChangesOf(MediaType::kMovie, kToday).back() = Row(other++);
  };
  const HarvestReport report = Run(Changes());
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(ChangesOf(report).verdict, ChangesVerdict::kIncomplete);
  EXPECT_EQ(host_.requests(Page(kToday, 2)), 3);
  EXPECT_EQ(ChangesOf(report).queued, 152);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-22");
  host_.on_request = {};
  host_.total_results.reset();
  EXPECT_EQ(Run(Changes()).exit_code(), 0);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
}

TEST_F(ChangesTest, ADayThatIsReadAgainAnywayMayShiftForEver) {
  NextDay();
  const auto today = kToday + days(1);
  Change(today, Rows(1001, 1150));
  std::int64_t next = 3000;
  host_.on_request = [&](const std::string& file) {
    if (file == Page(today, 2)) host_.ChangesOf(MediaType::kMovie, today).push_back(Row(next++));
  };
  const HarvestReport report = Run(Changes());
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(host_.requests(Page(today, 1)), 1) << "once is enough of a day that is read again anyway";
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
}

TEST_F(ChangesTest, TotalsThatSayTooLittleAreNotBelieved) {
  NextDay();
  Change(kToday, Rows(1001, 1080));
  host_.total_results = 1;
  EXPECT_EQ(ChangesOf(Run(Changes())).queued, 80);
}

TEST_F(ChangesTest, WhatFailsOnTheWayIsTriedAgain) {
  NextDay();
  Change(kToday, Rows(1001, 1250));
  for (const Fault fault : {Fault::kConnect, Fault::kTimeout, Fault::kReset, Fault::kShortUnnoticed,
                            Fault::kEmpty, Fault::kHtml, Fault::kServerError, Fault::kForbidden}) {
    SCOPED_TRACE(int(fault));
    host_.Plan(Page(kToday, 2), fault);
    HarvestOptions day = Changes();
    day.since = day.until = kToday;
    ASSERT_TRUE(queue_.Purge(std::nullopt, false));
    const HarvestReport report = Run(day);
    EXPECT_EQ(report.exit_code(), 0);
    EXPECT_EQ(ChangesOf(report).queued, 250);
    EXPECT_EQ(report.api_requests, 4);
  }
}

TEST_F(ChangesTest, TooManyRequestsPauseEverythingAndCountAgainstNobody) {
  NextDay();
  Change(kToday, Rows(1001, 1250));
  host_.Plan(Page(kToday, 2), Fault::kTooManyRequests, 12);
  const auto started = clock_.Mono();
  const HarvestReport report = Run(Changes());
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(ChangesOf(report).queued, 250);
  EXPECT_GE(clock_.Mono() - started, 6s);  // at least half a second each
  EXPECT_LT(limiter_.pace(), 39);
}

TEST_F(ChangesTest, APageThatIsNeverAnsweredHoldsItsDayAndNothingElse) {
  host_.PublishChanges(MediaType::kTv, kToday, {Row(1)});
  Publish("tv_series_ids", Show(1, 1));
  Auto({MediaType::kTv});
  clock_.Advance(3 * 24h);
  for (int day = 0; day < 3; ++day) Change(kToday + days(day), {Row(1000 + day)});
  host_.Plan(Page(kToday + days(1), 1), Fault::kServerError, 16);
  HarvestOptions options = Changes();
  options.types.push_back(MediaType::kTv);
  const HarvestReport report = Run(options);
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(ChangesOf(report).verdict, ChangesVerdict::kIncomplete);
  EXPECT_NE(ChangesOf(report).reason.find("the movie changes of 2026-11-23, page 1: HTTP 503 after 8 tries"),
            std::string::npos)
      << ChangesOf(report).reason;
  EXPECT_EQ(Queued(), "tv:1 movie:1000 movie:1002");
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
  EXPECT_EQ(report.types.at(1).changes->verdict, ChangesVerdict::kRead);
  EXPECT_EQ(Watermark(MediaType::kTv), "2026-11-25");
  // A person may go past it.
  options.accept_gap = true;
  EXPECT_EQ(Run(options).exit_code(), 0);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-25");
}

TEST_F(ChangesTest, AnOutageKeepsWhatWasReadAndTheOtherTypesAreNotAskedInVain) {
  host_.PublishChanges(MediaType::kTv, kToday, {Row(1)});
  Publish("tv_series_ids", Show(1, 1));
  Auto({MediaType::kTv});
  clock_.Advance(20 * 24h);
  Change(kToday, {Row(1000)});
  for (int day = 1; day <= 20; ++day) host_.Plan(Page(kToday + days(day), 1), Fault::kServerError, 1000);
  HarvestOptions options = Changes();
  options.types.push_back(MediaType::kTv);
  const auto started = clock_.Mono();
  const HarvestReport report = Run(options);
  EXPECT_LT(clock_.Mono() - started, 15min);
  EXPECT_EQ(ChangesOf(report).verdict, ChangesVerdict::kUnreachable);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
  EXPECT_EQ(report.types.at(1).changes->verdict, ChangesVerdict::kUnreachable);
  EXPECT_EQ(Watermark(MediaType::kTv), "2026-11-21");
}

TEST_F(ChangesTest, WithALimitNewIdsComeFromTheExportsAlone) {
  NextDay();
  Change(kToday, {Row(3), Row(900)});
  HarvestOptions options = Changes();
  options.limit = 10;
  Run(options);
  EXPECT_EQ(Queued(), "movie:3");
}

TEST_F(ChangesTest, ADayThatIsReadAllTheTimeFetchesAnIdOnceInEightHours) {
  NextDay();
  Change(kToday + days(1), {Row(3)});
  int fetches = 0;
  for (int hour = 0; hour < 24; ++hour) {
    Movie();
    fetches += Collect();
    clock_.Advance(1h);
  }
  EXPECT_GE(fetches, 7);
  EXPECT_LE(fetches, 9);
}

TEST_F(ChangesTest, AnApiThatNeverAnswersEndsTheHarvestWithin15Seconds) {
  clock_.Advance(24h);
  host_.PlanAll(Fault::kSilent);
  for (const HarvestMode mode : {HarvestMode::kChanges, HarvestMode::kAuto}) {
    HarvestOptions options = Changes();
    options.mode = mode;
    const auto started = clock_.Mono();
    const HarvestReport report = Run(options);
    EXPECT_EQ(report.exit_code(), 3);
    EXPECT_EQ(ChangesOf(report).verdict, ChangesVerdict::kUnreachable);
    EXPECT_LE(clock_.Mono() - started, 15s);
    EXPECT_EQ(host_.InFlight(), 0);
    EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21");
  }
}

TEST_F(ChangesTest, ACertificateThatIsNotTrustedIsNotTriedAgain) {
  NextDay();
  host_.Plan(Page(kToday - days(1), 1), Fault::kUntrusted);
  const auto started = clock_.Mono();
  const HarvestReport report = Run(Changes());
  EXPECT_LE(clock_.Mono() - started, 1s);
  EXPECT_EQ(report.exit_code(), 3);
  EXPECT_EQ(ChangesOf(report).verdict, ChangesVerdict::kUnreachable);
  EXPECT_EQ(ChangesOf(report).hint, Hint::kCertificate);
  EXPECT_EQ(ChangesOf(report).pages, 0);
}

TEST_F(ChangesTest, ARefusedKeyEndsItAtOnce) {
  NextDay();
  host_.Plan(Page(kToday - days(1), 1), Fault::kDenied);
  const HarvestReport report = Movie();
  EXPECT_EQ(report.exit_code(), 3);
  EXPECT_TRUE(report.denied());
  EXPECT_EQ(host_.change_requests(), 1);
  EXPECT_NE(ChangesOf(report).reason.find("TMDB refuses the API key (HTTP 401)"), std::string::npos);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21");
}

TEST_F(ChangesTest, ARequestThatTmdbWillNeverLikeIsNotRepeated) {
  NextDay();
  host_.Plan(Page(kToday, 1), Fault::kBadRequest);
  const HarvestReport report = Run(Changes());
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(host_.requests(Page(kToday, 1)), 1);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-22");
}

TEST_F(ChangesTest, ADayThatIsNamedMovesNoWatermark) {
  NextDay();
  Change(kToday - days(30), {Row(3), Row(800)});
  HarvestOptions options = Changes();
  options.since = kToday - days(31);
  options.until = kToday - days(29);
  const HarvestReport report = Run(options);
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(ChangesOf(report).days, 3);
  EXPECT_EQ(Queued(), "movie:3 movie:800");  // although movie 3 was fetched long after
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21");
  options = Changes();
  options.until = kToday;
  EXPECT_EQ(ChangesOf(Run(options)).days, 2);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21");
}

TEST_F(ChangesTest, WhatCannotBeAskedForIsSaidInOneSentence) {
  Hint hint = Hint::kNone;
  const auto refused = [&](const HarvestOptions& options) {
    const auto report = TryRun(options);
    EXPECT_FALSE(report);
    if (report) return std::string();
    EXPECT_EQ(report.error().code, ErrorCode::kInvalid);
    hint = report.error().hint;
    return report.error().message;
  };
  HarvestOptions options = Changes();
  options.types = {MediaType::kTv};
  EXPECT_NE(refused(options).find("No export of type tv has been harvested yet"), std::string::npos);
  EXPECT_EQ(hint, Hint::kExportFirst);
  options.types = {MediaType::kCollection, MediaType::kKeyword};
  EXPECT_NE(refused(options).find("type collection has no change feed"), std::string::npos);
  EXPECT_EQ(hint, Hint::kExportOnly);
  options = Changes();
  options.since = kToday + days(1);
  EXPECT_NE(refused(options).find("it has not come yet"), std::string::npos);
  options.since = kToday;
  options.until = kToday - days(1);
  EXPECT_NE(refused(options).find("before the first, 2026-11-22"), std::string::npos);
  options.mode = HarvestMode::kAuto;
  EXPECT_NE(refused(options).find("only mode changes has one"), std::string::npos);
  EXPECT_EQ(host_.change_requests(), 0);
}

TEST_F(ChangesTest, ADryRunAsksAndQueuesNothing) {
  NextDay();
  Change(kToday, Rows(15, 114));
  HarvestOptions options{.types = {MediaType::kMovie}, .limit = {}, .dry_run = true};
  const HarvestReport report = Run(options);
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(ChangesOf(report).queued, 100);
  EXPECT_EQ(EstimateRequests(report), 100);
  EXPECT_EQ(Queued(), "");
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21");
}

TEST_F(ChangesTest, AWithheldExportIsNoErrorAndTheChangesAreReadAllTheSame) {
  clock_.Advance(24h);  // nothing is published
  Change(kToday, {Row(3)});
  const HarvestReport report = Movie();
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(Queued(), "movie:3");
}

TEST_F(ChangesTest, ARefusedExportIsAnErrorAndTheChangesAreReadAllTheSame) {
  clock_.Advance(24h);
  Publish("movie_ids", Movies(1, 9), kToday + days(1));
  Change(kToday, {Row(3)});
  const HarvestReport report = Movie();
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_EQ(report.exports.at(0).verdict, ExportVerdict::kRefused);
  EXPECT_EQ(Queued(), "movie:3");
}

TEST_F(ChangesTest, AWatermarkSetUnderAWrongClockIsSetRight) {
  clock_.JumpWall(5 * 365 * 24h);
  ASSERT_TRUE(SetWatermark(*catalog_, MediaType::kMovie, std::chrono::floor<days>(clock_.Now())));
  clock_.JumpWall(-5 * 365 * 24h + 24h);
  Change(kToday + days(1), {Row(3)});
  EXPECT_EQ(Run(Changes()).exit_code(), 0);
  EXPECT_EQ(Queued(), "movie:3");
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
}

TEST_F(ChangesTest, ADeadIdThatIsListedAsGoneWaitsAndOneThatIsListedAsThereDoesNot) {
  Gone({MediaType::kMovie, 5});
  Gone({MediaType::kMovie, 6});
  Change(kToday, {Row(5, "null"), Row(6)});
  clock_.Advance(6h);
  EXPECT_EQ(ChangesOf(Run(Changes())).queued, 1);
  EXPECT_EQ(Queued(), "movie:6");
}

TEST_F(ChangesTest, MidnightDuringAWalkIsNoEdge) {
  clock_.Advance(14h + 59min + 59s + 900ms);  // 23:59:59.9
  Change(kToday + days(1), {Row(8)});
  const HarvestReport report = Run(Changes());
  EXPECT_EQ(ChangesOf(report).days, 3);
  EXPECT_EQ(Queued(), "movie:8");
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-22");
}

// --- the clock ---

// The clock of this machine is off by so much; TMDB's goes right.
#define CLOCK_OFF(by)       \
  clock_.JumpWall(by);      \
  host_.clock_offset = -(by)

TEST_F(ChangesTest, AClockThatIsAMonthAheadLosesNoDay) {
  NextDay();
  CLOCK_OFF(days(30));
  const HarvestReport report = Movie();
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21") << "no progress is remembered";
  EXPECT_EQ(DaysAsked().back(), "2026-11-23") << "no day is read that has not been";
  EXPECT_NE(LogText().find("clock differs by more than a day from TMDB's"), std::string::npos);
  clock_.JumpWall(-days(30));
  host_.clock_offset = {};
  NextDay();
  NextDay();
  Change(kToday + days(2), {Row(3)});
  EXPECT_EQ(ChangesOf(Movie()).queued, 1);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-25");
}

TEST_F(ChangesTest, AClockAt1970NeitherMovesTheWatermarkBackNorWalksDecades) {
  NextDay();
  Change(kToday, {Row(3)});
  const Duration gap = clock_.Now().time_since_epoch();
  CLOCK_OFF(-gap);
  const HarvestReport report = Movie();
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-21");
  EXPECT_EQ(ChangesOf(report).queued, 1) << "what changed is read all the same";
  EXPECT_LE(DaysAsked().size(), 3u);
  clock_.JumpWall(gap);
  host_.clock_offset = {};
  EXPECT_EQ(Movie().exit_code(), 0);
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
}

TEST_F(ChangesTest, ADateOfTheFarFutureMakesNoWalkThroughCenturies) {
  for (const auto ahead : {days(366 * 74), days(366 * 7000)}) {
    NextDay();
    Change(kToday, {Row(3)});
    host_.clock_offset = ahead;
    const int before = host_.change_requests();
    Run(Changes());
    EXPECT_LT(host_.change_requests() - before, 500);
    EXPECT_LE(Watermark(MediaType::kMovie), "2026-11-23");
    EXPECT_EQ(Queued(), "movie:3");
  }
}

TEST_F(ChangesTest, AWatermarkInTheFutureGoesBackToTheLastDayThatIsKnown) {
  NextDay();
  ASSERT_TRUE(SetWatermark(*catalog_, MediaType::kMovie, kToday + days(30)));
  Movie();
  EXPECT_EQ(DaysAsked().front(), "2026-11-22");
  EXPECT_EQ(Watermark(MediaType::kMovie), "2026-11-23");
  EXPECT_NE(LogText().find("a watermark lies in the future"), std::string::npos);
}

TEST_F(ChangesTest, TheFeedIsNeverWalkedBeforeItsFirstDay) {
  NextDay();
  ASSERT_TRUE(SetWatermark(*catalog_, MediaType::kMovie, std::chrono::sys_days{std::chrono::year(1969) / 12 / 31}));
  host_.on_request = [&](const std::string&) { stop_.Request(); };
  Run(Changes());
  EXPECT_EQ(DaysAsked().front(), "2012-10-05");
}

}  // namespace
}  // namespace tmdbc
