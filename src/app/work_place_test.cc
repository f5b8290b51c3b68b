// SPDX-License-Identifier: MIT
#include "app/work_place.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "app/command.h"
#include "app/pipeline.h"
#include "app/program_world_test.h"
#include "cloud/carry.h"
#include "testing/fake_clock.h"
#include "testing/memory_object_store.h"

namespace tmdbc {
namespace {

using std::chrono::minutes;
using testing::FakeClock;
using testing::MemoryObjectStore;
using Opened = Result<std::unique_ptr<WorkPlace>>;

class WorkPlaceTest : public testing::ProgramWorld {
 protected:
  Opened Open(const std::string& data_dir = "data", bool take_over = false, bool mend = false) {
    Settings settings = ResolveSettings({}).value();
    settings.data_dir = data_dir;
    settings.s3_bucket_name = "my-bucket";
    return WorkPlace::Open(settings, clock_, {.take_over = take_over, .mend = mend, .bucket = &store_});
  }
  static Result<void> Publish(WorkPlace& place, const Clock& clock, bool last) {
    TRY_ASSIGN(const auto queue, SqliteIdQueue::Open(place.catalog(), clock));
    return place.keeper()->Publish(*queue, [] { return Result<void>(); }, last);
  }
  void PutHead(HeadState head) {
    if (head.catalog.key.empty()) head.catalog.key = CatalogKey(1);
    ASSERT_TRUE(store_.Put(std::string(kHeadKey), FormatHeadState(head), PutCondition::None()));
  }
  HeadState Head() const { return ParseHeadState(bucket_.objects.at(std::string(kHeadKey)).bytes).value(); }
  static void ExpectRefused(const Opened& opened, std::string_view words) {
    ASSERT_FALSE(opened);
    EXPECT_EQ(ExitCodeOf(opened.error().code), kExitUsage);
    EXPECT_NE(opened.error().message.find(words), std::string::npos) << opened.error().message;
    EXPECT_TRUE(opened.error().message.starts_with("s3://my-bucket: ")) << opened.error().message;
  }

  FakeClock clock_;
  MemoryObjectStore::Bucket bucket_;
  MemoryObjectStore store_{bucket_};
};

TEST_F(WorkPlaceTest, ABucketIsWorkedOnInAFolderOfItsOwn) {
  {
    const auto place = Open().value();
    EXPECT_EQ(place->name(), "s3://my-bucket");
    EXPECT_EQ(place->folder(), "data/bucket/my-bucket");
    EXPECT_TRUE(place->writer_options().trust_segments);
    EXPECT_TRUE(std::filesystem::exists("data/bucket/my-bucket/catalog.db"));
    ASSERT_TRUE(Publish(*place, clock_, true));
  }
  EXPECT_FALSE(Head().holder);
  EXPECT_TRUE(bucket_.objects.contains(Head().catalog.key));
  // DATA_DIR itself is as good as empty: a store of this machine may begin there.
  EXPECT_TRUE(DataDir::OpenForWriting("data"));
}

TEST_F(WorkPlaceTest, TheFolderIsLocked) {
  const auto place = Open().value();
  const auto second = Open();
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("data/bucket/my-bucket is in use by process"), std::string::npos)
      << second.error().message;
}

TEST_F(WorkPlaceTest, WhoHasTheMirrorIsNamed) {
  auto place = Open().value();
  ASSERT_TRUE(Publish(*place, clock_, false));
  const std::string holder = *Head().holder;
  ExpectRefused(Open("elsewhere"), "held by " + holder + " until " + FormatTime(clock_.Now() + minutes(15)));
  clock_.Advance(minutes(16));
  EXPECT_TRUE(Open("elsewhere")) << "its lease is over";
}

// kill -9, and once more before it got the mirror; and a process on another machine that has it since.
TEST_F(WorkPlaceTest, OnTheSameMachineADeadProcessHoldsNothing) {
  HeadState dead;
  {
    const auto place = Open().value();
    ASSERT_TRUE(Publish(*place, clock_, false));
    dead = Head();
  }
  PutHead(dead);
  store_.choose_fault = [](std::string_view act, const std::string& key) {
    const bool takes = act == "put" && key == kHeadKey;
    return takes ? std::optional(MemoryObjectStore::Fault::kFails) : std::nullopt;
  };
  EXPECT_FALSE(Open());
  store_.choose_fault = {};
  EXPECT_EQ(Head().holder, dead.holder);
  EXPECT_TRUE(Open());
  HeadState other = Head();
  other.holder = "another";
  other.until = clock_.Now() + minutes(1);
  PutHead(other);
  ExpectRefused(Open(), "held by another");
}

TEST_F(WorkPlaceTest, WhatADeploymentHasOutIsFetchedWhenAPersonSaysSo) {
  {
    const auto place = Open().value();
    ASSERT_TRUE(Publish(*place, clock_, true));
  }
  HeadState head = Head();
  head.out_batches = 2;
  head.out_ids = 47;
  PutHead(head);
  ExpectRefused(Open(), "a deployment has 47 ids out with its collectors");
  const auto place = Open("data", true).value();
  ASSERT_TRUE(Publish(*place, clock_, true));
  EXPECT_EQ(Head().out_batches, 0);
}

TEST_F(WorkPlaceTest, WhoMendsTakesWhatIsLeftOfAMirrorAndNobodyElseDoes) {
  ExpectRefused(Open("data", false, true), "there is no mirror in the bucket");
  {
    const auto place = Open().value();
    ASSERT_TRUE(Publish(*place, clock_, true));
  }
  const std::string catalog = Head().catalog.key;
  bucket_.objects.erase(std::string(kHeadKey));
  const auto refused = Open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().hint, Hint::kRebuild);
  {
    const auto place = Open("data", false, true).value();
    EXPECT_EQ(Head().previous, catalog) << "the next owner has it if this one dies now";
    ASSERT_TRUE(Publish(*place, clock_, true));
  }
  EXPECT_TRUE(Open());
}

TEST_F(WorkPlaceTest, AStoreThatIsToBePushedIsNotBegunAnew) {
  {
    testing::DataStore data;
    data.Put({MediaType::kMovie, 550}, R"({"id":550})", "2026-11-22T10:00:00Z");
    data.Seal();
  }
  ExpectRefused(Open(), "there is no mirror yet, and DATA_DIR data has one: `push` carries it there");
  EXPECT_TRUE(bucket_.objects.empty());
  ASSERT_TRUE(Open("elsewhere")) << "a new one, by a DATA_DIR without a store";
  bucket_.objects.clear();
  ASSERT_TRUE(store_.Put(std::string(kPushKey), "{}", PutCondition::None()));
  ExpectRefused(Open("elsewhere"), "a store is being pushed there");
}

// Made-up films of a simulator and the real ones never share a bucket either.
TEST_F(WorkPlaceTest, ABucketRemembersWhichTmdbItWasFilledFrom) {
  Settings settings = ResolveSettings({}).value();
  settings.s3_bucket_name = "my-bucket";
  settings.tmdb_api_base_url = "http://127.0.0.1:4711/3";
  Surroundings surroundings;
  surroundings.bucket = &store_;
  {
    const auto pipeline = Pipeline::Open(settings, "run", surroundings).value();
    ASSERT_TRUE(pipeline->HarvestIds(MediaType::kMovie, {550}));
    ASSERT_TRUE(pipeline->Close());
  }
  EXPECT_EQ(Head().waiting, 1);
  settings.tmdb_api_base_url = "https://api.themoviedb.org/3";
  const auto other = Pipeline::Open(settings, "run", surroundings);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("s3://my-bucket was filled from this machine (a simulated TMDB)"),
            std::string::npos)
      << other.error().message;
  EXPECT_FALSE(Head().holder) << "who is refused gives the mirror back";
}

}  // namespace
}  // namespace tmdbc
