// SPDX-License-Identifier: MIT
#include "aws/sqs_event.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tmdbc::aws {
namespace {

// As in AWS's documentation, with a body of ours.
constexpr std::string_view kRecord =
    R"({"messageId":"11d6ee51-4cc7-4302-9e22-7cd8afdaadf5","receiptHandle":"AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw...",)"
    R"("body":"{\"schema\":1}","attributes":{"ApproximateReceiveCount":"2","SentTimestamp":"1573251510774",)"
    R"("SequenceNumber":"18849496460467696128","MessageGroupId":"lane-0","SenderId":"AIDAIO23YVJENQZJOL4VO",)"
    R"("MessageDeduplicationId":"000000123-0007","ApproximateFirstReceiveTimestamp":"1573251510774"},)"
    R"("messageAttributes":{},"md5OfBody":"e4e68fb7bd0e697a0ae8f1bb342846b3","eventSource":"aws:sqs",)"
    R"("eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:fifo.fifo","awsRegion":"us-east-2"})";

std::string EventOf(std::string_view records) {
  return R"({"Records":[)" + std::string(records) + "]}";
}

TEST(SqsEvent, IsOneMessage) {
  const auto message = ParseSqsEvent(EventOf(kRecord));
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->body, R"({"schema":1})");
  EXPECT_EQ(message->id, "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5");
  EXPECT_EQ(message->receive_count, 2);
}

TEST(SqsEvent, NeedsOnlyTheBody) {
  const auto message = ParseSqsEvent(R"({"Records":[{"eventSource":"aws:sqs","body":"x"}]})");
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->body, "x");
  EXPECT_EQ(message->receive_count, 1);
}

TEST(SqsEvent, WhateverElseComesIsAnError) {
  const std::vector<std::pair<std::string, std::string_view>> table = {
      {"", "not a message of SQS"},
      {"null", "no Records"},
      {"{}", "no Records"},
      {R"({"Records":{}})", "no Records"},
      {EventOf(""), "0 messages at once"},
      {EventOf(std::string(kRecord) + "," + std::string(kRecord)), "2 messages at once"},
      {EventOf("7"), "eventSource"},
      {EventOf(R"({"body":"x"})"), "eventSource"},
      {EventOf(R"({"eventSource":"aws:s3","body":"x"})"), "eventSource"},
      {EventOf(R"({"eventSource":"aws:sqs"})"), "no body"},
      {EventOf(R"({"eventSource":"aws:sqs","body":{}})"), "no body"},
      {R"({"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","detail":{}})", "no Records"},
  };
  for (const auto& [event, wanted] : table) {
    const auto message = ParseSqsEvent(event);
    ASSERT_FALSE(message) << event;
    EXPECT_EQ(message.error().code, ErrorCode::kInvalid);
    EXPECT_NE(message.error().message.find(wanted), std::string::npos) << event << "\n" << message.error().message;
  }
}

}  // namespace
}  // namespace tmdbc::aws
