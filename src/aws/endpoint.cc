// SPDX-License-Identifier: MIT
#include "aws/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tmdbc::aws {
namespace {

bool IsRegion(std::string_view text) {
  return !text.empty() && text.size() <= 40 && std::ranges::all_of(text, [](unsigned char c) {
    return std::islower(c) || std::isdigit(c) || c == '-';
  });
}

Result<std::string> Checked(std::string url, std::string_view source) {
  while (url.ends_with('/')) url.pop_back();
  const auto scheme = url.find("://");
  const bool known = url.starts_with("http://") || url.starts_with("https://");
  const bool clean = std::ranges::all_of(
      url, [](char c) { return c > ' ' && c < '\x7f' && c != '?' && c != '#' && c != '@'; });
  if (!known || !clean || url.size() == scheme + 3 || url[scheme + 3] == '/') {
    return Fail(ErrorCode::kInvalid, "{} is not an address of a service: it is http://host:port or https://host",
                source);
  }
  return url;
}

}  // namespace

Result<std::string> ServiceUrl(const Environment& environment, std::string_view service,
                               const std::string& region) {
  std::string own = "AWS_ENDPOINT_URL_";
  for (const char c : service) own += char(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& name : {own, std::string("AWS_ENDPOINT_URL")}) {
    if (std::string url = Variable(environment, name.c_str()); !url.empty())
      return Checked(std::move(url), name);
  }
  if (!IsRegion(region)) return Fail(ErrorCode::kInvalid, "'{}' is not an AWS region", region.substr(0, 40));
  return fmt::format("https://{}.{}.amazonaws.com{}", service, region,
                     region.starts_with("cn-") ? ".cn" : "");
}

Result<std::string> BucketUrl(const Environment& environment, const std::string& endpoint,
                              const std::string& region, const std::string& bucket, BucketStyle style) {
  std::string url;
  if (endpoint.empty()) {
    TRY_ASSIGN(url, ServiceUrl(environment, "s3", region));
  } else {
    TRY_ASSIGN(url, Checked(endpoint, "the endpoint of S3"));
  }
  if (style == BucketStyle::kAuto) {
    const bool aws = url.ends_with(".amazonaws.com") || url.ends_with(".amazonaws.com.cn");
    style = aws && bucket.find('.') == std::string::npos ? BucketStyle::kVirtual : BucketStyle::kPath;
  }
  if (style == BucketStyle::kPath) return url + "/" + bucket;
  url.insert(url.find("://") + 3, bucket + ".");
  return url;
}

}  // namespace tmdbc::aws
