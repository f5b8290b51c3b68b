// SPDX-License-Identifier: MIT
// AwsSession: all that a process needs to speak to AWS, made from its environment: a transport of its own (calls to AWS
// take no place among TMDB's connections), the chain of credentials, the client, and the stores and queues over it.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>

#include "aws/aws_client.h"
#include "aws/credentials.h"
#include "aws/s3_object_store.h"
#include "aws/shared_config.h"
#include "aws/sqs_channel.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/curl_transport.h"

namespace tmdbc::aws {

// One thread. What it makes must not outlive it.
class AwsSession {
 public:
  // `clock` outlives the session; `environment` is asked as long as it lives. `s3_endpoint`: of an S3 that is not AWS's
  // (empty: AWS's); there a region need not be known. kInvalid when the region is missing or is none; no call is made.
  // `wrap` (may be empty) may stand between the session and the network.
  using Wrap = std::function<std::unique_ptr<http::HttpTransport>(std::unique_ptr<http::HttpTransport> network)>;
  static Result<std::unique_ptr<AwsSession>> Open(Environment environment, const Clock& clock,
                                                  std::string s3_endpoint = "", const Wrap& wrap = {});

  Result<std::unique_ptr<S3ObjectStore>> Bucket(const std::string& name);
  // The queues of these urls or names (a name is looked up: one call).
  Result<std::unique_ptr<SqsChannel>> Channel(const std::string& ids, const std::string& dead);
  // A secret of SSM's parameter store.
  Result<std::string> Parameter(const std::string& name);

  // What is used now. Its secrets must appear nowhere: Log::Mask() them.
  Result<Credentials> credentials() { return credentials_.Current(); }
  AwsClient& client() { return client_; }
  const std::string& region() const { return client_.region(); }

 private:
  AwsSession(Environment environment, const Clock& clock, std::string s3_endpoint, std::string region,
             std::unique_ptr<http::HttpTransport> transport);
  Result<std::string> QueueUrl(const std::string& service_url, const std::string& name_or_url);

  const Environment environment_;
  const std::string s3_endpoint_;
  const std::unique_ptr<http::HttpTransport> transport_;
  std::mt19937_64 random_;
  CredentialChain credentials_;
  AwsClient client_;
};

}  // namespace tmdbc::aws
