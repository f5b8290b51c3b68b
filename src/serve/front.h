// SPDX-License-Identifier: MIT
// Front: who answers which path of a server of ours, and what is said of every request: a line of the log, and numbers.
// One thread; the numbers any.
//
//   /3, /4     the read API (api_handler.h)
//   /healthz   200 "ok" while records can be looked up, else 503 with a sentence; for a service manager
//   else       another handler's: the page, the pictures
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "http/server.h"
#include "serve/api_handler.h"
#include "serve/serve_metrics.h"

namespace tmdbc::serve {

// Which requests have a line in the log.
enum class RequestLog : std::uint8_t { kOff, kErrors, kAll };

class Front {
 public:
  // All references outlive it. `others` may be empty: then there is nothing but the API.
  Front(ApiHandler& api, http::Server::Handler others, const Clock& clock, Log& log, RequestLog lines,
        ServeMetrics& metrics)
      : api_(api),
        others_(std::move(others)),
        clock_(clock),
        log_(log),
        lines_(lines),
        metrics_(metrics) {}

  http::Answer operator()(const http::ServerRequest& request);
  // The answer of a request that waited for TMDB, as it is sent.
  void Later(std::uint64_t ticket, const http::Answer& answer, const ApiNote& note);
  // Of a request that was refused before it was one.
  void Refused(int status, std::string_view why, const std::string& peer_address);

 private:
  http::Answer Route(const http::ServerRequest& request, ApiNote& note);
  http::Answer Health();
  void Report(const std::vector<Error>& problems);
  void Count(const http::ServerRequest& request, const http::Answer& answer, const ApiNote& note);

  ApiHandler& api_;
  const http::Server::Handler others_;
  const Clock& clock_;
  Log& log_;
  const RequestLog lines_;
  ServeMetrics& metrics_;
  std::map<std::string, MonoTime> reported_;  // messages of problems, and when
  std::map<std::uint64_t, http::ServerRequest> waiting_;  // by ticket, without headers
};

}  // namespace tmdbc::serve
