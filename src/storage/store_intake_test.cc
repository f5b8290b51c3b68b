// SPDX-License-Identifier: MIT
#include "storage/store_intake.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::Movie;
using testing::Season;
using testing::Show;

struct StoreIntakeTest : ::testing::Test {
  StoreIntakeTest() { Again(); }

  // A new drain: another intake over the same store.
  void Again(bool accept = false, bool late = false) {
    intake.emplace(world.clock, *world.store->writer, world.store->ledger,
                   StoreIntakeOptions{.accept_deletions = accept, .answers_come_late = late});
  }
  Time Now() { return world.clock.Now(); }
  // What the commit reports.
  IntakeReport Commit() {
    IntakeReport seen;
    const auto done = intake->Commit([&](const IntakeReport& report) -> Result<void> {
      seen = report;
      return {};
    });
    EXPECT_TRUE(done) << done.error().message;
    return seen;
  }
  static std::int64_t SeasonId(std::int64_t tv_id, std::int64_t number) { return tv_id * 1000 + number; }
  // A show whose body lists `listed`, with those of its seasons that came.
  void Fetch(std::int64_t tv_id, const SeasonList& listed, const std::vector<std::int64_t>& came) {
    std::vector<Document> documents;
    documents.push_back(Show(tv_id, "A show", Now()));
    for (const std::int64_t number : came)
      documents.push_back(Season(SeasonId(tv_id, number), tv_id, number, 2, Now()));
    const auto taken = intake->Fetched({MediaType::kTv, tv_id}, std::move(documents), listed, Now());
    EXPECT_TRUE(taken) << taken.error().message;
  }
  static SeasonList List(std::int64_t tv_id, const std::vector<std::int64_t>& numbers) {
    SeasonList list{.given = true, .numbers = numbers, .ids = {}};
    for (const std::int64_t number : numbers) list.ids.push_back(SeasonId(tv_id, number));
    return list;
  }
  void FetchWhole(std::int64_t tv_id, std::int64_t seasons) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t number = 1; number <= seasons; ++number) numbers.push_back(number);
    Fetch(tv_id, List(tv_id, numbers), numbers);
  }
  void FetchMovies(std::int64_t count) {
    for (std::int64_t id = 1; id <= count; ++id) {
      ASSERT_TRUE(intake->Fetched({MediaType::kMovie, id}, {Movie(id, "x", 1, Now())}, {}, Now()));
    }
  }
  std::size_t Seasons(std::int64_t tv_id) { return intake->SeasonNumbers(tv_id).value().size(); }
  std::size_t Held(MediaType type) { return world.store->ledger.HeldDeletions(type).value().size(); }

  testing::StoreWorld world;
  std::optional<StoreIntake> intake;
};

TEST_F(StoreIntakeTest, ThreeShowsThatListNoSeasonsDoNotLoseAllOfThemAtOnce) {
  for (const std::int64_t tv_id : {1, 2, 3}) FetchWhole(tv_id, 20);
  Commit();
  world.clock.Advance(days(2));
  Again();
  for (const std::int64_t tv_id : {1, 2, 3}) Fetch(tv_id, List(tv_id, {}), {});
  const IntakeReport report = Commit();
  EXPECT_EQ(report.changes.at({MediaType::kSeason, Change::kDelete}), 20);
  EXPECT_EQ(report.held.at(MediaType::kSeason), 40);
  EXPECT_EQ(report.gone.at(MediaType::kSeason), 60) << "told of, whatever became of them";
  EXPECT_EQ(Held(MediaType::kSeason), 40u);
  EXPECT_EQ(Seasons(1) + Seasons(2) + Seasons(3), 40u);
}

TEST_F(StoreIntakeTest, HeldSeasonsGoWhenAPersonAgreesAndStayWhenTheyAreListedAgain) {
  for (const std::int64_t tv_id : {1, 2, 3}) FetchWhole(tv_id, 20);
  Commit();
  world.clock.Advance(days(2));
  Again();
  for (const std::int64_t tv_id : {1, 2, 3}) Fetch(tv_id, List(tv_id, {}), {});
  Commit();
  world.clock.Advance(hours(1));
  Again();
  FetchWhole(2, 20);
  Commit();
  EXPECT_EQ(Held(MediaType::kSeason), 20u);
  EXPECT_EQ(world.store->ledger.ShowsOfHeldSeasons().value(), std::vector<std::int64_t>{3});
  Again(true);
  Fetch(3, List(3, {}), {});
  const IntakeReport report = Commit();
  EXPECT_EQ(report.changes.at({MediaType::kSeason, Change::kDelete}), 20);
  EXPECT_EQ(Held(MediaType::kSeason), 0u);
  EXPECT_EQ(Seasons(2), 20u);
  EXPECT_EQ(Seasons(3), 0u);
  EXPECT_TRUE(world.store->ledger.DeletionsSince(Now() - days(1)).value().empty()) << "agreed to";
}

TEST_F(StoreIntakeTest, ASeasonWithoutAReadableNumberIsNotGone) {
  FetchWhole(1399, 3);
  Commit();
  world.clock.Advance(hours(1));
  // {"id":1399001,"season_number":null}
  Fetch(1399, {.given = true, .numbers = {2, 3}, .ids = {1399001, 1399002, 1399003}}, {2, 3});
  EXPECT_FALSE(Commit().gone.contains(MediaType::kSeason));
  EXPECT_EQ(Seasons(1399), 3u);
  // An entry that names nothing may be any of them.
  Fetch(1399, {.given = true, .numbers = {2}, .ids = {1399002}, .readable = false}, {2});
  Commit();
  EXPECT_EQ(Seasons(1399), 3u);
  // A body without a list says nothing.
  Fetch(1399, {}, {});
  Commit();
  EXPECT_EQ(Seasons(1399), 3u);
}

TEST_F(StoreIntakeTest, ATombstoneTellsWhatTheEvidenceWas) {
  FetchWhole(1399, 3);
  FetchWhole(1400, 2);
  Commit();
  world.clock.Advance(hours(1));
  Fetch(1399, List(1399, {1, 2}), {1, 2});
  ASSERT_TRUE(intake->Gone({MediaType::kTv, 1400}, Now()));
  const IntakeReport report = Commit();
  const auto status = [&](MediaId id) { return world.store->reader.Find(id).value().status; };
  EXPECT_EQ(status({MediaType::kSeason, SeasonId(1399, 3)}), 200) << "its show lists it no longer";
  EXPECT_EQ(status({MediaType::kTv, 1400}), 404);
  EXPECT_EQ(status({MediaType::kSeason, SeasonId(1400, 1)}), 404) << "its show said 404";
  EXPECT_EQ(report.changes.at({MediaType::kSeason, Change::kDelete}), 3);
  EXPECT_EQ(report.gone.at(MediaType::kSeason), 3);
  EXPECT_EQ(report.gone.at(MediaType::kTv), 1);
}

TEST_F(StoreIntakeTest, SeasonsThatGoWithTheirShowUseUpNobodysAllowance) {
  FetchWhole(1, 40);
  FetchWhole(2, 5);
  Commit();
  world.clock.Advance(hours(1));
  ASSERT_TRUE(intake->Gone({MediaType::kTv, 1}, Now()));
  Commit();
  Again();
  Fetch(2, List(2, {1, 2, 3}), {1, 2, 3});
  EXPECT_FALSE(Commit().held.contains(MediaType::kSeason));
  EXPECT_EQ(Seasons(2), 3u);
}

TEST_F(StoreIntakeTest, WhatWasAgreedToUnderAClockThatWasAheadDoesNotEndTheGuard) {
  FetchMovies(1000);
  Commit();
  ASSERT_TRUE(world.store->ledger.AcceptDeletions(Now() + days(365 * 70)));
  for (int day = 0; day < 2; ++day) {
    world.clock.Advance(days(2));
    for (std::int64_t id = 1 + day * 500; id <= 100 + day * 500; ++id) {
      Again();  // what an earlier drain has let go counts
      world.clock.Advance(std::chrono::seconds(1));
      ASSERT_TRUE(intake->Gone({MediaType::kMovie, id}, Now()));
      ASSERT_TRUE(intake->Commit([](const IntakeReport&) -> Result<void> { return {}; }));
    }
    EXPECT_GE(Held(MediaType::kMovie), 50u * std::size_t(day + 1)) << "a twentieth goes";
  }
}

TEST_F(StoreIntakeTest, TheGuardCountsADayThatSlides) {
  FetchMovies(100);
  Commit();
  world.clock.Advance(days(1));
  Again();
  const auto lose = [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t id = from; id <= to; ++id) ASSERT_TRUE(intake->Gone({MediaType::kMovie, id}, Now()));
  };
  lose(1, 15);
  Commit();
  world.clock.Advance(hours(12));
  lose(16, 20);
  EXPECT_FALSE(Commit().held.contains(MediaType::kMovie));
  // The same drain, a day after the first: those no longer count.
  world.clock.Advance(hours(13));
  lose(21, 35);
  EXPECT_FALSE(Commit().held.contains(MediaType::kMovie));
  lose(36, 37);
  EXPECT_EQ(Commit().held.at(MediaType::kMovie), 2);
}

TEST_F(StoreIntakeTest, ADayIsCountedAcrossDrains) {
  FetchMovies(100);
  Commit();
  for (int drain = 0; drain < 3; ++drain) {
    Again();
    for (std::int64_t id = 1; id <= 15; ++id)
      ASSERT_TRUE(intake->Gone({MediaType::kMovie, drain * 15 + id}, Now()));
    Commit();
  }
  EXPECT_EQ(Held(MediaType::kMovie), 45u - 20u);
}

TEST_F(StoreIntakeTest, Says404OfEverythingIsNotTmdbsOnlyWhileNothingIsKnown) {
  for (std::int64_t id = 1; id <= 50; ++id) ASSERT_TRUE(intake->Gone({MediaType::kMovie, id}, Now()));
  const auto refused = intake->Gone({MediaType::kMovie, 51}, Now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE(intake->Fetched({MediaType::kMovie, 60}, {Movie(60, "x", 1, Now())}, {}, Now()));
  EXPECT_TRUE(intake->Gone({MediaType::kMovie, 51}, Now())) << "it does answer other things";
  Commit();
  Again();
  for (std::int64_t id = 100; id <= 200; ++id) ASSERT_TRUE(intake->Gone({MediaType::kMovie, id}, Now()));
}

TEST_F(StoreIntakeTest, KeepsItsReportWhenACommitFails) {
  FetchMovies(3);
  ASSERT_FALSE(intake->Commit([](const IntakeReport&) -> Result<void> {
    return Fail(ErrorCode::kNoSpace, "acknowledge: no space left");
  }));
  EXPECT_EQ(Commit().changes.at({MediaType::kMovie, Change::kInsert}), 3);
  EXPECT_TRUE(Commit().changes.empty());
}

// --- answers that come late or twice ---

struct LateAnswers : StoreIntakeTest {
  LateAnswers() {
    Again(false, true);
    world.clock.Advance(hours(100));
  }
  // Hours before now.
  Time Ago(int hours_ago) { return Now() - hours(hours_ago); }
  void Take(std::int64_t id, std::string_view title, Time at) {
    ASSERT_TRUE(intake->Fetched({MediaType::kMovie, id}, {Movie(id, title, 1, at)}, {}, at));
  }
  std::string TitleOf(std::int64_t id) {
    const std::string view = world.View({MediaType::kMovie, id});
    const auto at = view.find("\"title\":\"");
    return at == std::string::npos ? view : view.substr(at + 9, view.find('"', at + 9) - at - 9);
  }
  std::int64_t LinesWritten() {
    std::int64_t lines = 0;
    auto query = world.catalog.Prepare("SELECT ifnull(sum(records), 0) FROM store_segments").value();
    if (query.Step().value()) lines = query.Int(0);
    return lines;
  }
};

TEST_F(LateAnswers, AnOlderOneChangesNothing) {
  Take(550, "second", Ago(2));
  Commit();
  const auto lines = LinesWritten();
  Take(550, "first", Ago(3));
  Take(550, "second", Ago(2));
  ASSERT_TRUE(intake->Gone({MediaType::kMovie, 550}, Ago(3)));
  EXPECT_EQ(Commit().stale, 3);
  EXPECT_EQ(TitleOf(550), "second");
  EXPECT_EQ(world.Steps({MediaType::kMovie, 550}), "1 insert");
  EXPECT_EQ(LinesWritten(), lines) << "not even a verified line";
  Take(550, "third", Ago(1));
  EXPECT_EQ(Commit().stale, 0);
  EXPECT_EQ(TitleOf(550), "third");
}

TEST_F(LateAnswers, AnOlderOneIsKnownWithinABatchToo) {
  Take(550, "second", Ago(2));
  Take(550, "first", Ago(3));
  EXPECT_EQ(Commit().stale, 1);
  EXPECT_EQ(TitleOf(550), "second");
}

// Verified at noon, unchanged; what was fetched in the morning comes in the evening.
TEST_F(LateAnswers, OlderThanTheLastVerificationIsTooOld) {
  Take(550, "title", Ago(9));
  Commit();
  Take(550, "title", Ago(2));
  Commit();
  Take(550, "another", Ago(5));
  EXPECT_EQ(Commit().stale, 1);
  EXPECT_EQ(TitleOf(550), "title");
}

TEST_F(LateAnswers, ADocumentDoesNotUndoALaterDeletion) {
  Take(550, "title", Ago(9));
  ASSERT_TRUE(intake->Gone({MediaType::kMovie, 550}, Ago(5)));
  Commit();
  Take(550, "title", Ago(7));
  EXPECT_EQ(Commit().stale, 1);
  EXPECT_EQ(TitleOf(550), "404");
  Take(550, "title", Ago(4));
  Commit();
  EXPECT_EQ(TitleOf(550), "title") << "back";
}

TEST_F(LateAnswers, A404IsCountedOnce) {
  Take(1, "so that something is known", Ago(9));
  ASSERT_TRUE(intake->Gone({MediaType::kMovie, 7}, Ago(5)));
  Commit();
  for (int again = 0; again < 3; ++again) ASSERT_TRUE(intake->Gone({MediaType::kMovie, 7}, Ago(5)));
  EXPECT_EQ(Commit().stale, 3);
  EXPECT_EQ(world.store->ledger.StateOf({MediaType::kMovie, 7}).value().gone_answers, 1);
  ASSERT_TRUE(intake->Gone({MediaType::kMovie, 7}, Ago(4)));
  Commit();
  EXPECT_EQ(world.store->ledger.StateOf({MediaType::kMovie, 7}).value().gone_answers, 2);
  // A tombstone's too.
  ASSERT_TRUE(intake->Gone({MediaType::kMovie, 1}, Ago(3)));
  ASSERT_TRUE(intake->Gone({MediaType::kMovie, 1}, Ago(3)));
  EXPECT_EQ(Commit().stale, 1);
  EXPECT_EQ(world.store->ledger.StateOf({MediaType::kMovie, 1}).value().gone_answers, 1);
}

TEST_F(LateAnswers, AHeldDeletionIsNotHeldTwice) {
  for (std::int64_t id = 1; id <= 30; ++id) Take(id, "x", Ago(90));
  Commit();
  for (std::int64_t id = 1; id <= 30; ++id) ASSERT_TRUE(intake->Gone({MediaType::kMovie, id}, Ago(5)));
  const auto held = Commit().held.at(MediaType::kMovie);
  ASSERT_GT(held, 0);
  for (std::int64_t id = 1; id <= 30; ++id) ASSERT_TRUE(intake->Gone({MediaType::kMovie, id}, Ago(5)));
  const IntakeReport report = Commit();
  EXPECT_EQ(report.stale, 30);
  EXPECT_TRUE(report.held.empty());
}

TEST_F(LateAnswers, AnOldListOfSeasonsTakesNoneAway) {
  const auto fetch = [&](Time at, const std::vector<std::int64_t>& listed, const std::vector<std::int64_t>& came) {
    std::vector<Document> documents;
    documents.push_back(Show(1399, "A show", at));
    for (const std::int64_t number : came) documents.push_back(Season(SeasonId(1399, number), 1399, number, 2, at));
    ASSERT_TRUE(intake->Fetched({MediaType::kTv, 1399}, std::move(documents), List(1399, listed), at));
    Commit();
  };
  fetch(Ago(5), {1, 2, 3}, {1, 2, 3});
  fetch(Ago(8), {1, 2}, {1, 2});
  EXPECT_EQ(Seasons(1399), 3u) << "the third season began since";
  fetch(Ago(4), {1, 2}, {1, 2});
  EXPECT_EQ(Seasons(1399), 2u);
  fetch(Ago(5), {1, 2, 3}, {1, 2, 3});
  EXPECT_EQ(Seasons(1399), 2u) << "the same once more, after it went";
}

// Types are sealed one after the other: the process that stored the show died before the tombstone of its season.
TEST_F(LateAnswers, TheSameListOnceMoreTakesAwayWhatWasNotStoredTheFirstTime) {
  const auto fetch = [&](Time at, const std::vector<std::int64_t>& numbers) {
    std::vector<Document> documents;
    documents.push_back(Show(1399, "A show", at));
    for (const std::int64_t number : numbers) documents.push_back(Season(SeasonId(1399, number), 1399, number, 2, at));
    ASSERT_TRUE(intake->Fetched({MediaType::kTv, 1399}, std::move(documents), List(1399, numbers), at));
    Commit();
  };
  fetch(Ago(8), {1, 2, 3});
  ASSERT_TRUE(world.store->writer->Put(Show(1399, "A show", Ago(5))));
  Commit();
  fetch(Ago(5), {1, 2});
  EXPECT_EQ(Seasons(1399), 2u);
}

TEST_F(LateAnswers, TheSame404OnceMoreTakesAwayTheSeasonsThatWereNotTakenTheFirstTime) {
  std::vector<Document> documents;
  documents.push_back(Show(1399, "A show", Ago(9)));
  documents.push_back(Season(SeasonId(1399, 1), 1399, 1, 2, Ago(9)));
  ASSERT_TRUE(intake->Fetched({MediaType::kTv, 1399}, std::move(documents), List(1399, {1}), Ago(9)));
  ASSERT_TRUE(intake->Gone({MediaType::kTv, 1399}, Ago(5)));
  Commit();
  ASSERT_TRUE(world.store->writer->Put(Season(SeasonId(1399, 1), 1399, 1, 2, Ago(8))));
  Commit();
  EXPECT_EQ(Seasons(1399), 1u);
  ASSERT_TRUE(intake->Gone({MediaType::kTv, 1399}, Ago(5)));
  EXPECT_EQ(Commit().stale, 1);
  EXPECT_EQ(Seasons(1399), 0u);
}

TEST_F(LateAnswers, WhatAClockThatRanAheadHasDatedKeepsNothingOut) {
  Take(550, "of tomorrow", Now() + hours(24));
  Commit();
  Take(550, "of now", Ago(1));
  EXPECT_EQ(Commit().stale, 0);
  EXPECT_EQ(TitleOf(550), "of now");
}

TEST_F(LateAnswers, CountOnAMachineThatFetchesItself) {
  Again();
  Take(550, "first", Ago(2));
  Commit();
  Take(550, "second", Ago(3));  // its clock was set back
  EXPECT_EQ(Commit().stale, 0);
  EXPECT_EQ(TitleOf(550), "second");
}

}  // namespace
}  // namespace tmdbc
