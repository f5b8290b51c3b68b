// SPDX-License-Identifier: MIT
// The program as both functions, over S3, SQS and SSM of moto, and tmdb-sim. The test is what AWS does between them: it
// hosts each process, brings an event from EventBridge, and carries messages from the queue to a collector. Each
// function is a new process each time, with an empty disk: a cold start.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "aws/lambda_world_test.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "emulators.h"
#include "lambda_zip.h"
#include "program.h"

namespace tmdbc::testing {
namespace {

using std::chrono::seconds;

constexpr const char* kKey = "0123456789abcdef0123456789abcdef";

class LambdaOverMoto : public ::testing::Test {
 protected:
  // One life of a function: works on these events until its host is gone.
  struct Life {
    FakeLambda lambda;
    TempDir folder;
    std::optional<Program> program;
  };
  Environment SettingsOf(const std::string& handler, const TempDir& folder) const {
    Environment environment = client_.set;
    environment.merge(Environment{{"_HANDLER", handler},
                                  {"STAGE", "test"},
                                  {"LOG_FORMAT", "json"},
                                  {"TMPDIR", folder.path().string()},
                                  {"S3_BUCKET_NAME", bucket_.options().bucket},
                                  {"TMDB_API_KEY_PARAMETER", parameter_},
                                  {"TMDB_API_BASE_URL", sim_.url() + "/3"},
                                  {"TMDB_EXPORT_BASE_URL", sim_.url() + "/p/exports"},
                                  {"MEDIA_TYPES", "movie,tv,person"},
                                  {"RATE_LIMIT_REQUESTS", "100"}});
    if (handler == "harvester") {
      environment["IDS_QUEUE_URL"] = ids_;
      environment["DEAD_LETTERS_QUEUE_URL"] = dead_;
    }
    return environment;
  }
  void Begin(Life& life, const std::string& handler, const std::vector<std::string>& events) {
    for (const std::string& event : events) life.lambda.Add(event);
    life.lambda.time = handler == "harvester" ? seconds(900) : seconds(180);  // as serverless.yml gives them
    Environment environment = SettingsOf(handler, life.folder);
    environment["AWS_LAMBDA_RUNTIME_API"] = life.lambda.Start();
    life.program.emplace(std::vector<std::string>{CollectorPath(), "lambda"}, environment, life.folder.path());
  }
  std::vector<FakeLambda::Answered> End(Life& life) {
    EXPECT_TRUE(life.program->Wait(seconds(120)).has_value()) << life.program->err();
    EXPECT_EQ((life.program->out() + life.program->err()).find(kKey), std::string::npos);
    auto answers = life.lambda.answers();
    for (const auto& answer : answers) EXPECT_FALSE(answer.failed) << answer.body << life.program->err();
    if (answers.empty()) ADD_FAILURE() << "nothing was answered: " << life.program->err();
    return answers;
  }
  std::string Harvester(const std::string& event) {
    Life life;
    Begin(life, "harvester", {event});
    const auto answers = End(life);
    printed_ = life.program->out();
    return answers.empty() ? "" : answers.back().body;
  }
  // Brings what is in the queue to a collector, as the mapping does; how many messages there were.
  int CarryMessages(seconds patience = seconds(1)) {
    int carried = 0;
    while (true) {
      const auto answer =
          Parse(client_.Json("sqs", "AmazonSQS.ReceiveMessage",
                             fmt::format(R"({{"QueueUrl":"{}","WaitTimeSeconds":{}}})", ids_, patience.count())));
      simdjson::dom::array messages;
      if (answer.root()["Messages"].get(messages) != simdjson::SUCCESS || messages.size() == 0) return carried;
      const auto message = messages.at(0).value();
      JsonWriter event;
      event.BeginObject().Key("Records").BeginArray().BeginObject().Field("eventSource", "aws:sqs");
      event.Field("body", message["Body"].get_string().value()).EndObject().EndArray().EndObject();
      Life life;
      Begin(life, "collector", {event.text()});
      if (End(life).empty()) return carried;
      JsonWriter done;
      done.BeginObject().Field("QueueUrl", ids_);
      done.Field("ReceiptHandle", message["ReceiptHandle"].get_string().value()).EndObject();
      client_.Json("sqs", "AmazonSQS.DeleteMessage", done.text());
      ++carried;
      patience = seconds(0);
    }
  }
  static ParsedJson Parse(const std::string& json) { return ParsedJson::Parse(json.empty() ? "{}" : json).value(); }
  static std::string Requested(std::string_view detail) {
    static int events = 0;
    return fmt::format(R"({{"version":"0","id":"event-{}","detail-type":"Collection Requested",)"
                       R"("source":"tmdb-data-collector","account":"1","time":"2026-11-22T18:43:48Z",)"
                       R"("region":"us-east-1","resources":[],"detail":{}}})",
                       ++events, detail);
  }
  std::string MakeQueue(const std::string& name) {
    const auto made = Parse(client_.Json("sqs", "AmazonSQS.CreateQueue",
                                         R"({"QueueName":")" + name + R"(","Attributes":{"FifoQueue":"true"}})"));
    return std::string(made.root()["QueueUrl"].get_string().value());
  }
  std::string MakeParameter() {
    const std::string name = "/tmdb-data-collector/" + own_ + "/tmdb-api-key";
    PutKey(name, kKey);
    return name;
  }
  void PutKey(const std::string& name, std::string_view key) {
    client_.Json("ssm", "AmazonSSM.PutParameter",
                 fmt::format(R"({{"Name":"{}","Type":"SecureString","Overwrite":true,"Value":"{}"}})", name, key));
  }

  EmulatorClient client_{"moto"};
  EmulatedStore bucket_{"moto"};
  const std::string own_ = bucket_.options().bucket;
  const std::string ids_ = MakeQueue(own_ + "-ids.fifo"), dead_ = MakeQueue(own_ + "-dead.fifo");
  const std::string parameter_ = MakeParameter();
  std::string printed_;  // by the harvester's last life
  Sim sim_{{"--movies=60", "--shows=8", "--people=30", "--rate=100", "--huge-show=0", fmt::format("--api-key={}", kKey)}};
};

TEST_F(LambdaOverMoto, TheFirstHeartbeatBeginsAMirror) {
  const std::string harvested = Harvester(R"({"detail-type":"Heartbeat"})");
  EXPECT_NE(harvested.find(R"("end":"published")"), std::string::npos) << harvested;
  EXPECT_NE(harvested.find(R"("harvests":1)"), std::string::npos) << harvested;
  EXPECT_GT(CarryMessages(), 0);
  EXPECT_GT(bucket_.ListObjects("inbox/bundle/", "")->size(), 0u);
  const std::string taken = Harvester(Requested(R"({"mode":"redrive"})"));
  EXPECT_NE(taken.find(R"("waiting":0)"), std::string::npos) << taken;
  EXPECT_EQ(CarryMessages(), 0) << "everything has been answered";
  EXPECT_EQ(bucket_.ListObjects("inbox/", "")->size(), 0u) << "and taken in";
  EXPECT_GT(bucket_.ListObjects("records/movie/", "")->size(), 0u);
  EXPECT_EQ(printed_, "") << "nothing was harvested: how old the records are is looked at once a day";
  Harvester(Requested(R"({"mode":"export"})"));
  EXPECT_NE(printed_.find(R"("OldestVerifiedDays":0.00})"), std::string::npos) << printed_;
  EXPECT_GT(bucket_.ListObjects("records/season/", "")->size(), 0u);

  // What lies under records/ is a mirror for any machine: a copy of it is one.
  const TempDir copy;
  const auto objects = bucket_.ListObjects("records/", "").value();
  for (const ObjectInfo& object : objects) {
    const auto path = copy.path() / "data" / object.key;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bucket_.Get(object.key)->bytes;
  }
  const Environment settings = sim_.Settings(copy.path() / "data");
  const Finished verified = RunToEnd({CollectorPath(), "verify", "--rebuild"}, settings, copy.path());
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  int found = 0;
  std::string told;
  for (const int id : {1, 2, 3, 4, 5, 6, 7, 8}) {
    const Finished query =
        RunToEnd({CollectorPath(), "query", "--type=movie", "--id=" + std::to_string(id)}, settings, copy.path());
    told += query.err;
    if (query.code != 0) continue;  // ids have gaps
    ++found;
    EXPECT_NE(query.out.find(fmt::format("\"id\":{},", id)), std::string::npos) << query.out;
  }
  EXPECT_GT(found, 0) << told;
}

TEST_F(LambdaOverMoto, TheHarvesterOfTheZipIsRunByTheRuntimeEmulatorOfAws) {
  const TempDir folder;
  const RuntimeEmulator emulator;
  Environment environment = SettingsOf("harvester", folder);
  for (const auto& [name, value] : RuntimeEmulator::Settings("harvester")) environment[name] = value;
  const Program harvester(emulator.Command("harvester"), environment, folder.path());
  const std::string harvested = emulator.Invoke(R"({"detail-type":"Heartbeat"})");
  EXPECT_NE(harvested.find(R"("end":"published")"), std::string::npos)
      << harvested << harvester.out() << harvester.err();
  EXPECT_GT(CarryMessages(), 0) << harvested;
  const std::string taken = emulator.Invoke(Requested(R"({"mode":"redrive"})"));
  EXPECT_NE(taken.find(R"("waiting":0)"), std::string::npos) << taken;
  EXPECT_GT(bucket_.ListObjects("records/movie/", "")->size(), 0u);
}

TEST_F(LambdaOverMoto, AKeyThatWasReplacedIsTakenByAProcessThatLives) {
  Harvester(R"({"detail-type":"Heartbeat"})");
  EXPECT_GT(CarryMessages(), 0);
  Harvester(Requested(R"({"mode":"redrive"})"));
  ASSERT_EQ(bucket_.ListObjects("inbox/", "")->size(), 0u) << "nothing is out: the next feed is read at once";

  PutKey(parameter_, "fedcba9876543210fedcba9876543210");
  const std::string changes = Requested(R"({"mode":"changes"})");
  Life life;
  life.lambda.on_answer = [this](std::size_t answers) {
    if (answers > 2) return;
    EXPECT_GT(bucket_.ListObjects("inbox/request/", "")->size(), 0u) << "no feed was read: it is asked again";
    if (answers == 2) PutKey(parameter_, kKey);
  };
  Begin(life, "harvester", {changes, changes, Requested(R"({"mode":"redrive"})")});
  EXPECT_EQ(End(life).size(), 3u);
  EXPECT_EQ(bucket_.ListObjects("inbox/request/", "")->size(), 0u);
}

TEST_F(LambdaOverMoto, AProbeShowsThatEveryPieceWorks) {
  Life life;
  Begin(life, "harvester", {R"({"detail-type":"Probe"})"});
  int carried = 0;
  for (int tries = 0; carried == 0 && tries < 30; ++tries) carried = CarryMessages();
  EXPECT_EQ(carried, 1);
  const auto answers = End(life);
  ASSERT_EQ(answers.size(), 1u);
  const ParsedJson answer = Parse(answers[0].body);
  int checks = 0;
  const simdjson::dom::array all = answer.root()["checks"].get_array().value();
  for (const auto check : all) {
    ++checks;
    EXPECT_TRUE(check["ok"].get_bool().value()) << simdjson::minify(check);
  }
  EXPECT_EQ(checks, 6);
  EXPECT_EQ(bucket_.ListObjects("", "")->size(), 0u) << "nothing is left behind";
}

}  // namespace
}  // namespace tmdbc::testing
