// SPDX-License-Identifier: MIT
// LambdaRuntime: the loop of a function of AWS Lambda on a custom runtime: asks the host for the next event, answers
// it, asks again (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Plain HTTP/1.1 on loopback, by
// sockets of its own: between two events the host freezes the process for minutes or hours, so the question for the
// next one has no timeout, and each call has a connection of its own.
//
// Hosts that are done with a process take away their server and not the process: if it cannot ask for the next event,
// it ends at once. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

namespace tmdbc::aws {

// What an event and an answer may have.
inline constexpr std::size_t kMostEventBytes = 6 << 20;

struct Invocation {
  std::string request_id;  // always there
  std::string event;       // JSON, as it came
  // What hosts may leave out.
  std::optional<Time> deadline;  // then the process is killed
  std::string function_arn;
  std::string trace_id;
};

// Why an event was not worked on: the host counts it as failed, and SQS or EventBridge brings it again.
struct FunctionError {
  std::string type;  // "Collector.BadEvent": a word
  std::string message;
};

class LambdaRuntime {
 public:
  // `address` is AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001". kInvalid when it is none.
  static Result<LambdaRuntime> At(std::string_view address);

  // Waits for as long as it takes. Any error: the host is gone.
  Result<Invocation> Next();
  // kInvalid when the answer is larger than Lambda takes; then FailInvocation() is still allowed.
  Result<void> Respond(const Invocation& invocation, std::string_view json);
  Result<void> FailInvocation(const Invocation& invocation, const FunctionError& error);
  // Before the first Next(); then the process ends.
  Result<void> FailInit(const FunctionError& error);

 private:
  LambdaRuntime(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {}

  std::string host_, port_;
};

// Answers event after event: what `handle` returns is the answer, its error the failure; its type is `name`, a dot and
// the code of the error. Returns why it ended: the host is gone.
Error ServeLambda(LambdaRuntime& runtime, std::string_view name, Log& log,
                  const std::function<Result<std::string>(const Invocation& invocation)>& handle);

// "Collector.Denied": the word for an error's code.
std::string FunctionErrorType(std::string_view name, ErrorCode code);

}  // namespace tmdbc::aws
