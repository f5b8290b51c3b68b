// SPDX-License-Identifier: MIT
#include "aws/lambda_runtime.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "aws/lambda_world_test.h"

namespace tmdbc::aws {
namespace {

using testing::FakeLambda;

class LambdaRuntimeTest : public ::testing::Test {
 protected:
  ~LambdaRuntimeTest() override { std::fclose(log_file_); }

  LambdaRuntime Runtime() { return LambdaRuntime::At(lambda_.Start()).value(); }
  // Works on all events; why it ended.
  Error Serve(const std::function<Result<std::string>(const Invocation&)>& handle) {
    LambdaRuntime runtime = Runtime();
    return ServeLambda(runtime, "Collector", log_, handle);
  }

  FakeLambda lambda_;
  SystemClock clock_;
  std::FILE* log_file_ = std::fopen("/dev/null", "w");
  Log log_{log_file_, LogLevel::kError, LogFormat::kJson, clock_};
};

TEST_F(LambdaRuntimeTest, AnswersEventAfterEventUntilTheHostIsGone) {
  lambda_.Add(R"({"one":1})");
  lambda_.Add(R"({"two":2})");
  std::vector<std::string> events;
  const Error end = Serve([&](const Invocation& invocation) -> Result<std::string> {
    events.push_back(invocation.request_id + invocation.event);
    EXPECT_TRUE(invocation.deadline.has_value());
    EXPECT_NEAR(std::chrono::duration<double>(*invocation.deadline - clock_.Now()).count(), 60, 5);
    EXPECT_EQ(invocation.function_arn, "arn:aws:lambda:us-east-1:000000000000:function:collector");
    EXPECT_EQ(invocation.trace_id, "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
    return R"({"done":true})";
  });
  EXPECT_EQ(events, (std::vector<std::string>{R"(request-1{"one":1})", R"(request-2{"two":2})"}));
  const auto answers = lambda_.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].request_id, "request-2");
  EXPECT_EQ(answers[1].body, R"({"done":true})");
  EXPECT_FALSE(answers[1].failed);
  EXPECT_TRUE(end.message.starts_with("ask Lambda for the next event: ")) << end.message;
}

TEST_F(LambdaRuntimeTest, TellsAFailureWithItsTypeAndGoesOn) {
  lambda_.Add("{}");
  lambda_.Add("{}");
  int calls = 0;
  Serve([&](const Invocation&) -> Result<std::string> {
    if (++calls == 1) return Fail(ErrorCode::kDenied, "put \"x\": HTTP 403\r\nX: y");
    return "{}";
  });
  const auto answers = lambda_.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[0].failed);
  EXPECT_EQ(answers[0].error_type, "Collector.Denied");
  EXPECT_EQ(answers[0].body,
            R"({"errorMessage":"put \"x\": HTTP 403\u000d\nX: y","errorType":"Collector.Denied","stackTrace":[]})");
  EXPECT_FALSE(answers[1].failed);
}

TEST_F(LambdaRuntimeTest, WorksWithoutTheHeadersThatHostsLeaveOut) {
  lambda_.left_out = {"Content-Type", "Lambda-Runtime-Deadline-Ms", "Lambda-Runtime-Invoked-Function-Arn",
                      "Lambda-Runtime-Trace-Id"};
  lambda_.Add("{}");
  Serve([&](const Invocation& invocation) -> Result<std::string> {
    EXPECT_FALSE(invocation.deadline.has_value());
    EXPECT_EQ(invocation.function_arn + invocation.trace_id, "");
    return "{}";
  });
  EXPECT_EQ(lambda_.answers().size(), 1u);
}

TEST_F(LambdaRuntimeTest, EndsAtOnceWhenAnEventHasNoIdOrTheHostRefuses) {
  lambda_.left_out = {"Lambda-Runtime-Aws-Request-Id"};
  lambda_.Add("{}");
  const auto never = [](const Invocation&) -> Result<std::string> {
    ADD_FAILURE() << "an event was worked on";
    return "{}";
  };
  EXPECT_NE(Serve(never).message.find("without an id"), std::string::npos);
  lambda_.Stop();
  lambda_.next_status = 500;
  EXPECT_NE(Serve(never).message.find("HTTP 500"), std::string::npos);
}

TEST_F(LambdaRuntimeTest, EndsAtOnceWhenNobodyListens) {
  const std::string address = lambda_.Start();
  lambda_.Stop();
  LambdaRuntime runtime = LambdaRuntime::At(address).value();
  const auto handle = [](const Invocation&) -> Result<std::string> { return "{}"; };
  const Error end = ServeLambda(runtime, "Collector", log_, handle);
  EXPECT_EQ(end.code, ErrorCode::kUnavailable);
  EXPECT_NE(end.message.find(address), std::string::npos) << end.message;
}

TEST_F(LambdaRuntimeTest, ReadsLargeEventsWholeAndInPieces) {
  for (const bool chunked : {false, true}) {
    lambda_.chunked = chunked;
    const std::string large = "\"" + std::string(3 << 20, 'x') + "\"";
    lambda_.Add(large);
    lambda_.Add("");
    std::vector<std::string> events;
    Serve([&](const Invocation& invocation) -> Result<std::string> {
      events.push_back(invocation.event);
      return "{}";
    });
    EXPECT_EQ(events, (std::vector<std::string>{large, ""})) << chunked;
    lambda_.Stop();
  }
}

TEST_F(LambdaRuntimeTest, AnAnswerThatLambdaDoesNotTakeIsAFailure) {
  lambda_.Add("{}");
  Serve([](const Invocation&) -> Result<std::string> { return std::string(kMostEventBytes + 1, ' '); });
  ASSERT_EQ(lambda_.answers().size(), 1u);
  EXPECT_TRUE(lambda_.answers()[0].failed) << "too large: not even sent";
  lambda_.Stop();
  lambda_.response_status = 413;
  lambda_.Add("{}");
  Serve([](const Invocation&) -> Result<std::string> { return "{}"; });
  ASSERT_EQ(lambda_.answers().size(), 3u);
  EXPECT_TRUE(lambda_.answers()[2].failed);
  EXPECT_EQ(lambda_.answers()[2].error_type, "Collector.Invalid");
}

TEST_F(LambdaRuntimeTest, WaitsForTheNextEventForAsLongAsItTakes) {
  lambda_.freeze = std::chrono::milliseconds(1500);
  lambda_.Add("{}");
  Serve([](const Invocation&) -> Result<std::string> { return "{}"; });
  EXPECT_EQ(lambda_.answers().size(), 1u);
}

TEST_F(LambdaRuntimeTest, TellsThatItCannotBegin) {
  ASSERT_TRUE(Runtime().FailInit({.type = "Collector.Invalid", .message = "S3_BUCKET_NAME is not set"}));
  EXPECT_EQ(lambda_.init_error(),
            R"({"errorMessage":"S3_BUCKET_NAME is not set","errorType":"Collector.Invalid","stackTrace":[]})");
}

TEST(LambdaRuntime, NeedsAnAddress) {
  EXPECT_TRUE(LambdaRuntime::At("127.0.0.1:9001"));
  EXPECT_TRUE(LambdaRuntime::At("localhost:1"));
  for (const char* address : {"", "127.0.0.1", ":9001", "host:", "host:0", "host:65536", "host:x"}) {
    EXPECT_EQ(LambdaRuntime::At(address).error().code, ErrorCode::kInvalid) << address;
  }
}

}  // namespace
}  // namespace tmdbc::aws
