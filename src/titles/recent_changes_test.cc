// SPDX-License-Identifier: MIT
#include "titles/recent_changes.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

namespace tmdbc::titles {
namespace {

constexpr MediaId kFilm{MediaType::kMovie, 550}, kOther{MediaType::kMovie, 551};

TEST(RecentChanges, KnowNothingBeforeTheFollowerHasBegunNorWhileItIsBehind) {
  RecentChanges changes;
  const auto moment = changes.Now();
  EXPECT_FALSE(changes.IsUnchanged(kFilm, moment));
  changes.Followed(changes.Commits(), {});
  EXPECT_TRUE(changes.IsUnchanged(kFilm, moment));
  EXPECT_FALSE(changes.IsUnchanged(kFilm, 0)) << "never looked at";
  changes.Committed();
  EXPECT_FALSE(changes.IsUnchanged(kFilm, moment));
  const auto seen = changes.Commits();
  changes.Committed();
  changes.Followed(seen, {});
  EXPECT_FALSE(changes.IsUnchanged(kFilm, moment)) << "there is a commit that it has not read";
  changes.Followed(changes.Commits(), {});
  EXPECT_TRUE(changes.IsUnchanged(kFilm, moment));
}

TEST(RecentChanges, TellWhatWasChangedFromWhatWasNot) {
  RecentChanges changes;
  changes.Followed(changes.Commits(), {});
  const auto before = changes.Now();
  changes.Followed(changes.Commits(), std::array{kFilm});
  EXPECT_FALSE(changes.IsUnchanged(kFilm, before));
  EXPECT_TRUE(changes.IsUnchanged(kOther, before));
  EXPECT_TRUE(changes.IsUnchanged(kFilm, changes.Now())) << "looked at since";
  EXPECT_FALSE(changes.IsUnchanged({MediaType::kConfiguration, 1}, changes.Now())) << "nobody follows these";
}

TEST(RecentChanges, ForgetAllWhenMoreThanRecordsMayHaveChanged) {
  RecentChanges changes;
  changes.Followed(changes.Commits(), {});
  const auto before = changes.Now();
  changes.Forget();
  EXPECT_FALSE(changes.IsUnchanged(kFilm, before));
  EXPECT_TRUE(changes.IsUnchanged(kFilm, changes.Now()));
}

TEST(RecentChanges, RememberSoManyAndForgetAllOfMore) {
  RecentChanges changes;
  changes.Followed(changes.Commits(), {});
  const auto before = changes.Now();
  std::vector<MediaId> changed;
  for (std::int64_t id = 1; std::size_t(id) <= RecentChanges::kMost; ++id) changed.push_back({MediaType::kTv, id});
  changes.Followed(changes.Commits(), changed);
  EXPECT_TRUE(changes.IsUnchanged(kFilm, before));
  changes.Followed(changes.Commits(), std::array{kOther});
  EXPECT_FALSE(changes.IsUnchanged(kFilm, before)) << "nobody knows any more";
  EXPECT_TRUE(changes.IsUnchanged(kFilm, changes.Now()));
}

TEST(RecentChanges, WakeTheFollowerInItsThread) {
  RecentChanges changes;
  const std::jthread follower([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      changes.Await(std::chrono::hours(1), stop);
      changes.Followed(changes.Commits(), std::array{kFilm});
    }
  });
  for (int i = 0; i < 100; ++i) {
    const auto moment = changes.Now();
    changes.Committed();
    while (!changes.IsUnchanged(kOther, moment)) std::this_thread::yield();
    EXPECT_FALSE(changes.IsUnchanged(kFilm, moment));
  }
}

}  // namespace
}  // namespace tmdbc::titles
