// SPDX-License-Identifier: MIT
// A web identity: a token of somebody whom an AWS account trusts (a cluster of Kubernetes, GitHub Actions) is exchanged
// for the key of a role, with one question to STS that nobody signs
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html). What is asked and what is
// answered; credentials.h asks. Pure but for the token's file; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/shared_config.h"
#include "aws/sigv4.h"
#include "base/result.h"
#include "http/http.h"

namespace tmdbc::aws {

struct WebIdentity {
  std::string token_file;  // the maker of the tokens renews it: read again for each question
  std::string role;        // arn:aws:iam::123456789012:role/mirror
  std::string session;     // names this process in AWS's logs
};

// AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME. Empty when there is no token; kDenied when there is
// one and no role.
Result<std::optional<WebIdentity>> WebIdentityOf(const Environment& environment);
// web_identity_token_file, role_arn, role_session_name of a profile; the same.
Result<std::optional<WebIdentity>> WebIdentityOf(const SharedConfig& config);

// The form that is posted to STS: a secret, for the token is in it. kDenied when its file cannot be read.
Result<std::string> FormFor(const WebIdentity& identity);
// What STS answers; kDenied with its reason.
Result<Credentials> ParseAssumedRole(const http::Response& response);

}  // namespace tmdbc::aws
