// SPDX-License-Identifier: MIT
// Calls to the services whose protocol is AWS JSON (SQS, SSM): a POST of one JSON object, answered with one
// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html).
#pragma once

#include <string>
#include <string_view>

#include "aws/aws_client.h"
#include "base/json.h"
#include "base/result.h"

namespace tmdbc::aws {

struct JsonCall {
  std::string act;           // begins each error: "send 000000123-0007"
  std::string service;       // "sqs"
  std::string url;           // of ServiceUrl()
  std::string target;        // "AmazonSQS.SendMessageBatch"
  std::string_view version;  // "1.0" for SQS, "1.1" for SSM
  std::string_view body;
};

// The answer's object. kNotFound for what JSON services answer when a thing is not there (QueueDoesNotExist,
// ParameterNotFound); else as AwsClient::Refused() has it.
Result<ParsedJson> Ask(AwsClient& client, const JsonCall& call);

}  // namespace tmdbc::aws
