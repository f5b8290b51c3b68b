// SPDX-License-Identifier: MIT
#include "tables/spool.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace tmdbc::tables {
namespace {

TEST(Spool, GivesEachBucketItsLinesInTheirOrderAndLeavesNoFile) {
  const std::string path = ::testing::TempDir() + "/spool_test";
  {
    auto spool = Spool::Create(path);
    ASSERT_TRUE(spool) << spool.error().message;
    // Some 120 MB: more than is kept in memory.
    const std::string filler(3000, 'x');
    constexpr std::int64_t kLines = 40'000;
    for (std::int64_t i = 0; i < kLines; ++i) ASSERT_TRUE(spool->Add(i % 7, i, std::to_string(i) + filler));
    ASSERT_TRUE(spool->Add(9, kLines, ""));
    EXPECT_EQ(spool->Buckets(), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 9}));
    for (std::int64_t bucket = 0; bucket < 7; ++bucket) {
      std::int64_t next = bucket;
      const auto read = spool->Read(bucket, [&](std::int64_t ordinal, std::string_view line) -> Result<void> {
        EXPECT_EQ(ordinal, next);
        EXPECT_EQ(line, std::to_string(next) + filler);
        next += 7;
        return {};
      });
      ASSERT_TRUE(read) << read.error().message;
      EXPECT_GE(next, kLines);
    }
    int empty = 0;
    ASSERT_TRUE(spool->Read(9, [&](std::int64_t, std::string_view line) -> Result<void> {
      empty += line.empty();
      return {};
    }));
    EXPECT_EQ(empty, 1);
    ASSERT_TRUE(spool->Read(8, [](std::int64_t, std::string_view) -> Result<void> {
      ADD_FAILURE();
      return {};
    }));
    // A visitor's error ends the reading.
    EXPECT_FALSE(spool->Read(0, [](std::int64_t, std::string_view) -> Result<void> {
      return Fail(ErrorCode::kInternal, "enough");
    }));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Spool, SaysWhereItCouldNotBeMade) {
  const auto spool = Spool::Create("/nowhere/spool");
  ASSERT_FALSE(spool);
  EXPECT_NE(spool.error().message.find("/nowhere/spool"), std::string::npos);
}

}  // namespace
}  // namespace tmdbc::tables
