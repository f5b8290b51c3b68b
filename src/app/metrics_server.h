// SPDX-License-Identifier: MIT
// MetricsServer: /metrics for Prometheus, /healthz and /readyz for what restarts us, over plain HTTP in a
// thread of its own: it answers while the loop is busy, and says so when the loop hangs.
//
//   /metrics  200, text/plain; version=0.0.4
//   /healthz  200 "ok" while the loop goes on, else 503 with a sentence
//   /readyz   200 "ready" once TMDB has accepted the key, else 503 with a sentence
//
// Anything else is 404, another method than GET and HEAD 405. It tells nothing secret, but it tells
// everybody who can reach it: the address is for loopback, or for a network of one's own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "app/mirror_metrics.h"
#include "base/result.h"
#include "http/listen_address.h"
#include "http/server.h"

namespace tmdbc {

// The answer to a request; exposed for tests. `more` (may be empty) gives the text of further numbers.
http::Answer AnswerMetricsRequest(const http::ServerRequest& request, const MirrorMetrics& metrics,
                                  const std::function<std::string()>& more = {});

class MetricsServer {
 public:
  // Listens, and serves until it is destroyed. Both references outlive it. kUnavailable when the port is in
  // use, kInvalid for an address that this machine cannot listen at.
  static Result<std::unique_ptr<MetricsServer>> Start(const ListenAddress& at, const Clock& clock,
                                                      const MirrorMetrics& metrics);
  // The same for a process that has no loop: these numbers, and it is well as long as it answers.
  static Result<std::unique_ptr<MetricsServer>> Start(const ListenAddress& at, const Clock& clock,
                                                      std::function<std::string()> text);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  // "http://127.0.0.1:9464/metrics"
  std::string url() const;
  // From now on /metrics says what `more` gives, too; empty: no longer. It is called in the server's thread, and not
  // after the next call of this.
  void Add(std::function<std::string()> more);

 private:
  struct More;
  MetricsServer(std::unique_ptr<http::Server> server, std::string address, std::shared_ptr<More> more);
  static Result<std::unique_ptr<MetricsServer>> Listen(const ListenAddress& at, const Clock& clock,
                                                       http::Server::Handler handler, std::shared_ptr<More> more);

  const std::unique_ptr<http::Server> server_;
  const std::string address_;
  const std::shared_ptr<More> more_;
  std::thread thread_;
};

}  // namespace tmdbc
