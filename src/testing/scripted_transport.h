// SPDX-License-Identifier: MIT
// ScriptedTransport: an HttpTransport without a network. A function answers each request; time is a FakeClock's, and
// passes only in Wait(). One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/http.h"
#include "testing/fake_clock.h"

namespace tmdbc::testing {

class ScriptedTransport final : public http::HttpTransport {
 public:
  struct Reply {
    http::Response response;
    std::optional<http::TransportFailure> failure = {};  // instead of the response
    std::string failure_text = "the connection broke";
    Hint failure_hint = Hint::kNone;
    bool stale_connection = false;
    Duration takes = std::chrono::milliseconds(10);

    static Reply Status(int status, std::string body = "", std::vector<http::Header> headers = {}) {
      return {.response = {.status = status, .headers = std::move(headers), .body = std::move(body)}};
    }
    static Reply Broken(http::TransportFailure failure = http::TransportFailure::kReset) {
      return {.response = {}, .failure = failure};
    }
  };
  // `body`: all that the request uploads.
  using Script = std::function<Reply(const http::Request& request, const std::string& body)>;

  ScriptedTransport(FakeClock& clock, Script script) : clock_(clock), script_(std::move(script)) {}

  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    if (on_send) on_send();
    const std::string body = Body(request);
    seen.push_back(request);
    seen.back().upload = {};
    Reply reply = script_(request, body);
    http::Outcome outcome;
    outcome.id = ++last_id_;
    outcome.started = clock_.Mono();
    outcome.finished = clock_.Mono() + reply.takes;
    if (reply.failure) {
      outcome.failure = reply.failure;
      outcome.failure_text = std::move(reply.failure_text);
      outcome.failure_hint = reply.failure_hint;
      outcome.stale_connection = reply.stale_connection;
    } else if (reply.response.status == 200 && request.sink) {
      if (!request.sink(reply.response.body)) outcome.failure = http::TransportFailure::kAborted;
      reply.response.body.clear();
      if (!outcome.failure) outcome.response = std::move(reply.response);
    } else {
      outcome.response = std::move(reply.response);
    }
    under_way_.emplace(outcome.finished, std::move(outcome));
    peak = std::max(peak, InFlight());
    return last_id_;
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    if (under_way_.empty() || under_way_.begin()->first > deadline) {
      waited += std::max(Duration(0), deadline - clock_.Mono());
      clock_.AdvanceTo(deadline);
      return {};
    }
    clock_.AdvanceTo(under_way_.begin()->first);
    std::vector<http::Outcome> outcomes;
    while (!under_way_.empty() && under_way_.begin()->first <= clock_.Mono()) {
      outcomes.push_back(std::move(under_way_.begin()->second));
      under_way_.erase(under_way_.begin());
    }
    return outcomes;
  }
  int Room() const override { return room - InFlight(); }
  int InFlight() const override { return int(under_way_.size()); }
  void Cancel(http::RequestId id) override {
    for (auto& [at, outcome] : under_way_) {
      if (outcome.id != id) continue;
      outcome.response.reset();
      outcome.failure = http::TransportFailure::kAborted;
    }
  }

  int room = 20;
  std::vector<http::Request> seen;  // every request, in the order in which it was started
  Duration waited{};                // by Wait() until its deadline, with nothing to give
  int peak = 0;                     // requests under way at once

 private:
  static std::string Body(const http::Request& request) {
    if (!request.upload.pull) return std::string(request.upload.bytes);
    std::string body(request.upload.length, '\0');
    std::size_t at = 0;
    while (at < body.size()) {
      const std::size_t got = request.upload.pull({body.data() + at, body.size() - at});
      if (got == 0) break;
      at += got;
    }
    body.resize(at);
    return body;
  }

  FakeClock& clock_;
  const Script script_;
  http::RequestId last_id_ = 0;
  std::multimap<MonoTime, http::Outcome> under_way_;
};

}  // namespace tmdbc::testing
