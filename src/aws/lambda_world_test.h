// SPDX-License-Identifier: MIT
// FakeLambda: the host of a function, on loopback: gives its events one after the other, keeps what is answered, and is
// gone when there are none left, as hosts are. For tests.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http/server.h"

namespace tmdbc::testing {

class FakeLambda {
 public:
  struct Answered {
    std::string request_id;
    bool failed = false;     // at /error
    std::string body;
    std::string error_type;  // of its header
  };

  // How it speaks, before Start().
  bool chunked = false;
  std::vector<std::string> left_out;  // headers of an event that it does not send
  std::optional<int> next_status;     // instead of an event
  int response_status = 202;
  std::chrono::milliseconds time{60'000};  // from the event to its deadline
  Duration freeze{};                       // before each event is given: the process waits for it
  std::function<void(std::size_t answers)> on_answer;  // on the server's thread, before the process goes on

  ~FakeLambda() { Stop(); }

  void Add(std::string event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  // "127.0.0.1:9001": AWS_LAMBDA_RUNTIME_API.
  std::string Start() {
    server_ = http::Server::Listen({.max_request_body = 8 << 20}, clock_, [this](const http::ServerRequest& request) {
      return Handle(request);
    }).value();
    thread_ = std::thread([this] { server_->Run(); });
    return fmt::format("127.0.0.1:{}", server_->port());
  }
  void Stop() {
    if (!server_) return;
    server_->Stop();
    thread_.join();
    server_.reset();
  }
  // Waits until there are `count` answers; false when they do not come.
  bool WaitFor(std::size_t count, std::chrono::seconds patience = std::chrono::seconds(30)) {
    std::unique_lock lock(mutex_);
    return told_.wait_for(lock, patience, [&] { return answers_.size() >= count; });
  }
  std::vector<Answered> answers() {
    const std::lock_guard lock(mutex_);
    return answers_;
  }
  // What came to /init/error; empty: nothing.
  std::string init_error() {
    const std::lock_guard lock(mutex_);
    return init_error_;
  }

 private:
  http::Answer Handle(const http::ServerRequest& request) {
    const std::lock_guard lock(mutex_);
    constexpr std::string_view kBase = "/2018-06-01/runtime";
    if (!request.target.starts_with(kBase)) return {.status = 404};
    const std::string path = request.target.substr(kBase.size());
    if (request.method == "GET" && path == "/invocation/next") return Next();
    if (request.method == "POST" && path == "/init/error") {
      init_error_ = request.body;
      return {.status = 202};
    }
    constexpr std::string_view kInvocation = "/invocation/";
    const std::size_t end = path.rfind('/');
    if (request.method != "POST" || !path.starts_with(kInvocation) || end < kInvocation.size()) return {.status = 404};
    const std::string what = path.substr(end);
    answers_.push_back({.request_id = path.substr(kInvocation.size(), end - kInvocation.size()),
                        .failed = what == "/error",
                        .body = request.body,
                        .error_type = std::string(request.header("Lambda-Runtime-Function-Error-Type"))});
    told_.notify_all();
    if (on_answer) on_answer(answers_.size());
    return {.status = what == "/response" ? response_status : 202};
  }

  http::Answer Next() {
    if (next_status) return {.status = *next_status};
    if (events_.empty()) return {.ending = http::Answer::Ending::kReset, .silent = true};
    http::Answer answer;
    const Time deadline = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now() + time);
    const std::vector<http::Header> headers = {
        {"Content-Type", "application/json"},
        {"Lambda-Runtime-Aws-Request-Id", fmt::format("request-{}", ++given_)},
        {"Lambda-Runtime-Deadline-Ms",
         fmt::format("{}", std::chrono::floor<std::chrono::milliseconds>(deadline).time_since_epoch().count())},
        {"Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:collector"},
        {"Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"},
    };
    for (const http::Header& header : headers) {
      if (std::ranges::find(left_out, header.first) == left_out.end()) answer.headers.push_back(header);
    }
    answer.body = std::make_shared<const std::string>(std::move(events_.front()));
    events_.pop_front();
    if (chunked) answer.framing = http::Answer::Framing::kChunked;
    answer.delay = freeze;
    return answer;
  }

  SystemClock clock_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable told_;
  std::deque<std::string> events_;
  std::vector<Answered> answers_;
  std::string init_error_;
  int given_ = 0;
};

}  // namespace tmdbc::testing
