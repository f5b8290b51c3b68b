// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cerrno>

#include "app/command.h"
#include "app/json_writer.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/record_address.h"
#include "app/summary.h"
#include "app/words.h"

namespace tmdbc {
namespace {

constexpr std::size_t kMaxIds = 100'000;  // on one command line

enum class Mode { kExport, kIds };

Result<Mode> ModeOf(const Arguments& arguments) {
  const bool ids = arguments.Has("--ids");
  const std::string mode = arguments.Get("--mode").value_or("auto");
  if (mode == "changes")
    return Fail(ErrorCode::kInvalid, "--mode=changes comes with a later version: use auto, export or ids");
  if (mode == "auto") return ids ? Mode::kIds : Mode::kExport;
  if (mode == "ids") return Mode::kIds;
  if (mode != "export")
    return Fail(ErrorCode::kInvalid, "--mode is '{}': use auto, export or ids", ShowValue(mode));
  if (ids) return Fail(ErrorCode::kInvalid, "--ids goes with --mode=ids, not with --mode=export");
  return Mode::kExport;
}

Result<std::vector<std::int64_t>> IdsOf(const Arguments& arguments, MediaType type) {
  TRY_ASSIGN(const std::string list, arguments.Need("--ids"));
  std::vector<std::int64_t> ids;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    // The same words as for `query`: a configuration list may be given by its path.
    const auto address = ParseRecordAddress(Name(type), list.substr(at, comma - at));
    if (!address)
      return Fail(ErrorCode::kInvalid, "--ids: {}", address.error().message.substr(sizeof("--id is ") - 1));
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
  if (arguments.Has("--limit"))
    return Fail(ErrorCode::kInvalid, "--limit goes with --mode=export, not with --ids");
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
        fmt::format("{} ids of {} would be queued\n", FormatCount(std::int64_t(ids.size())), Name(type))));
  } else {
    TRY(WriteOut(
        fmt::format("{} of {} ids of {} queued, the others were waiting already\nNext: {} collect{}\n",
                    FormatCount(queued), FormatCount(std::int64_t(ids.size())), Name(type),
                    program_invocation_name, FlagsToRepeat(settings))));
  }
  return kExitDone;
}

std::string ForecastText(const HarvestReport& report, const Settings& settings, double pace) {
  const std::int64_t requests = EstimateRequests(report);
  return fmt::format("{} ids would be queued: about {} requests, {} at RATE_LIMIT_REQUESTS={}\n",
                     FormatCount(report.queued()), FormatCount(requests),
                     FormatDuration(TimeLeft(requests, pace).value_or(std::chrono::seconds(0))),
                     settings.rate_limit_requests);
}

Result<int> HarvestExports(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const HarvestOptions options, HarvestOptionsOf(settings, arguments));
  TRY_ASSIGN(const auto pipeline, Pipeline::Open(settings, "harvest"));
  TRY_ASSIGN(const HarvestReport report, pipeline->Harvest(options));
  const double pace = pipeline->pace();
  const bool closed = pipeline->Close();
  if (arguments.Has("--json")) {
    JsonWriter json;
    json.BeginObject()
        .Field("dry_run", options.dry_run)
        .Field("estimated_requests", EstimateRequests(report));
    json.Key("estimated_seconds")
        .Real(double(EstimateRequests(report)) / pace, 0)
        .Key("harvest")
        .Raw(HarvestJson(report))
        .EndObject();
    TRY(WriteOut(json.text() + "\n"));
  } else {
    std::string text;
    for (const ExportReport& e : report.exports) text += ExportText(e, options.dry_run) + "\n";
    text += options.dry_run
                ? ForecastText(report, settings, pace)
                : fmt::format("Next: {} collect{}\n", program_invocation_name, FlagsToRepeat(settings));
    TRY(WriteOut(text));
  }
  return closed ? report.exit_code() : kExitUnusable;
}

}  // namespace

Result<int> HarvestCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const Mode mode, ModeOf(arguments));
  return mode == Mode::kIds ? HarvestSomeIds(settings, arguments) : HarvestExports(settings, arguments);
}

}  // namespace tmdbc
