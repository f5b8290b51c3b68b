// SPDX-License-Identifier: MIT
#include "app/lambda_probe.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "cloud/bundle.h"
#include "testing/fake_clock.h"
#include "testing/memory_channel.h"
#include "testing/memory_object_store.h"
#include "testing/scripted_transport.h"

namespace tmdbc {
namespace {

using testing::MemoryChannel;
using testing::MemoryObjectStore;
using testing::ScriptedTransport;

// A queue with a collector behind it that answers at once, while it works.
class AnsweringChannel final : public BatchChannel {
 public:
  AnsweringChannel(const Clock& clock, ObjectStore& objects) : queue_(clock), objects_(objects) {}
  Result<void> Send(std::span<const IdBatch> batches) override {
    TRY(channel_.Send(batches));
    const auto delivery = queue_.Receive();
    if (!works || !delivery) return {};
    const IdBatch batch = ParseIdBatch(delivery->body).value();
    TRY(objects_.Put(BundleKey(batch.name), BundleWriter(batch).Finish({}), PutCondition::Absent()));
    queue_.Delete(delivery->receipt);
    return {};
  }
  Result<ChannelCounts> Count() override { return channel_.Count(); }
  bool works = true;

 private:
  MemoryChannel::Queue queue_;
  MemoryChannel channel_{queue_};
  ObjectStore& objects_;
};

class LambdaProbeTest : public ::testing::Test {
 protected:
  // What each check found: "ok" or the detail.
  std::map<std::string, std::string> Probe() {
    const std::string answer = ProbeFromInside({.clock = clock_,
                                                .objects = objects_,
                                                .conditions = [this] { return conditions_; },
                                                .channel = channel_,
                                                .transport = transport_,
                                                .upstream = upstream_,
                                                .random = random_,
                                                .api = {.base_url = "https://tmdb.test/3",
                                                        .secret_query = "api_key=0123456789abcdef0123456789abcdef",
                                                        .bearer = "",
                                                        .user_agent = "test"},
                                                .export_base_url = "https://files.test/p/exports"},
                                               clock_.Now() + std::chrono::minutes(15));
    EXPECT_EQ(answer.find("0123456789abcdef"), std::string::npos);
    std::map<std::string, std::string> found;
    const auto parsed = ParsedJson::Parse(answer).value();
    const simdjson::dom::array checks = parsed.root()["checks"].get_array().value_unsafe();
    for (const auto check : checks) {
      const bool ok = check["ok"].get_bool().value_unsafe();
      found[std::string(check["name"].get_string().value_unsafe())] =
          ok ? "ok" : std::string(check["detail"].get_string().value_unsafe());
    }
    return found;
  }
  testing::FakeClock clock_;
  MemoryObjectStore objects_;
  AnsweringChannel channel_{clock_, objects_};
  UpstreamDate upstream_;
  std::mt19937_64 random_{1};
  Result<void> conditions_;
  int key_status_ = 200, export_status_ = 200;
  std::vector<std::string> asked_;
  ScriptedTransport transport_{clock_, [this](const http::Request& request, const std::string&) {
                                 asked_.push_back(request.url);
                                 const bool head = request.method == http::Method::kHead;
                                 auto reply = ScriptedTransport::Reply::Status(head ? export_status_ : key_status_);
                                 reply.response.headers = {{"Date", "Sun, 22 Nov 2026 00:00:00 GMT"}};
                                 upstream_.Saw(reply.response, clock_.Now());
                                 return reply;
                               }};
};

TEST_F(LambdaProbeTest, FindsAllWellAndLeavesNothingBehind) {
  for (const auto& [name, found] : Probe()) EXPECT_EQ(found, "ok") << name;
  EXPECT_EQ(Probe().size(), 6u);
  EXPECT_TRUE(objects_.bucket().objects.empty());
  EXPECT_EQ(asked_[0], "https://tmdb.test/3/configuration");
  EXPECT_EQ(asked_[1], "https://files.test/p/exports/movie_ids_11_20_2026.json.gz");
}

TEST_F(LambdaProbeTest, SaysWhatIsWrongAndChecksTheRestAllTheSame) {
  key_status_ = 401;
  export_status_ = 403;
  conditions_ = Fail(ErrorCode::kInvalid, "this server ignores conditions");
  channel_.works = false;
  const MonoTime began = clock_.Mono();
  const auto found = Probe();
  EXPECT_EQ(found.at("bucket"), "this server ignores conditions");
  EXPECT_NE(found.at("key").find("refuses the key"), std::string::npos) << found.at("key");
  EXPECT_NE(found.at("exports").find("HTTP 403"), std::string::npos) << found.at("exports");
  EXPECT_NE(found.at("collector").find("no collector has answered"), std::string::npos) << found.at("collector");
  EXPECT_EQ(found.at("queue"), "ok");
  EXPECT_LE(clock_.Mono() - began, kProbeWait + std::chrono::seconds(5));
}

}  // namespace
}  // namespace tmdbc
