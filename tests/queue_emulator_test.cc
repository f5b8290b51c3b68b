// SPDX-License-Identifier: MIT
// The contract of BatchChannel over SQS as moto has it, and a secret from its parameter store.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <map>
#include <optional>
#include <string>

#include "aws/parameters.h"
#include "aws/sqs_channel.h"
#include "base/json.h"
#include "emulators.h"
#include "testing/batch_channel_contract.h"

namespace tmdbc::testing {
namespace {

std::string StringOf(simdjson::dom::element element) {
  return std::string(std::string_view(element.get_string()));
}

// A FIFO queue with its dead letters, as deployed.
class SqsWorld final : public ChannelWorld {
 public:
  SqsWorld() {
    const std::string name = "test-" + std::to_string(std::random_device()());
    queues_.url = client_.url("sqs");
    queues_.dead = Make(name + "-dead.fifo", "");
    const std::string arn = "arn:aws:sqs:us-east-1:123456789012:" + name + "-dead.fifo";
    queues_.ids =
        Make(name + "-ids.fifo", R"(,"RedrivePolicy":"{\"deadLetterTargetArn\":\")" + arn +
                                     R"(\",\"maxReceiveCount\":)" + std::to_string(max_receives()) + "}\"");
    EXPECT_EQ(aws::SqsChannel::UrlOf(client_.client, queues_.url, name + "-ids.fifo").value(), queues_.ids);
    channel_.emplace(client_.client, queues_);
  }
  BatchChannel& channel() override { return *channel_; }
  std::optional<Received> Receive() override {
    const auto answer =
        Ask("ReceiveMessage", R"({"QueueUrl":")" + queues_.ids + R"(","MaxNumberOfMessages":1})");
    simdjson::dom::array messages;
    if (answer.root()["Messages"].get_array().get(messages) != simdjson::SUCCESS || messages.size() == 0)
      return std::nullopt;
    const auto first = messages.at(0).value();
    const std::string receipt = StringOf(first["ReceiptHandle"]);
    held_[receipt] = true;
    return Received{StringOf(first["Body"]), receipt};
  }
  void Delete(const std::string& receipt) override {
    held_.erase(receipt);
    Ask("DeleteMessage", R"({"QueueUrl":")" + queues_.ids + R"(","ReceiptHandle":")" + receipt + "\"}");
  }
  void Expire() override {
    for (const auto& [receipt, held] : held_) {
      Ask("ChangeMessageVisibility", R"({"QueueUrl":")" + queues_.ids + R"(","ReceiptHandle":")" + receipt +
                                         R"(","VisibilityTimeout":0})");
    }
    held_.clear();
  }
  int max_receives() override { return 4; }

 private:
  ParsedJson Ask(const std::string& operation, const std::string& body) {
    const std::string answer = client_.Json("sqs", "AmazonSQS." + operation, body);
    return ParsedJson::Parse(answer.empty() ? "{}" : answer).value();
  }
  std::string Make(const std::string& name, const std::string& more) {
    return StringOf(Ask("CreateQueue", R"({"QueueName":")" + name + R"(","Attributes":{"FifoQueue":"true",)" +
                                           R"("VisibilityTimeout":"1080")" + more + "}}")
                        .root()["QueueUrl"]);
  }

  EmulatorClient client_{"moto"};
  aws::SqsQueues queues_;
  std::optional<aws::SqsChannel> channel_;
  std::map<std::string, bool> held_;
};

INSTANTIATE_TEST_SUITE_P(Moto, BatchChannelContract, ::testing::Values([]() -> std::unique_ptr<ChannelWorld> {
                           return std::make_unique<SqsWorld>();
                         }));

TEST(MotoParameters, KeepTheKeyThatAFunctionReads) {
  EmulatorClient client("moto");
  const std::string name = "/test/" + std::to_string(std::random_device()());
  EXPECT_EQ(aws::ReadParameter(client.client, client.url("ssm"), name).error().code, ErrorCode::kNotFound);
  client.Json("ssm", "AmazonSSM.PutParameter",
              R"({"Name":")" + name + R"(","Type":"SecureString","Value":"the key"})");
  EXPECT_EQ(aws::ReadParameter(client.client, client.url("ssm"), name).value(), "the key");
}

TEST(MotoQueues, ThatAreNotThereAreNamed) {
  EmulatorClient client("moto");
  const auto url = aws::SqsChannel::UrlOf(client.client, client.url("sqs"), "no-such.fifo");
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().code, ErrorCode::kNotFound);
  EXPECT_NE(url.error().message.find("no-such.fifo"), std::string::npos);
}

}  // namespace
}  // namespace tmdbc::testing
