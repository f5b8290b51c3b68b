// SPDX-License-Identifier: MIT
// The event with which Lambda brings a message of SQS (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html):
//
//   {"Records":[{"messageId":"059f36b4..","receiptHandle":"..","body":"..",
//     "attributes":{"ApproximateReceiveCount":"1","MessageGroupId":"lane-0",..},
//     "eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-2:1234:ids.fifo",..}]}
//
// Whatever is answered without an error counts as done and is deleted from the queue. So an event that is not exactly
// one message is an error. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc::aws {

struct SqsMessage {
  std::string id;
  std::string body;
  int receive_count = 1;  // this one included
};

// kInvalid, with what is wrong, unless it is one message of SQS: the mapping's batch size is 1.
Result<SqsMessage> ParseSqsEvent(std::string_view event);

}  // namespace tmdbc::aws
