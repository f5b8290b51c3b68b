// SPDX-License-Identifier: MIT
// A transport that lets UpstreamDate see every answer, of TMDB's API and of its export host: no purge and no
// watermark rests on the local clock alone.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "http/http.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

class DatingTransport final : public http::HttpTransport {
 public:
  // `clock` and `date` outlive the transport.
  DatingTransport(std::unique_ptr<http::HttpTransport> inner, const Clock& clock, UpstreamDate& date)
      : inner_(std::move(inner)), clock_(clock), date_(date) {}

  http::RequestId Start(http::Request request, std::function<void()> on_send) override {
    return inner_->Start(std::move(request), std::move(on_send));
  }
  std::vector<http::Outcome> Wait(MonoTime deadline) override {
    std::vector<http::Outcome> outcomes = inner_->Wait(deadline);
    for (const http::Outcome& outcome : outcomes) {
      if (outcome.response) date_.Saw(*outcome.response, clock_.Now());
    }
    return outcomes;
  }
  int Room() const override { return inner_->Room(); }
  int InFlight() const override { return inner_->InFlight(); }
  void Cancel(http::RequestId id) override { inner_->Cancel(id); }

 private:
  const std::unique_ptr<http::HttpTransport> inner_;
  const Clock& clock_;
  UpstreamDate& date_;
};

}  // namespace tmdbc
