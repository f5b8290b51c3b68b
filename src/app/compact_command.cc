// SPDX-License-Identifier: MIT
// compact: fewer, larger segments, without what nobody reads any more. The bytes of purged records go here,
// and versions only when --keep-versions-for says so.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "app/command.h"
#include "app/hints.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/stop_signals.h"
#include "app/work_place.h"
#include "base/json_writer.h"
#include "harvester/upstream_time.h"
#include "queue/sqlite_queue_view.h"
#include "storage/compaction.h"

namespace tmdbc {
namespace {

using Report = CompactReport;
using Reports = std::vector<std::pair<MediaType, Report>>;

constexpr std::int64_t kMaxDays = 36'500;

// Those of --types, a show's seasons with it; else all that have records.
std::vector<MediaType> TypesOf(const Settings& settings) {
  const bool named = std::ranges::any_of(settings.given, [](const GivenSetting& given) {
    return given.name == "MEDIA_TYPES" && given.source == "--types";
  });
  if (!named) return {kRecordTypes.begin(), kRecordTypes.end()};
  std::vector<MediaType> types;
  for (const MediaType type : settings.media_types) {
    types.push_back(type);
    if (TraitsOf(type).has_seasons) types.push_back(MediaType::kSeason);
  }
  return types;
}

std::string Dropped(const Report& report) {
  std::string text;
  const auto add = [&](std::int64_t count, const char* what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", FormatCount(count), what);
  };
  add(report.stats_dropped, "old statistics");
  add(report.versions_dropped, "old versions");
  add(report.purged_dropped, "purged bodies");
  return text.empty() ? "nothing" : text;
}

std::string TextOf(const Reports& reports, bool dry_run) {
  std::string text;
  for (const auto& [type, report] : reports) {
    if (report.segments_before > 0) {
      text +=
          fmt::format("{:<13} {} {} {}, {:.1f} MB instead of {:.1f}; {} kept, {} dropped\n", Name(type),
                      Counted(report.segments_before, "segment"),
                      dry_run ? "would become" : report.segments_before == 1 ? "is now" : "are now",
                      FormatCount(report.segments_after), double(report.bytes_after) / 1e6,
                      double(report.bytes_before) / 1e6, Counted(report.records_kept, "record"), Dropped(report));
    }
    if (report.damaged_segments > 0) {
      text += fmt::format("{:<13} {} left as before: `verify --deep` tells what is damaged\n", Name(type),
                          Counted(report.damaged_segments, "damaged segment"));
    }
  }
  return text.empty() ? "there is nothing to compact\n" : text;
}

std::string JsonOf(const Reports& reports, bool dry_run, bool stopped) {
  JsonWriter json;
  json.BeginObject().Field("dry_run", dry_run).Field("stopped", stopped).Key("types").BeginObject();
  for (const auto& [type, report] : reports) {
    json.Key(Name(type))
        .BeginObject()
        .Field("segments_before", report.segments_before)
        .Field("segments_after", report.segments_after)
        .Field("bytes_before", report.bytes_before)
        .Field("bytes_after", report.bytes_after);
    json.Field("records_kept", report.records_kept)
        .Field("stats_dropped", report.stats_dropped)
        .Field("versions_dropped", report.versions_dropped)
        .Field("purged_dropped", report.purged_dropped)
        .Field("damaged_segments", report.damaged_segments)
        .EndObject();
  }
  return json.EndObject().EndObject().text() + "\n";
}

}  // namespace

Result<int> CompactCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const auto keep_days, arguments.Number("--keep-versions-for", 1, kMaxDays));
  const SystemClock clock;
  CompactOptions options;
  options.dry_run = arguments.Has("--dry-run");
  options.pack = true;  // a person waits for it: everything that was written in haste is compressed again
  // Where there is no store none is made.
  TRY_ASSIGN(const auto place, WorkPlace::Open(settings, clock, {.must_exist = true}));
  if (keep_days) {
    // A clock that is ahead drops nothing: it counts up to what TMDB is known to have reached.
    TRY_ASSIGN(const auto known, ReadUpstreamTime(place->catalog()));
    options.versions_before = UpstreamDate(known).Bounded(clock.Now()) - std::chrono::days(*keep_days);
  }
  TRY_ASSIGN(const auto writer, RecordWriter::Open(place->files(), place->catalog(), clock, place->writer_options()));
  for (const std::string& notice : writer->notices()) PrintError(Explain(notice, Hint::kRebuild), settings.log_format);

  const StopSignals signals;
  const auto stopping = [&] { return signals.flag().requested() || !place->Keep(); };
  Reports reports;
  bool damaged = false;
  for (const MediaType type : TypesOf(settings)) {
    if (stopping()) break;
    TRY_ASSIGN(const Report report, Compact(place->files(), place->catalog(), *writer, type, options, stopping));
    damaged = damaged || report.damaged_segments > 0;
    reports.emplace_back(type, report);
  }
  const bool stopped = signals.flag().requested();
  SqliteQueueView queue(place->catalog(), clock);
  if (!options.dry_run) TRY(place->Close(queue, [&] { return writer->Seal(); }));
  TRY(WriteOut(arguments.Has("--json") ? JsonOf(reports, options.dry_run, stopped)
                                       : TextOf(reports, options.dry_run)));
  return stopped || damaged ? kExitPartly : kExitDone;
}

}  // namespace tmdbc
