// SPDX-License-Identifier: MIT
// What the store says of ids without reading their data: standing, ledger, held deletions; and the past.
#include <gtest/gtest.h>

#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::Movie;
using testing::Season;
using testing::Show;
using testing::StoreWorld;

constexpr MediaId kMovie{MediaType::kMovie, 550};

const char* Name(Standing standing) {
  switch (standing) {
    case Standing::kUnknown:
      return "unknown";
    case Standing::kLive:
      return "live";
    case Standing::kTombstone:
      return "tombstone";
    case Standing::kMissing:
      return "missing";
  }
  return "?";
}

std::string Text(const IdState& state) {
  return fmt::format("{} {} {} {}", state.id, Name(state.standing), state.gone_answers,
                     state.standing == Standing::kUnknown ? "-" : FormatTime(state.verified_at).substr(5, 8));
}

// Runs the same story with a commit after each step and with one at the end.
class IdStates : public ::testing::TestWithParam<bool> {
 protected:
  void Tick() {
    if (GetParam()) world.Commit();
    world.clock.Advance(days(1));
  }
  Time Now() { return world.clock.Now(); }
  Change Gone(MediaId id) { return world.store->writer->PutGone(id, Now()).value(); }
  std::string State(MediaId id) { return Text(world.store->ledger.StateOf(id).value()); }
  std::vector<std::string> States(MediaType type) {
    std::vector<std::string> states;
    EXPECT_TRUE(world.store->ledger.VisitStates(type, [&](const IdState& state) {
      states.push_back(Text(state));
      // The walk and the single look agree.
      EXPECT_EQ(states.back(), State({type, state.id}));
    }));
    return states;
  }
  std::vector<std::int64_t> Held() { return world.store->ledger.HeldDeletions(MediaType::kMovie).value(); }
  TypeCounts Counts() { return world.store->ledger.Counts().value()[0].second; }

  StoreWorld world;
};

TEST_P(IdStates, CountAnswersOf404InARowAndForgetThemWhenTheIdIsThere) {
  world.Put(Movie(550, "a", 1, Now()));
  world.Put(Movie(3, "b", 1, Now()));
  Gone({MediaType::kMovie, 20});
  Tick();  // the 23rd
  EXPECT_EQ(Gone(kMovie), Change::kDelete);
  Gone({MediaType::kMovie, 20});
  Tick();
  EXPECT_EQ(Gone(kMovie), Change::kUnchanged);
  Gone({MediaType::kMovie, 7});
  Tick();
  Gone(kMovie);
  world.Commit();
  EXPECT_EQ(States(MediaType::kMovie),
            (std::vector<std::string>{"3 live 0 11-22T00", "7 missing 1 11-24T00", "20 missing 2 11-23T00",
                                      "550 tombstone 3 11-25T00"}));
  EXPECT_EQ(State({MediaType::kMovie, 4}), "4 unknown 0 -");
  EXPECT_EQ(State({MediaType::kTv, 550}), "550 unknown 0 -");
  EXPECT_EQ(Counts().live, 1);
  EXPECT_EQ(Counts().tombstones, 1);
  EXPECT_EQ(Counts().missing, 2);

  Tick();
  EXPECT_EQ(world.Put(Movie(550, "a", 1, Now())), Change::kRestore);
  EXPECT_EQ(world.Put(Movie(20, "c", 1, Now())), Change::kInsert);
  Tick();
  EXPECT_EQ(Gone(kMovie), Change::kDelete);
  Tick();
  Gone(kMovie);
  world.Commit();
  EXPECT_EQ(State(kMovie), "550 tombstone 2 11-28T00");  // counted from 1 again
  EXPECT_EQ(State({MediaType::kMovie, 20}), "20 live 0 11-26T00");
  EXPECT_EQ(Counts().missing, 1);
}

TEST_P(IdStates, SurviveARebuildOfTheIndex) {
  world.Put(Movie(550, "a", 1, Now()));
  world.Put(Movie(3, "b", 1, Now()));
  Gone({MediaType::kMovie, 20});
  Tick();
  Gone(kMovie);
  ASSERT_TRUE(world.store->writer->HoldDeletion({MediaType::kMovie, 3}, Now()));
  Tick();
  Gone(kMovie);
  world.Commit();
  const auto before = States(MediaType::kMovie);
  EXPECT_EQ(before[2], "550 tombstone 2 11-24T00");
  ASSERT_TRUE(world.store->Rebuild());
  EXPECT_EQ(States(MediaType::kMovie), before);
  EXPECT_EQ(Held(), std::vector<std::int64_t>{3});
}

TEST_P(IdStates, HoldADeletionUntilTmdbAnswersAgain) {
  for (const int id : {1, 2, 3, 4}) world.Put(Movie(id, "x", 1, Now()));
  Gone({MediaType::kMovie, 4});
  Tick();
  for (const int id : {1, 2, 3, 4, 5})
    ASSERT_TRUE(world.store->writer->HoldDeletion({MediaType::kMovie, id}, Now()));
  world.Commit();
  EXPECT_EQ(Held(), (std::vector<std::int64_t>{1, 2, 3}));  // what is not live cannot be held
  EXPECT_EQ(Counts().held, 3);
  EXPECT_EQ(Counts().live, 3);
  EXPECT_EQ(State({MediaType::kMovie, 1}), "1 live 0 11-23T00");  // TMDB did answer for it
  EXPECT_EQ(Counts().oldest_verified, Now() - days(1));           // but did not agree with it
  Tick();
  EXPECT_EQ(world.Put(Movie(1, "x", 1, Now())), Change::kUnchanged);
  EXPECT_EQ(Gone({MediaType::kMovie, 2}), Change::kDelete);
  world.Commit();
  EXPECT_EQ(Held(), std::vector<std::int64_t>{3});
  world.Reopen();
  EXPECT_EQ(Held(), std::vector<std::int64_t>{3});
  EXPECT_EQ(world.View({MediaType::kMovie, 3}), Movie(3, "x", 1, {}).data);
}

TEST_P(IdStates, TellTheFreshnessPolicyHowOftenARecordChanged) {
  const auto live = [&] {
    std::string text;
    EXPECT_TRUE(world.store->ledger.VisitLive(MediaType::kMovie, [&](const LiveRecord& record) {
      text += fmt::format("{} first {} verified {} changes {}\n", record.id,
                          FormatTime(record.first_at).substr(5, 5),
                          FormatTime(record.verified_at).substr(5, 5), record.changes);
    }));
    return text;
  };
  world.Put(Movie(2, "gone soon", 1, Now()));
  world.Put(Movie(550, "a", 1, Now()));
  Tick();
  world.Put(Movie(550, "a", 2, Now()));  // statistics
  world.Put(Movie(1, "later", 1, Now()));
  Gone({MediaType::kMovie, 2});
  Tick();
  world.Put(Movie(550, "b", 2, Now()));
  Tick();
  Gone(kMovie);
  Tick();
  world.Put(Movie(550, "b", 2, Now()));  // back
  Tick();
  world.Put(Movie(550, "b", 2, Now()));  // unchanged
  world.Commit();
  const std::string expected =
      "1 first 11-23 verified 11-23 changes 0\n550 first 11-22 verified 11-27 changes 2\n";
  EXPECT_EQ(live(), expected);
  ASSERT_TRUE(world.store->Rebuild());
  EXPECT_EQ(live(), expected);
}

TEST_P(IdStates, ShowTheVersionThatWasInForce) {
  const Time start = Now();
  world.Put(Movie(550, "one", 1, Now()));
  Tick();
  world.Put(Movie(550, "one", 2, Now()));
  Tick();
  world.Put(Movie(550, "two", 2, Now()));
  Tick();
  Gone(kMovie);
  Tick();
  world.Put(Movie(550, "three", 2, Now()));
  Tick();
  world.Put(Movie(550, "three", 5, Now()));
  world.Commit();
  const auto as_of = [&](Time at) {
    const auto found = world.store->reader.FindAsOf(kMovie, at);
    if (!found) return found.error().message;
    return fmt::format("{} {} {}", found->version, tmdbc::Name(found->change), found->data);
  };
  const auto data = [](std::string_view title, double popularity) {
    return Movie(550, title, popularity, {}).data;
  };
  EXPECT_EQ(as_of(start - hours(1)),
            "movie:550 was not stored yet at 2026-11-21T23:00:00.000Z: its first version here is of "
            "2026-11-22T00:00:00.000Z");
  EXPECT_EQ(as_of(start), "1 insert " + data("one", 1));
  EXPECT_EQ(as_of(start + hours(36)), "1 insert " + data("one", 1));  // statistics are no version
  EXPECT_EQ(as_of(start + days(2)), "2 update " + data("two", 2));
  EXPECT_EQ(as_of(start + days(3) + hours(1)), "3 delete ");
  EXPECT_EQ(as_of(start + days(4)), "4 restore " + data("three", 2));
  EXPECT_EQ(as_of(start + days(5)), "4 stats " + data("three", 5));  // now
  EXPECT_EQ(as_of(start + days(500)), "4 stats " + data("three", 5));
  EXPECT_EQ(world.store->reader.FindAsOf({MediaType::kMovie, 9}, start).error().code, ErrorCode::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(CommitEachStep, IdStates, ::testing::Values(true));
INSTANTIATE_TEST_SUITE_P(CommitAtTheEnd, IdStates, ::testing::Values(false));

TEST(RecordLedger, EndsAVisitBeforeTheNextIdWhenAStopIsRequested) {
  StoreWorld world;
  for (const int id : {1, 2, 3, 550}) world.Put(Movie(id, "x", 1, world.clock.Now()));
  ASSERT_TRUE(world.store->writer->PutGone({MediaType::kMovie, 7}, world.clock.Now()));
  world.Commit();
  RecordLedger& ledger = world.store->ledger;
  std::vector<std::int64_t> met;
  // Each visit meets two ids, and the second one asks for the stop.
  const auto until_two = [&](StopFlag& stop, std::int64_t id) {
    met.push_back(id);
    if (met.size() == 2) stop.Request();
  };
  using Visit = std::function<void(std::int64_t)>;
  const std::vector<std::function<Result<void>(const Visit&, const StopFlag&)>> visits = {
      [&](const Visit& visit, const StopFlag& stop) {
        return ledger.VisitStates(MediaType::kMovie, [&](const IdState& state) { visit(state.id); }, stop);
      },
      [&](const Visit& visit, const StopFlag& stop) { return ledger.VisitKnownIds(MediaType::kMovie, visit, stop); },
      [&](const Visit& visit, const StopFlag& stop) {
        return ledger.VisitLive(MediaType::kMovie, [&](const LiveRecord& record) { visit(record.id); }, stop);
      },
  };
  for (const auto& run : visits) {
    StopFlag stop;
    met.clear();
    ASSERT_TRUE(run([&](std::int64_t id) { until_two(stop, id); }, stop));
    EXPECT_EQ(met, (std::vector<std::int64_t>{1, 2}));
    met.clear();
    ASSERT_TRUE(run([&](std::int64_t id) { until_two(stop, id); }, stop));
    EXPECT_EQ(met, std::vector<std::int64_t>{});
    // The next one begins at the beginning, and a writer is not held up by the one before.
    world.Put(Movie(4, "x", 1, world.clock.Now()));
    world.Commit();
    ASSERT_TRUE(run([&](std::int64_t id) { met.push_back(id); }, StopFlag()));
    EXPECT_EQ(met.front(), 1);
    EXPECT_EQ(met.back(), 550);
    EXPECT_GE(met.size(), 5U);
  }
  EXPECT_EQ(ledger.CountLive(MediaType::kMovie).value(), 5);
  EXPECT_EQ(ledger.CountLive(MediaType::kTv).value(), 0);
}

TEST(IdStatesOfAReader, AreEmptyWhereNothingWasStored) {
  Database catalog = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  RecordLedger ledger(catalog);
  EXPECT_EQ(ledger.StateOf(kMovie).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ledger.VisitStates(MediaType::kMovie, [](const IdState&) {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ledger.HeldDeletions(MediaType::kMovie).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tmdbc
