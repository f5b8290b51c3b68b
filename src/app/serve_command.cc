// SPDX-License-Identifier: MIT
// serve: TMDB's read API out of the mirror and the dashboard, beside the process that works on it or without one.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "app/command.h"
#include "app/metrics_server.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/read_server.h"
#include "app/stop_signals.h"
#include "base/clock.h"
#include "base/service_notify.h"

namespace tmdbc {
namespace {

constexpr auto kServeStep = std::chrono::milliseconds(50);

}  // namespace

Result<int> ServeCommand(const Settings& settings, const Arguments&) {
  StopSignals signals;
  const SystemClock clock;
  const auto log = MakeLog(settings, clock);
  TRY_ASSIGN(const auto server, ReadServer::Open(settings, *log));
  std::unique_ptr<MetricsServer> metrics;
  if (!settings.metrics_listen.empty()) {
    TRY_ASSIGN(const ListenAddress at, ParseListenAddress(settings.metrics_listen));
    TRY_ASSIGN(metrics, MetricsServer::Start(at, clock, [&server] { return server->MetricsText(); }));
    log->Info("metrics", {{"url", metrics->url()}});
  }
  signals.ReloadOnHangup();
  server->Start();
  TRY(WriteOut(fmt::format("serving {} at {}/3\n", server->store_name(), server->url())));
  ServiceNotify notify([](const char* name) -> const char* { return std::getenv(name); }, ::getpid());
  notify.Ready();
  while (!signals.flag().requested()) {
    if (signals.TakeReload()) server->Reload();
    notify.Alive(clock.Mono());
    std::this_thread::sleep_for(kServeStep);
  }
  notify.Stopping();
  server->Finish();
  return kExitDone;
}

}  // namespace tmdbc
