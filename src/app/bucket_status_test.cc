// SPDX-License-Identifier: MIT
#include "app/bucket_status.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "app/bucket_cost.h"
#include "base/json.h"
#include "testing/memory_object_store.h"

namespace tmdbc {
namespace {

const Time kNow = ParseTime("2026-11-22T10:00:00Z").value();

struct BucketStatusTest : ::testing::Test {
  HeadState head = [] {
    HeadState made;
    made.epoch = 123;
    made.catalog = {"state/catalog/000000122.db", 651'234'304, 0xf5d6a61f};
    made.sequences = {{MediaType::kMovie, 12}, {MediaType::kTv, 7}};
    made.waiting = 5'012'345;
    made.out_batches = 24;
    made.out_ids = 47'040;
    return made;
  }();
  std::string written =
      R"({"at":"2026-11-22T09:55:00.000Z","epoch":122,"waiting":1,"dead":3,)"
      R"("messages":{"waiting":20,"in_flight":1,"dead":2},"stopped":null})"
      "\n";

  BucketStatus Read() {
    testing::MemoryObjectStore bucket;
    EXPECT_TRUE(bucket.Put(std::string(kHeadKey), FormatHeadState(head), PutCondition::Absent()));
    if (!written.empty()) {
      EXPECT_TRUE(bucket.Put("status.json", written, PutCondition::None()));
    }
    const auto calls = bucket.calls();
    auto status = ReadBucketStatus(bucket, "s3://tmdb");
    EXPECT_EQ(bucket.calls() - calls, 2);
    return status.value();
  }
};

TEST_F(BucketStatusTest, SaysWhoHasItWhatWaitsAndHowLongItTakes) {
  EXPECT_EQ(BucketStatusText(Read(), kNow, 40),
            "mirror    s3://tmdb, epoch 123, free: an owner takes it when something is due\n"
            "catalog   state/catalog/000000122.db, 651.2 MB\n"
            "segments  movie 12, tv 7\n"
            "queue     5,012,345 ids waiting, 47,040 out in 24 batches\n"
            "left      about 1 d 11 h at 40 requests a second\n"
            "messages  20 wait, 1 in flight at 2026-11-22T09:55:00.000Z\n"
            "dead      3 ids, 2 messages: an event with \"mode\":\"redrive\" queues the ids again\n");
}

// Whoever looks from another machine has another setting, or none.
TEST_F(BucketStatusTest, GoesByTheRateOfWhoeverKeepsTheMirror) {
  written = R"({"at":"2026-11-22T09:55:00.000Z","rate":{"allowed":40,"seen":38.912}})";
  const std::string text = BucketStatusText(Read(), kNow, 3);
  EXPECT_NE(text.find("left      about 1 d 11 h at 40 requests a second\n"), std::string::npos) << text;
  EXPECT_NE(text.find("rate      38.9 requests a second between its last two cycles\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("dead      0 ids, 0 messages\n"), std::string::npos) << text;
  EXPECT_EQ(BucketStatusJson(Read(), kNow, 3).find(R"("seconds_left":null)"), std::string::npos);
  EXPECT_EQ(BucketStatusJson(Read(), kNow, 3), BucketStatusJson(Read(), kNow, 30));
  written = R"({"at":"2026-11-22T09:55:00.000Z","rate":{"allowed":null,"seen":null}})";
  EXPECT_NE(BucketStatusText(Read(), kNow, 3).find("at 3 requests a second\n"), std::string::npos);
}

TEST_F(BucketStatusTest, SaysWhatItHasCostSoFar) {
  written =
      R"({"at":"2026-11-22T09:55:00.000Z","spent":{"since":"2026-11-20T09:00:00.000Z","puts":12700,"gets":16800,)"
      R"("messages":49000,"invocations":3600,"gb_seconds":49900}})";
  const std::string text = BucketStatusText(Read(), kNow, 40);
  EXPECT_NE(text.find("spent     $0.93 by list price since 2026-11-20, without storage: 12,700 puts and lists, 16,800 gets, "
                      "49,000 messages, 3,600 calls of functions, 49,900 GB-s\n"),
            std::string::npos)
      << text;
}

// One list of prices: the estimate's.
TEST(BucketCost, PricesAreThoseOfTheEstimate) {
  const char* const source = std::getenv("TMDBC_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  std::ifstream in(std::string(source) + "/deploy/aws/cost.mjs");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const ListPrice price;
  const auto of = [&](const std::string& name) {
    const auto at = text.find(name + ": ");
    return at == std::string::npos ? -1 : std::atof(text.c_str() + at + name.size() + 2);
  };
  EXPECT_DOUBLE_EQ(of("put"), price.put);
  EXPECT_DOUBLE_EQ(of("get"), price.get);
  EXPECT_DOUBLE_EQ(of("sqs"), price.sqs);
  EXPECT_DOUBLE_EQ(of("invoke"), price.invoke);
  EXPECT_DOUBLE_EQ(of("gbs"), price.gbs);
}

TEST_F(BucketStatusTest, SaysWhyNothingGoesOn) {
  head.holder = "8f3c-1";
  head.until = kNow + std::chrono::minutes(5);
  head.stopped = "TMDB refuses the key";
  const std::string text = BucketStatusText(Read(), kNow, 40);
  EXPECT_NE(text.find("held by 8f3c-1 until 2026-11-22T10:05:00.000Z"), std::string::npos) << text;
  EXPECT_NE(text.find("stopped   TMDB refuses the key"), std::string::npos) << text;
  EXPECT_EQ(text.find("left "), std::string::npos) << "nothing is worked on: " << text;
  const std::string later = BucketStatusText(Read(), kNow + std::chrono::hours(1), 40);
  EXPECT_NE(later.find("its last owner, 8f3c-1, died"), std::string::npos) << later;
}

TEST_F(BucketStatusTest, IsJsonForPrograms) {
  const std::string json = BucketStatusJson(Read(), kNow, 40);
  EXPECT_TRUE(ParsedJson::Parse(json)) << json;
  EXPECT_NE(json.find(R"("bucket":"s3://tmdb","held":false,"seconds_left":)"), std::string::npos) << json;
  written = "<html>";
  EXPECT_TRUE(ParsedJson::Parse(BucketStatusJson(Read(), kNow, 40))) << "of what is not JSON nothing is said";
  written.clear();
  const std::string bare = BucketStatusJson(Read(), kNow, 40);
  EXPECT_TRUE(ParsedJson::Parse(bare)) << bare;
  EXPECT_TRUE(bare.ends_with(R"("status":null})")) << bare;
}

TEST(BucketStatus, SaysThatThereIsNoMirrorYet) {
  testing::MemoryObjectStore bucket;
  EXPECT_EQ(ReadBucketStatus(bucket, "s3://tmdb").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tmdbc
