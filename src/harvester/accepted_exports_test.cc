// SPDX-License-Identifier: MIT
#include "harvester/accepted_exports.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

using namespace std::chrono_literals;

constexpr auto kDay = std::chrono::sys_days(2026y / 11 / 20);

AcceptedExport Export(int days_later, std::int64_t lines) {
  const auto date = kDay + std::chrono::days(days_later);
  return {.name = "movie_ids",
          .date = date,
          .lines = lines,
          .ids = lines - 1,
          .bytes = lines * 22,
          .accepted_at = Time(date) + 9h};
}

TEST(AcceptedExports, NothingIsInForceBeforeTheFirstHarvest) {
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite);
  ASSERT_TRUE(catalog);
  const auto none = AcceptedExports(*catalog);
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_TRUE(none->empty());
}

TEST(AcceptedExports, KeepsTheNewestTwoOfEachName) {
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite);
  ASSERT_TRUE(catalog && CreateAcceptedExports(*catalog));
  AcceptedExport tv = Export(0, 5);
  tv.name = "tv_series_ids";
  ASSERT_TRUE(RecordAcceptedExport(*catalog, tv));
  for (const int day : {0, 1, 2}) ASSERT_TRUE(RecordAcceptedExport(*catalog, Export(day, 100 + day)));
  ASSERT_TRUE(CreateAcceptedExports(*catalog));  // as the next harvest does

  const auto all = AcceptedExports(*catalog);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3U);
  const AcceptedExport& newest = all->front();
  EXPECT_EQ(newest.name, "movie_ids");
  EXPECT_EQ(newest.date, kDay + std::chrono::days(2));
  EXPECT_EQ(newest.lines, 102);
  EXPECT_EQ(newest.ids, 101);
  EXPECT_EQ(newest.bytes, 102 * 22);
  EXPECT_EQ(newest.accepted_at, Time(newest.date) + 9h);
  EXPECT_EQ((*all)[1].date, kDay + std::chrono::days(1));
  EXPECT_EQ((*all)[2].name, "tv_series_ids");
}

TEST(AcceptedExports, AFileFetchedAgainTakesThePlaceOfItself) {
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite);
  ASSERT_TRUE(catalog && CreateAcceptedExports(*catalog));
  for (const int lines : {100, 90}) ASSERT_TRUE(RecordAcceptedExport(*catalog, Export(0, lines)));
  const auto all = AcceptedExports(*catalog);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().lines, 90);
}

}  // namespace
}  // namespace tmdbc
