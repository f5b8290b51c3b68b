// SPDX-License-Identifier: MIT
#include "dashboard/record_pages.h"

#include <gtest/gtest.h>

#include "storage/segment_path.h"
#include "storage/store_world_test.h"

namespace tmdbc::dashboard {
namespace {

using testing::Movie;

struct ShownStore : testing::StoreWorld {
  RecordPages pages{store->reader};

  void PutNext(const Document& document) {
    Put(document);
    Commit();
    clock.Advance(std::chrono::hours(1));
  }
};

std::string Of(const Result<std::string>& page) {
  return page ? *page : fmt::format("{}: {}", int(page.error().code), page.error().message);
}

TEST(RecordPages, ARecordHasItsCardAndWhereItCameFrom) {
  ShownStore world;
  world.PutNext(Movie(550, "Fight Club", 1, world.clock.Now()));
  const std::string page = Of(world.pages.Record("movie", "550"));
  EXPECT_TRUE(page.starts_with(
      R"({"type":"movie","id":"550","version":1,"change":"insert",)"
      R"("fetched_at":"2026-11-22T00:00:00.000Z","status":200,"sha256":")"))
      << page;
  EXPECT_NE(page.find(R"("live":true,"card":{"title":"Fight Club")"), std::string::npos) << page;
  EXPECT_EQ(Of(world.pages.Body("movie", "550")), Movie(550, "Fight Club", 1, Time{}).data);
}

TEST(RecordPages, WhatIsNotThereIsToldWithTheReason) {
  ShownStore world;
  world.PutNext(Movie(1, "One", 1, world.clock.Now()));
  EXPECT_EQ(world.pages.Record("movie", "2").error().code, ErrorCode::kNotFound);
  EXPECT_NE(world.pages.Record("movie", "2").error().message.find("movie:2"), std::string::npos);
  EXPECT_EQ(world.pages.Record("film", "2").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(world.pages.Record("movie", "two").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(world.pages.Record("", "").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(world.pages.Diff("movie", "1", "1,9").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(world.pages.Diff("movie", "1", "x").error().code, ErrorCode::kInvalid);
}

TEST(RecordPages, ATombstoneIsAPage) {
  ShownStore world;
  world.PutNext(Movie(1, "One", 1, world.clock.Now()));
  ASSERT_TRUE(world.store->writer->PutGone({MediaType::kMovie, 1}, world.clock.Now()));
  world.Commit();
  EXPECT_NE(Of(world.pages.Record("movie", "1"))
                .find(R"("status":404,"sha256":"","bytes":0,"data_bytes":0,"live":false)"),
            std::string::npos);
  EXPECT_EQ(Of(world.pages.Body("movie", "1")), "null");
  EXPECT_NE(Of(world.pages.History("movie", "1")).find(R"("change":"delete")"), std::string::npos);
}

TEST(RecordPages, HistorySaysWhatEachVersionChanged) {
  ShownStore world;
  world.PutNext(Movie(1, "One", 1, world.clock.Now()));
  world.PutNext(Movie(1, "Two", 1, world.clock.Now()));
  const std::string page = Of(world.pages.History("movie", "1"));
  const auto second = page.find(R"("version":2,"change":"update","fetched_at":"2026-11-22T01:00:00.000Z")");
  const auto first = page.find(R"("version":1,"change":"insert")");
  ASSERT_NE(second, std::string::npos) << page;
  EXPECT_LT(second, first);  // the newest first
  EXPECT_NE(page.find(R"("what":"title","damaged":"")"), std::string::npos) << page;
  EXPECT_EQ(Of(world.pages.Diff("movie", "1", "1,2")),
            R"({"from":1,"to":2,"lines":["~ title: \"One\" -> \"Two\""],"cut":false})");
}

TEST(RecordPages, AVersionThatCannotBeReadTakesNoOtherAlong) {
  ShownStore world;
  world.PutNext(Movie(1, "One", 1, world.clock.Now()));
  world.Seal();
  world.PutNext(Movie(1, "Two", 1, world.clock.Now()));
  world.files.FlipBit(SealedPath(MediaType::kMovie, 1), 20, 3);
  const std::string page = Of(world.pages.History("movie", "1"));
  EXPECT_NE(page.find(R"("what":"","damaged":"")"), std::string::npos) << page;
  EXPECT_NE(page.find(R"("version":1,)"), std::string::npos) << page;
  EXPECT_NE(page.find("records/movie/000/000/001"), std::string::npos) << page;
}

TEST(RecordPages, ADifferenceWithoutEndIsCut) {
  ShownStore world;
  std::string members;
  for (int i = 0; i < 4000; ++i) members += fmt::format(R"("member_{:05}":"{}",)", i, std::string(60, 'x'));
  world.PutNext(testing::MakeDocument({MediaType::kMovie, 1}, R"({"title":"One"})", world.clock.Now()));
  world.PutNext(
      testing::MakeDocument({MediaType::kMovie, 1}, "{" + members + R"("title":"One"})", world.clock.Now()));
  const std::string page = Of(world.pages.Diff("movie", "1", "1,2"));
  EXPECT_LT(page.size(), 2 * RecordPages::kMaxDiffText);
  EXPECT_TRUE(page.ends_with(R"(],"cut":true})")) << page.substr(page.size() - 100);
}

}  // namespace
}  // namespace tmdbc::dashboard
