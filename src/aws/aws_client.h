// SPDX-License-Identifier: MIT
// AwsClient: signed calls to AWS's services, tried again where that makes sense:
//
//   again, after a backoff    5xx, 429, throttling, 409 of two calls that met, a connection that failed or broke
//   again at once             a connection that was stale; a clock that is wrong (the server's Date is taken for ours from
//                             then on); a key that has expired (the chain is asked for another)
//   said so                   a bucket that is in another region
//
// A call that is tried again may happen twice: ask what is there when that matters (S3ObjectStore does). What each call
// cost is counted, since each try is billed. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/aws_error.h"
#include "aws/credentials.h"
#include "aws/sigv4.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/http.h"

namespace tmdbc::aws {

struct AwsCall {
  std::string act;        // begins each error: "put records/movie/000/000/001.jsonl.zst"
  std::string service;    // "s3": what it is signed for
  std::string operation;  // "PutObject": what it is counted as
  http::Method method = http::Method::kGet;
  std::string url;   // "https://bucket.s3.eu-central-1.amazonaws.com", maybe with a path
  std::string path;  // behind it, not encoded: "/key"
  QueryParameters query;
  std::vector<http::Header> headers;  // signed
  std::string_view body;              // outlives the call
  // Instead of `body`: begins to give `body_bytes` bytes, from the first, each time it is called (http::Upload::pull).
  std::function<std::function<std::size_t(std::span<char> room)>()> open_body;
  std::uint64_t body_bytes = 0;
  std::string payload_hash;  // of the body: SHA-256 in hex, or kUnsignedPayload; empty: it is made of `body`
  std::uint64_t max_answer = 64 << 20;
  bool error_in_200 = false;  // an answer of 200 may hold an <Error>: S3 had to begin before it knew
};

struct RetryPolicy {
  int tries = 8;
  Backoff backoff{.base = std::chrono::milliseconds(200),
                  .cap = std::chrono::seconds(10)};  // 23 s in all at most
};

class AwsClient {
 public:
  // All outlive the client; nothing else uses `transport` or `credentials` meanwhile.
  AwsClient(const Clock& clock, http::HttpTransport& transport, CredentialChain& credentials,
            std::string region, std::mt19937_64& random, RetryPolicy retry = {});

  // The answer, whatever its status, when it is final; Refused() makes an error of it. kDenied without credentials; kIo
  // after the last try.
  Result<http::Response> Call(const AwsCall& call);
  // As many, `at_once` at a time; the results stand as the calls do. After an error no other is begun (kIo).
  std::vector<Result<http::Response>> CallAll(std::span<const AwsCall> calls, int at_once);

  // kDenied: 401, 403, another region, a bucket that does not exist; else kIo.
  std::unexpected<Error> Refused(const AwsCall& call, const http::Response& response) const;

  // Waits as between tries, after the `failures`-th failure in a row.
  void Pause(int failures);
  int tries() const { return retry_.tries; }

  // Tries that went out, by "s3:PutObject".
  const std::map<std::string, std::int64_t>& sent() const { return sent_; }
  const std::string& region() const { return region_; }
  std::mt19937_64& random() { return random_; }

 private:
  struct Flight;

  Result<void> Begin(Flight& flight, const Credentials& credentials);
  void Settle(Flight& flight, http::Outcome outcome);
  void Judge(Flight& flight, http::Response response);
  void Again(Flight& flight, std::string why, const http::Response* response, Hint hint = Hint::kNone);
  // The server's clock is far from ours: from now on calls are dated by it.
  bool TakesClockOf(const http::Response& response);
  Time Now() const { return clock_.Now() + ahead_; }

  const Clock& clock_;
  http::HttpTransport& transport_;
  CredentialChain& credentials_;
  const std::string region_;
  std::mt19937_64& random_;
  const RetryPolicy retry_;

  Duration ahead_{};  // the server's clock before ours, once that mattered
  std::map<std::string, std::int64_t> sent_;
};

}  // namespace tmdbc::aws
