// SPDX-License-Identifier: MIT
#include "aws/sqs_event.h"

#include <charconv>

#include "base/json.h"

namespace tmdbc::aws {

namespace dom = simdjson::dom;

Result<SqsMessage> ParseSqsEvent(std::string_view event) {
  constexpr const char* kWhat = "the event is not a message of SQS";
  const auto parsed = ParsedJson::Parse(event);
  if (!parsed) return Fail(ErrorCode::kInvalid, "{}: {}", kWhat, parsed.error().message);
  dom::array records;
  if (parsed->root()["Records"].get(records) != simdjson::SUCCESS) {
    return Fail(ErrorCode::kInvalid, "{}: it has no Records", kWhat);
  }
  if (records.size() != 1) {
    return Fail(ErrorCode::kInvalid, "{} messages at once: the mapping from the queue must have a batch size of 1",
                records.size());
  }
  const dom::element record = records.at(0).value_unsafe();
  std::string_view source, body, id, count;
  if (record["eventSource"].get(source) != simdjson::SUCCESS || source != "aws:sqs") {
    return Fail(ErrorCode::kInvalid, "{}: its eventSource is not aws:sqs", kWhat);
  }
  if (record["body"].get(body) != simdjson::SUCCESS) return Fail(ErrorCode::kInvalid, "{}: it has no body", kWhat);
  SqsMessage message;
  message.body = body;
  if (record["messageId"].get(id) == simdjson::SUCCESS) message.id = id;
  if (record["attributes"]["ApproximateReceiveCount"].get(count) == simdjson::SUCCESS) {
    std::from_chars(count.data(), count.data() + count.size(), message.receive_count);
  }
  return message;
}

}  // namespace tmdbc::aws
