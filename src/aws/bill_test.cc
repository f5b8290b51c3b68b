// SPDX-License-Identifier: MIT
// What a mirror in a bucket costs in requests, as AWS bills them: counted where they leave, in front of servers in
// memory. Held to the amounts that deploy/aws/cost.mjs reckons with, which make the prices of docs/aws.md.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "aws/fake_s3_test.h"
#include "aws/sqs_channel.h"
#include "base/json.h"
#include "cloud/cloud_world_test.h"
#include "cloud/spent.h"

namespace tmdbc::aws {
namespace {

using std::chrono::minutes;
using testing::CloudWorld;

const std::string kSqsUrl = "https://sqs.us-east-1.amazonaws.com";

// S3 and SQS; the messages are those of a world.
class BilledCloud {
 public:
  explicit BilledCloud(CloudWorld& world) : queue_(world.messages) {}

  S3ObjectStore store() { return {aws_.client, {.bucket = "bucket", .url = std::string(FakeS3::kUrl)}}; }
  SqsChannel channel() {
    return {aws_.client, {.url = kSqsUrl, .ids = kSqsUrl + "/1/ids.fifo", .dead = kSqsUrl + "/1/dead.fifo"}};
  }
  // So far.
  Spent spent() const { return SpentOn(aws_.client.sent()); }
  FakeS3 s3;

 private:
  Reply Answer(const http::Request& request, const std::string& body) {
    if (request.url.starts_with(FakeS3::kUrl)) return s3.Answer(request, body);
    const auto json = ParsedJson::ParseString(body).value();
    if (HeaderOf(request, "X-Amz-Target") == "AmazonSQS.GetQueueAttributes") {
      const bool ids = std::string_view(json.root()["QueueUrl"].get_string()).ends_with("/ids.fifo");
      const ChannelCounts counts = queue_.Count().value();
      return Reply::Status(200, fmt::format(R"({{"Attributes":{{"ApproximateNumberOfMessages":"{}",)"
                                            R"("ApproximateNumberOfMessagesNotVisible":"{}"}}}})",
                                            ids ? counts.waiting : counts.dead, ids ? counts.in_flight : 0));
    }
    std::string sent;
    for (const auto entry : json.root()["Entries"].get_array()) {
      const auto batch = ParseIdBatch(std::string_view(entry["MessageBody"].get_string())).value();
      EXPECT_TRUE(queue_.Send(std::vector{batch}));
      sent += fmt::format(R"({}{{"Id":"{}"}})", sent.empty() ? "" : ",", std::string_view(entry["Id"].get_string()));
    }
    return Reply::Status(200, R"({"Successful":[)" + sent + "]}");
  }

  testing::MemoryChannel queue_;
  AwsWorld aws_{[this](const http::Request& request, const std::string& body) { return Answer(request, body); }};
};

class OwnersBill : public ::testing::Test {
 protected:
  OwnersBill() { world_.MakeOwner(*machine_, store_, channel_); }
  // All messages that there are, each by a collector that looks whether its bundle is there, and puts it.
  int CollectAll() {
    S3ObjectStore store = collectors_.store();
    int done = 0;
    for (; const auto collector = world_.Begin(); ++done) {
      EXPECT_FALSE(store.Head(BundleKey(collector->batch.name)).value());
      EXPECT_TRUE(store.Put(BundleKey(collector->batch.name), collector->bundle, PutCondition::Absent()));
      owners_.s3.objects.merge(collectors_.s3.objects);
      world_.messages.Delete(collector->delivery.receipt);
    }
    return done;
  }
  // Heartbeats until all is stored. Returns how many cycles and messages that took.
  struct Work {
    std::int64_t cycles = 0, messages = 0, beats = 0;
  };
  Work FirstMirror(std::int64_t films) {
    for (std::int64_t id = 1; id <= films; ++id) world_.tmdb.Edit({MediaType::kMovie, id});
    world_.tmdb.PublishExports();
    EXPECT_EQ(world_.Ask(*machine_, "export").value().end, OwnerEnd::kPublished);
    Work work{.cycles = 1};
    for (; work.beats < 6; ++work.beats) {
      work.messages += CollectAll();
      world_.clock.Advance(minutes(5));
      work.cycles += world_.Heartbeat(*machine_).value().end == OwnerEnd::kPublished;
    }
    for (const auto& [key, stored] : owners_.s3.objects) world_.bucket.objects[key] = {stored.bytes, stored.etag};
    EXPECT_EQ(world_.Difference(), "");
    EXPECT_EQ(std::ssize(world_.fetches), films);
    world_.bucket.objects.clear();
    return work;
  }

  CloudWorld world_;
  BilledCloud owners_{world_}, collectors_{world_};
  S3ObjectStore store_ = owners_.store();
  SqsChannel channel_ = owners_.channel();
  std::unique_ptr<CloudWorld::Machine> machine_ = world_.NewMachine();
};

TEST_F(OwnersBill, OfAFirstMirrorOfTwentyThousandIds) {
  const Work work = FirstMirror(20'000);
  EXPECT_EQ(work.messages, 10);
  EXPECT_EQ(work.cycles, 2);
  const Spent owners = owners_.spent(), collectors = collectors_.spent();
  EXPECT_EQ(collectors, (Spent{.puts = 10, .gets = 10}));
  // stretch() of cost.mjs, with a catalog of one part.
  EXPECT_LE(owners.puts, work.cycles * (1 + 2 + 4 * 2 + 4 + 14) + work.beats * 2);
  EXPECT_LE(owners.gets, work.messages + work.cycles * 40 + work.beats);
  // Of 3.2 requests a message two are the mapping's, which receives and deletes.
  EXPECT_LE(owners.messages, std::int64_t(double(work.messages) * 1.2));
}

TEST_F(OwnersBill, OfAnIdleDay) {
  FirstMirror(20);
  const Spent before = owners_.spent();
  for (int beat = 0; beat < 288; ++beat) {
    world_.clock.Advance(minutes(5));
    EXPECT_EQ(world_.Heartbeat(*machine_).value().end, OwnerEnd::kNothingToDo);
  }
  EXPECT_EQ(owners_.spent() - before, (Spent{.puts = 288, .gets = 288})) << "a LIST and a GET a heartbeat";
}

}  // namespace
}  // namespace tmdbc::aws
