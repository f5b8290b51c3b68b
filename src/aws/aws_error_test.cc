// SPDX-License-Identifier: MIT
#include "aws/aws_error.h"

#include <gtest/gtest.h>

#include <string>

namespace tmdbc::aws {
namespace {

ServiceError Parse(int status, std::string body, std::vector<http::Header> headers = {}) {
  return ParseServiceError({.status = status, .headers = std::move(headers), .body = std::move(body)});
}

TEST(ServiceError, IsReadInEveryFormThatComes) {
  auto error = Parse(
      503,
      "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Reduce &amp; wait.</Message></Error>");
  EXPECT_EQ(error.code + "|" + error.message, "SlowDown|Reduce & wait.");
  error = Parse(400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"No such queue"})");
  EXPECT_EQ(error.code + "|" + error.message, "QueueDoesNotExist|No such queue");
  error = Parse(400, R"({"__type":"ParameterNotFound","Message":"none"})");
  EXPECT_EQ(error.code + "|" + error.message, "ParameterNotFound|none");
  error =
      Parse(400, "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>");
  EXPECT_EQ(error.code, "Throttling");
  error = Parse(502, "<html><head><title>502 Bad Gateway</title></head><body><br></body></html>");
  EXPECT_EQ(error.code + "|" + error.message, "|502 Bad Gateway");
  error = Parse(400, "", {{"X-Amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/x"}});
  EXPECT_EQ(error.code, "ThrottlingException");
  error = Parse(301, "", {{"x-amz-bucket-region", "eu-west-1"}});
  EXPECT_EQ(error.region, "eu-west-1");
  error = Parse(400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>");
  EXPECT_EQ(error.region, "eu-west-3");
  for (const char* const body : {"", "oops", "[]", "{}", "\xff\xfe", "<a/>"})
    EXPECT_EQ(Parse(500, body).code, "") << body;
}

TEST(ServiceError, IsOneShortLineThatATerminalCanBear) {
  const auto error =
      Parse(403, R"({"__type":"InvalidSignatureException","message":"It does not match. \u001b[31m\n\n)"
                 R"(The Canonical String was 'x-amz-security-token:SECRET'"})");
  EXPECT_EQ(error.message, "It does not match. \\u001b[31m");
  EXPECT_LE(Parse(403, "<Error><Message>" + std::string(10'000, 'x') + "</Message></Error>").message.size(),
            300u);
}

TEST(ServiceError, SaysWhetherToTryAgain) {
  struct Case {
    int status;
    const char* code;
    Verdict verdict;
  };
  for (const auto& [status, code, verdict] :
       {Case{500, "InternalError", Verdict::kAgain}, Case{503, "SlowDown", Verdict::kAgain},
        Case{502, "", Verdict::kAgain}, Case{429, "", Verdict::kAgain},
        Case{400, "ThrottlingException", Verdict::kAgain}, Case{400, "RequestTimeout", Verdict::kAgain},
        Case{400, "RequestThrottled", Verdict::kAgain},
        Case{409, "ConditionalRequestConflict", Verdict::kAgain},
        Case{409, "OperationAborted", Verdict::kAgain}, Case{409, "", Verdict::kAgain},
        Case{409, "BucketNotEmpty", Verdict::kFinal}, Case{412, "PreconditionFailed", Verdict::kFinal},
        Case{404, "NoSuchKey", Verdict::kFinal}, Case{403, "AccessDenied", Verdict::kFinal},
        Case{501, "NotImplemented", Verdict::kFinal}, Case{301, "PermanentRedirect", Verdict::kFinal},
        Case{400, "", Verdict::kFinal}, Case{400, "ExpiredToken", Verdict::kNewKey},
        Case{403, "ExpiredTokenException", Verdict::kNewKey}}) {
    EXPECT_EQ(JudgeAnswer(status, {.code = code, .message = "", .region = ""}), verdict)
        << status << " " << code;
  }
}

}  // namespace
}  // namespace tmdbc::aws
