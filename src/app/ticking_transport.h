// SPDX-License-Identifier: MIT
// TickingTransport: a transport that calls a function whenever the program waits for it, which is how a
// service manager learns that a long harvest is alive: all waiting happens there.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "http/http.h"

namespace tmdbc {

class TickingTransport final : public http::HttpTransport {
 public:
  // `tick` outlives the transport; it may be empty, and set later.
  TickingTransport(std::unique_ptr<http::HttpTransport> inner, const std::function<void()>& tick)
      : inner_(std::move(inner)), tick_(tick) {}

  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    return inner_->Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    if (tick_) tick_();
    return inner_->Wait(deadline);
  }
  int Room() const override { return inner_->Room(); }
  int InFlight() const override { return inner_->InFlight(); }
  void Cancel(http::RequestId id) override { inner_->Cancel(id); }

 private:
  const std::unique_ptr<http::HttpTransport> inner_;
  const std::function<void()>& tick_;
};

}  // namespace tmdbc
