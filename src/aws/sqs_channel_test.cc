// SPDX-License-Identifier: MIT
#include "aws/sqs_channel.h"

#include <gtest/gtest.h>

#include <functional>

#include <string>
#include <vector>

#include "aws/aws_world_test.h"
#include "aws/parameters.h"
#include "base/json.h"

namespace tmdbc::aws {
namespace {

IdBatch Batch(std::int64_t number, int lane = 0) {
  return {
      .name = BatchName(1, number), .lane = lane, .rate = 40, .items = {{{MediaType::kMovie, number}, {}}}};
}

const SqsQueues kQueues{.url = "https://sqs.us-east-1.amazonaws.com",
                        .ids = "https://sqs.us-east-1.amazonaws.com/1/ids.fifo",
                        .dead = "https://sqs.us-east-1.amazonaws.com/1/dead.fifo"};

// A queue that takes what it is not told to refuse.
struct Queue {
  std::vector<std::string> order;                              // "lane-0 000000001-0001"
  std::vector<std::size_t> calls;                              // entries of each
  std::function<std::string(const std::string& name)> refuse;  // an entry of Failed without its Id, or empty

  Reply Take(const std::string& body) {
    const auto json = ParsedJson::ParseString(body).value();
    std::string good, bad;
    std::size_t n = 0;
    for (const auto entry : json.root()["Entries"].get_array()) {
      ++n;
      const std::string name(std::string_view(entry["MessageDeduplicationId"].get_string()));
      const std::string id(std::string_view(entry["Id"].get_string()));
      EXPECT_EQ(ParseIdBatch(std::string_view(entry["MessageBody"].get_string())).value().name, name);
      if (const std::string why = refuse ? refuse(name) : ""; !why.empty()) {
        bad += (bad.empty() ? "" : ",") + ("{\"Id\":\"" + id + "\"," + why + "}");
        continue;
      }
      good += (good.empty() ? "" : ",") + ("{\"Id\":\"" + id + "\",\"MessageId\":\"m\"}");
      order.push_back(std::string(std::string_view(entry["MessageGroupId"].get_string())) + " " + name);
    }
    calls.push_back(n);
    return Reply::Status(200, "{\"Successful\":[" + good + "],\"Failed\":[" + bad + "]}");
  }
};

TEST(SqsChannel, SendsTenAtATimeInTheirLanes) {
  Queue queue;
  AwsWorld world([&](const http::Request& request, const std::string& body) {
    EXPECT_EQ(HeaderOf(request, "X-Amz-Target"), "AmazonSQS.SendMessageBatch");
    EXPECT_EQ(HeaderOf(request, "Content-Type"), "application/x-amz-json-1.0");
    return queue.Take(body);
  });
  SqsChannel channel(world.client, kQueues);
  std::vector<IdBatch> batches;
  for (std::int64_t i = 1; i <= 23; ++i) batches.push_back(Batch(i, int(i % 2)));
  ASSERT_TRUE(channel.Send(batches));
  EXPECT_EQ(queue.calls, (std::vector<std::size_t>{10, 10, 3}));
  ASSERT_EQ(queue.order.size(), 23u);
  EXPECT_EQ(queue.order.front(), "lane-1 000000001-0001");
  EXPECT_EQ(queue.order.back(), "lane-1 000000001-0023");
  EXPECT_EQ(world.client.sent().at("sqs:SendMessageBatch"), 3);
  ASSERT_TRUE(channel.Send({}));
  EXPECT_EQ(world.client.sent().at("sqs:SendMessageBatch"), 3);
}

TEST(SqsChannel, SendsAgainWhatFailedWithinAnAnswerOf200) {
  Queue queue;
  int refusals = 3;
  queue.refuse = [&](const std::string& name) -> std::string {
    if (name != BatchName(1, 2) || refusals-- <= 0) return "";
    return R"("SenderFault":false,"Code":"InternalError","Message":"try again")";
  };
  AwsWorld world([&](const http::Request&, const std::string& body) { return queue.Take(body); });
  SqsChannel channel(world.client, kQueues);
  ASSERT_TRUE(channel.Send(std::vector<IdBatch>{Batch(1), Batch(2), Batch(3)}));
  EXPECT_EQ(queue.order, (std::vector<std::string>{"lane-0 000000001-0001", "lane-0 000000001-0003",
                                                   "lane-0 000000001-0002"}));
  EXPECT_EQ(queue.calls, (std::vector<std::size_t>{3, 1, 1, 1}));
  EXPECT_GT(world.transport.waited, Duration(0));
}

TEST(SqsChannel, NamesTheBatchThatIsNotTaken) {
  Queue queue;
  queue.refuse = [](const std::string& name) -> std::string {
    return name == BatchName(1, 2) ? R"("SenderFault":true,"Code":"InvalidMessageContents","Message":"no")"
                                   : "";
  };
  AwsWorld world([&](const http::Request&, const std::string& body) { return queue.Take(body); });
  SqsChannel channel(world.client, kQueues);
  auto sent = channel.Send(std::vector<IdBatch>{Batch(1), Batch(2)});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kIo);
  EXPECT_EQ(sent.error().message, "send 000000001-0002: InvalidMessageContents: no");
  queue.refuse = [](const std::string&) { return R"("SenderFault":false,"Code":"ServiceUnavailable")"; };
  sent = channel.Send(std::vector<IdBatch>{Batch(3)});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().message, "send 000000001-0003: the queue does not take it, after 8 tries");
}

TEST(SqsChannel, DoesNotTakeAMessageThatNoListNamesForSent) {
  int calls = 0;
  AwsWorld world([&](const http::Request&, const std::string&) {
    return Reply::Status(200, ++calls < 3 ? "{}" : R"({"Successful":[{"Id":"0"}]})");
  });
  SqsChannel channel(world.client, kQueues);
  ASSERT_TRUE(channel.Send(std::vector<IdBatch>{Batch(1)}));
  EXPECT_EQ(calls, 3);
}

TEST(SqsChannel, CountsBothQueues) {
  AwsWorld world([&](const http::Request&, const std::string& body) {
    return Reply::Status(
        200,
        body.find("dead.fifo") != std::string::npos
            ? R"({"Attributes":{"ApproximateNumberOfMessages":"2","ApproximateNumberOfMessagesNotVisible":"1"}})"
            : R"({"Attributes":{"ApproximateNumberOfMessages":"17","ApproximateNumberOfMessagesNotVisible":"4"}})");
  });
  SqsChannel channel(world.client, kQueues);
  const auto counts = channel.Count();
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(counts->waiting, 17);
  EXPECT_EQ(counts->in_flight, 4);
  EXPECT_EQ(counts->dead, 3);
}

TEST(SqsChannel, SaysThatThereIsNoSuchQueue) {
  AwsWorld world([&](const http::Request&, const std::string&) {
    return Reply::Status(
        400,
        R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."})");
  });
  SqsChannel channel(world.client, kQueues);
  const auto counts = channel.Count();
  ASSERT_FALSE(counts);
  EXPECT_EQ(counts.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(
      counts.error().message,
      "count the messages of ids.fifo: HTTP 400 QueueDoesNotExist: The specified queue does not exist.");
}

TEST(SqsChannel, RefusesAnswersThatAreNone) {
  for (const char* const body : {"", "[]", "<html>", "{}", R"({"Attributes":{}})",
                                 R"({"Attributes":{"ApproximateNumberOfMessages":"many"}})"}) {
    AwsWorld world([&](const http::Request&, const std::string&) { return Reply::Status(200, body); });
    SqsChannel channel(world.client, kQueues);
    const auto counts = channel.Count();
    ASSERT_FALSE(counts) << body;
    EXPECT_EQ(counts.error().code, ErrorCode::kIo);
  }
}

TEST(Parameters, ReadsASecretAndPrintsItNowhere) {
  AwsWorld world([&](const http::Request& request, const std::string& body) {
    EXPECT_EQ(HeaderOf(request, "X-Amz-Target"), "AmazonSSM.GetParameter");
    EXPECT_EQ(body, R"({"Name":"/a/key","WithDecryption":true})");
    return Reply::Status(200,
                         R"({"Parameter":{"Name":"/a/key","Type":"SecureString","Value":"the-secret"}})");
  });
  EXPECT_EQ(ReadParameter(world.client, "https://ssm.us-east-1.amazonaws.com", "/a/key").value(),
            "the-secret");
}

TEST(Parameters, SaysWhatIsMissing) {
  struct Case {
    int status;
    const char* body;
    ErrorCode code;
    const char* message;
  };
  for (const Case& c : {Case{400, R"({"__type":"ParameterNotFound","message":""})", ErrorCode::kNotFound,
                             "read parameter /a/key: HTTP 400 ParameterNotFound"},
                        Case{400, R"({"__type":"AccessDeniedException","Message":"User is not authorized"})",
                             ErrorCode::kDenied,
                             "read parameter /a/key: HTTP 400 AccessDeniedException: User is not authorized"},
                        Case{200, R"({"Parameter":{"Value":12}})", ErrorCode::kIo,
                             "read parameter /a/key: the answer has no value"}}) {
    AwsWorld world([&](const http::Request&, const std::string&) { return Reply::Status(c.status, c.body); });
    const auto value = ReadParameter(world.client, "https://ssm.us-east-1.amazonaws.com", "/a/key");
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, c.code);
    EXPECT_EQ(value.error().message, c.message);
  }
}

}  // namespace
}  // namespace tmdbc::aws
