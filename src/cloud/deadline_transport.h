// SPDX-License-Identifier: MIT
// DeadlineTransport: a transport that asks a loop to stop once a time has come: all waiting happens there.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/stop.h"
#include "http/http.h"

namespace tmdbc {

class DeadlineTransport final : public http::HttpTransport {
 public:
  // All outlive the transport; what is under way when it goes ends with the one behind it.
  DeadlineTransport(http::HttpTransport& inner, const Clock& clock, Time end, StopFlag& stop)
      : inner_(inner), clock_(clock), end_(end), stop_(stop) {}

  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    CheckDeadline();
    return inner_.Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    auto outcomes = inner_.Wait(deadline);
    CheckDeadline();
    return outcomes;
  }
  int Room() const override { return inner_.Room(); }
  int InFlight() const override { return inner_.InFlight(); }
  void Cancel(http::RequestId id) override { inner_.Cancel(id); }

 private:
  void CheckDeadline() {
    if (clock_.Now() >= end_) stop_.Request();
  }

  http::HttpTransport& inner_;
  const Clock& clock_;
  const Time end_;
  StopFlag& stop_;
};

}  // namespace tmdbc
