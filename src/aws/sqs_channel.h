// SPDX-License-Identifier: MIT
// SqsChannel: a BatchChannel over an SQS FIFO queue. A lane is a message group, so that a lane is worked on by one
// collector at a time and in order; a batch's name is its deduplication id, so that what is sent again within five
// minutes is dropped (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fifo-queues.html).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aws/aws_client.h"
#include "base/result.h"
#include "cloud/batch_channel.h"
#include "cloud/id_batch.h"

namespace tmdbc::aws {

struct SqsQueues {
  std::string url;  // of ServiceUrl(): where the calls go
  // As AWS names them: "https://sqs.eu-central-1.amazonaws.com/123456789012/ids.fifo". Part of the body alone.
  std::string ids;
  std::string dead;
};

class SqsChannel final : public BatchChannel {
 public:
  // `client` outlives the channel.
  SqsChannel(AwsClient& client, SqsQueues queues) : client_(client), queues_(std::move(queues)) {}

  // Ten messages a call. kNotFound when there is no such queue.
  Result<void> Send(std::span<const IdBatch> batches) override;
  // One call for each queue.
  Result<ChannelCounts> Count() override;

  // The url of the queue of that name, for `queues`. kNotFound when there is none.
  static Result<std::string> UrlOf(AwsClient& client, const std::string& service_url,
                                   const std::string& name);

 private:
  struct Message {
    std::string name, group, body;
  };
  // Returns those to send again.
  Result<std::vector<Message>> SendSome(std::span<const Message> messages);

  AwsClient& client_;
  const SqsQueues queues_;
};

}  // namespace tmdbc::aws
