// SPDX-License-Identifier: MIT
#include "aws/sigv4.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "aws/digest.h"
#include "base/hash.h"
#include "base/percent.h"
#include "base/words.h"

namespace tmdbc::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// Without the blanks around it, and one for those within.
std::string CanonicalValue(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

struct CanonicalHeaders {
  std::string lines;  // "host:example\nx-amz-date:...\n"
  std::string names;  // "host;x-amz-date"
};

// Sorted by name, not by line: "a-b:" comes before "a:" as a line, behind it as a name.
CanonicalHeaders Canonical(const std::vector<http::Header>& headers) {
  std::vector<http::Header> sorted;
  sorted.reserve(headers.size());
  for (const auto& [name, value] : headers) sorted.emplace_back(Lower(name), CanonicalValue(value));
  std::ranges::stable_sort(sorted, {}, &http::Header::first);
  CanonicalHeaders canonical;
  for (const auto& [name, value] : sorted) {
    canonical.lines.append(name).append(":").append(value).append("\n");
    if (!canonical.names.empty()) canonical.names += ';';
    canonical.names += name;
  }
  return canonical;
}

}  // namespace

std::string EncodePath(std::string_view path) {
  std::string out;
  AppendPercentEncoded(out, path, "/");
  return out;
}

std::string EncodeQuery(const QueryParameters& parameters) {
  QueryParameters encoded;
  encoded.reserve(parameters.size());
  for (const auto& [name, value] : parameters) {
    auto& pair = encoded.emplace_back();
    AppendPercentEncoded(pair.first, name);
    AppendPercentEncoded(pair.second, value);
  }
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::vector<http::Header> Sign(const SignedRequest& request, const Credentials& credentials,
                               const SigningScope& scope, Time now) {
  const std::string stamp = fmt::format("{:%Y%m%dT%H%M%SZ}", std::chrono::floor<std::chrono::seconds>(now));
  const std::string date = stamp.substr(0, 8);
  std::vector<http::Header> added = {{"x-amz-date", stamp}};
  if (!credentials.session_token.empty())
    added.emplace_back("x-amz-security-token", credentials.session_token);
  if (scope.service == "s3") added.emplace_back("x-amz-content-sha256", request.payload_hash);

  std::vector<http::Header> all = request.headers;
  all.insert(all.end(), added.begin(), added.end());
  all.emplace_back("host", request.host);
  const CanonicalHeaders headers = Canonical(all);
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", http::NameOf(request.method), request.path, request.query,
                  headers.lines, headers.names, request.payload_hash);

  const std::string within = fmt::format("{}/{}/{}/aws4_request", date, scope.region, scope.service);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, stamp, within, Sha256Hex(canonical));
  std::string key = HmacSha256("AWS4" + credentials.secret_access_key, date);
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
    key = HmacSha256(key, part);
  }
  added.emplace_back("Authorization", fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                                                  kAlgorithm, credentials.access_key_id, within,
                                                  headers.names, LowerHex(HmacSha256(key, to_sign))));
  return added;
}

}  // namespace tmdbc::aws
