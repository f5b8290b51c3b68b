// SPDX-License-Identifier: MIT
// serve: TMDB's read API out of the mirror and the dashboard, beside the process that works on it or without one.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "app/command.h"
#include "app/metrics_server.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/read_server.h"
#include "app/served_beside.h"
#include "app/stop_signals.h"
#include "base/clock.h"
#include "base/service_notify.h"
#include "base/stop.h"
#include "http/listen_address.h"

namespace tmdbc {
namespace {

constexpr auto kServeStep = std::chrono::milliseconds(50);
constexpr Duration kFetchStep = std::chrono::milliseconds(200);

// What listens: the server, and its numbers for Prometheus where they are asked for. They end in the other order.
struct Listening {
  std::unique_ptr<ReadServer> server;
  std::unique_ptr<MetricsServer> metrics;  // null: not asked for
};

Result<Listening> Listen(const Settings& settings, const Clock& clock, Log& log) {
  Listening listening;
  TRY_ASSIGN(listening.server, ReadServer::Open(settings, log));
  if (!settings.metrics_listen.empty()) {
    TRY_ASSIGN(const ListenAddress at, ParseListenAddress(settings.metrics_listen));
    TRY_ASSIGN(listening.metrics,
               MetricsServer::Start(at, clock, [server = listening.server.get()] { return server->MetricsText(); }));
    log.Info("metrics", {{"url", listening.metrics->url()}});
  }
  listening.server->Start();
  return listening;
}

// The store that lies there now: one that was made again from its records, or put back from a backup. Null: stopped.
Result<Listening> ListenAgain(const Settings& settings, const Clock& clock, Log& log, const StopFlag& stop) {
  while (!stop.requested()) {
    auto again = Listen(settings, clock, log);
    if (again) return again;
    log.Warn("the store cannot be opened yet", {{"reason", again.error().message}});
    for (int i = 0; i < 100 && !stop.requested(); ++i) std::this_thread::sleep_for(kServeStep);
  }
  return Listening{};
}

Result<void> SayWhere(const ReadServer& server) {
  return WriteOut(fmt::format("serving {0} at {1}/3, its dashboard at {1}/\n", server.store_name(), server.url()));
}

// With SERVE_UPSTREAM: what `run --serve` is between its collections. It fetches and stores, so it is the one that
// writes.
Result<int> ServeAndFetch(const Settings& settings) {
  TRY(RequireKey(settings));
  auto opened = Pipeline::Open(settings, "serve");
  if (!opened && opened.error().code == ErrorCode::kExists) {
    return Fail(ErrorCode::kExists,
                "{}. `serve --upstream` stores what it fetches: end that process, or let it be "
                "`run --serve --upstream`, which does both within one rate; `serve` without --upstream runs beside it",
                opened.error().message);
  }
  if (!opened) return std::unexpected(opened.error());
  Pipeline& pipeline = **opened;
  auto served = ServedBeside::Start(settings, pipeline);
  if (!served) {
    (void)pipeline.Close();
    return std::unexpected(served.error());
  }
  ReadServer& server = (*served)->server();
  pipeline.signals().ReloadOnHangup();
  TRY(SayWhere(server));
  ServiceNotify notify([](const char* name) -> const char* { return std::getenv(name); }, ::getpid());
  notify.Ready();
  while (!pipeline.stop().requested() && !server.store_replaced()) {
    if (pipeline.signals().TakeReload()) server.Reload();
    pipeline.SealWhatIsDue();
    pipeline.PublishChanges();
    notify.Alive(pipeline.clock().Mono());
    pipeline.WaitUntil(pipeline.clock().Mono() + kFetchStep);
  }
  notify.Stopping();
  const bool replaced = server.store_replaced();
  served->reset();
  // What lies there now is not this one's to write to.
  if (replaced) {
    return Fail(ErrorCode::kUnavailable, "another store lies where {} was, or none: start `serve` again",
                pipeline.store_name());
  }
  return pipeline.Close() ? kExitDone : kExitUnusable;
}

}  // namespace

Result<int> ServeCommand(const Settings& settings, const Arguments&) {
  if (settings.serve_upstream) return ServeAndFetch(settings);
  StopSignals signals;
  const SystemClock clock;
  const auto log = MakeLog(settings, clock);
  TRY_ASSIGN(Listening listening, Listen(settings, clock, *log));
  signals.ReloadOnHangup();
  TRY(SayWhere(*listening.server));
  ServiceNotify notify([](const char* name) -> const char* { return std::getenv(name); }, ::getpid());
  notify.Ready();
  while (!signals.flag().requested()) {
    if (signals.TakeReload()) listening.server->Reload();
    if (listening.server->store_replaced()) {
      log->Error("another store lies where this one was: it is opened in its place", {{"store", settings.data_dir}});
      listening.metrics.reset();
      listening.server->Finish();
      listening.server.reset();
      TRY_ASSIGN(listening, ListenAgain(settings, clock, *log, signals.flag()));
      if (!listening.server) return kExitDone;
      log->Info("serving again", {{"url", listening.server->url()}});
    }
    notify.Alive(clock.Mono());
    std::this_thread::sleep_for(kServeStep);
  }
  notify.Stopping();
  listening.metrics.reset();
  listening.server->Finish();
  return kExitDone;
}

}  // namespace tmdbc
