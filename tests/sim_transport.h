// SPDX-License-Identifier: MIT
// SimTransport: the simulated TMDB behind the transport port, without sockets: requests take virtual time on
// a FakeClock, so months pass in seconds. The process that uses it can be killed in any Wait().
#pragma once

#include <fmt/chrono.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/http.h"
#include "random.h"
#include "simulator.h"
#include "testing/fake_clock.h"

namespace tmdbc::testing {

// Thrown out of Wait() to end the process at that point, as SIGKILL would.
struct Killed {};

class SimTransport final : public http::HttpTransport {
 public:
  static constexpr std::string_view kHost = "http://tmdb.test";
  static constexpr int kConnections = 20;

  // Both outlive it. `clock` is the simulator's own.
  SimTransport(FakeClock& clock, sim::Simulator& simulator, std::uint64_t seed)
      : clock_(clock), simulator_(simulator), random_(seed, sim::HashText("transport")) {}

  // The process dies in the `waits`-th Wait() from now on; negative: not any more.
  void KillAt(int waits) { left_ = waits; }
  // Before the next process begins: what the dead one had under way is gone.
  void Restart() {
    transfers_.clear();
    cancelled_.clear();
    dead_ = false;
    left_ = -1;
  }
  // Called with each request's target when it arrives.
  std::function<void(std::string_view target)> on_arrival;

  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    if (on_send) on_send();
    const http::RequestId id = ++last_id_;
    Transfer transfer{.request = std::move(request), .started = clock_.Mono()};
    transfer.next = clock_.Mono() + std::chrono::microseconds(random_.Between(500, 2500));
    transfers_.emplace(id, std::move(transfer));
    return id;
  }

  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    if (dead_) return Perish();
    if (left_ == 0) {
      dead_ = true;
      throw Killed();
    }
    if (left_ > 0) --left_;
    std::vector<http::Outcome> outcomes = std::exchange(cancelled_, {});
    while (outcomes.empty()) {
      const auto next =
          std::min_element(transfers_.begin(), transfers_.end(), [](const auto& a, const auto& b) {
            return std::pair(a.second.next, a.first) < std::pair(b.second.next, b.first);
          });
      if (next == transfers_.end() || next->second.next > deadline) {
        clock_.AdvanceTo(deadline);
        break;
      }
      clock_.AdvanceTo(next->second.next);
      if (!next->second.arrived) {
        Arrive(next->second);
        continue;
      }
      const auto ended = transfers_.extract(next);
      outcomes.push_back(Finish(ended.key(), ended.mapped()));
    }
    return outcomes;
  }

  int Room() const override { return kConnections - InFlight(); }
  int InFlight() const override { return static_cast<int>(transfers_.size()); }

  void Cancel(http::RequestId id) override {
    const auto found = transfers_.extract(id);
    if (found.empty()) return;
    found.mapped().failure = http::TransportFailure::kAborted;
    cancelled_.push_back(Finish(id, found.mapped()));
  }

 private:
  struct Transfer {
    http::Request request;
    MonoTime started{};
    MonoTime next{};  // when it arrives, then when it ends
    bool arrived = false;
    http::Response response = {};
    std::optional<http::TransportFailure> failure = {};
  };

  // A dead process waits for nothing; but on the way out of a test its destructors may.
  std::vector<http::Outcome> Perish() {
    std::vector<http::Outcome> outcomes = std::exchange(cancelled_, {});
    for (auto& [id, transfer] : transfers_) {
      transfer.failure = http::TransportFailure::kAborted;
      outcomes.push_back(Finish(id, transfer));
    }
    transfers_.clear();
    return outcomes;
  }

  void Arrive(Transfer& transfer) {
    transfer.arrived = true;
    std::string target = transfer.request.url.substr(kHost.size());
    if (!transfer.request.secret_query.empty())
      target.append(target.find('?') == target.npos ? "?" : "&").append(transfer.request.secret_query);
    if (on_arrival) on_arrival(target);
    http::ServerRequest asked{.method = "GET",
                              .target = target,
                              .headers = transfer.request.headers,
                              .body = {},
                              .peer_address = "127.0.0.1",
                              .received = clock_.Mono()};
    const http::Answer answer = simulator_.Handle(asked);
    Duration takes = std::chrono::milliseconds(random_.Between(20, 60)) + answer.delay +
                     answer.trickle_pause * static_cast<int>(answer.trickle_pieces);
    Fill(transfer, answer);
    const bool hangs = answer.ending == http::Answer::Ending::kHang;
    if (hangs || takes > transfer.request.timeout) {
      takes = transfer.request.timeout;
      transfer.failure = http::TransportFailure::kTimeout;
    }
    transfer.next = clock_.Mono() + takes;
  }

  static std::string HttpDate(Time time) {
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
  }

  void Fill(Transfer& transfer, const http::Answer& answer) const {
    const std::string body = answer.body && !answer.silent ? *answer.body : std::string();
    http::Response& response = transfer.response;
    response.status = answer.status;
    response.headers = answer.headers;
    response.headers.emplace_back("Date", HttpDate(clock_.Now()));
    if (answer.framing == http::Answer::Framing::kLength) {
      const auto length = answer.claimed_length.value_or(body.size());
      response.headers.emplace_back("Content-Length", std::to_string(length));
    }
    const bool cut = answer.cut_body_after.has_value() || answer.claimed_length.value_or(0) > body.size();
    response.body = body.substr(0, answer.cut_body_after.value_or(body.size()));
    if (answer.silent || cut) transfer.failure = http::TransportFailure::kReset;
  }

  http::Outcome Finish(http::RequestId id, Transfer& transfer) const {
    http::Outcome outcome{.id = id,
                          .response = {},
                          .failure = transfer.failure,
                          .failure_text = transfer.failure ? "the simulated connection broke" : "",
                          .bytes_received = transfer.response.body.size(),
                          .started = transfer.started,
                          .finished = clock_.Mono()};
    // A part of a body that broke off was delivered, too.
    if (transfer.request.sink && transfer.response.status == 200 && transfer.arrived) {
      std::string_view left = transfer.response.body;
      constexpr std::size_t kPiece = 16 << 10;
      while (!left.empty() && transfer.failure != http::TransportFailure::kAborted) {
        if (!transfer.request.sink(left.substr(0, kPiece)))
          outcome.failure = transfer.failure = http::TransportFailure::kAborted;
        left.remove_prefix(std::min(kPiece, left.size()));
      }
      transfer.response.body.clear();
    }
    if (!outcome.failure) outcome.response = std::move(transfer.response);
    return outcome;
  }

  FakeClock& clock_;
  sim::Simulator& simulator_;
  sim::Random random_;
  std::unordered_map<http::RequestId, Transfer> transfers_;
  std::vector<http::Outcome> cancelled_;
  http::RequestId last_id_ = 0;
  int left_ = -1;
  bool dead_ = false;
};

}  // namespace tmdbc::testing
