// SPDX-License-Identifier: MIT
// run and collect. `run` without --once is the daemon (daemon.h).
#include <algorithm>

#include "app/collection.h"
#include "app/command.h"
#include "app/daemon.h"
#include "app/read_server.h"
#include "app/tables_rhythm.h"

namespace tmdbc {
namespace {

// `serve` in the same process.
class ServedBeside {
 public:
  // Null when it is not wanted. The pipeline outlives it.
  static Result<std::unique_ptr<ServedBeside>> Start(const Settings& settings, const Arguments& arguments,
                                                     Pipeline& pipeline) {
    const bool named = std::ranges::find(settings.given, "SERVE_LISTEN", &GivenSetting::name) != settings.given.end();
    if (!arguments.Has("--serve") && !named) return nullptr;
    TRY_ASSIGN(auto server, ReadServer::Open(settings, pipeline.log()));
    return std::unique_ptr<ServedBeside>(new ServedBeside(pipeline, std::move(server)));
  }
  // Before the pipeline closes: nothing reads a store that is being closed.
  ~ServedBeside() {
    if (auto* metrics = pipeline_.metrics_server()) metrics->Add({});
    server_->Finish();
  }
  ServedBeside(const ServedBeside&) = delete;
  ServedBeside& operator=(const ServedBeside&) = delete;

 private:
  ServedBeside(Pipeline& pipeline, std::unique_ptr<ReadServer> server)
      : pipeline_(pipeline), server_(std::move(server)) {
    server_->Start();
    if (auto* metrics = pipeline_.metrics_server())
      metrics->Add([served = server_.get()] { return served->MetricsText(); });
    pipeline_.log().Info("serving", {{"url", server_->url() + "/3"}});
  }

  Pipeline& pipeline_;
  const std::unique_ptr<ReadServer> server_;
};

}  // namespace

Result<int> RunCommand(const Settings& settings, const Arguments& arguments) {
  TRY(RequireKey(settings));
  TRY_ASSIGN(const HarvestOptions options, HarvestOptionsOf(settings, arguments));
  // A running process may take others.
  Settings current = settings;
  TRY_ASSIGN(const auto pipeline, Pipeline::Open(current, "run", {}, arguments.Has("--take-over")));
  // It keeps the settings that it began with.
  auto started = ServedBeside::Start(settings, arguments, *pipeline);
  if (!started) {
    (void)pipeline->Close();
    return std::unexpected(started.error());
  }
  auto served = *std::move(started);
  if (!arguments.Has("--once")) {
    // It lives on until all is published: the service manager is told so meanwhile.
    Daemon daemon(current, arguments, *pipeline);
    const auto code = daemon.Run();
    served.reset();
    const bool closed = pipeline->Close();
    if (!code) return code;
    return closed ? *code : kExitUnusable;
  }
  const auto summary = Collect(*pipeline, options);
  served.reset();
  const bool closed = pipeline->Close();
  if (!summary) return std::unexpected(summary.error());
  const int code = Tell(*summary, arguments.Has("--json"), pipeline->log());
  if (!closed) return kExitUnusable;
  if (pipeline->stop().requested()) return code;
  TablesPublisher tables(current, pipeline->clock(), pipeline->log());
  tables.CollectionEnded();
  return tables.Finish(pipeline->stop()) ? code : std::max(code, static_cast<int>(kExitPartly));
}

Result<int> CollectCommand(const Settings& settings, const Arguments& arguments) {
  TRY(RequireKey(settings));
  TRY_ASSIGN(const auto pipeline, Pipeline::Open(settings, "collect"));
  Summary summary;
  const auto drained = DrainInto(summary, *pipeline, CollectorOptions().give_up_unanswered,
                                 arguments.Has("--accept-deletions"), pipeline->clock().Mono());
  const bool closed = pipeline->Close();
  TRY(drained);
  const int code = Tell(summary, arguments.Has("--json"), pipeline->log());
  return closed ? code : kExitUnusable;
}

}  // namespace tmdbc
