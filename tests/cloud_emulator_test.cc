// SPDX-License-Identifier: MIT
// The whole mirror in a bucket as it runs on AWS, but for the functions around it: owner and collector over S3 (Ceph
// checks every signature, hash and condition), SQS (moto) and tmdb-sim, in one process.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/dating_transport.h"
#include "aws/sqs_channel.h"
#include "base/json.h"
#include "cloud/collector_function.h"
#include "cloud/owner.h"
#include "emulators.h"
#include "mirror.h"
#include "storage/segment_path.h"
#include "tmdb/upstream_clock.h"

namespace tmdbc::testing {
namespace {

using Calls = std::map<std::string, std::int64_t>;

// The FIFO queue and its dead letters, and the mapping that brings messages to a collector.
class SqsQueue {
 public:
  SqsQueue() {
    const std::string name = "cloud-" + std::to_string(std::random_device()());
    queues_ = {.url = client_.url("sqs"), .ids = Make(name + "-ids.fifo"), .dead = Make(name + "-dead.fifo")};
  }
  const aws::SqsQueues& queues() const { return queues_; }

  // Hands the next message to `work`; false when there is none. It is deleted when `work` says so.
  bool Deliver(const std::function<bool(const std::string& body)>& work) {
    const auto answer =
        Ask("ReceiveMessage", R"({"QueueUrl":")" + queues_.ids + R"(","VisibilityTimeout":0})");
    simdjson::dom::array messages;
    if (answer.root()["Messages"].get_array().get(messages) != simdjson::SUCCESS || messages.size() == 0)
      return false;
    const auto message = messages.at(0).value();
    const std::string receipt = Text(message["ReceiptHandle"]);
    if (work(Text(message["Body"])))
      Ask("DeleteMessage", R"({"QueueUrl":")" + queues_.ids + R"(","ReceiptHandle":")" + receipt + "\"}");
    return true;
  }

 private:
  static std::string Text(simdjson::dom::element element) {
    return std::string(std::string_view(element.get_string()));
  }
  ParsedJson Ask(const std::string& operation, const std::string& body) {
    const std::string answer = client_.Json("sqs", "AmazonSQS." + operation, body);
    return ParsedJson::Parse(answer.empty() ? "{}" : answer).value();
  }
  std::string Make(const std::string& name) {
    return Text(Ask("CreateQueue", R"({"QueueName":")" + name + R"(","Attributes":{"FifoQueue":"true"}})")
                    .root()["QueueUrl"]);
  }

  EmulatorClient client_{"moto"};
  aws::SqsQueues queues_;
};

std::unique_ptr<http::HttpTransport> ToTmdb(const Clock& clock, UpstreamDate& date) {
  return std::make_unique<DatingTransport>(http::CurlTransport::Create(clock, http::CurlOptions()).value(),
                                           clock, date);
}

ApiAccess AccessTo(const Sim& sim) {
  return {.base_url = sim.url() + "/3",
          .secret_query = "api_key=0123456789abcdef0123456789abcdef",
          .bearer = "",
          .user_agent = "tmdb-data-collector/test"};
}

// What the two functions share.
struct Cloud {
  explicit Cloud(const Sim& simulator) : sim(simulator) {}
  const Sim& sim;
  EmulatedStore bucket{"ceph"};
  SqsQueue queue;
  std::FILE* const quiet = std::fopen("/dev/null", "w");
  ~Cloud() { std::fclose(quiet); }
};

// An environment of the harvester's function: fresh, with an empty disk.
struct OwnerFunction {
  explicit OwnerFunction(Cloud& cloud)
      : objects(s3.client, cloud.bucket.options()),
        channel(sqs.client, cloud.queue.queues()),
        log(cloud.quiet, LogLevel::kDebug, LogFormat::kText, clock) {
    OwnerOptions options;
    options.dispatch = {.rate = 1'000, .concurrency = 1};
    options.sources = {.export_base_url = cloud.sim.url() + "/p/exports", .api = AccessTo(cloud.sim)};
    options.types = {MediaType::kMovie, MediaType::kTv, MediaType::kPerson};
    options.read_request = [](std::string_view event, const std::string&) -> Result<OwnerRequest> {
      OwnerRequest request;
      request.redrive = event == "look";  // nothing to harvest, and a reason to work at once
      if (!request.redrive) request.harvests.push_back({});
      return request;
    };
    options.harvest_options = [](const HarvestRequest& request) {
      HarvestOptions harvest;
      harvest.types = request.types;
      harvest.mode = request.mode;
      return harvest;
    };
    owner.emplace(OwnerPorts{.objects = objects,
                             .channel = channel,
                             .scratch = scratch,
                             .scratch_folder = folder.path().string(),
                             .clock = clock,
                             .transport = *transport,
                             .upstream = date,
                             .random = random,
                             .log = log},
                  std::move(options));
  }
  OwnerReport Call(std::optional<OwnerEvent> event = {}) {
    static int calls = 0;
    const auto report = owner->Call({.holder = "call-" + std::to_string(++calls),
                                     .deadline = clock.Now() + std::chrono::minutes(15),
                                     .event = std::move(event)});
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(OwnerReport());
  }

  SystemClock clock;
  EmulatorClient s3{"ceph"}, sqs{"moto"};
  aws::S3ObjectStore objects;
  aws::SqsChannel channel;
  TempDir folder;
  PosixFileSystem scratch{folder.path().string()};
  UpstreamDate date;
  std::unique_ptr<http::HttpTransport> transport = ToTmdb(clock, date);
  std::mt19937_64 random{1};
  Log log;
  std::optional<Owner> owner;
};

struct CollectorsFunction {
  explicit CollectorsFunction(Cloud& cloud)
      : objects(s3.client, cloud.bucket.options()),
        log(cloud.quiet, LogLevel::kDebug, LogFormat::kText, clock),
        function({.clock = dating,
                  .objects = objects,
                  .transport = *transport,
                  .upstream = date,
                  .log = log,
                  .random = random},
                 {.access = AccessTo(cloud.sim), .namespaces = DefaultNamespaces()}) {}
  bool Work(const std::string& body) {
    const auto batch = ParseIdBatch(body);
    EXPECT_TRUE(batch) << body;
    const StopFlag stop;
    const auto done = function.Run(*batch, clock.Mono() + std::chrono::minutes(2), stop);
    EXPECT_TRUE(done) << done.error().message;
    return done.has_value();
  }

  SystemClock clock;
  EmulatorClient s3{"ceph"};
  aws::S3ObjectStore objects;
  UpstreamDate date;
  UpstreamClock dating{clock, date};
  std::unique_ptr<http::HttpTransport> transport = ToTmdb(clock, date);
  std::mt19937_64 random{2};
  Log log;
  CollectorFunction function;
};

void AddTo(Calls& all, const Calls& more) {
  for (const auto& [name, count] : more) all[name] += count;
}

std::string Shown(const Calls& calls) {
  std::string text;
  for (const auto& [name, count] : calls) text += name + " " + std::to_string(count) + ", ";
  return text;
}

TEST(CloudMirror, HoldsInTheBucketWhatTmdbHasAndPaysForFewCalls) {
  const World world({"--movies=1500", "--shows=150", "--people=900", "--gone=10", "--rate=0"});
  Cloud cloud(world.sim);
  ASSERT_TRUE(cloud.bucket.s3.Probe());
  Calls calls;
  int cycles = 0, messages = 0;
  {
    OwnerFunction first(cloud);
    const OwnerReport report = first.Call(OwnerEvent{"event-1", "{}"});
    EXPECT_EQ(report.end, OwnerEnd::kPublished);
    EXPECT_GT(report.sent_batches, 0);
    AddTo(calls, first.s3.client.sent());
    AddTo(calls, first.sqs.client.sent());
    ++cycles;
  }
  CollectorsFunction collector(cloud);
  // Each cycle in an environment of its own: the catalog comes from the bucket.
  for (bool working = true; working && cycles < 10; ++cycles) {
    while (cloud.queue.Deliver([&](const std::string& body) { return collector.Work(body); })) ++messages;
    OwnerFunction owner(cloud);
    const OwnerReport report = owner.Call(OwnerEvent{"look-" + std::to_string(cycles), "look"});
    EXPECT_EQ(report.end, OwnerEnd::kPublished);
    working = report.waiting > 0 || report.out.batches > 0;
    AddTo(calls, owner.s3.client.sent());
    AddTo(calls, owner.sqs.client.sent());
  }
  AddTo(calls, collector.s3.client.sent());

  // What an outsider copies of it is a mirror.
  const auto objects = cloud.bucket.ListObjects("records/", "").value();
  for (const ObjectInfo& object : objects) {
    const auto path = world.data_dir / object.key;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << cloud.bucket.Get(object.key)->bytes;
  }
  ExpectMirrors(world.data_dir, ReadTruth(world.truth_file, kTypes));

  // docs/aws.md: what it costs. A message is a HEAD and a PUT; a cycle is a dozen and one for each segment and bundle.
  RecordProperty("calls", Shown(calls));
  // Ceph's odd ETags cost each owner one HEAD more.
  EXPECT_LE(calls["s3:HeadObject"], messages + cycles) << Shown(calls);
  EXPECT_LE(calls["s3:PutObject"], messages + cycles * 16) << Shown(calls);
  EXPECT_LE(calls["sqs:SendMessageBatch"], cycles + messages / 10) << Shown(calls);
}

}  // namespace
}  // namespace tmdbc::testing
