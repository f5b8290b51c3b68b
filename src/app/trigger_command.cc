// SPDX-License-Identifier: MIT
// trigger FILE: runs what the events of a file ask for, one after the other.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "app/collection.h"
#include "app/command.h"
#include "app/trigger_event.h"

namespace tmdbc {
namespace {

constexpr std::size_t kMaxFileBytes = 4 << 20;

Result<std::string> ReadEvents(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return Fail(ErrorCode::kInvalid, "read {}: it is a folder, not a file", path);
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return Fail(ErrorCode::kInvalid, "read {}: {}", path, std::strerror(errno));
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), std::streamsize(text.size()));
  if (file.bad()) return Fail(ErrorCode::kInvalid, "read {}: {}", path, std::strerror(errno));
  text.resize(std::size_t(file.gcount()));
  if (text.size() > kMaxFileBytes) return Fail(ErrorCode::kInvalid, "read {}: it is larger than 4 MiB", path);
  return text;
}

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

}  // namespace

Result<int> TriggerCommand(const Settings& settings, const Arguments& arguments) {
  const auto path = arguments.Get("FILE");
  if (!path || path->empty())
    return Fail(ErrorCode::kInvalid,
                "trigger needs a file of events, such as samples/trigger-event.json; see --help");
  TRY_ASSIGN(const std::string text, ReadEvents(*path));
  TRY_ASSIGN(const auto events, ParseTriggerEvents(text, *path));
  TRY(RequireKey(settings));
  TRY_ASSIGN(const HarvestOptions options, HarvestOptionsOf(settings, arguments));
  TRY_ASSIGN(const auto pipeline, Pipeline::Open(settings, "trigger"));
  int code = kExitDone;
  for (std::size_t i = 0; i < events.size() && !pipeline->stop().requested(); ++i) {
    pipeline->log().Info("collecting", {{"event", i + 1}, {"of", events.size()}});
    const auto summary = Run(*pipeline, events[i], options);
    if (!summary) {
      (void)pipeline->Close();
      return std::unexpected(summary.error());
    }
    code = std::max(code, Tell(*summary, arguments.Has("--json"), pipeline->log()));
    // No later event would fare better.
    if (summary->drained->result.end == DrainEnd::kDenied ||
        summary->drained->result.end == DrainEnd::kStoreFailed)
      break;
  }
  return pipeline->Close() ? code : kExitUnusable;
}

}  // namespace tmdbc
