// SPDX-License-Identifier: MIT
#include "serve/api_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace tmdbc::serve {
namespace {

http::Answer FromApi(read_api::Answer answer) {
  http::Answer out;
  out.status = answer.status;
  out.headers = {{"Content-Type", "application/json;charset=utf-8"},
                 {"Mirror-Answer", std::string(read_api::Name(answer.fidelity))}};
  if (!answer.sources.empty()) {
    const auto oldest = std::ranges::min(answer.sources, {}, &read_api::Source::fetched_at).fetched_at;
    out.headers.emplace_back("Mirror-Fetched-At", FormatTime(oldest));
  }
  if (answer.status == 200)
    out.headers.emplace_back("Cache-Control", fmt::format("public, max-age={}", answer.max_age.count()));
  out.body = std::make_shared<const std::string>(std::move(answer.body));
  return out;
}

}  // namespace

http::Answer ApiHandler::operator()(const http::ServerRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") return FromApi(read_api::ErrorAnswer(42));
  const auto asked = read_api::ApiRequest::Parse(request.target);
  return FromApi(asked ? api_.Get(*asked) : read_api::ErrorAnswer(34));
}

}  // namespace tmdbc::serve
