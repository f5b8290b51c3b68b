// SPDX-License-Identifier: MIT
#include "aws/parameters.h"

#include "aws/json_call.h"
#include "base/json_writer.h"

namespace tmdbc::aws {

Result<std::string> ReadParameter(AwsClient& client, const std::string& url, const std::string& name) {
  JsonWriter json;
  json.BeginObject().Field("Name", name).Field("WithDecryption", true).EndObject();
  TRY_ASSIGN(const ParsedJson answer, Ask(client, {.act = "read parameter " + name,
                                                   .service = "ssm",
                                                   .url = url,
                                                   .target = "AmazonSSM.GetParameter",
                                                   .version = "1.1",
                                                   .body = json.text()}));
  std::string_view value;
  if (answer.root()["Parameter"]["Value"].get_string().get(value) != simdjson::SUCCESS)
    return Fail(ErrorCode::kIo, "read parameter {}: the answer has no value", name);
  return std::string(value);
}

}  // namespace tmdbc::aws
