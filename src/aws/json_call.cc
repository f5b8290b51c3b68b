// SPDX-License-Identifier: MIT
#include "aws/json_call.h"

#include <fmt/format.h>

namespace tmdbc::aws {

Result<ParsedJson> Ask(AwsClient& client, const JsonCall& call) {
  AwsCall request;
  request.act = call.act;
  request.service = call.service;
  request.operation = call.target.substr(call.target.find('.') + 1);
  request.method = http::Method::kPost;
  request.url = call.url;
  request.headers = {{"Content-Type", fmt::format("application/x-amz-json-{}", call.version)},
                     {"X-Amz-Target", call.target}};
  request.body = call.body;
  TRY_ASSIGN(const http::Response response, client.Call(request));
  if (response.status != 200) {
    auto refused = client.Refused(request, response);
    const std::string code = ParseServiceError(response).code;
    if (code == "QueueDoesNotExist" || code.ends_with("NonExistentQueue") || code == "ParameterNotFound")
      return Fail(ErrorCode::kNotFound, "{}", refused.error().message);
    return refused;
  }
  // The body outlives the parsing, not the answer: ParsedJson holds nothing of it.
  auto json = ParsedJson::ParseString(response.body);
  if (json && json->root().is_object()) return json;
  return Fail(ErrorCode::kIo, "{}: the service answers what is not a JSON object", call.act);
}

}  // namespace tmdbc::aws
