// SPDX-License-Identifier: MIT
#include "dashboard/change_window.h"

#include <gtest/gtest.h>

#include "storage/segment_path.h"
#include "storage/store_world_test.h"

namespace tmdbc::dashboard {
namespace {

using testing::Movie;

struct FollowedStore : testing::StoreWorld {
  ChangeWindow window;

  // "550 insert unsealed Fight Club, ..." of what is told after `since`, the newest first.
  std::string Told(std::int64_t since = 0) {
    for (const MediaType type : {MediaType::kMovie, MediaType::kTv}) {
      const auto followed = window.Follow(type, files, catalog);
      EXPECT_TRUE(followed) << followed.error().message;
    }
    window.Describe(store->reader, 100);
    std::string text;
    for (const ChangeEntry& entry : window.Entries()) {
      if (entry.revision <= since) continue;
      text += fmt::format("{}{} {}{} {}{}{}", text.empty() ? "" : ", ", entry.id.id, Name(entry.change),
                          entry.sequence == 0 ? " unsealed" : "", entry.title, entry.what.empty() ? "" : ": ",
                          entry.what);
    }
    return text;
  }
  void PutMovie(std::int64_t id, std::string_view title, double popularity = 1) {
    clock.Advance(std::chrono::minutes(1));
    Put(Movie(id, title, popularity, clock.Now()));
    Commit();
  }
};

TEST(ChangeWindow, NothingIsStoredYet) {
  FollowedStore world;
  EXPECT_EQ(world.Told(), "");
}

TEST(ChangeWindow, TellsBeforeASegmentIsSealedAndOnceOnly) {
  FollowedStore world;
  world.PutMovie(550, "Fight Club");
  EXPECT_EQ(world.Told(), "550 insert unsealed Fight Club");
  const std::int64_t seen = world.window.revision();
  EXPECT_EQ(world.Told(seen), "");
  world.PutMovie(551, "Seven");
  EXPECT_EQ(world.Told(seen), "551 insert unsealed Seven");
  world.Seal();
  EXPECT_EQ(world.Told(), "551 insert Seven, 550 insert Fight Club");
  world.PutMovie(550, "Fight Club II");
  EXPECT_EQ(world.Told(),
            "550 update unsealed Fight Club II: title, 551 insert Seven, 550 insert Fight Club");
}

TEST(ChangeWindow, BeginsWithWhatWasWrittenLast) {
  FollowedStore world;
  world.PutMovie(1, "One");
  world.Seal();
  world.PutMovie(2, "Two");
  EXPECT_EQ(world.Told(), "2 insert unsealed Two, 1 insert One");
}

TEST(ChangeWindow, WhatWentHasTheTitleThatItHad) {
  FollowedStore world;
  world.PutMovie(1, "One");
  world.clock.Advance(std::chrono::minutes(1));
  ASSERT_TRUE(world.store->writer->PutGone({MediaType::kMovie, 1}, world.clock.Now()));
  world.Commit();
  EXPECT_EQ(world.Told(), "1 delete unsealed One, 1 insert unsealed ");
}

TEST(ChangeWindow, ASeasonIsThatOfItsShow) {
  FollowedStore world;
  world.Put(testing::Show(7, "Dark", world.clock.Now()));
  world.Put(testing::Season(70, 7, 1, 2, world.clock.Now()));
  world.Commit();
  ASSERT_TRUE(world.window.Follow(MediaType::kSeason, world.files, world.catalog));
  EXPECT_EQ(world.Told(), "7 insert unsealed Dark, 70 insert unsealed Dark: Season 1");
}

TEST(ChangeWindow, NumbersPushNothingOut) {
  FollowedStore world;
  world.PutMovie(1, "One", 1);
  for (std::size_t i = 0; i < ChangeWindow::kKept + 10; ++i) world.PutMovie(1, "One", 2 + double(i));
  world.Told();
  const auto entries = world.window.Entries();
  EXPECT_EQ(entries.size(), ChangeWindow::kKept + 1);
  EXPECT_EQ(entries.back().change, Change::kInsert);
  world.Seal();
  world.Told();
  EXPECT_EQ(world.window.Entries().size(), ChangeWindow::kKept + 1);
}

TEST(ChangeWindow, GoesOnBehindDamageAndTellsOfItOnce) {
  FollowedStore world;
  world.PutMovie(1, "One");
  world.Seal();
  world.files.FlipBit(SealedPath(MediaType::kMovie, 1), 20, 3);
  world.PutMovie(2, "Two");
  EXPECT_EQ(world.Told(), "2 insert unsealed Two");
  world.Seal();
  EXPECT_EQ(world.Told(), "2 insert Two");
  ASSERT_EQ(world.window.damages().size(), 1u);
  EXPECT_EQ(world.window.damages()[0].file, "records/movie/000/000/001.jsonl.zst");
}

TEST(ChangeWindow, FollowsAStoreThatWasMadeAnew) {
  FollowedStore world;
  for (int id = 1; id <= 3; ++id) {
    world.PutMovie(id, "Old");
    world.Seal();
  }
  world.Told();
  testing::StoreWorld other;
  other.Put(Movie(9, "New", 1, other.clock.Now()));
  other.Commit();
  ASSERT_TRUE(world.window.Follow(MediaType::kMovie, other.files, other.catalog));  // notices
  ASSERT_TRUE(world.window.Follow(MediaType::kMovie, other.files, other.catalog));
  ASSERT_EQ(world.window.Entries().size(), 1u);
  EXPECT_EQ(world.window.Entries()[0].id.id, 9);
}

TEST(ChangeWindow, JsonHasWhatIsNewAndNoMore) {
  FollowedStore world;
  world.PutMovie(1, "<b>\u202eOne");
  world.Told();
  EXPECT_EQ(
      ChangesJson(world.window.Entries(), world.window.revision(), 0),
      R"({"revision":2,"changes":[{"number":1,"seq":0,"type":"movie","id":1,"version":1,"change":"insert",)"
      R"("at":"2026-11-22T00:01:00.000Z","title":"<b>\u202eOne","what":""}]})");
  EXPECT_EQ(ChangesJson(world.window.Entries(), 2, 2), R"({"revision":2,"changes":[]})");
  world.PutMovie(2, "Two");
  world.Told();
  const std::string both = ChangesJson(world.window.Entries(), 4, 0);
  EXPECT_LT(both.find("\"id\":2"), both.find("\"id\":1"));  // the newest first
}

}  // namespace
}  // namespace tmdbc::dashboard
