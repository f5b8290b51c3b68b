// SPDX-License-Identifier: MIT
#include "aws/aws_client.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aws/aws_world_test.h"

namespace tmdbc::aws {
namespace {

AwsCall Put(std::string_view body = "bytes") {
  AwsCall call;
  call.act = "put a/b";
  call.service = "s3";
  call.operation = "PutObject";
  call.method = http::Method::kPut;
  call.url = "https://bucket.s3.us-east-1.amazonaws.com";
  call.path = "/a b";
  call.body = body;
  return call;
}

// Answers with each of `replies` in turn, with the last one for ever.
testing::ScriptedTransport::Script InTurn(std::vector<Reply> replies) {
  return
      [replies = std::move(replies), at = std::size_t(0)](const http::Request&, const std::string&) mutable {
        return replies[std::min(at++, replies.size() - 1)];
      };
}

TEST(AwsClient, SendsASignedRequestOnce) {
  AwsWorld world(InTurn({Reply::Status(200, "fine")}));
  AwsCall call = Put();
  call.query = {{"x", "1 2"}};
  call.headers = {{"If-None-Match", "*"}};
  const auto answer = world.client.Call(call);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "fine");
  ASSERT_EQ(world.transport.seen.size(), 1u);
  const http::Request& request = world.transport.seen[0];
  EXPECT_EQ(request.url, "https://bucket.s3.us-east-1.amazonaws.com/a%20b?x=1%202");
  EXPECT_EQ(HeaderOf(request, "If-None-Match"), "*");
  EXPECT_EQ(HeaderOf(request, "x-amz-security-token"), kTestToken);
  EXPECT_NE(HeaderOf(request, "Authorization")
                .find("SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date"),
            std::string::npos);
  EXPECT_EQ(HeaderOf(request, "Accept-Encoding"), "identity") << "stored bytes come as they are";
  EXPECT_EQ(world.client.sent().at("s3:PutObject"), 1);
}

TEST(AwsClient, TriesAgainWhatMayPassAndWaitsLongerEachTime) {
  for (const Reply& bad :
       {Reply::Status(500, "<Error><Code>InternalError</Code></Error>"),
        Reply::Status(503, "<html><title>Busy</title></html>"), Reply::Status(429),
        Reply::Status(400, R"({"__type":"ThrottlingException"})"),
        Reply::Status(409, "<Error><Code>ConditionalRequestConflict</Code></Error>"),
        Reply::Broken(http::TransportFailure::kConnect), Reply::Broken(http::TransportFailure::kReset),
        Reply::Broken(http::TransportFailure::kTimeout)}) {
    AwsWorld world(InTurn({bad, bad, bad, Reply::Status(200, "in the end")}));
    const auto answer = world.client.Call(Put());
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "in the end");
    EXPECT_EQ(world.client.sent().at("s3:PutObject"), 4) << "each try is paid for";
    EXPECT_GE(world.transport.waited, 3 * std::chrono::milliseconds(50));
  }
}

TEST(AwsClient, GivesUpInHalfAMinuteAndSaysWhatItSawLast) {
  AwsWorld world(InTurn({Reply::Status(
      503, "<Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>")}));
  const auto answer = world.client.Call(Put());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kIo);
  EXPECT_EQ(answer.error().message, "put a/b: HTTP 503 SlowDown: Please reduce your rate after 8 tries");
  EXPECT_EQ(world.transport.seen.size(), 8u);
  EXPECT_LE(world.transport.waited, std::chrono::seconds(30));
}

TEST(AwsClient, SaysWhatToLookAtWhereTheTransportKnows) {
  Reply behind_a_proxy = Reply::Broken(http::TransportFailure::kConnect);
  behind_a_proxy.failure_hint = Hint::kProxy;
  AwsWorld world(InTurn({behind_a_proxy}));
  EXPECT_EQ(world.client.Call(Put()).error().hint, Hint::kProxy);
}

TEST(AwsClient, WaitsAsLongAsItIsAskedTo) {
  AwsWorld world(InTurn({Reply::Status(503, "", {{"Retry-After", "5"}}), Reply::Status(200)}));
  ASSERT_TRUE(world.client.Call(Put()));
  EXPECT_GE(world.transport.waited, std::chrono::seconds(5));
  AwsWorld bold(InTurn({Reply::Status(503, "", {{"Retry-After", "86400"}}), Reply::Status(200)}));
  ASSERT_TRUE(bold.client.Call(Put()));
  EXPECT_LE(bold.transport.waited, std::chrono::seconds(20)) << "nobody is obeyed for a day";
}

TEST(AwsClient, TakesAFreshConnectionAfterAStaleOne) {
  Reply stale = Reply::Broken();
  stale.stale_connection = true;
  AwsWorld world(InTurn({stale, Reply::Status(200)}));
  ASSERT_TRUE(world.client.Call(Put()));
  EXPECT_TRUE(world.transport.seen[1].fresh_connection);
  EXPECT_EQ(world.transport.waited, Duration(0));
}

TEST(AwsClient, TakesTheServersClockWhenItsOwnIsRefused) {
  // The server lives 20 minutes later.
  AwsWorld world([](const http::Request& request, const std::string&) {
    const bool right = HeaderOf(request, "x-amz-date").starts_with("20261122T0020");
    return right ? Reply::Status(200)
                 : Reply::Status(403, "<Error><Code>RequestTimeTooSkewed</Code></Error>",
                                 {{"Date", "Sun, 22 Nov 2026 00:20:00 GMT"}});
  });
  ASSERT_TRUE(world.client.Call(Put()));
  EXPECT_EQ(world.transport.seen.size(), 2u);
  ASSERT_TRUE(world.client.Call(Put()));
  EXPECT_EQ(world.transport.seen.size(), 3u) << "it is remembered";
  EXPECT_EQ(world.transport.waited, Duration(0));
}

TEST(AwsClient, DoesNotTakeAClockThatIsNotTheReason) {
  AwsWorld world(InTurn({Reply::Status(403, "", {{"Date", "Sun, 22 Nov 2026 00:01:00 GMT"}})}));
  EXPECT_EQ(world.client.Call(Put()).value().status, 403);
  EXPECT_EQ(world.transport.seen.size(), 1u);
  AwsWorld wrong(InTurn({Reply::Status(403, "", {{"Date", "Sun, 22 Nov 2026 01:00:00 GMT"}})}));
  EXPECT_EQ(wrong.client.Call(Put()).value().status, 403);
  EXPECT_EQ(wrong.transport.seen.size(), 2u) << "tried once and no more";
}

TEST(AwsClient, AsksForANewKeyWhenThisOneHasExpired) {
  AwsWorld world([](const http::Request& request, const std::string&) {
    const bool fresh = HeaderOf(request, "Authorization").find("Credential=NEW/") != std::string::npos;
    return fresh ? Reply::Status(200) : Reply::Status(400, "<Error><Code>ExpiredToken</Code></Error>");
  });
  ASSERT_EQ(world.client.Call(Put()).value().status, 400) << "the environment has no other";
  EXPECT_EQ(world.transport.seen.size(), 2u);
  world.set["AWS_ACCESS_KEY_ID"] = "NEW";
  EXPECT_EQ(world.client.Call(Put()).value().status, 200);
}

TEST(AwsClient, SaysWhatIsMissingWithoutCredentials) {
  AwsWorld world(InTurn({Reply::Broken(http::TransportFailure::kConnect)}));
  world.set.erase("AWS_ACCESS_KEY_ID");
  const MonoTime began = world.clock.Mono();
  const auto answer = world.client.Call(Put());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kDenied);
  EXPECT_EQ(answer.error().message,
            "put a/b: no AWS credentials: AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not");
  EXPECT_EQ(world.clock.Mono(), began) << "there is nothing to wait for";
}

TEST(AwsClient, NamesTheRegionOfTheBucket) {
  for (const Reply& reply :
       {Reply::Status(301, "", {{"x-amz-bucket-region", "eu-west-1"}}),
        Reply::Status(
            400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>")}) {
    AwsWorld world(InTurn({reply}));
    const auto answer = world.client.Call(Put());
    ASSERT_TRUE(answer);
    const Error error = world.client.Refused(Put(), *answer).error();
    EXPECT_EQ(error.code, ErrorCode::kDenied);
    EXPECT_EQ(
        error.message,
        "put a/b: the bucket is in region eu-west-1, and was asked for in us-east-1: set AWS_REGION to where it is");
  }
}

TEST(AwsClient, MakesAnErrorOfARefusalWithoutWhatIsSecret) {
  AwsWorld world(InTurn({Reply::Status(
      403,
      std::string(
          R"({"__type":"InvalidSignatureException","message":"It does not match.\n'x-amz-security-token:)") +
          kTestToken + R"('"})")}));
  const auto answer = world.client.Call(Put());
  ASSERT_TRUE(answer);
  const Error error = world.client.Refused(Put(), *answer).error();
  EXPECT_EQ(error.code, ErrorCode::kDenied);
  EXPECT_EQ(error.message, "put a/b: HTTP 403 InvalidSignatureException: It does not match.");
}

// As Ceph does.
TEST(AwsClient, SaysWhatACodeMeansWhereTheServerSaysNoMore) {
  const std::string bare =
      "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><BucketName>b</BucketName></Error>";
  AwsWorld world(InTurn({Reply::Status(404, bare)}));
  const auto answer = world.client.Call(Put());
  ASSERT_TRUE(answer);
  EXPECT_EQ(world.client.Refused(Put(), *answer).error().message,
            "put a/b: HTTP 404 NoSuchBucket: there is no bucket of that name: make it first");
}

TEST(AwsClient, TriesAgainAnErrorWithinA200) {
  AwsCall call = Put();
  call.error_in_200 = true;
  AwsWorld world(InTurn({Reply::Status(200, "<Error><Code>InternalError</Code></Error>"),
                         Reply::Status(200, "  "), Reply::Status(200, "<CompleteMultipartUploadResult/>")}));
  EXPECT_EQ(world.client.Call(call).value().body, "<CompleteMultipartUploadResult/>");
  AwsWorld final(InTurn({Reply::Status(200, "<Error><Code>EntityTooSmall</Code></Error>")}));
  const auto answer = final.client.Call(call);
  ASSERT_TRUE(answer);
  EXPECT_EQ(final.client.Refused(call, *answer).error().message, "put a/b: HTTP 200 EntityTooSmall");
}

TEST(AwsClient, SendsABodyFromItsBeginningEachTime) {
  std::vector<std::string> bodies;
  AwsWorld world([&](const http::Request&, const std::string& body) {
    bodies.push_back(body);
    return bodies.size() < 3 ? Reply::Broken() : Reply::Status(200);
  });
  AwsCall call = Put("");
  const std::string text = "0123456789";
  call.body_bytes = text.size();
  call.payload_hash = "UNSIGNED-PAYLOAD";
  call.open_body = [&text] {
    return [&text, at = std::size_t(0)](std::span<char> room) mutable {
      const std::size_t n = std::min({room.size(), text.size() - at, std::size_t(3)});
      std::copy_n(text.data() + at, n, room.data());
      at += n;
      return n;
    };
  };
  ASSERT_TRUE(world.client.Call(call));
  EXPECT_EQ(bodies, (std::vector<std::string>{text, text, text}));
}

TEST(AwsClient, RunsAsManyAtOnceAsItIsToldAndKeepsTheirOrder) {
  AwsWorld world(
      [](const http::Request& request, const std::string&) { return Reply::Status(200, request.url); });
  std::vector<AwsCall> calls(10, Put());
  for (std::size_t i = 0; i < calls.size(); ++i) calls[i].path = "/" + std::to_string(i);
  const auto answers = world.client.CallAll(calls, 4);
  ASSERT_EQ(answers.size(), 10u);
  for (std::size_t i = 0; i < answers.size(); ++i)
    EXPECT_TRUE(answers[i].value().body.ends_with("/" + std::to_string(i)));
  EXPECT_EQ(world.transport.peak, 4);
}

TEST(AwsClient, BeginsNoOtherCallAfterOneFailed) {
  AwsWorld world([](const http::Request& request, const std::string&) {
    return request.url.ends_with("/1") ? Reply::Broken(http::TransportFailure::kUntrusted)
                                       : Reply::Status(200);
  });
  std::vector<AwsCall> calls(10, Put());
  for (std::size_t i = 0; i < calls.size(); ++i) calls[i].path = "/" + std::to_string(i);
  const auto answers = world.client.CallAll(calls, 2);
  EXPECT_TRUE(answers[0]);
  EXPECT_EQ(answers[1].error().message, "put a/b: the connection broke");
  EXPECT_FALSE(answers[9]);
  EXPECT_LE(world.transport.seen.size(), 4u);
}

}  // namespace
}  // namespace tmdbc::aws
