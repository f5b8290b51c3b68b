// SPDX-License-Identifier: MIT
// run and collect. `run` without --once is the daemon (daemon.h).
#include <algorithm>
#include <memory>

#include "app/collection.h"
#include "app/command.h"
#include "app/daemon.h"
#include "app/served_beside.h"
#include "app/tables_rhythm.h"

namespace tmdbc {
namespace {

// Whether `serve` runs in the same process.
bool WantsToServe(const Settings& settings, const Arguments& arguments) {
  return arguments.Has("--serve") ||
         std::ranges::find(settings.given, "SERVE_LISTEN", &GivenSetting::name) != settings.given.end();
}

// Without a server nobody would ever notice that the flag did nothing.
Result<void> CheckUpstreamFlag(const Settings& settings, const Arguments& arguments) {
  if (std::ranges::find(settings.given, "--upstream", &GivenSetting::source) == settings.given.end()) return {};
  if (WantsToServe(settings, arguments)) return {};
  return Fail(ErrorCode::kInvalid, "--upstream goes with --serve");
}

}  // namespace

Result<int> RunCommand(const Settings& settings, const Arguments& arguments) {
  TRY(CheckUpstreamFlag(settings, arguments));
  TRY(RequireKey(settings));
  TRY_ASSIGN(const HarvestOptions options, HarvestOptionsOf(settings, arguments));
  // A running process may take others.
  Settings current = settings;
  TRY_ASSIGN(const auto pipeline, Pipeline::Open(current, "run", {}, arguments.Has("--take-over")));
  // It keeps the settings that it began with.
  std::unique_ptr<ServedBeside> served;
  if (WantsToServe(settings, arguments)) {
    auto started = ServedBeside::Start(settings, *pipeline);
    if (!started) {
      (void)pipeline->Close();
      return std::unexpected(started.error());
    }
    served = *std::move(started);
  }
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
  const int code = ReportSummary(*summary, arguments.Has("--json"), pipeline->log());
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
  const int code = ReportSummary(summary, arguments.Has("--json"), pipeline->log());
  return closed ? code : kExitUnusable;
}

}  // namespace tmdbc
