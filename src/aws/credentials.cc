// SPDX-License-Identifier: MIT
#include "aws/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "aws/aws_error.h"
#include "aws/endpoint.h"
#include "aws/key_process.h"
#include "base/json.h"
#include "base/text_file.h"
#include "http/proxy.h"

namespace tmdbc::aws {
namespace {

namespace chrono = std::chrono;

constexpr Duration kRenewBefore = chrono::minutes(5);
constexpr Duration kAskAfter = chrono::seconds(30);
// STS is across the network.
constexpr chrono::milliseconds kStsPatience{10'000};
// A person may have to find a device for it.
constexpr chrono::milliseconds kProcessPatience{120'000};
constexpr int kTries = 3;
constexpr std::size_t kMaxTokenBytes = 64 << 10;

constexpr std::string_view kContainerHost = "http://169.254.170.2";
constexpr std::string_view kInstanceHost = "http://169.254.169.254";

std::string TextOf(simdjson::dom::element object, const char* name) {
  std::string_view text;
  return object[name].get_string().get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

// {"AccessKeyId","SecretAccessKey","Token","Expiration"}, of both kinds of roles. `who` is for errors.
Result<Credentials> ParseRole(const http::Response& response, const std::string& who) {
  if (response.status != 200)
    return Fail(ErrorCode::kDenied, "no AWS credentials: {} answers HTTP {}", who, response.status);
  const auto json = ParsedJson::ParseString(response.body);
  if (!json) return Fail(ErrorCode::kDenied, "no AWS credentials: {} answers what is not JSON", who);
  const auto root = json->root();
  if (const std::string code = TextOf(root, "Code"); !code.empty() && code != "Success")
    return Fail(ErrorCode::kDenied, "no AWS credentials: {} answers {}", who, code.substr(0, 100));
  Credentials role{TextOf(root, "AccessKeyId"), TextOf(root, "SecretAccessKey"), TextOf(root, "Token"), {}};
  if (role.access_key_id.empty() || role.secret_access_key.empty())
    return Fail(ErrorCode::kDenied, "no AWS credentials: {} answers without AccessKeyId and SecretAccessKey",
                who);
  if (const std::string expires = TextOf(root, "Expiration"); !expires.empty()) {
    const auto time = ParseTime(expires);
    if (!time)
      return Fail(ErrorCode::kDenied, "no AWS credentials: {} answers with an Expiration that is not a time",
                  who);
    role.expires = *time;
  }
  return role;
}

// What a profile may say that is not read here.
std::string Unread(const SharedConfig& config) {
  for (const char* const name : {"role_arn", "sso_session", "sso_start_url", "login_session"}) {
    if (!config.value(name).empty()) return name;
  }
  return "";
}

// The role is another one than the key beside it.
bool AssumesARole(const SharedConfig& config) {
  return !config.value("role_arn").empty() &&
         (!config.value("source_profile").empty() || !config.value("credential_source").empty());
}

// A token goes there over plain HTTP: to this machine, or to the addresses that AWS's container services have
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
bool MayAskPlainly(std::string_view host) {
  constexpr std::array<std::string_view, 4> kKnown = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23",
                                                      "[fd00:ec2::23]"};
  return http::IsLoopback(host) || std::ranges::find(kKnown, host) != kKnown.end();
}

// STS says in an answer of 400 that it could not reach the maker of the token.
bool IsPassing(const http::Response& response) {
  if (response.status < 400) return false;
  const ServiceError error = ParseServiceError(response);
  return response.status >= 500 || error.code == "IDPCommunicationError" ||
         JudgeAnswer(response.status, error) == Verdict::kAgain;
}

}  // namespace

CredentialChain::CredentialChain(Environment environment, const Clock& clock, http::HttpTransport& transport)
    : environment_(std::move(environment)), clock_(clock), transport_(transport) {}

bool CredentialChain::due() const {
  if (!found_ || refused_) return true;
  if (!found_->expires) return false;
  const Time now = clock_.Now();
  if (now >= *found_->expires) return true;
  return now >= *found_->expires - kRenewBefore && clock_.Mono() >= ask_at_;
}

Result<Credentials> CredentialChain::Current() {
  if (!due()) return *found_;
  auto fresh = Find();
  // Also when it came: a service may hand out what expires soon, and is not asked for each call.
  ask_at_ = clock_.Mono() + kAskAfter;
  if (fresh) {
    found_ = *fresh;
    refused_ = false;
    return fresh;
  }
  if (found_ && !refused_ && found_->expires && clock_.Now() < *found_->expires) return *found_;
  return fresh;
}

Result<Credentials> CredentialChain::Find() {
  TRY_ASSIGN(auto from_environment, FromEnvironment());
  if (from_environment) return *std::move(from_environment);
  TRY_ASSIGN(const auto identity, WebIdentityOf(environment_));
  if (identity) return FromWebIdentity(*identity);
  TRY_ASSIGN(const SharedConfig config, SharedConfig::Load(environment_));
  TRY_ASSIGN(auto from_profile, FromProfile(config));
  if (from_profile) return *std::move(from_profile);
  if (const auto path = Variable(environment_, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !path.empty())
    return FromContainer(std::string(kContainerHost) + path);
  if (const auto url = Variable(environment_, "AWS_CONTAINER_CREDENTIALS_FULL_URI"); !url.empty())
    return FromContainer(url);
  auto from_instance = FromInstance();
  if (from_instance || from_instance.error().code != ErrorCode::kUnavailable) return from_instance;
  return Fail(
      ErrorCode::kDenied,
      "no AWS credentials: AWS_ACCESS_KEY_ID is not set, {} has no key for profile '{}', and this is neither a "
      "container nor an instance with a role ({})",
      config.credentials_path, config.profile, from_instance.error().message);
}

Result<std::optional<Credentials>> CredentialChain::FromEnvironment() const {
  Credentials key{Variable(environment_, "AWS_ACCESS_KEY_ID"),
                  Variable(environment_, "AWS_SECRET_ACCESS_KEY"),
                  Variable(environment_, "AWS_SESSION_TOKEN"),
                  {}};
  if (key.access_key_id.empty() && key.secret_access_key.empty()) return std::nullopt;
  if (key.access_key_id.empty() || key.secret_access_key.empty()) {
    return Fail(ErrorCode::kDenied, "no AWS credentials: {} is set and {} is not",
                key.access_key_id.empty() ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
                key.access_key_id.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY");
  }
  return key;
}

Result<std::optional<Credentials>> CredentialChain::FromProfile(const SharedConfig& config) {
  if (config.named && !config.found) {
    return Fail(ErrorCode::kDenied,
                "no AWS credentials: AWS_PROFILE is '{}', and neither {} nor {} has such a profile",
                config.profile, config.config_path, config.credentials_path);
  }
  Credentials key{config.value("aws_access_key_id"),
                  config.value("aws_secret_access_key"),
                  config.value("aws_session_token"),
                  {}};
  const bool assumes = AssumesARole(config);
  if (!assumes && !key.access_key_id.empty() && !key.secret_access_key.empty()) return key;
  if (!assumes && (!key.access_key_id.empty() || !key.secret_access_key.empty())) {
    return Fail(ErrorCode::kDenied, "no AWS credentials: profile '{}' in {} has no {}", config.profile,
                config.credentials_path,
                key.access_key_id.empty() ? "aws_access_key_id" : "aws_secret_access_key");
  }
  TRY_ASSIGN(const auto identity, WebIdentityOf(config));
  if (identity) return FromWebIdentity(*identity);
  if (const std::string what = Unread(config); !what.empty()) {
    return Fail(
        ErrorCode::kDenied,
        "no AWS credentials: profile '{}' has a {}, which this program does not use; give another profile the line "
        "credential_process = aws configure export-credentials --profile {} --format process",
        config.profile, what, config.profile);
  }
  if (!config.value("credential_process").empty()) return FromProcess(config);
  if (config.named) {
    return Fail(ErrorCode::kDenied, "no AWS credentials: profile '{}' in {} has no aws_access_key_id",
                config.profile, config.credentials_path);
  }
  return std::nullopt;
}

Result<Credentials> CredentialChain::FromProcess(const SharedConfig& config) const {
  const std::string who = fmt::format("credential_process of profile '{}'", config.profile);
  const auto printed = OutputOf(config.value("credential_process"), kMaxTokenBytes, kProcessPatience);
  if (!printed) return Fail(ErrorCode::kDenied, "no AWS credentials: {} {}", who, printed.error().message);
  return ParseProcessKey(*printed, who);
}

Result<Credentials> CredentialChain::FromWebIdentity(const WebIdentity& identity) {
  const auto region = FindRegion(environment_);
  // An address of its own needs no region.
  const auto url = ServiceUrl(environment_, "sts", region.value_or(""));
  if (!url) return Fail(ErrorCode::kDenied, "no AWS credentials: {}", (region ? url : region).error().message);
  TRY_ASSIGN(std::string form, FormFor(identity));
  const auto answer = Ask({.method = http::Method::kPost,
                           .url = *url + "/",
                           .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                           .body = std::move(form),
                           .patience = kStsPatience});
  if (!answer) {
    return Fail(ErrorCode::kDenied, "no AWS credentials: the role of the web identity: ask {}: {}", *url,
                answer.error().message);
  }
  return ParseAssumedRole(*answer);
}

Result<Credentials> CredentialChain::FromContainer(const std::string& url) {
  const std::string host(http::HostNameOf(url));
  if (!url.starts_with("https://") && !MayAskPlainly(host)) {
    return Fail(
        ErrorCode::kDenied,
        "no AWS credentials: AWS_CONTAINER_CREDENTIALS_FULL_URI names {}, which is neither this machine nor "
        "asked over https",
        host);
  }
  std::string token = Variable(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  // The file is renewed while the process runs, so it is read each time, and it is the one that counts.
  if (const auto path = Variable(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !path.empty()) {
    const auto text = ReadTextFile(path, kMaxTokenBytes);
    if (!text) return Within("no AWS credentials: the container's token", text.error());
    token = *text;
    while (token.ends_with('\n')) token.pop_back();
  }
  if (token.find('\n') != std::string::npos)
    return Fail(ErrorCode::kDenied, "no AWS credentials: the container's token has more than one line");
  std::vector<http::Header> headers;
  if (!token.empty()) headers.emplace_back("Authorization", token);
  const auto answer = Ask({.url = url, .headers = std::move(headers)});
  if (!answer)
    return Fail(ErrorCode::kDenied, "no AWS credentials: the container's role: {}", answer.error().message);
  return ParseRole(*answer, "the container's role");
}

Result<Credentials> CredentialChain::FromInstance() {
  if (Variable(environment_, "AWS_EC2_METADATA_DISABLED") == "true")
    return Fail(ErrorCode::kUnavailable, "AWS_EC2_METADATA_DISABLED says so");
  std::string host = Variable(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (host.empty()) host = kInstanceHost;
  while (host.ends_with('/')) host.pop_back();
  TRY_ASSIGN(const http::Response session, Ask({.method = http::Method::kPut,
                                                .url = host + "/latest/api/token",
                                                .headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}}}));
  if (session.status != 200)
    return Fail(ErrorCode::kUnavailable, "the metadata service answers HTTP {}", session.status);
  const http::Header token{"x-aws-ec2-metadata-token", session.body};
  const std::string roles = host + "/latest/meta-data/iam/security-credentials/";
  TRY_ASSIGN(const http::Response names, Ask({.url = roles, .headers = {token}}));
  if (names.status == 404) return Fail(ErrorCode::kUnavailable, "this instance has no role");
  if (names.status != 200)
    return Fail(ErrorCode::kUnavailable, "the metadata service answers HTTP {}", names.status);
  const std::string role = names.body.substr(0, names.body.find_first_of("\r\n"));
  TRY_ASSIGN(const http::Response answer, Ask({.url = roles + EncodePath(role), .headers = {token}}));
  return ParseRole(answer, "the instance's role");
}

Result<http::Response> CredentialChain::Ask(const Question& question) {
  std::string why;
  for (int tries = 0; tries < kTries; ++tries) {
    http::Request request;
    request.method = question.method;
    request.url = question.url;
    request.headers = question.headers;
    request.upload.bytes = question.body;
    request.timeout = question.patience;
    request.max_body = kMaxTokenBytes;
    const http::RequestId id = transport_.Start(std::move(request), {});
    std::optional<http::Outcome> outcome;
    while (!outcome) {
      for (http::Outcome& one : transport_.Wait(clock_.Mono() + chrono::seconds(1)))
        if (one.id == id) outcome = std::move(one);
    }
    if (outcome->response && !IsPassing(*outcome->response)) return *std::move(outcome->response);
    // Where nobody is, nobody will be in a second.
    why = outcome->response ? fmt::format("HTTP {}", outcome->response->status) : outcome->failure_text;
    if (outcome->failure == http::TransportFailure::kConnect) break;
  }
  return Fail(ErrorCode::kUnavailable, "{}", why);
}

}  // namespace tmdbc::aws
