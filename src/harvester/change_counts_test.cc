// SPDX-License-Identifier: MIT
#include "harvester/change_counts.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

namespace tmdbc {
namespace {

using Counts = std::vector<std::pair<std::int64_t, std::int64_t>>;

class ChangeCounts : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Database::Open(":memory:", Database::Mode::kReadWrite);
    ASSERT_TRUE(opened) << opened.error().message;
    catalog_.emplace(*std::move(opened));
    ASSERT_TRUE(CreateChangeCounts(*catalog_));
  }
  void Count(MediaType type, const std::vector<std::int64_t>& ids) {
    const auto counted = CountChanges(*catalog_, type, ids);
    ASSERT_TRUE(counted) << counted.error().message;
  }
  Counts All(MediaType type) {
    Counts counts;
    const auto visited = VisitChangeCounts(
        *catalog_, type, [&](std::int64_t id, std::int64_t days) { counts.emplace_back(id, days); });
    EXPECT_TRUE(visited) << visited.error().message;
    return counts;
  }
  std::optional<Database> catalog_;
};

TEST_F(ChangeCounts, CountTheDaysOfEachIdByType) {
  Count(MediaType::kMovie, {603, 550});
  Count(MediaType::kMovie, {550, 11});
  Count(MediaType::kTv, {550});
  EXPECT_EQ(All(MediaType::kMovie), (Counts{{11, 1}, {550, 2}, {603, 1}}));
  EXPECT_EQ(All(MediaType::kTv), (Counts{{550, 1}}));
  EXPECT_EQ(All(MediaType::kPerson), Counts());
  EXPECT_EQ(ChangeCountOf(*catalog_, {MediaType::kMovie, 550}).value(), 2);
  EXPECT_EQ(ChangeCountOf(*catalog_, {MediaType::kMovie, 12}).value(), 0);
}

TEST_F(ChangeCounts, BelongToTheTransactionThatMovesTheWatermark) {
  const auto failed = catalog_->Transact([&]() -> Result<void> {
    TRY(CountChanges(*catalog_, MediaType::kMovie, std::vector<std::int64_t>{550}));
    return Fail(ErrorCode::kNoSpace, "the watermark could not be written");
  });
  EXPECT_FALSE(failed);
  EXPECT_EQ(ChangeCountOf(*catalog_, {MediaType::kMovie, 550}).value(), 0);
}

TEST_F(ChangeCounts, SurviveASecondStart) {
  Count(MediaType::kMovie, {550});
  ASSERT_TRUE(CreateChangeCounts(*catalog_));
  EXPECT_EQ(ChangeCountOf(*catalog_, {MediaType::kMovie, 550}).value(), 1);
}

}  // namespace
}  // namespace tmdbc
