// SPDX-License-Identifier: MIT
#include "app/lambda_functions.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <random>
#include <string>

#include "base/json_writer.h"
#include "cloud/cloud_world_test.h"
#include "testing/fake_clock.h"
#include "testing/fake_tmdb.h"
#include "testing/memory_object_store.h"

namespace tmdbc {
namespace {

using std::chrono::seconds;
using testing::FakeTmdb;

std::string SqsEvent(std::string_view body) {
  JsonWriter event;
  event.BeginObject().Key("Records").BeginArray().BeginObject().Field("eventSource", "aws:sqs").Field("body", body);
  return event.EndObject().EndArray().EndObject().text();
}

class CollectorLambdaTest : public ::testing::Test {
 protected:
  ~CollectorLambdaTest() override { std::fclose(log_file_); }

  IdBatch Movies(std::int64_t count) {
    IdBatch batch{.name = "000000123-0007", .lane = 0, .rate = 40, .items = {}};
    for (std::int64_t id = 1; id <= count; ++id) {
      tmdb_.Add({MediaType::kMovie, id});
      batch.items.push_back({{MediaType::kMovie, id}});
    }
    return batch;
  }
  Result<std::string> Handle(std::string event, std::optional<seconds> time = seconds(180)) {
    aws::Invocation invocation;
    invocation.request_id = "request-1";
    invocation.event = std::move(event);
    if (time) invocation.deadline = clock_.Now() + *time;
    return lambda_.Handle(invocation);
  }

  testing::FakeClock clock_;
  std::FILE* log_file_ = std::fopen("/dev/null", "w");
  Log log_{log_file_, LogLevel::kError, LogFormat::kJson, clock_};
  std::mt19937_64 random_{5};
  UpstreamDate upstream_;
  StopFlag stop_;
  FakeTmdb tmdb_{clock_, {.seed = 1}};
  testing::MemoryObjectStore store_;
  std::string written_;
  CollectorFunction function_{{.clock = clock_,
                               .objects = store_,
                               .transport = tmdb_,
                               .upstream = upstream_,
                               .log = log_,
                               .random = random_},
                              {.access = {.base_url = std::string(FakeTmdb::kBaseUrl),
                                          .secret_query = {},
                                          .bearer = {},
                                          .user_agent = "test"},
                               .namespaces = DefaultNamespaces()}};
  CollectorLambda lambda_{{.machine = clock_,
                           .stage = "dev",
                           .log = log_,
                           .write = [this](std::string_view line) { written_ += line; }},
                          function_,
                          stop_};
};

TEST_F(CollectorLambdaTest, AnswersAMessageAndSaysItsMetrics) {
  const auto answer = Handle(SqsEvent(FormatIdBatch(Movies(20))));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, R"({"batch":"000000123-0007","repeated":false,"fetched":20,"gone":0,"failed":0,"left":0})");
  EXPECT_EQ(store_.bucket().objects.count("inbox/bundle/000000123-0007.jsonl.zst"), 1u);
  EXPECT_NE(written_.find(R"("Stage":"dev","Requests":20,"Throttled":0,"Denied":0})"), std::string::npos) << written_;
  written_.clear();
  EXPECT_EQ(Handle(SqsEvent(FormatIdBatch(Movies(20)))).value(), R"({"batch":"000000123-0007","repeated":true})");
  EXPECT_EQ(written_, "") << "what was counted is not counted twice";
}

TEST_F(CollectorLambdaTest, WhatIsNoMessageOfIdsIsNeverDone) {
  for (const std::string& event : {std::string("{}"), SqsEvent("hello"), SqsEvent(R"({"schema":2})")}) {
    const auto answer = Handle(event);
    ASSERT_FALSE(answer) << event;
    EXPECT_EQ(answer.error().code, ErrorCode::kInvalid);
  }
  EXPECT_TRUE(store_.bucket().objects.empty());
}

TEST_F(CollectorLambdaTest, KeepsTheEndOfItsTimeForTheBundle) {
  const MonoTime began = clock_.Mono();
  ASSERT_TRUE(Handle(SqsEvent(FormatIdBatch(Movies(2000))), seconds(35)));
  EXPECT_GE(clock_.Mono() - began, seconds(10));
  EXPECT_LE(clock_.Mono() - began, seconds(16));
}

TEST_F(CollectorLambdaTest, ATimeoutThatLeavesNoTimeToWorkIsAnError) {
  const auto answer = Handle(SqsEvent(FormatIdBatch(Movies(20))), seconds(20));
  ASSERT_FALSE(answer);
  const std::string& message = answer.error().message;
  EXPECT_NE(message.find("may run for 20 s, and keeps 25 s"), std::string::npos) << message;
  EXPECT_TRUE(store_.bucket().objects.empty()) << "the message comes again";
}

TEST_F(CollectorLambdaTest, WorksForAHostThatNamesNoDeadline) {
  EXPECT_TRUE(Handle(SqsEvent(FormatIdBatch(Movies(200))), std::nullopt));
}

TEST_F(CollectorLambdaTest, KnowsThatTheKeyWasRefused) {
  tmdb_.Outage(clock_.Mono(), clock_.Mono() + seconds(60), FakeTmdb::Fault::kDeniedKey);
  ASSERT_TRUE(Handle(SqsEvent(FormatIdBatch(Movies(20)))));
  EXPECT_TRUE(lambda_.denied());
  EXPECT_NE(written_.find(R"("Denied":1)"), std::string::npos) << written_;
}

TEST(HarvesterLambda, ATimeoutThatLeavesNoTimeToWorkIsAnError) {
  testing::CloudWorld world;
  const auto machine = world.NewMachine();
  HarvesterLambda lambda({.machine = world.clock,
                          .stage = "dev",
                          .log = *machine->log,
                          .write = [](std::string_view) {}},
                         *machine->owner, world.random, {});
  aws::Invocation invocation;
  invocation.request_id = "request";
  invocation.event = R"({"detail-type":"Heartbeat"})";
  invocation.deadline = world.clock.Now() + seconds(60);
  const auto answer = lambda.Handle(invocation);
  ASSERT_FALSE(answer);
  const std::string& message = answer.error().message;
  EXPECT_NE(message.find("may run for 60 s, and keeps 150 s"), std::string::npos) << message;
  invocation.deadline = world.clock.Now() + seconds(900);
  EXPECT_TRUE(lambda.Handle(invocation));
}

// The alarm stands on it: once nothing is handed out no collector says it any more.
TEST(HarvesterLambda, SaysThatTheKeyIsRefusedWithEveryHeartbeatUntilItIsTaken) {
  testing::CloudWorld world;
  world.tmdb.Edit({MediaType::kMovie, 1});
  world.tmdb.PublishExports();
  const auto machine = world.NewMachine();
  std::string written;
  HarvesterLambda lambda({.machine = world.clock,
                          .stage = "dev",
                          .log = *machine->log,
                          .write = [&](std::string_view line) { written += line; }},
                         *machine->owner, world.random, {});
  const auto beat = [&] {
    written.clear();
    world.clock.Advance(std::chrono::minutes(11));
    aws::Invocation invocation;
    invocation.request_id = "request";
    invocation.event = R"({"detail-type":"Heartbeat"})";
    const auto answer = lambda.Handle(invocation);
    EXPECT_TRUE(answer) << answer.error().message;
    return written.find(R"("Denied":1)") != std::string::npos;
  };
  ASSERT_TRUE(world.Ask(*machine, "auto"));
  EXPECT_FALSE(beat());
  world.key_is_refused = true;
  ASSERT_EQ(world.CollectAll(), 1);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(beat()) << i;
  world.key_is_refused = false;
  ASSERT_TRUE(world.Ask(*machine, "auto"));
  world.CollectAll();
  EXPECT_FALSE(beat());
}

}  // namespace
}  // namespace tmdbc
