// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "app/command.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/summary.h"
#include "app/temporary_folder.h"
#include "base/json_writer.h"
#include "base/words.h"
#include "history/record_address.h"

namespace tmdbc {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxIds = 100'000;  // on one command line

// True for ids that the command line names, false for a harvest.
Result<bool> IsForIds(const Arguments& arguments) {
  const bool ids = arguments.Has("--ids");
  const std::string mode = arguments.Get("--mode").value_or("auto");
  if (mode == "ids") return true;
  if (ids && mode != "auto")
    return Fail(ErrorCode::kInvalid, "--ids goes with --mode=ids, not with --mode={}", ShowValue(mode));
  return ids;
}

Result<std::vector<std::int64_t>> IdsOf(const Arguments& arguments, MediaType type) {
  TRY_ASSIGN(const std::string list, arguments.Need("--ids"));
  std::vector<std::int64_t> ids;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    // The same words as for `query`: a configuration list may be given by its path.
    const auto address = ParseRecordAddress(Name(type), list.substr(at, comma - at));
    if (!address) return WithinFlag("--ids", address.error());
    ids.push_back(address->id);
    at = comma + 1;
  }
  if (ids.size() > kMaxIds)
    return Fail(ErrorCode::kInvalid, "--ids has {} ids: give at most {} at a time", ids.size(), kMaxIds);
  return ids;
}

Result<int> HarvestSomeIds(const Settings& settings, const Arguments& arguments) {
  if (settings.media_types.size() != 1) {
    return Fail(ErrorCode::kInvalid,
                "--ids are of one type: name it with --types, for instance --types=movie --ids=550,551");
  }
  for (const char* flag : {"--limit", "--since", "--until", "--accept-gap", "--accept-deletions"}) {
    if (arguments.Has(flag)) return Fail(ErrorCode::kInvalid, "{} goes with a harvest, not with --ids", flag);
  }
  const MediaType type = settings.media_types.front();
  TRY_ASSIGN(const auto ids, IdsOf(arguments, type));
  std::int64_t queued = 0;
  const bool dry_run = arguments.Has("--dry-run");
  if (!dry_run) {
    TRY_ASSIGN(const auto pipeline, Pipeline::Open(settings, "harvest"));
    TRY_ASSIGN(queued, pipeline->HarvestIds(type, ids));
    if (!pipeline->Close()) return kExitUnusable;
  }
  if (arguments.Has("--json")) {
    JsonWriter json;
    json.BeginObject()
        .Field("type", Name(type))
        .Field("ids", ids.size())
        .Field("queued", queued)
        .Field("dry_run", dry_run)
        .EndObject();
    TRY(WriteOut(json.text() + "\n"));
  } else if (dry_run) {
    TRY(WriteOut(
        fmt::format("{} of {} would be queued\n", Counted(std::int64_t(ids.size()), "id"), Name(type))));
  } else {
    const bool all = queued == std::int64_t(ids.size());
    TRY(WriteOut(fmt::format("{} of {} of {} queued{}\nNext: {} collect{}\n", FormatCount(queued),
                             Counted(std::int64_t(ids.size()), "id"), Name(type),
                             all ? "" : ", the others were waiting already", program_invocation_name,
                             FlagsToRepeat(settings))));
  }
  return kExitDone;
}

std::string ForecastText(const HarvestReport& report, const Settings& settings, double pace) {
  const std::int64_t requests = EstimateRequests(report, settings.season_extras);
  return fmt::format("{} would be queued: about {}, {} at RATE_LIMIT_REQUESTS={}\n",
                     Counted(report.queued(), "id"), Counted(requests, "request"),
                     FormatDuration(TimeLeft(requests, pace).value_or(std::chrono::seconds(0))),
                     settings.rate_limit_requests);
}

bool IsAbsentOrEmpty(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return !error;
  return fs::is_directory(folder, error) && fs::is_empty(folder, error) && !error;
}

Result<int> Harvest(const Settings& asked, const Arguments& arguments) {
  TRY_ASSIGN(const HarvestOptions options, HarvestOptionsOf(asked, arguments));
  if (options.mode == HarvestMode::kChanges) TRY(RequireKey(asked));
  Settings settings = asked;
  TemporaryFolder scratch;
  // Where nothing is stored yet it works in a folder that goes again, and the one that is named stays as it is.
  if (options.dry_run && IsAbsentOrEmpty(asked.data_dir)) {
    TRY_ASSIGN(scratch, TemporaryFolder::Make());
    settings.data_dir = scratch.path();
  }
  TRY_ASSIGN(auto pipeline, Pipeline::Open(settings, "harvest"));
  TRY_ASSIGN(const HarvestReport report, pipeline->Harvest(options));
  const double pace = pipeline->pace();
  const bool closed = pipeline->Close();
  pipeline.reset();
  if (arguments.Has("--json")) {
    JsonWriter json;
    json.BeginObject()
        .Field("dry_run", options.dry_run)
        .Field("estimated_requests", EstimateRequests(report, settings.season_extras));
    json.Key("estimated_seconds")
        .Real(double(EstimateRequests(report, settings.season_extras)) / pace, 0)
        .Key("harvest")
        .Raw(HarvestJson(report))
        .EndObject();
    TRY(WriteOut(json.text() + "\n"));
  } else {
    std::string text = HarvestText(report, options.dry_run, "");
    text += options.dry_run
                ? ForecastText(report, settings, pace)
                : fmt::format("Next: {} collect{}\n", program_invocation_name, FlagsToRepeat(settings));
    TRY(WriteOut(text));
  }
  return closed ? report.exit_code() : kExitUnusable;
}

}  // namespace

Result<int> HarvestCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const bool ids, IsForIds(arguments));
  return ids ? HarvestSomeIds(settings, arguments) : Harvest(settings, arguments);
}

}  // namespace tmdbc
