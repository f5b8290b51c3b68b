// SPDX-License-Identifier: MIT
#include "harvester/fetch_rules.h"

#include <gtest/gtest.h>

#include "harvester/watermarks.h"

namespace tmdbc {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr auto kExportDay = std::chrono::sys_days(2026y / 11 / 20);
constexpr Time kNow = Time(kExportDay) + days(3);

IdState State(Standing standing, Time verified_at, std::int64_t gone_answers = 0) {
  return {.id = 1, .standing = standing, .verified_at = verified_at, .gone_answers = gone_answers};
}

TEST(FetchRules, TheDistanceDoublesUpTo32Days) {
  const std::int64_t expected[] = {1, 1, 2, 4, 8, 16, 32, 32, 32};
  for (std::int64_t answers = 0; answers < std::ssize(expected); ++answers)
    EXPECT_EQ(AskAgainAfter(answers), days(expected[answers]) - 2h) << answers;
  EXPECT_EQ(AskAgainAfter(1'000'000), days(32) - 2h);
}

TEST(FetchRules, AListedIdNeedsAFetchUnlessItWasSightedAndVerifiedEightHoursAfterTheEndOfThatDay) {
  const Time settled = SettledAt(kExportDay);
  EXPECT_EQ(settled, Time(kExportDay) + 32h);
  const struct {
    IdState state;
    AdultMark adult;
    bool needed;
  } cases[] = {
      {State(Standing::kUnknown, {}), AdultMark::kNo, true},
      {State(Standing::kUnknown, {}), AdultMark::kNull, true},
      {State(Standing::kLive, settled - 1us), AdultMark::kNo, true},
      {State(Standing::kLive, settled), AdultMark::kNo, false},
      {State(Standing::kLive, settled - 1us), AdultMark::kNull, true},
      {State(Standing::kLive, kNow + 29 * 24h), AdultMark::kNo, true},  // the clock was a month ahead
      {State(Standing::kTombstone, settled - 1us, 1), AdultMark::kNo, true},
      {State(Standing::kTombstone, settled, 1), AdultMark::kNo, false},
      {State(Standing::kTombstone, settled - 1us, 100), AdultMark::kNo, true},  // only the feed revives it
      {State(Standing::kTombstone, kNow - 50h, 2), AdultMark::kNull, true},
      {State(Standing::kTombstone, kNow - 45h, 2), AdultMark::kNull, false},
      {State(Standing::kMissing, kNow - 50h, 3), AdultMark::kNull, false},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i)
    EXPECT_EQ(FeedNeedsFetch(cases[i].state, cases[i].adult, 1, settled, kNow), cases[i].needed) << i;
  // Listed for the first time: news, whatever the clocks say.
  EXPECT_TRUE(FeedNeedsFetch(State(Standing::kLive, settled), AdultMark::kNo, 0, settled, kNow));
  EXPECT_TRUE(FeedNeedsFetch(State(Standing::kTombstone, settled, 1), AdultMark::kNo, 0, settled, kNow));
  EXPECT_FALSE(FeedNeedsFetch(State(Standing::kTombstone, kNow - 1h, 1), AdultMark::kNull, 0, settled, kNow));
}

TEST(FetchRules, ADayThatIsReadOftenFetchesAnIdOnceInTheTimeOfTheCaches) {
  const Time noon = Time(kExportDay) + 12h;
  const Time settled = SettledAt(kExportDay);
  const auto needed = [&](Duration ago, int sighted_in) {
    return FeedNeedsFetch(State(Standing::kLive, noon - ago), AdultMark::kNo, sighted_in, settled, noon);
  };
  EXPECT_TRUE(needed(1h, kReadingsBeforeOften - 1));
  EXPECT_FALSE(needed(1h, kReadingsBeforeOften));
  EXPECT_TRUE(needed(8h, kReadingsBeforeOften));
  EXPECT_TRUE(needed(-29 * 24h, kReadingsBeforeOften)) << "the clock was a month ahead";
  EXPECT_TRUE(needed(1h, 0)) << "listed for the first time";
  // The reading that closes the day fetches whatever was fetched before it was settled.
  EXPECT_TRUE(FeedNeedsFetch(State(Standing::kLive, settled - 1h), AdultMark::kNo, 20, settled, settled));
}

TEST(FetchRules, ADeadIdThatAnExportListsIsDueByItsLedgerUntilThatEnds) {
  const struct {
    IdState state;
    bool due;
  } cases[] = {
      {State(Standing::kUnknown, {}), false},
      {State(Standing::kLive, kNow - days(100)), false},
      {State(Standing::kMissing, kNow - 22h, 1), true},
      {State(Standing::kMissing, kNow - 21h, 1), false},
      {State(Standing::kTombstone, kNow - days(31), 6), false},
      {State(Standing::kTombstone, kNow - days(32), 7), true},
      {State(Standing::kTombstone, kNow - days(1000), 8), false},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i)
    EXPECT_EQ(ReturnIsDue(cases[i].state, false, kNow), cases[i].due) << i;
  // A new export may know that what was found dead once is back.
  EXPECT_TRUE(ReturnIsDue(State(Standing::kTombstone, kNow - 1h, 1), true, kNow));
  EXPECT_FALSE(ReturnIsDue(State(Standing::kTombstone, kNow - 1h, 2), true, kNow));
  EXPECT_FALSE(ReturnIsDue(State(Standing::kLive, kNow - 1h), true, kNow));
}

TEST(FetchRules, ALiveIdThatNoExportListsIsACandidateUnlessItAnsweredLately) {
  const Time accepted = Time(kExportDay) + 8h;
  const auto asked = [](std::int64_t attempts, Time at) {
    return std::optional(Orphan{.attempts = attempts, .last_checked = at});
  };
  const struct {
    IdState state;
    std::optional<Orphan> orphan;
    bool due;
  } cases[] = {
      {State(Standing::kLive, accepted - 1us), {}, true},
      {State(Standing::kLive, accepted), {}, false},
      {State(Standing::kTombstone, accepted - 1us, 1), {}, false},
      {State(Standing::kMissing, accepted - 1us, 1), {}, false},
      {State(Standing::kLive, accepted - 1h), asked(1, accepted - 2h), true},
      {State(Standing::kLive, accepted - 1h), asked(3, accepted - 2h), false},
      {State(Standing::kLive, accepted - days(2)), asked(3, accepted - days(2)), true},
      {State(Standing::kLive, accepted - 2h), asked(9, accepted - 1h), true},  // not answered yet
  };
  for (std::size_t i = 0; i < std::size(cases); ++i)
    EXPECT_EQ(CandidateIsDue(cases[i].state, accepted, cases[i].orphan, kNow), cases[i].due) << i;
}

TEST(FetchRules, OnlyAnAnswerMakesTheNextDistanceWider) {
  const IdState before = State(Standing::kLive, kNow - 2h);
  const Orphan first = AskedAgain(before, std::nullopt, kNow - 1h);
  EXPECT_EQ(first.attempts, 1);
  EXPECT_EQ(first.last_checked, kNow - 1h);
  EXPECT_EQ(AskedAgain(before, first, kNow).attempts, 1);
  EXPECT_EQ(AskedAgain(State(Standing::kLive, kNow - 30min), first, kNow).attempts, 2);
}

TEST(Watermarks, MovePastADayOnlyOnceItIsClosed) {
  const struct {
    std::chrono::sys_days day;
    Time began;
    std::chrono::sys_days watermark;
  } cases[] = {
      {kExportDay, Time(kExportDay) + days(10), kExportDay + days(1)}, {kExportDay, Time(kExportDay) + 32h, kExportDay + days(1)},
      {kExportDay, Time(kExportDay) + 32h - 1us, kExportDay},          {kExportDay, Time(kExportDay) + 9h, kExportDay},
      {kExportDay, Time(kExportDay) + 7h, kExportDay - days(1)},
  };
  for (const auto& c : cases) EXPECT_EQ(WatermarkAfter(c.day, c.began), c.watermark);
}

TEST(Watermarks, AreThereForAllWhoReadTheCatalog) {
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite);
  ASSERT_TRUE(catalog);
  EXPECT_TRUE(ReadWatermarks(*catalog).value().empty());
  ASSERT_TRUE(CreateWatermarks(*catalog));
  ASSERT_TRUE(CreateWatermarks(*catalog));
  ASSERT_TRUE(SetWatermark(*catalog, MediaType::kTv, kExportDay));
  ASSERT_TRUE(SetWatermark(*catalog, MediaType::kTv, kExportDay + days(1)));
  ASSERT_TRUE(SetWatermark(*catalog, MediaType::kMovie, kExportDay));
  EXPECT_EQ(ReadWatermarks(*catalog).value(),
            (Watermarks{{MediaType::kMovie, kExportDay}, {MediaType::kTv, kExportDay + days(1)}}));
}

TEST(ListIsDue, OnceAWeekAndAbsentOnesSeldom) {
  const Time now = Time(std::chrono::sys_days{std::chrono::year(2026) / 11 / 22}) + std::chrono::hours(9);
  const auto list = [&](Standing standing, Duration ago, std::int64_t gone = 0) {
    IdState state;
    state.standing = standing;
    state.verified_at = now - ago;
    state.gone_answers = gone;
    return ListIsDue(state, now);
  };
  EXPECT_TRUE(list(Standing::kUnknown, {}));
  EXPECT_FALSE(list(Standing::kLive, std::chrono::days(6)));
  EXPECT_TRUE(list(Standing::kLive, std::chrono::hours(7 * 24 - 2)));
  EXPECT_FALSE(list(Standing::kMissing, std::chrono::days(20), 6));
  EXPECT_TRUE(list(Standing::kMissing, std::chrono::days(32), 6));
}

// A month ahead for a day: nothing waits for that month to be over.
TEST(FetchRules, NothingWaitsForATimeToComeOfAClockThatWasWrong) {
  const Time now = Time(std::chrono::sys_days{std::chrono::year(2026) / 11 / 22}) + std::chrono::hours(9);
  const Time wrong = now + std::chrono::days(30), set_back = now + std::chrono::hours(12);
  const auto state = [](Standing standing, Time verified_at) {
    IdState id;
    id.standing = standing;
    id.verified_at = verified_at;
    id.gone_answers = 2;
    return id;
  };
  EXPECT_TRUE(ListIsDue(state(Standing::kLive, wrong), now));
  EXPECT_TRUE(ListIsDue(state(Standing::kMissing, wrong), now));
  EXPECT_TRUE(ReturnIsDue(state(Standing::kTombstone, wrong), false, now));
  EXPECT_TRUE(CandidateIsDue(state(Standing::kLive, wrong), now - std::chrono::hours(1), std::nullopt, now));
  EXPECT_FALSE(ListIsDue(state(Standing::kLive, set_back), now));
  EXPECT_FALSE(ReturnIsDue(state(Standing::kTombstone, set_back), false, now));
  EXPECT_FALSE(CandidateIsDue(state(Standing::kLive, set_back), now - std::chrono::hours(1), std::nullopt, now));
}

}  // namespace
}  // namespace tmdbc
