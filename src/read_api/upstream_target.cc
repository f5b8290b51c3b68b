// SPDX-License-Identifier: MIT
#include "read_api/upstream_target.h"

#include <string_view>

#include "base/percent.h"

namespace tmdbc::read_api {
namespace {

// In ascending order.
constexpr std::string_view kRead[] = {
    "append_to_response", "country",  "end_date", "external_source", "include_image_language", "include_video_language",
    "language",           "page",     "region",   "start_date",      "watch_region"};

}  // namespace

std::optional<std::string> UpstreamTarget(const ApiRequest& request) {
  std::string target;
  for (const std::string& part : request.path) {
    // A part of dots would be taken for a way up.
    if (part.empty() || part == "." || part == "..") return std::nullopt;
    if (!target.empty()) target += '/';
    AppendPercentEncoded(target, part);
  }
  char before = '?';
  for (const std::string_view name : kRead) {
    const auto value = request.query.Get(name);
    if (!value) continue;
    target.append(1, before).append(name).append("=");
    AppendPercentEncoded(target, *value, ",/");
    before = '&';
  }
  if (target.size() > kLongestUpstreamTarget) return std::nullopt;
  return target;
}

}  // namespace tmdbc::read_api
