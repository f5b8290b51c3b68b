// SPDX-License-Identifier: MIT
#include "harvester/export_ids.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>
#include <set>

namespace tmdbc {
namespace {

VisitKnown Known(std::vector<std::int64_t> ids) {
  return [ids = std::move(ids)](const std::function<void(std::int64_t)>& visit) -> Result<void> {
    for (const std::int64_t id : ids) visit(id);
    return {};
  };
}

std::vector<std::uint32_t> Ids(const std::vector<RankedId>& ranked) {
  std::vector<std::uint32_t> ids;
  for (const RankedId id : ranked) ids.push_back(IdOf(ToPacked(id)));
  return ids;
}

TEST(ExportIds, PackingLosesNothing) {
  for (const std::uint32_t id : {1U, 550U, 0x7fffffffU, 0xffffffffU}) {
    for (const float popularity : {0.0F, 0.6F, 1.8133F, 12345.678F, std::numeric_limits<float>::max()}) {
      EXPECT_EQ(IdOf(PackId(id, popularity)), id);
      EXPECT_EQ(PopularityOf(PackId(id, popularity)), popularity);
      EXPECT_EQ(ToPacked(ToPacked(PackId(id, popularity))), PackId(id, popularity));
    }
  }
}

TEST(ExportIds, OfARepeatedIdTheMostPopularLineCounts) {
  std::vector<PackedId> ids = {PackId(7, 1), PackId(5, 0.5F), PackId(7, 3), PackId(7, 2), PackId(6, 0)};
  EXPECT_EQ(SortAndDeduplicate(ids), 2);
  EXPECT_EQ(ids, (std::vector<PackedId>{PackId(5, 0.5F), PackId(6, 0), PackId(7, 3)}));
}

TEST(ExportIds, WhatIsNotKnownComesMostPopularFirstThenById) {
  std::vector<PackedId> ids = {PackId(40, 2), PackId(10, 2), PackId(30, 9), PackId(20, 0),
                               PackId(4'000'000'000U, 2)};
  SortAndDeduplicate(ids);
  const auto unknown = FindUnknown(ids, Known({}));
  ASSERT_TRUE(unknown);
  EXPECT_EQ(Ids(unknown->ids), (std::vector<std::uint32_t>{30, 10, 40, 4'000'000'000U, 20}));
  EXPECT_EQ(unknown->known, 0);
}

TEST(ExportIds, KnownIdsAreLeftOutWhetherOrNotTheExportHasThem) {
  std::vector<PackedId> ids = {PackId(10, 1), PackId(20, 2), PackId(30, 3)};
  const struct {
    std::vector<std::int64_t> known;
    std::vector<std::uint32_t> left;
    std::int64_t found;
  } cases[] = {
      {{1, 10, 11, 30, 99}, {20}, 2},
      {{10, 20, 30}, {}, 3},
      {{5, 15, 25, 35}, {30, 20, 10}, 0},
      {{20}, {30, 10}, 1},
  };
  for (const auto& c : cases) {
    const auto unknown = FindUnknown(ids, Known(c.known));
    ASSERT_TRUE(unknown);
    EXPECT_EQ(Ids(unknown->ids), c.left);
    EXPECT_EQ(unknown->known, c.found);
  }
}

TEST(ExportIds, AnErrorOfTheStoreIsHandedOn) {
  const auto broken = [](const std::function<void(std::int64_t)>&) -> Result<void> {
    return Fail(ErrorCode::kCorrupt, "read catalog.db: disk image is malformed");
  };
  EXPECT_EQ(FindUnknown({}, broken).error().code, ErrorCode::kCorrupt);
}

TEST(ExportIds, AgreesWithAnObviousImplementationOnRandomSets) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<PackedId> ids;
    std::map<std::uint32_t, float> model;
    std::set<std::int64_t> known;
    for (std::uint64_t i = random() % 300; i > 0; --i) {
      const auto id = std::uint32_t(1 + random() % 200);
      const float popularity = float(random() % 50) / 10;
      ids.push_back(PackId(id, popularity));
      model[id] = std::max(model[id], popularity);
      if (random() % 3 == 0) known.insert(std::int64_t(random() % 220));
    }
    const auto count = std::int64_t(ids.size());
    EXPECT_EQ(SortAndDeduplicate(ids), count - std::int64_t(model.size()));
    std::vector<std::pair<float, std::uint32_t>> expected;
    for (const auto& [id, popularity] : model) {
      if (!known.contains(id)) expected.emplace_back(-popularity, id);
    }
    std::sort(expected.begin(), expected.end());
    const auto unknown = FindUnknown(ids, Known({known.begin(), known.end()}));
    ASSERT_TRUE(unknown);
    ASSERT_EQ(unknown->ids.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(IdOf(ToPacked(unknown->ids[i])), expected[i].second);
      EXPECT_EQ(PopularityOf(ToPacked(unknown->ids[i])), -expected[i].first);
    }
    const PopularityList list(ids);
    ASSERT_EQ(list.entries().size(), model.size());
    auto at = model.begin();
    for (const auto& entry : list.entries()) {
      EXPECT_EQ(entry.id, at->first);
      EXPECT_EQ(entry.popularity, at->second);
      ++at;
    }
  }
}

}  // namespace
}  // namespace tmdbc
