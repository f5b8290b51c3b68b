// SPDX-License-Identifier: MIT
// AWS Signature Version 4 in a header
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html): what a request must
// carry so that AWS believes who sent it. Our own, since libcurl's signs the paths and queries of S3 wrongly before
// 8.21.
//
// What is signed is what goes on the wire: a path and a query that EncodePath() and EncodeQuery() made are signed as
// they are, once encoded, as S3 wants it. (Other services want a path encoded twice; theirs is "/".) Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/http.h"

namespace tmdbc::aws {

// Who signs. Never printed but for the id of the key.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;    // of a role; else empty
  std::optional<Time> expires;  // of a role: the server refuses them from then on

  bool operator==(const Credentials&) const = default;
};

using QueryParameters = std::vector<std::pair<std::string, std::string>>;

// "/a/b%20c": every byte but A-Z a-z 0-9 - . _ ~ and '/' as %XX. "." and ".." stay: to S3 they are names.
std::string EncodePath(std::string_view path);
// "a=&list-type=2": sorted, a '/' encoded too, '=' also behind a name without a value.
std::string EncodeQuery(const QueryParameters& parameters);

// A body that is not hashed: over TLS the bytes are protected all the same.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct SignedRequest {
  http::Method method = http::Method::kGet;
  std::string host;   // as the Host header has it: "bucket.s3.eu-central-1.amazonaws.com", "127.0.0.1:7480"
  std::string path;   // encoded
  std::string query;  // encoded
  // All that are to be signed. Content-Length, Expect and what a proxy may change are not.
  std::vector<http::Header> headers;
  std::string payload_hash;  // SHA-256 in hex, or kUnsignedPayload
};

struct SigningScope {
  std::string region;
  std::string service;  // "s3", "sqs", "ssm"
};

// The headers to add to `request.headers`: x-amz-date, x-amz-security-token when there is one, x-amz-content-sha256 for
// s3, and Authorization. It is good for 15 minutes around `now`, for 5 with services other than S3.
std::vector<http::Header> Sign(const SignedRequest& request, const Credentials& credentials,
                               const SigningScope& scope, Time now);

}  // namespace tmdbc::aws
