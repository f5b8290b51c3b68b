// SPDX-License-Identifier: MIT
// CredentialChain: with which key this process speaks to AWS, looked for where every AWS program looks
// (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html), the first that has one:
//
//   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (a Lambda function's role comes so)
//   2. a web identity (web_identity.h): AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, as EKS sets them
//   3. the profile AWS_PROFILE, else "default", of ~/.aws/credentials and ~/.aws/config; it may name a web identity too,
//      or a command that prints a key (key_process.h)
//   4. a container's role: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI
//   5. an instance's role: the metadata service at 169.254.169.254, version 2 of its protocol
//
// SSO sessions and roles that a profile assumes by the key of another are not read; a user of those names the command
// that does (`aws configure export-credentials --format process`), and the error says how.
//
// Secrets are in no error and no log. One thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "aws/shared_config.h"
#include "aws/sigv4.h"
#include "aws/web_identity.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/http.h"

namespace tmdbc::aws {

// The services of containers and instances are on this machine or beside it; where there are none, nobody answers.
inline constexpr std::chrono::milliseconds kRolePatience{1'000};

class CredentialChain {
 public:
  // All outlive the chain. `transport` carries the questions about roles; nothing else is under way in it meanwhile.
  CredentialChain(Environment environment, const Clock& clock, http::HttpTransport& transport);

  // What is good now: asked for when there is none yet, and again five minutes before it expires. Where that fails,
  // what has not expired yet is used on. Else one sentence that says what is missing.
  Result<Credentials> Current();
  // Whether Current() would ask anybody.
  bool due() const;
  // The server says that they have expired, whatever we think: the next Current() looks again.
  void Refused() { refused_ = true; }

 private:
  Result<Credentials> Find();
  Result<std::optional<Credentials>> FromEnvironment() const;
  Result<std::optional<Credentials>> FromProfile(const SharedConfig& config);
  Result<Credentials> FromProcess(const SharedConfig& config) const;
  Result<Credentials> FromWebIdentity(const WebIdentity& identity);
  Result<Credentials> FromContainer(const std::string& url);
  Result<Credentials> FromInstance();
  struct Question {
    http::Method method = http::Method::kGet;
    std::string url;
    std::vector<http::Header> headers = {};
    std::string body = {};
    std::chrono::milliseconds patience = kRolePatience;
  };
  // kUnavailable when nobody answers.
  Result<http::Response> Ask(const Question& question);

  const Environment environment_;
  const Clock& clock_;
  http::HttpTransport& transport_;
  std::optional<Credentials> found_;
  MonoTime ask_at_{};  // what is still good is not renewed before then
  bool refused_ = false;
};

}  // namespace tmdbc::aws
