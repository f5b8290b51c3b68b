// SPDX-License-Identifier: MIT
#include "aws/sqs_channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "aws/json_call.h"
#include "base/json_writer.h"

namespace tmdbc::aws {
namespace {

constexpr std::size_t kMostMessagesACall = 10;
// A call takes 1 MiB (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html).
static_assert(kMostMessagesACall * kMostBatchBytes < (1 << 20));

std::string_view StringIn(simdjson::dom::element object, const char* name) {
  std::string_view text;
  return object[name].get_string().get(text) == simdjson::SUCCESS ? text : "";
}

struct QueueCounts {
  std::int64_t visible = 0, hidden = 0;
};

Result<QueueCounts> CountOf(AwsClient& client, const std::string& url, const std::string& queue) {
  constexpr const char* kVisible = "ApproximateNumberOfMessages";
  constexpr const char* kHidden = "ApproximateNumberOfMessagesNotVisible";
  JsonWriter json;
  json.BeginObject()
      .Field("QueueUrl", queue)
      .Key("AttributeNames")
      .BeginArray()
      .Text(kVisible)
      .Text(kHidden)
      .EndArray();
  json.EndObject();
  const std::string act = "count the messages of " + queue.substr(queue.rfind('/') + 1);
  TRY_ASSIGN(const ParsedJson answer, Ask(client, {.act = act,
                                                   .service = "sqs",
                                                   .url = url,
                                                   .target = "AmazonSQS.GetQueueAttributes",
                                                   .version = "1.0",
                                                   .body = json.text()}));
  simdjson::dom::element attributes;
  if (answer.root()["Attributes"].get(attributes) != simdjson::SUCCESS)
    return Fail(ErrorCode::kIo, "{}: the answer has no Attributes", act);
  QueueCounts counts;
  for (const auto& [name, into] :
       {std::pair{kVisible, &counts.visible}, std::pair{kHidden, &counts.hidden}}) {
    const std::string_view text = StringIn(attributes, name);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *into);
    if (error != std::errc() || end != text.data() + text.size())
      return Fail(ErrorCode::kIo, "{}: the answer has no number in {}", act, name);
  }
  return counts;
}

}  // namespace

Result<void> SqsChannel::Send(std::span<const IdBatch> batches) {
  std::vector<Message> messages;
  for (const IdBatch& batch : batches)
    messages.push_back(
        {.name = batch.name, .group = fmt::format("lane-{}", batch.lane), .body = FormatIdBatch(batch)});
  for (std::size_t at = 0; at < messages.size(); at += kMostMessagesACall) {
    const std::size_t n = std::min(kMostMessagesACall, messages.size() - at);
    std::vector<Message> left(messages.begin() + std::ptrdiff_t(at),
                              messages.begin() + std::ptrdiff_t(at + n));
    for (int failures = 0; !left.empty();) {
      TRY_ASSIGN(left, SendSome(left));
      if (left.empty()) break;
      if (++failures >= client_.tries())
        return Fail(ErrorCode::kIo, "send {}: the queue does not take it, after {} tries", left.front().name,
                    failures);
      client_.Pause(failures);
    }
  }
  return {};
}

Result<std::vector<SqsChannel::Message>> SqsChannel::SendSome(std::span<const Message> messages) {
  JsonWriter json;
  json.BeginObject().Field("QueueUrl", queues_.ids).Key("Entries").BeginArray();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    json.BeginObject()
        .Field("Id", std::to_string(i))
        .Field("MessageBody", messages[i].body)
        .Field("MessageGroupId", messages[i].group)
        .Field("MessageDeduplicationId", messages[i].name)
        .EndObject();
  }
  json.EndArray().EndObject();
  const std::string act = "send " + messages.front().name;
  TRY_ASSIGN(const ParsedJson answer, Ask(client_, {.act = act,
                                                    .service = "sqs",
                                                    .url = queues_.url,
                                                    .target = "AmazonSQS.SendMessageBatch",
                                                    .version = "1.0",
                                                    .body = json.text()}));
  // 200 says that the call was understood; what became of each message stands in it. What is in neither list did not
  // arrive for all we know.
  std::vector<bool> sent(messages.size());
  const auto entry_of = [&](simdjson::dom::element entry) {
    std::size_t i = messages.size();
    const std::string_view id = StringIn(entry, "Id");
    (void)std::from_chars(id.data(), id.data() + id.size(), i);
    return i;
  };
  simdjson::dom::array entries;
  if (answer.root()["Successful"].get_array().get(entries) == simdjson::SUCCESS) {
    for (const auto entry : entries)
      if (const std::size_t i = entry_of(entry); i < sent.size()) sent[i] = true;
  }
  if (answer.root()["Failed"].get_array().get(entries) == simdjson::SUCCESS) {
    for (const auto entry : entries) {
      const std::size_t i = entry_of(entry);
      bool our_fault = false;
      if (entry["SenderFault"].get_bool().get(our_fault) != simdjson::SUCCESS) our_fault = false;
      const ServiceError error{.code = std::string(StringIn(entry, "Code")), .message = "", .region = ""};
      if (i < sent.size() && our_fault && JudgeAnswer(400, error) != Verdict::kAgain) {
        return Fail(ErrorCode::kIo, "send {}: {}: {}", messages[i].name, error.code,
                    StringIn(entry, "Message").substr(0, 200));
      }
    }
  }
  std::vector<Message> again;
  for (std::size_t i = 0; i < messages.size(); ++i)
    if (!sent[i]) again.push_back(messages[i]);
  return again;
}

Result<ChannelCounts> SqsChannel::Count() {
  TRY_ASSIGN(const QueueCounts ids, CountOf(client_, queues_.url, queues_.ids));
  TRY_ASSIGN(const QueueCounts dead, CountOf(client_, queues_.url, queues_.dead));
  return ChannelCounts{.waiting = ids.visible, .in_flight = ids.hidden, .dead = dead.visible + dead.hidden};
}

Result<std::string> SqsChannel::UrlOf(AwsClient& client, const std::string& service_url,
                                      const std::string& name) {
  JsonWriter json;
  json.BeginObject().Field("QueueName", name).EndObject();
  TRY_ASSIGN(const ParsedJson answer, Ask(client, {.act = "look for the queue " + name,
                                                   .service = "sqs",
                                                   .url = service_url,
                                                   .target = "AmazonSQS.GetQueueUrl",
                                                   .version = "1.0",
                                                   .body = json.text()}));
  const std::string_view url = StringIn(answer.root(), "QueueUrl");
  if (url.empty()) return Fail(ErrorCode::kIo, "look for the queue {}: the answer has no QueueUrl", name);
  return std::string(url);
}

}  // namespace tmdbc::aws
