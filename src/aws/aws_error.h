// SPDX-License-Identifier: MIT
// What an AWS service, or whatever answered in its place, says went wrong: S3's XML, the JSON of SQS and SSM, or a page
// of HTML from something between. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "http/http.h"

namespace tmdbc::aws {

struct ServiceError {
  std::string code;     // "SlowDown", "NoSuchKey", "QueueDoesNotExist"; empty when the body says none
  std::string message;  // one line of at most 300 bytes, printable; may be empty
  std::string region;   // where the bucket is, when the answer says so
};

// The code also stands in the head of an answer without a body (HEAD).
ServiceError ParseServiceError(const http::Response& response);

// What to do after an answer that was not one of 2xx.
enum class Verdict : std::uint8_t {
  kFinal,   // it is the answer
  kAgain,   // later: the service is busy or broken, or two calls met
  kNewKey,  // with other credentials: these have expired
};
Verdict JudgeAnswer(int status, const ServiceError& error);

}  // namespace tmdbc::aws
