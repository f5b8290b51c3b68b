// SPDX-License-Identifier: MIT
// run and collect: harvest, drain, tell. Without --once `run` does it again every COLLECTION_INTERVAL
// minutes.
#include <algorithm>
#include <array>

#include "app/command.h"
#include "app/output.h"
#include "app/summary.h"

namespace tmdbc {
namespace {

// An upstream that never answered is told within 15 s (DESIGN section 3), the harvest's tries included.
constexpr Duration kUnansweredBudget = std::chrono::seconds(13);
constexpr Duration kAfterOutage = std::chrono::minutes(15);
constexpr Duration kUnansweredLeast = std::chrono::seconds(2);

// A record to show as the next step: the film that every example of TMDB's shows, else one that was wanted
// most.
std::optional<MediaId> FindExample(RecordStore& store, const std::vector<MediaId>& candidates) {
  for (const MediaId id : candidates) {
    const auto record = store.Find(id);
    if (record && record->status == 200) return id;
  }
  return std::nullopt;
}

Result<std::vector<MediaId>> ExampleCandidates(IdQueue& queue) {
  constexpr int kPerType = 5;
  std::vector<MediaId> ids = {{MediaType::kMovie, 550}};
  for (const MediaType type : kRecordTypes) {
    TRY_ASSIGN(const auto items, queue.Peek(type, kPerType));
    for (const QueueItem& item : items) ids.push_back(item.id);
  }
  return ids;
}

// Drains, and fills in the rest of the summary.
Result<void> DrainInto(Summary& summary, Pipeline& pipeline, Duration give_up_unanswered, MonoTime started) {
  TRY_ASSIGN(const auto candidates, ExampleCandidates(pipeline.queue()));
  TRY_ASSIGN(summary.drained, pipeline.Drain(give_up_unanswered));
  TRY_ASSIGN(summary.queue, TotalsOf(pipeline.queue()));
  summary.example = FindExample(pipeline.store(), candidates);
  summary.data_dir = pipeline.data_dir();
  summary.flags = FlagsToRepeat(pipeline.settings());
  summary.time = pipeline.clock().Mono() - started;
  if (!summary.drained->result.reason.empty()) pipeline.log().Error(summary.drained->result.reason);
  return {};
}

Result<Summary> RunOnce(Pipeline& pipeline, const HarvestOptions& options) {
  Summary summary;
  const MonoTime started = pipeline.clock().Mono();
  TRY_ASSIGN(summary.harvest, pipeline.Harvest(options));
  Duration give_up = CollectorOptions().give_up_unanswered;
  if (summary.harvest->exit_code() == kExitUnusable) {
    give_up = std::max(kUnansweredLeast, kUnansweredBudget - (pipeline.clock().Mono() - started));
  }
  TRY(DrainInto(summary, pipeline, give_up, started));
  return summary;
}

Result<int> Tell(const Summary& summary, const Arguments& arguments) {
  TRY(WriteOut(arguments.Has("--json") ? SummaryJson(summary) + "\n" : SummaryText(summary)));
  return ExitCodeOf(summary);
}

bool Unreachable(const Summary& summary) {
  return summary.drained->result.end == DrainEnd::kUnreachable;
}

// What no later try will mend: at the first harvest an upstream that never answered is a mistake in the
// settings, later an outage.
bool Hopeless(const Summary& summary) {
  const DrainEnd end = summary.drained->result.end;
  const bool never_answered = end == DrainEnd::kUnreachable && summary.drained->stats.settled == 0;
  return end == DrainEnd::kDenied || end == DrainEnd::kStoreFailed || never_answered;
}

Result<int> RunUntilStopped(Pipeline& pipeline, const HarvestOptions& options, std::chrono::minutes interval,
                            const Arguments& arguments) {
  for (bool first = true;; first = false) {
    const MonoTime started = pipeline.clock().Mono();
    TRY_ASSIGN(const Summary summary, RunOnce(pipeline, options));
    TRY_ASSIGN(const int code, Tell(summary, arguments));
    if (pipeline.stop().requested() || (Hopeless(summary) && (first || !Unreachable(summary)))) return code;
    // An outage ends long before the next day's harvest: what is left is tried again soon.
    const Duration distance =
        Unreachable(summary) ? std::min<Duration>(interval, kAfterOutage) : Duration(interval);
    const MonoTime next = started + std::max(distance, pipeline.clock().Mono() - started);
    pipeline.log().Info("waiting for the next harvest",
                        {{"at", FormatTime(pipeline.clock().Now() + (next - pipeline.clock().Mono()))}});
    pipeline.WaitUntil(next);
    if (pipeline.stop().requested()) return code == kExitUnusable ? kExitPartly : code;
  }
}

}  // namespace

Result<int> RunCommand(const Settings& settings, const Arguments& arguments) {
  TRY(RequireKey(settings));
  TRY_ASSIGN(const HarvestOptions options, HarvestOptionsOf(settings, arguments));
  TRY_ASSIGN(const auto pipeline, Pipeline::Open(settings, "run"));
  if (!arguments.Has("--once")) {
    TRY_ASSIGN(const int code, RunUntilStopped(*pipeline, options, settings.collection_interval, arguments));
    return pipeline->Close() ? code : kExitUnusable;
  }
  TRY_ASSIGN(const Summary summary, RunOnce(*pipeline, options));
  const bool closed = pipeline->Close();
  TRY_ASSIGN(const int code, Tell(summary, arguments));
  return closed ? code : kExitUnusable;
}

Result<int> CollectCommand(const Settings& settings, const Arguments& arguments) {
  TRY(RequireKey(settings));
  TRY_ASSIGN(const auto pipeline, Pipeline::Open(settings, "collect"));
  Summary summary;
  TRY(DrainInto(summary, *pipeline, CollectorOptions().give_up_unanswered, pipeline->clock().Mono()));
  const bool closed = pipeline->Close();
  TRY_ASSIGN(const int code, Tell(summary, arguments));
  return closed ? code : kExitUnusable;
}

}  // namespace tmdbc
