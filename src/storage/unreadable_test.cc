// SPDX-License-Identifier: MIT
// A sector that the disk does not give back (EIO) is damage of what lies in it, in every part of the store that reads:
// it is named, the rest is served, and nothing ends the work.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "storage/change_feed.h"
#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using testing::Film;
using testing::kFirst;
using testing::Movie;
using testing::StoreWorld;

// Hardly to be compressed, so that a frame has more than a sector.
std::string Title(int id) {
  std::mt19937 random(static_cast<unsigned>(id));
  std::string title;
  while (title.size() < 16'000) title += static_cast<char>('a' + random() % 26);
  return title;
}

// Three films in three frames of the first segment, a fourth in the second; the frame of film 2 cannot be read.
class Unreadable : public ::testing::Test {
 protected:
  Unreadable() {
    for (int id = 1; id <= 3; ++id) {
      world_.Put(Movie(id, Title(id), 1, world_.clock.Now()));
      world_.Commit();
      ends_.push_back(world_.files.Size(std::string(kFirst) + ".open").value());
    }
    world_.Seal();
    world_.Put(Movie(4, Title(4), 1, world_.clock.Now()));
    world_.Commit();
    world_.Seal();
    world_.files.Spoil(kFirst, (ends_[0] + ends_[1]) / 2, 1);
  }
  std::vector<std::int64_t> FeedOf(const ChangeFeed::Skip& skip) {
    std::vector<std::int64_t> ids;
    const auto reached = ChangeFeed(world_.files, world_.catalog)
                             .Read(
                                 MediaType::kMovie, 0,
                                 [&](std::int64_t, std::string_view line) -> Result<bool> {
                                   const auto at = line.find("\"id\":");
                                   if (line[at + 5] != 'n') ids.push_back(line[at + 5] - '0');
                                   return true;
                                 },
                                 skip);
    if (!reached) error_ = reached.error();
    return ids;
  }

  StoreWorld world_;
  std::vector<std::uint64_t> ends_;
  std::optional<Error> error_;
};

// Files of another user.
class ForbiddenFiles final : public BlobReader {
 public:
  Result<std::string> Read(const std::string& path, std::uint64_t, std::uint64_t) override { return Denied(path); }
  Result<std::uint64_t> Size(const std::string& path) override { return Denied(path); }
  Result<bool> Exists(const std::string& path) override { return Denied(path); }
  Result<std::vector<std::string>> List(const std::string& folder) override { return Denied(folder); }

 private:
  static std::unexpected<Error> Denied(const std::string& path) {
    return Fail(ErrorCode::kIo, Hint::kPermission, "open {}: Permission denied", path);
  }
};

TEST_F(Unreadable, WhoMayNotReadARecordIsToldWhatHelps) {
  ForbiddenFiles files;
  const auto found = RecordReader(files, world_.catalog).Find({MediaType::kMovie, 1});
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("Permission denied"), std::string::npos) << found.error().message;
  EXPECT_EQ(found.error().hint, Hint::kPermission);
}

TEST_F(Unreadable, VerifyNamesThePlaceAndTheRecord) {
  for (const bool deep : {false, true}) {
    SCOPED_TRACE(deep);
    const auto report = world_.store->Verify(deep);
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_FALSE(report->damage.empty());
    bool named = false;
    for (const Damage& damage : report->damage) {
      EXPECT_EQ(damage.file, kFirst);
      named |= std::ranges::find(damage.records, Film(2)) != damage.records.end();
      EXPECT_EQ(std::ranges::find(damage.records, Film(4)), damage.records.end());
    }
    EXPECT_TRUE(named);
  }
}

TEST_F(Unreadable, RebuildKeepsWhatLiesAroundIt) {
  const auto report = world_.store->Rebuild();
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->damage.size(), 1u);
  EXPECT_EQ(report->damage[0].file, kFirst);
  EXPECT_EQ(report->damage[0].offset, ends_[0]);
  for (const int id : {1, 3, 4}) EXPECT_EQ(world_.View(Film(id)), Movie(id, Title(id), 1, {}).data) << id;
  EXPECT_EQ(world_.View(Film(2)), "none");
  // Fetched again it is there again.
  world_.clock.Advance(std::chrono::hours(1));
  world_.Put(Movie(2, Title(2), 1, world_.clock.Now()));
  world_.Commit();
  EXPECT_EQ(world_.View(Film(2)), Movie(2, Title(2), 1, {}).data);
}

TEST_F(Unreadable, CompactionLeavesTheSegmentAndDoesTheOthers) {
  for (int id = 5; id <= 6; ++id) {
    world_.Put(Movie(id, Title(id), 1, world_.clock.Now()));
    world_.Commit();
    world_.Seal();
  }
  const auto report = world_.store->Compact(MediaType::kMovie);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->damaged_segments, 1);
  EXPECT_EQ(report->segments_before, 3);
  EXPECT_EQ(report->segments_after, 1);
  EXPECT_TRUE(world_.files.Exists(kFirst).value());
  for (const int id : {1, 3, 4, 5, 6}) EXPECT_EQ(world_.View(Film(id)), Movie(id, Title(id), 1, {}).data) << id;
}

TEST_F(Unreadable, TheFeedStopsBeforeItAndGoesOnBehindItWhenItIsTold) {
  EXPECT_EQ(FeedOf({}), std::vector<std::int64_t>{1});
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, ErrorCode::kCorrupt);
  EXPECT_EQ(error_->hint, Hint::kSkipDamaged);
  EXPECT_NE(error_->message.find(std::string(kFirst) + " is damaged at byte "), std::string::npos) << error_->message;
  int skipped = 0;
  const auto skip = [&](const FeedDamage& damage) -> Result<void> {
    ++skipped;
    EXPECT_EQ(damage.file, kFirst);
    EXPECT_EQ(damage.offset, ends_[0]);
    return {};
  };
  EXPECT_EQ(FeedOf(skip), (std::vector<std::int64_t>{1, 3, 4}));
  EXPECT_EQ(skipped, 1);
}

}  // namespace
}  // namespace tmdbc
