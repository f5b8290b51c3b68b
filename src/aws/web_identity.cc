// SPDX-License-Identifier: MIT
#include "aws/web_identity.h"

#include <fmt/format.h>

#include <utility>

#include "aws/aws_error.h"
#include "aws/xml.h"
#include "base/text_file.h"

namespace tmdbc::aws {
namespace {

constexpr std::string_view kSession = "tmdb-collector";
constexpr std::size_t kMostTokenBytes = 64 << 10;

Result<std::optional<WebIdentity>> Complete(WebIdentity identity, std::string_view role_name) {
  if (identity.token_file.empty()) return std::nullopt;
  if (identity.role.empty()) {
    return Fail(ErrorCode::kDenied, "no AWS credentials: the token of a web identity is given, and no {} for it",
                role_name);
  }
  if (identity.session.empty()) identity.session = kSession;
  return identity;
}

}  // namespace

Result<std::optional<WebIdentity>> WebIdentityOf(const Environment& environment) {
  return Complete({Variable(environment, "AWS_WEB_IDENTITY_TOKEN_FILE"), Variable(environment, "AWS_ROLE_ARN"),
                   Variable(environment, "AWS_ROLE_SESSION_NAME")},
                  "AWS_ROLE_ARN");
}

Result<std::optional<WebIdentity>> WebIdentityOf(const SharedConfig& config) {
  WebIdentity identity{config.value("web_identity_token_file"), config.value("role_arn"),
                       config.value("role_session_name")};
  return Complete(std::move(identity), fmt::format("role_arn in profile '{}'", config.profile));
}

Result<std::string> FormFor(const WebIdentity& identity) {
  const auto text = ReadTextFile(identity.token_file, kMostTokenBytes);
  if (!text) {
    return Fail(ErrorCode::kDenied, "no AWS credentials: the token of the web identity: {}", text.error().message);
  }
  const std::string token = text->substr(0, text->find_last_not_of(" \n") + 1);
  if (token.empty()) {
    return Fail(ErrorCode::kDenied, "no AWS credentials: the token of the web identity: {} is empty",
                identity.token_file);
  }
  return EncodeQuery({{"Action", "AssumeRoleWithWebIdentity"},
                      {"Version", "2011-06-15"},
                      {"RoleArn", identity.role},
                      {"RoleSessionName", identity.session},
                      {"WebIdentityToken", token}});
}

Result<Credentials> ParseAssumedRole(const http::Response& response) {
  constexpr std::string_view kWho = "no AWS credentials: the role of the web identity:";
  if (response.status != 200) {
    // The message may hold what is in the token; the code says enough: InvalidIdentityToken, ExpiredTokenException,
    // AccessDenied.
    const std::string code = ParseServiceError(response).code;
    return Fail(ErrorCode::kDenied, "{} STS answers HTTP {}{}{}", kWho, response.status, code.empty() ? "" : ", ",
                code);
  }
  const auto xml = ParseXml(response.body);
  const XmlElement* const result = xml ? xml->Child("AssumeRoleWithWebIdentityResult") : nullptr;
  const XmlElement* const key = result != nullptr ? result->Child("Credentials") : nullptr;
  if (key == nullptr) return Fail(ErrorCode::kDenied, "{} STS answers without credentials", kWho);
  Credentials role{key->TextOf("AccessKeyId"), key->TextOf("SecretAccessKey"), key->TextOf("SessionToken"), {}};
  const auto expires = ParseTime(key->TextOf("Expiration"));
  if (role.access_key_id.empty() || role.secret_access_key.empty() || role.session_token.empty() || !expires)
    return Fail(ErrorCode::kDenied, "{} STS answers with half a key", kWho);
  role.expires = *expires;
  return role;
}

}  // namespace tmdbc::aws
