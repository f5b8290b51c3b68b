// SPDX-License-Identifier: MIT
// What a harvest queues although nothing says that it changed. Which of them first: freshness_test.cc.
#include "harvester/refresh.h"

#include "harvester/harvest_world_test.h"

namespace tmdbc {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

class RefreshTest : public HarvestWorld {
 protected:
  HarvestReport AutoWithBudget(double budget, std::vector<MediaType> types) {
    return Run({.types = std::move(types), .limit = {}, .refresh_budget = budget});
  }
  static std::int64_t Refreshed(const HarvestReport& report) {
    std::int64_t sum = 0;
    for (const TypeReport& type : report.types) sum += type.refreshed;
    return sum;
  }
};

TEST_F(RefreshTest, WhatWasNotVerifiedForAMonthIsVerifiedAgainAsFarAsTheBudgetGoes) {
  for (std::int64_t id = 1; id <= 50; ++id) Store({MediaType::kMovie, id});
  clock_.Advance(days(31));
  EXPECT_EQ(Refreshed(AutoWithBudget(0, {MediaType::kMovie})), 0);
  EXPECT_EQ(Refreshed(AutoWithBudget(20, {MediaType::kMovie})), 20);
  // What waits already has to be fetched first.
  EXPECT_EQ(Refreshed(AutoWithBudget(20, {MediaType::kMovie})), 0);
  EXPECT_EQ(Collect(), 20);
  EXPECT_EQ(Refreshed(AutoWithBudget(100, {MediaType::kMovie})), 30);
}

TEST_F(RefreshTest, WhatNearsSixMonthsIsVerifiedWhateverTheBudget) {
  for (std::int64_t id = 1; id <= 5; ++id) Store({MediaType::kPerson, id});
  clock_.Advance(days(171));
  EXPECT_EQ(Refreshed(AutoWithBudget(0, {MediaType::kPerson})), 5);
}

TEST_F(RefreshTest, TypesWithoutAFeedAreVerifiedByAgeAndKeywordsByTheirExport) {
  Store({MediaType::kCollection, 10});
  Store({MediaType::kConfiguration, 1});
  Store({MediaType::kKeyword, 378});
  clock_.Advance(days(31));
  const HarvestReport report = AutoWithBudget(
      100, {MediaType::kCollection, MediaType::kConfiguration, MediaType::kKeyword, MediaType::kNetwork});
  EXPECT_EQ(Refreshed(report), 1) << "a list is asked for once a week, whatever its age says";
  const auto items = queue_.Peek(MediaType::kCollection, 10).value();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_LT(items[0].popularity, 1);  // behind everything that is known to have changed
}

// Records grow old whatever is harvested, and those of a type that is harvested no longer do, too.
TEST_F(RefreshTest, EveryHarvestCaresForEveryTypeThatIsStored) {
  Store({MediaType::kMovie, 1});
  Store({MediaType::kPerson, 2});
  Store({MediaType::kCollection, 3});
  clock_.Advance(days(171));
  for (const HarvestMode mode : {HarvestMode::kExport, HarvestMode::kChanges}) {
    HarvestOptions options{.types = {MediaType::kMovie}, .limit = {}, .mode = mode};
    if (mode == HarvestMode::kChanges) options.since = kToday + days(171);
    EXPECT_EQ(Refreshed(Run(options)), 3);
    EXPECT_EQ(queue_.Purge({}, false), 3);
  }
}

TEST_F(RefreshTest, ADryRunOnlyCounts) {
  Store({MediaType::kMovie, 1});
  clock_.Advance(days(171));
  const HarvestReport report = Run({.types = {MediaType::kMovie}, .limit = {}, .dry_run = true});
  EXPECT_EQ(Refreshed(report), 1);
  EXPECT_EQ(Queued(), "");
}

}  // namespace
}  // namespace tmdbc
