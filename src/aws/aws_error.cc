// SPDX-License-Identifier: MIT
#include "aws/aws_error.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "aws/xml.h"
#include "base/json.h"
#include "base/safe_text.h"

namespace tmdbc::aws {
namespace {

constexpr std::size_t kMostMessage = 300;

// Some services put the whole request that they saw, its session token too, behind the first line
// (InvalidSignatureException).
std::string OneLine(std::string_view text) {
  text = text.substr(0, text.find_first_of("\r\n"));
  return Printable(text.substr(0, kMostMessage));
}

// "com.amazonaws.sqs#QueueDoesNotExist", "ThrottlingException:http://internal.amazon.com/..": the name in it.
std::string BareCode(std::string_view code) {
  if (const auto hash = code.rfind('#'); hash != std::string_view::npos) code.remove_prefix(hash + 1);
  return Printable(code.substr(0, std::min(code.find(':'), std::size_t(100))));
}

void FromXml(const XmlElement& root, ServiceError& error) {
  // <Error>, or <ErrorResponse><Error> of the query protocol.
  const XmlElement* const inner = root.name == "Error" ? &root : root.Child("Error");
  if (inner == nullptr) return;
  error.code = BareCode(inner->TextOf("Code"));
  error.message = OneLine(inner->TextOf("Message"));
  error.region = OneLine(inner->TextOf("Region"));
}

void FromJson(simdjson::dom::element root, ServiceError& error) {
  std::string_view text;
  for (const char* const name : {"__type", "code"}) {
    if (error.code.empty() && root[name].get_string().get(text) == simdjson::SUCCESS)
      error.code = BareCode(text);
  }
  for (const char* const name : {"message", "Message"}) {
    if (error.message.empty() && root[name].get_string().get(text) == simdjson::SUCCESS)
      error.message = OneLine(text);
  }
}

// The title of a page.
void FromHtml(std::string_view body, ServiceError& error) {
  const auto begin = body.find("<title>"), end = body.find("</title>");
  if (begin != std::string_view::npos && end != std::string_view::npos && begin < end)
    error.message = OneLine(body.substr(begin + 7, end - begin - 7));
}

}  // namespace

ServiceError ParseServiceError(const http::Response& response) {
  ServiceError error;
  if (const auto xml = ParseXml(response.body)) {
    FromXml(*xml, error);
  } else if (const auto json = ParsedJson::ParseString(response.body)) {
    FromJson(json->root(), error);
  }
  if (error.code.empty()) error.code = BareCode(response.header("x-amzn-errortype"));
  if (error.code.empty()) error.code = BareCode(response.header("x-amz-error-code"));
  if (error.code.empty() && error.message.empty()) FromHtml(response.body, error);
  if (error.region.empty()) error.region = OneLine(response.header("x-amz-bucket-region"));
  return error;
}

Verdict JudgeAnswer(int status, const ServiceError& error) {
  constexpr std::array<std::string_view, 4> kExpired = {"ExpiredToken", "ExpiredTokenException",
                                                        "TokenRefreshRequired", "RequestExpired"};
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and what the SDKs retry as throttling.
  constexpr std::array<std::string_view, 16> kBusy = {"SlowDown",
                                                      "Throttling",
                                                      "ThrottlingException",
                                                      "ThrottledException",
                                                      "RequestThrottled",
                                                      "RequestThrottledException",
                                                      "TooManyRequestsException",
                                                      "RequestLimitExceeded",
                                                      "BandwidthLimitExceeded",
                                                      "PriorRequestNotComplete",
                                                      "RequestTimeout",
                                                      "RequestTimeoutException",
                                                      "InternalError",
                                                      "InternalFailure",
                                                      "ServiceUnavailable",
                                                      "IncompleteBody"};
  constexpr std::array<std::string_view, 2> kMet = {"ConditionalRequestConflict", "OperationAborted"};
  if (std::ranges::find(kExpired, error.code) != kExpired.end()) return Verdict::kNewKey;
  if (std::ranges::find(kBusy, error.code) != kBusy.end()) return Verdict::kAgain;
  if (status == 409 && (error.code.empty() || std::ranges::find(kMet, error.code) != kMet.end()))
    return Verdict::kAgain;
  if (status == 429 || status == 408) return Verdict::kAgain;
  return status >= 500 && status != 501 ? Verdict::kAgain : Verdict::kFinal;
}

}  // namespace tmdbc::aws
