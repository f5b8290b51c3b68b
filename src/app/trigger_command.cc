// SPDX-License-Identifier: MIT
// trigger FILE: runs what the events of a file ask for, one after the other. Each event has its line and its
// outcome: one that cannot run takes no other along.
#include <fmt/format.h>

#include <algorithm>

#include "app/collection.h"
#include "app/command.h"
#include "app/hints.h"
#include "app/output.h"
#include "app/trigger_event.h"
#include "base/json_writer.h"
#include "base/text_file.h"

namespace tmdbc {
namespace {

constexpr std::size_t kMaxFileBytes = 4 << 20;

Result<Summary> CollectIds(Pipeline& pipeline, const TriggerEvent& event, bool accept_deletions) {
  Summary summary;
  const MonoTime started = pipeline.clock().Mono();
  TRY(pipeline.HarvestIds(event.types.front(), event.ids));
  TRY(DrainInto(summary, pipeline, CollectorOptions().give_up_unanswered, accept_deletions, started));
  return summary;
}

Result<Summary> Run(Pipeline& pipeline, const TriggerEvent& event, HarvestOptions options) {
  if (!event.ids.empty()) return CollectIds(pipeline, event, options.accept_deletions);
  options.mode = event.mode;
  if (!event.types.empty()) options.types = event.types;
  options.since = event.since;
  options.until = event.until;
  options.limit = event.limit;
  return Collect(pipeline, options);
}

// Its line, where what it did cannot be told as a summary. What cannot be printed is in the log.
void TellError(std::size_t number, const Error& error, bool json, Log& log) {
  log.Error(Explain(error), {{"event", number}});
  if (!json) return;
  JsonWriter line;
  line.BeginObject()
      .Field("event", number)
      .Field("exit_code", ExitCodeOf(error.code))
      .Field("error", Explain(error))
      .EndObject();
  (void)WriteOut(line.text() + "\n");
}

// The worst that came, but an event that cannot run beside others that did is a part that failed.
int WorstOf(const std::vector<int>& codes) {
  const int worst = *std::ranges::max_element(codes);
  const bool all = std::ranges::all_of(codes, [](int code) { return code == kExitUsage; });
  return worst == kExitUsage && !all ? kExitPartly : worst;
}

}  // namespace

Result<int> TriggerCommand(const Settings& settings, const Arguments& arguments) {
  const auto path = arguments.Get("FILE");
  if (!path || path->empty())
    return Fail(ErrorCode::kInvalid,
                "trigger needs a file of events, such as samples/trigger-event.json; see --help");
  const auto text = ReadTextFile(*path, kMaxFileBytes);
  if (!text) return Fail(ErrorCode::kInvalid, "{}", text.error().message);
  TRY_ASSIGN(const auto events, ParseTriggerEvents(*text, *path));
  // Where none can run, nothing is opened for it.
  if (std::ranges::none_of(events, [](const auto& event) { return event.has_value(); }))
    return std::unexpected(events.front().error());
  TRY(RequireKey(settings));
  TRY_ASSIGN(const HarvestOptions options, HarvestOptionsOf(settings, arguments));
  TRY_ASSIGN(const auto pipeline, Pipeline::Open(settings, "trigger"));
  const bool json = arguments.Has("--json");
  std::vector<int> codes;
  for (std::size_t i = 0; i < events.size() && !pipeline->stop().requested(); ++i) {
    pipeline->log().Info("collecting", {{"event", i + 1}, {"of", events.size()}});
    auto summary = events[i] ? Run(*pipeline, *events[i], options) : std::unexpected(events[i].error());
    if (!summary) {
      TellError(i + 1, summary.error(), json, pipeline->log());
      codes.push_back(ExitCodeOf(summary.error().code));
      if (summary.error().code != ErrorCode::kInvalid) break;
      continue;
    }
    summary->event = i + 1;
    codes.push_back(ReportSummary(*summary, json, pipeline->log()));
    const Ending ending = OutcomeOf(*summary).ending;
    if (ending == Ending::kDenied || ending == Ending::kStoreFailed)
      break;  // no later event would fare better
  }
  const int code = codes.empty() ? int(kExitPartly) : WorstOf(codes);
  return pipeline->Close() ? code : kExitUnusable;
}

}  // namespace tmdbc
