// SPDX-License-Identifier: MIT
#include "aws/session.h"

#include <utility>

#include "aws/endpoint.h"
#include "aws/parameters.h"

namespace tmdbc::aws {
namespace {

// What servers elsewhere take for a region when nobody has named one.
constexpr const char* kRegionElsewhere = "us-east-1";

}  // namespace

AwsSession::AwsSession(Environment environment, const Clock& clock, std::string s3_endpoint, std::string region,
                       std::unique_ptr<http::HttpTransport> transport)
    : environment_(std::move(environment)),
      s3_endpoint_(std::move(s3_endpoint)),
      transport_(std::move(transport)),
      random_(std::random_device()()),
      credentials_(environment_, clock, *transport_),
      client_(clock, *transport_, credentials_, std::move(region), random_) {}

Result<std::unique_ptr<AwsSession>> AwsSession::Open(Environment environment, const Clock& clock,
                                                     std::string s3_endpoint, const Wrap& wrap) {
  auto region = FindRegion(environment);
  if (!region && !s3_endpoint.empty()) region = kRegionElsewhere;
  TRY(region);
  http::CurlOptions options = http::CurlOptions::FromEnvironment();
  // The end of an upload in parts may take minutes, in which nothing comes.
  options.stall_timeout = std::chrono::seconds(60);
  TRY_ASSIGN(std::unique_ptr<http::HttpTransport> transport, http::CurlTransport::Create(clock, std::move(options)));
  if (wrap) transport = wrap(std::move(transport));
  return std::unique_ptr<AwsSession>(new AwsSession(std::move(environment), clock, std::move(s3_endpoint),
                                                    *std::move(region), std::move(transport)));
}

Result<std::unique_ptr<S3ObjectStore>> AwsSession::Bucket(const std::string& name) {
  TRY_ASSIGN(std::string url, BucketUrl(environment_, s3_endpoint_, region(), name));
  return std::make_unique<S3ObjectStore>(client_, S3Options{.bucket = name, .url = std::move(url)});
}

Result<std::string> AwsSession::QueueUrl(const std::string& service_url, const std::string& name_or_url) {
  if (name_or_url.find("://") != std::string::npos) return name_or_url;
  return SqsChannel::UrlOf(client_, service_url, name_or_url);
}

Result<std::unique_ptr<SqsChannel>> AwsSession::Channel(const std::string& ids, const std::string& dead) {
  SqsQueues queues;
  TRY_ASSIGN(queues.url, ServiceUrl(environment_, "sqs", region()));
  TRY_ASSIGN(queues.ids, QueueUrl(queues.url, ids));
  TRY_ASSIGN(queues.dead, QueueUrl(queues.url, dead));
  return std::make_unique<SqsChannel>(client_, std::move(queues));
}

Result<std::string> AwsSession::Parameter(const std::string& name) {
  TRY_ASSIGN(const std::string url, ServiceUrl(environment_, "ssm", region()));
  return ReadParameter(client_, url, name);
}

}  // namespace tmdbc::aws
