// SPDX-License-Identifier: MIT
// SideTransport: a transport for two who would each wait for it: the one that does waits, and meanwhile the other, at
// its side, has its turn. Both share connections and outcomes are never mixed up. One thread.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "http/http.h"

namespace tmdbc::http {

class SideTransport final : public HttpTransport {
 public:
  explicit SideTransport(std::unique_ptr<HttpTransport> inner) : inner_(std::move(inner)) {}

  // For the side. Its Wait() gives what has come and does not wait.
  HttpTransport& side() { return side_; }
  // Runs before and after each wait; says when it wants to run again. Empty: there is nobody at the side.
  std::function<MonoTime()> turn;
  // The one who waits has requests under way.
  bool busy() const { return InFlight() > 0; }

  RequestId Start(Request request, std::function<void()> on_send) override {
    return inner_->Start(std::move(request), std::move(on_send));
  }
  std::vector<Outcome> Wait(MonoTime deadline) override {
    if (turn) deadline = std::min(deadline, turn());
    std::vector<Outcome> outcomes = inner_->Wait(deadline);
    const auto at_side = std::ranges::stable_partition(
        outcomes, [this](const Outcome& outcome) { return side_.started.erase(outcome.id) == 0; });
    std::ranges::move(at_side, std::back_inserter(side_.settled));
    outcomes.erase(at_side.begin(), at_side.end());
    if (turn) turn();
    return outcomes;
  }
  int Room() const override { return inner_->Room(); }
  int InFlight() const override { return inner_->InFlight() - side_.InFlight(); }
  void Cancel(RequestId id) override { inner_->Cancel(id); }

 private:
  struct Side final : HttpTransport {
    explicit Side(HttpTransport& transport) : inner(transport) {}
    RequestId Start(Request request, std::function<void()> on_send) override {
      return *started.insert(inner.Start(std::move(request), std::move(on_send))).first;
    }
    std::vector<Outcome> Wait(MonoTime) override { return std::exchange(settled, {}); }
    int Room() const override { return inner.Room(); }
    int InFlight() const override { return static_cast<int>(started.size()); }
    void Cancel(RequestId id) override { inner.Cancel(id); }

    HttpTransport& inner;
    std::set<RequestId> started;
    std::vector<Outcome> settled;  // for its next Wait()
  };

  const std::unique_ptr<HttpTransport> inner_;
  Side side_{*inner_};
};

}  // namespace tmdbc::http
