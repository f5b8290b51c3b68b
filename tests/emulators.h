// SPDX-License-Identifier: MIT
// The emulators of AWS that tools/emulators/up started, for tests: their settings, a client, a bucket of a test's own.
#pragma once

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

#include "aws/aws_client.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/s3_object_store.h"
#include "base/clock.h"
#include "http/curl_transport.h"

namespace tmdbc::testing {

// What DIR/env of "moto" or "ceph" says. DIR is $TMDBC_EMULATORS_RUN/NAME, else BINARY_DIR/emulators/run/NAME.
inline std::map<std::string, std::string> EmulatorSettings(const std::string& name) {
  const char* const run = std::getenv("TMDBC_EMULATORS_RUN");
  const std::string dir = (run ? std::string(run) : TMDBC_BINARY_DIR "/emulators/run") + "/" + name;
  std::ifstream in(dir + "/env");
  if (!in)
    throw std::runtime_error("no " + name + " runs here: start it with tools/emulators/up " + name + " " +
                             dir);
  std::map<std::string, std::string> settings;
  for (std::string line; std::getline(in, line);)
    settings[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  return settings;
}

// A client of an emulator, as the program makes one. One thread.
class EmulatorClient {
 public:
  explicit EmulatorClient(const std::string& name)
      : set(EmulatorSettings(name)),
        transport(http::CurlTransport::Create(clock, http::CurlOptions()).value()) {}

  aws::Environment environment() const {
    return [this](const char* variable) -> const char* {
      const auto at = set.find(variable);
      return at == set.end() ? nullptr : at->second.c_str();
    };
  }
  std::string url(const std::string& service) const {
    return aws::ServiceUrl(environment(), service, "us-east-1").value();
  }

  // A call to a service that speaks JSON ("AmazonSQS.CreateQueue"): what a test prepares.
  std::string Json(const std::string& service, const std::string& target, const std::string& body) {
    aws::AwsCall call;
    call.act = target;
    call.service = service;
    call.operation = target;
    call.method = http::Method::kPost;
    call.url = url(service);
    call.headers = {
        {"Content-Type", service == "sqs" ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1"},
        {"X-Amz-Target", target}};
    call.body = body;
    return Answer(call);
  }
  // A new bucket with a name of its own.
  std::string MakeBucket(bool versioned = false) {
    std::string bucket =
        "test-" + std::to_string(std::random_device()()) + "-" + std::to_string(random() % 1'000'000);
    aws::AwsCall call;
    call.act = "make bucket " + bucket;
    call.service = "s3";
    call.operation = "CreateBucket";
    call.method = http::Method::kPut;
    call.url = aws::BucketUrl(environment(), "", "us-east-1", bucket).value();
    Answer(call);
    if (versioned) {
      call.query = {{"versioning", ""}};
      const std::string on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
      call.body = on;
      Answer(call);
    }
    return bucket;
  }

  const std::map<std::string, std::string> set;
  SystemClock clock;
  std::unique_ptr<http::CurlTransport> transport;
  std::mt19937_64 random{std::random_device()()};
  aws::CredentialChain credentials{environment(), clock, *transport};
  aws::AwsClient client{clock, *transport, credentials, "us-east-1", random};

 private:
  std::string Answer(const aws::AwsCall& call) {
    auto answer = client.Call(call);
    if (!answer) throw std::runtime_error(answer.error().message);
    if (answer->status / 100 != 2) throw std::runtime_error(client.Refused(call, *answer).error().message);
    return std::move(answer->body);
  }
};

// An S3ObjectStore in a new bucket of an emulator.
class EmulatedStore final : public ObjectStore {
 public:
  explicit EmulatedStore(const std::string& name, bool versioned = false, std::uint64_t part_bytes = 64 << 20)
      : client_(name), options_(Options(client_, versioned, part_bytes)) {}

  Result<std::string> Read(const std::string& key, std::uint64_t offset, std::uint64_t length) override {
    return s3.Read(key, offset, length);
  }
  Result<Object> Get(const std::string& key) override { return s3.Get(key); }
  Result<std::optional<ObjectInfo>> Head(const std::string& key) override { return s3.Head(key); }
  Result<std::vector<ObjectInfo>> ListObjects(const std::string& prefix, const std::string& after) override {
    return s3.ListObjects(prefix, after);
  }
  Result<std::string> Put(const std::string& key, std::string_view bytes,
                          const PutCondition& condition) override {
    return s3.Put(key, bytes, condition);
  }
  Result<std::string> PutFile(const std::string& key, BlobReader& from, const std::string& path,
                              const PutCondition& condition) override {
    return s3.PutFile(key, from, path, condition);
  }
  Result<void> Delete(std::span<const std::string> keys) override { return s3.Delete(keys); }

  EmulatorClient& client() { return client_; }
  const aws::S3Options& options() const { return options_; }

 private:
  static aws::S3Options Options(EmulatorClient& client, bool versioned, std::uint64_t part_bytes) {
    const std::string bucket = client.MakeBucket(versioned);
    return {.bucket = bucket,
            .url = aws::BucketUrl(client.environment(), "", "us-east-1", bucket).value(),
            .part_bytes = part_bytes,
            .range_bytes = 4 << 20};
  }

  EmulatorClient client_;
  const aws::S3Options options_;

 public:
  aws::S3ObjectStore s3{client_.client, options_};
};

}  // namespace tmdbc::testing
