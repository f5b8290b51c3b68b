// SPDX-License-Identifier: MIT
#include "harvester/freshness.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "harvester/freshness_world_test.h"
#include "storage/care.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

MediaId MovieId(std::int64_t id) {
  return {MediaType::kMovie, id};
}

RecordFacts Watched(double popularity, std::int64_t changes, Duration observed) {
  return {.popularity = popularity, .changes = changes, .observed = observed};
}
RecordFacts Unverified(Duration age, double popularity = 1) {
  return {.popularity = popularity, .observed = days(400), .unverified = age};
}

// --- rates ---

TEST(EstimateRate, BelievesARecordAsFarAsItWasWatched) {
  const TypeRates rates{.base = 0.01, .exponent = 0, .shape = 1};
  EXPECT_NEAR(EstimateRate(Watched(1, 0, {}), rates), 0.01, 1e-9) << "never watched: as is usual";
  EXPECT_NEAR(EstimateRate(Watched(1, 0, days(10)), rates), 0.01, 0.002);
  EXPECT_LT(EstimateRate(Watched(1, 0, days(1000)), rates), 0.001);
  EXPECT_NEAR(EstimateRate(Watched(1, 500, days(1000)), rates), 0.5, 0.05);
}

TEST(EstimateRate, TakesMorePopularRecordsForLivelier) {
  const TypeRates rates = UsualRates(MediaType::kMovie);
  EXPECT_GT(EstimateRate(Watched(100, 0, {}), rates), EstimateRate(Watched(1, 0, {}), rates));
}

TEST(EstimateRate, IsPositiveWhateverTheClockDid) {
  const TypeRates rates = UsualRates(MediaType::kPerson);
  for (const Duration observed : {Duration::min() / 2, Duration(-1), Duration(0), Duration::max() / 2}) {
    const double rate = EstimateRate(Watched(0, -3, observed), rates);
    EXPECT_TRUE(rate > 0 && std::isfinite(rate)) << rate;
  }
}

TEST(RateLearner, WithoutRecordsKnowsWhatIsUsual) {
  const TypeRates usual = UsualRates(MediaType::kTv), learned = RateLearner(MediaType::kTv).Fit();
  EXPECT_EQ(learned.base, usual.base);
  EXPECT_EQ(learned.exponent, usual.exponent);
  EXPECT_EQ(learned.records, 0);
}

// As after the loss of the catalog, until the next export: else a whole mirror would be due after ten days.
TEST(RateLearner, TakesNobodyForPopularWhereNoPopularityIsKnown) {
  RateLearner learner(MediaType::kMovie);
  for (int i = 0; i < 100; ++i) learner.Add({.popularity = 0, .observed = days(12), .unverified = days(12)});
  EXPECT_EQ(RefreshInterval({.popularity = 0}, learner.Fit(), {}), days(30));
}

TEST(RateLearner, IsNotSwayedByAFewRecordsOfADay) {
  RateLearner learner(MediaType::kMovie);
  for (int i = 0; i < 20; ++i) learner.Add(Watched(1 + i, i == 0 ? 1 : 0, days(1)));
  const TypeRates usual = UsualRates(MediaType::kMovie), learned = learner.Fit();
  EXPECT_NEAR(learned.base, usual.base, 0.3 * usual.base);
  EXPECT_NEAR(learned.exponent, usual.exponent, 0.2);
}

TEST(RateLearner, FindsHowRatesGrowWithPopularityAndHowAlikeRecordsAre) {
  for (const double shape : {0.5, 3.0}) {
    std::mt19937_64 random(7);
    std::gamma_distribution<double> likeness(shape, 1 / shape);
    std::normal_distribution<double> normal;
    RateLearner learner(MediaType::kMovie);
    for (int i = 0; i < 50'000; ++i) {
      const double popularity = std::exp(1.3 * normal(random));
      const double rate = 0.02 * std::pow(popularity, 0.7) * likeness(random);
      learner.Add(Watched(popularity, std::poisson_distribution<int>(rate * 400)(random), days(400)));
    }
    const TypeRates rates = learner.Fit();
    EXPECT_NEAR(rates.base, 0.02, 0.003);
    EXPECT_NEAR(rates.exponent, 0.7, 0.05);
    EXPECT_NEAR(rates.shape, shape, 0.3 * shape);
    EXPECT_EQ(rates.records, 50'000);
    EXPECT_NEAR(rates.top_popularity, std::exp(1.3 * 3.09), 25) << "one in a thousand";
  }
}

// --- the order of the queue ---

TEST(FetchPriority, PutsFirstWhatIsLookedAtMoreAndStaysTrueLonger) {
  const TypeRates rates = UsualRates(MediaType::kMovie);
  const float calm = FetchPriority(Watched(10, 1, days(1000)), rates);
  const float restless = FetchPriority(Watched(10, 900, days(1000)), rates);
  const float unpopular = FetchPriority(Watched(0.1, 1, days(1000)), rates);
  EXPECT_GT(calm, restless);
  EXPECT_GT(calm, unpopular);
  EXPECT_GT(FetchPriority(Watched(900, 900, days(1000)), rates), restless);
}

TEST(FetchPriority, OfNewIdsPutsTheMorePopularFirst) {
  for (const MediaType type : {MediaType::kMovie, MediaType::kTv, MediaType::kPerson, MediaType::kCompany}) {
    float before = 0;
    for (const double popularity : {0.0, 0.001, 0.6, 0.61, 5.0, 80.0, 4000.0}) {
      const float priority = FetchPriority({.popularity = popularity}, UsualRates(type));
      EXPECT_GT(priority, before) << Name(type) << " " << popularity;
      before = priority;
    }
  }
}

TEST(FetchPriority, PutsWhatIsOnlySuspectBehindWhatHasChanged) {
  const TypeRates rates = UsualRates(MediaType::kMovie);
  RecordFacts facts = Watched(10, 5, days(300));
  const float known = FetchPriority(facts, rates);
  facts.suspect = true;
  EXPECT_LT(FetchPriority(facts, rates), known / 5);
  EXPECT_GE(FetchPriority(facts, rates), 1);
}

TEST(FetchPriority, IsFiniteForWhateverAFileMaySay) {
  const TypeRates rates = UsualRates(MediaType::kMovie);
  for (const double popularity : {kNan, kInfinity, -kInfinity, -5.0, 0.0, 1e300}) {
    for (const Duration observed : {Duration(-1), Duration(0), Duration::max() / 2}) {
      const float priority = FetchPriority(Watched(popularity, 0, observed), rates);
      EXPECT_TRUE(std::isfinite(priority) && priority >= 1 && priority <= 1.1e10F) << popularity;
    }
  }
}

// --- verifying again ---

TEST(RefreshInterval, IsAWeekForTheMostPopularAndAMonthForMost) {
  TypeRates rates = UsualRates(MediaType::kMovie);
  rates.top_popularity = 100;
  const struct {
    double popularity;
    Duration least, most;
  } cases[] = {
      {4000, days(7), days(7)},   {100, days(7), days(7)}, {25, days(13), days(15)},
      {6.25, days(27), days(29)}, {5, days(30), days(30)}, {0, days(30), days(30)},
      {kNan, days(30), days(30)},
  };
  for (const auto& c : cases) {
    const Duration interval = RefreshInterval({.popularity = c.popularity}, rates, {});
    EXPECT_GE(interval, c.least) << c.popularity;
    EXPECT_LE(interval, c.most) << c.popularity;
  }
}

TEST(RefreshInterval, FollowsTheRateOfWhatHasNoFeed) {
  const TypeRates rates = UsualRates(MediaType::kCollection);
  RecordFacts facts = Watched(0, 10, days(1000));
  EXPECT_EQ(RefreshInterval(facts, rates, {}), days(30)) << "a feed tells";
  facts.has_feed = false;
  const Duration interval = RefreshInterval(facts, rates, {});
  EXPECT_GT(interval, days(11));
  EXPECT_LT(interval, days(13));
  facts.changes = 1000;
  EXPECT_EQ(RefreshInterval(facts, rates, {}), days(7)) << "not more often than the most popular";
}

TEST(RefreshPlanner, ChoosesTheMostOverdueInProportionWithinTheBudget) {
  TypeRates rates = UsualRates(MediaType::kMovie);
  rates.top_popularity = 100;
  RefreshPlanner planner(3, 4, {});
  planner.Consider(MovieId(1), Unverified(days(33)), rates);              // 1.1 intervals
  planner.Consider(MovieId(2), Unverified(days(60)), rates);              // 2
  planner.Consider(MovieId(3), Unverified(days(21), 100), rates);         // 3
  planner.Consider(MovieId(4), Unverified(days(45)), rates);              // 1.5
  planner.Consider(MovieId(5), Unverified(hours(23), 1'000'000), rates);  // younger than a day
  EXPECT_EQ(planner.due(), 4);
  const auto plan = planner.Take();
  ASSERT_EQ(plan.size(), 3U);
  EXPECT_EQ(plan[0].id, MovieId(3));
  EXPECT_EQ(plan[1].id, MovieId(2));
  EXPECT_EQ(plan[2].id, MovieId(4));
  for (const QueueItem& item : plan) {
    EXPECT_GT(item.popularity, 0);
    EXPECT_LT(item.popularity, 1) << "behind everything known to have changed";
  }
}

TEST(RefreshPlanner, WithoutABudgetTakesOnlyWhatTheSixMonthsMakeDue) {
  RefreshPlanner planner(0, 3, {});
  const TypeRates rates = UsualRates(MediaType::kMovie);
  planner.Consider(MovieId(1), Unverified(days(169)), rates);
  planner.Consider(MovieId(2), Unverified(days(171)), rates);
  planner.Consider(MovieId(3), Unverified(days(179)), rates);
  EXPECT_EQ(planner.clause_due(), 2);
  EXPECT_EQ(planner.due(), 3);
  const auto plan = planner.Take();
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[0].id, MovieId(3)) << "the nearest to being purged first";
  EXPECT_EQ(plan[1].id, MovieId(2));
  EXPECT_EQ(plan[0].popularity, kClausePriority);
  EXPECT_TRUE(planner.Take().empty());
}

// A month ahead for a day: what was fetched then is not left alone until that month is over.
TEST(RefreshPlanner, TakesWhatAClockThatRanAheadHasDatedForDue) {
  RefreshPlanner planner(10, 1, {});
  planner.Consider({MediaType::kMovie, 1}, {.popularity = 1, .unverified = -hours(1)}, UsualRates(MediaType::kMovie));
  EXPECT_TRUE(planner.Take().empty());
  planner.Consider({MediaType::kMovie, 1}, {.popularity = 1, .unverified = -days(30)}, UsualRates(MediaType::kMovie));
  EXPECT_EQ(planner.due(), 1);
  EXPECT_EQ(planner.clause_due(), 0);
  ASSERT_EQ(planner.Take().size(), 1U);
}

TEST(RefreshPlanner, QueuesFromTheInstantAtWhichCareAsksForARecord) {
  const Time now = Time{} + days(20'000);
  for (const Duration age : {kFallsDue - Duration(1), kFallsDue, kFallsDue + Duration(1)}) {
    RefreshPlanner planner(0, 1, {});
    planner.Consider(MovieId(1), Unverified(age), UsualRates(MediaType::kMovie));
    const bool asks = CareFor(now - age, std::nullopt, now) == CareDecision::kAsk;
    EXPECT_EQ(planner.Take().size(), asks ? 1U : 0U) << (age - kFallsDue).count();
  }
}

TEST(RefreshPlanner, KeepsNoMoreThanItsBounds) {
  RefreshPlanner planner(5, 1000, {.most_clause = 10});
  const TypeRates rates = UsualRates(MediaType::kMovie);
  for (int i = 0; i < 1000; ++i) planner.Consider(MovieId(i + 1), Unverified(days(171) + hours(i)), rates);
  EXPECT_EQ(planner.clause_due(), 1000);
  const auto plan = planner.Take();
  ASSERT_EQ(plan.size(), 10U);
  EXPECT_EQ(plan[0].id, MovieId(1000)) << "the oldest";
  EXPECT_EQ(plan[9].id, MovieId(991));
}

TEST(RefreshPlanner, DoesNotDependOnTheOrderOfVisiting) {
  const TypeRates rates = UsualRates(MediaType::kMovie);
  std::vector<std::int64_t> ids(500);
  std::vector<QueueItem> plans[2];
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = std::int64_t(i) + 1;
  for (auto& plan : plans) {
    RefreshPlanner planner(60, 500, {});
    for (const std::int64_t id : ids) planner.Consider(MovieId(id), Unverified(days(1 + id % 45)), rates);
    plan = planner.Take();
    std::shuffle(ids.begin(), ids.end(), std::mt19937_64(3));
  }
  ASSERT_EQ(plans[0].size(), 60U);
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(plans[0][i].id, plans[1][i].id);
}

struct SweepYear {
  Duration oldest{};     // of all days after the first sixty
  std::size_t most = 0;  // requests in one day
  std::map<std::int64_t, int> verified;
};
// A mirror that was filled in a day, swept once a day for a year.
SweepYear Sweep(std::int64_t budget, const std::vector<double>& popularities) {
  RateLearner learner(MediaType::kMovie);
  for (const double popularity : popularities) learner.Add(Watched(popularity, 0, days(1)));
  const TypeRates rates = learner.Fit();
  std::vector<int> verified_on(popularities.size(), 0);
  SweepYear year;
  for (int today = 1; today <= 365; ++today) {
    RefreshPlanner planner(budget, rates.records, {});
    for (std::size_t i = 0; i < popularities.size(); ++i) {
      const Duration age = days(today - verified_on[i]);
      if (today > 60) year.oldest = std::max(year.oldest, age);
      planner.Consider(MovieId(std::int64_t(i)), Unverified(age, popularities[i]), rates);
    }
    const auto plan = planner.Take();
    year.most = std::max(year.most, plan.size());
    for (const QueueItem& item : plan) {
      verified_on[std::size_t(item.id.id)] = today;
      ++year.verified[item.id.id];
    }
  }
  return year;
}

TEST(RefreshPlanner, SweepsAMirrorThatWasFilledInADayEvenlyAndWithinThirtyDays) {
  std::vector<double> popularities(3000, 0.6);
  for (std::size_t i = 0; i < 3; ++i) popularities[i] = 500;
  const SweepYear year = Sweep(1'000'000, popularities);
  EXPECT_LE(year.oldest, days(31));
  EXPECT_LE(year.most, 130U) << "an even share is 100 a day";
  EXPECT_NEAR(year.verified.at(0), 56, 4) << "votes of the most popular: weekly, or a day earlier";
  EXPECT_NEAR(year.verified.at(2000), 12, 1);
}

TEST(RefreshPlanner, VerifiesNoMoreADayHoweverOftenAPlanIsMade) {
  constexpr int kRecords = 600, kDays = 40;
  const TypeRates rates = UsualRates(MediaType::kMovie);
  std::vector<Duration> verified_at(kRecords, Duration(0));
  std::size_t chosen = 0;
  for (Duration now = hours(0); now < days(kDays); now += hours(1)) {
    RefreshPlanner planner(1'000'000, kRecords, {});
    for (int i = 0; i < kRecords; ++i) planner.Consider(MovieId(i), Unverified(now - verified_at[i]), rates);
    for (const QueueItem& item : planner.Take()) {
      verified_at[std::size_t(item.id.id)] = now;
      ++chosen;
    }
  }
  EXPECT_NEAR(double(chosen), kRecords * kDays / 30.0, 40);
}

TEST(RefreshPlanner, WithASmallBudgetStretchesAllIntervalsAlike) {
  std::vector<double> popularities(3000, 0.6);
  for (std::size_t i = 0; i < 3; ++i) popularities[i] = 500;
  const SweepYear year = Sweep(50, popularities);
  EXPECT_EQ(year.most, 50U);
  EXPECT_LE(year.oldest, days(65));
  EXPECT_NEAR(year.verified.at(0), 31, 5) << "about half as often as they should";
}

TEST(RefreshBudget, IsWhatTheRateLeaves) {
  EXPECT_EQ(RefreshBudget(3, days(1), 0), 233'280);
  EXPECT_EQ(RefreshBudget(3, days(1), 33'280), 200'000);
  EXPECT_EQ(RefreshBudget(3, days(1), 5'000'000), 0);
  EXPECT_EQ(RefreshBudget(3, Duration(-1), 0), 0);
}

// --- what it comes to ---

// A small copy of what bench/freshness_bench.cc shows at length: a mirror that has watched for three years.
TEST(FreshnessPolicy, WithLearnedRatesComesWithinTwoPercentOfTheOptimum) {
  for (const double load : {0.25, 1.0, 2.0}) {
    const FreshnessWorld world({.records = 3000, .load = load, .warm_up = 1095, .days = 365});
    const double optimum = world.Optimum();
    const auto ours = world.Run(FreshnessWorld::Policy::kLearnedRates);
    EXPECT_GE(ours.freshness, 0.98 * optimum) << "at load " << load;
    EXPECT_LE(ours.freshness, 1.01 * optimum) << "nothing beats the optimum: the simulation is wrong";
  }
}

TEST(FreshnessPolicy, IsWorthItWhenRequestsAreScarce) {
  const FreshnessWorld world(
      {.records = 3000, .load = 2, .feed = FreshnessWorld::Feed::kDaily, .warm_up = 1095, .days = 365});
  const double ours = world.Run(FreshnessWorld::Policy::kLearnedRates).freshness;
  EXPECT_GT(ours, 1.2 * world.Run(FreshnessWorld::Policy::kFifo).freshness);
  EXPECT_GT(ours, 1.5 * world.Run(FreshnessWorld::Policy::kUniform).freshness);
  EXPECT_GT(ours, 1.5 * world.Run(FreshnessWorld::Policy::kNutch).freshness);
  EXPECT_GT(ours, world.Run(FreshnessWorld::Policy::kFetchedRates).freshness) << "the feed teaches more";
}

}  // namespace
}  // namespace tmdbc
