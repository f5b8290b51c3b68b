// SPDX-License-Identifier: MIT
// status: read from catalog.db alone, so it works beside the process at work and after it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "app/bucket_status.h"
#include "app/care_status.h"
#include "app/command.h"
#include "app/coverage.h"
#include "app/newest_tables.h"
#include "app/opened_bucket.h"
#include "app/opened_store.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/run_status.h"
#include "app/stop_signals.h"
#include "app/tables_publish.h"
#include "base/json_writer.h"
#include "base/safe_text.h"
#include "harvester/accepted_exports.h"
#include "harvester/watermarks.h"
#include "queue/sqlite_queue_view.h"
#include "scheduler/scheduler.h"
#include "storage/ledger.h"
#include "tmdb/export_line.h"

namespace tmdbc {
namespace {

constexpr std::chrono::seconds kWatchInterval{2};

struct TypeStatus {
  explicit TypeStatus(MediaType of) : type(of) {}

  MediaType type;
  TypeCounts stored;
  QueueCounts queue;
  std::int64_t export_ids =
      0;  // different ones of the last accepted exports of the type, adult ones too; 0: none
  std::optional<std::chrono::sys_days> export_date;

  // About the part of the ids that the export names and TMDB has that is stored; empty when there is nothing
  // to store. Counts alone do not tell which ids are listed: an id that was asked for by itself counts too,
  // and a deleted one counts as no longer listed. So it is cut at 1, and --coverage knows better.
  std::optional<double> coverage() const {
    const std::int64_t wanted = export_ids - stored.missing;
    if (wanted <= 0) return std::nullopt;
    return std::min(1.0, double(stored.live) / double(wanted));
  }
};

struct Status {
  std::string data_dir;
  std::optional<RunStatus> run;
  std::map<std::string, ScheduleState> schedules;
  Watermarks watermarks;
  std::optional<CareStatus> care;
  std::vector<TypeStatus> types;  // those that have something
  QueueCounts queue;
  std::optional<Time> oldest_sent;

  std::int64_t left() const { return queue.waiting + queue.delayed + queue.in_flight; }
  bool running() const { return run && run->running(); }
  std::int64_t held() const {
    std::int64_t sum = 0;
    for (const TypeStatus& type : types) sum += type.stored.held;
    return sum;
  }
  std::optional<Time> oldest_verified() const {
    std::optional<Time> oldest;
    for (const TypeStatus& type : types) {
      const auto& of_type = type.stored.oldest_verified;
      if (of_type) oldest = std::min(oldest.value_or(*of_type), *of_type);
    }
    return oldest;
  }
  std::optional<std::chrono::seconds> time_left() const {
    return TimeLeft(left(), running() ? run->settled_per_second : 0);
  }
};

TypeStatus& Of(Status& status, MediaType type) {
  const auto found = std::ranges::find(status.types, type, &TypeStatus::type);
  return found != status.types.end() ? *found : status.types.emplace_back(type);
}

Result<void> AddExports(Status& status, Database& catalog) {
  TRY_ASSIGN(const auto exports, AcceptedExports(catalog));
  std::string_view last;
  for (const AcceptedExport& accepted : exports) {
    const auto file = std::ranges::find(kExportFiles, accepted.name, &ExportFile::name);
    if (accepted.name == last || file == kExportFiles.end())
      continue;  // only the newest of each name is in force
    last = accepted.name;
    TypeStatus& type = Of(status, file->type);
    type.export_ids += accepted.ids;
    type.export_date = std::max(type.export_date.value_or(accepted.date), accepted.date);
  }
  return {};
}

// What status reads from. Opened anew for each picture of --watch: the store may have been made meanwhile.
struct Sources {
  const std::unique_ptr<OpenedStore> store;
  Database& catalog{store->catalog};
  RecordLedger& ledger{store->ledger};
  SqliteQueueView queue{catalog, store->clock};

  static Result<std::unique_ptr<Sources>> Open(const Settings& settings) {
    TRY_ASSIGN(auto store, OpenedStore::ForReadingAll(settings));
    return std::unique_ptr<Sources>(new Sources{std::move(store)});
  }
};

Result<Status> ReadStatus(Sources& sources) {
  Database& catalog = sources.catalog;
  QueueView& queue = sources.queue;
  Status status;
  status.data_dir = sources.store->name;
  TRY_ASSIGN(status.run, ReadRunStatus(catalog));
  TRY_ASSIGN(status.schedules, ReadScheduleRuns(catalog));
  TRY_ASSIGN(status.watermarks, ReadWatermarks(catalog));
  TRY_ASSIGN(status.care, ReadCareStatus(catalog));
  for (const MediaType type : kRecordTypes) Of(status, type);  // in this order
  // A process that was killed in its first moment leaves a catalog without tables: nothing is stored.
  const auto stored = sources.ledger.Counts();
  if (!stored && stored.error().code != ErrorCode::kNotFound) return std::unexpected(stored.error());
  if (stored) {
    for (const auto& [type, counts] : *stored) Of(status, type).stored = counts;
  }
  TRY_ASSIGN(const auto queued, queue.Counts());
  for (const auto& [type, counts] : queued) {
    Of(status, type).queue = counts;
    status.queue.waiting += counts.waiting;
    status.queue.delayed += counts.delayed;
    status.queue.in_flight += counts.in_flight;
    status.queue.dead += counts.dead;
  }
  TRY(AddExports(status, catalog));
  TRY_ASSIGN(status.oldest_sent, queue.OldestSent());
  std::erase_if(status.types, [](const TypeStatus& t) {
    const QueueCounts& q = t.queue;
    return t.stored.versions + t.stored.live + t.stored.tombstones + t.stored.missing + t.export_ids +
               q.waiting + q.delayed + q.in_flight + q.dead ==
           0;
  });
  return status;
}

std::string ProcessText(const Status& status) {
  if (!status.run) return "nothing has run yet";
  const RunStatus& run = *status.run;
  if (run.running()) {
    return fmt::format("{} (process {}) since {}", run.command, run.pid, FormatTime(run.started));
  }
  return fmt::format("not running; the last was {}, {} {}", run.command,
                     run.ended ? "ended" : "cut off after", FormatTime(run.updated));
}

// "oldest verified 2026-11-02T...; changes queued before movie 2026-11-21, tv 2026-11-21; 3 deletions held
// (--accept-deletions)"; empty when there is nothing to tell.
std::string FreshnessText(const Status& status) {
  std::vector<std::string> parts;
  if (const auto oldest = status.oldest_verified())
    parts.push_back(fmt::format("oldest verified {}", FormatTime(*oldest)));
  std::vector<std::string> days;
  for (const auto& [type, day] : status.watermarks)
    days.push_back(fmt::format("{} {}", Name(type), FormatDate(day)));
  if (!days.empty()) parts.push_back(fmt::format("changes queued before {}", fmt::join(days, ", ")));
  if (status.held() > 0)
    parts.push_back(fmt::format("{} deletions held (--accept-deletions)", FormatCount(status.held())));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string ScheduleText(const std::string& name, const ScheduleState& run) {
  const std::string began = fmt::format("{} began {}", name, FormatTime(run.started.value_or(Time{})));
  if (!run.ended) return began;  // under way, or cut off
  return fmt::format("{}, ended {} with {}", began, FormatTime(*run.ended), run.exit_code.value_or(0));
}

std::string StatusText(const Status& status) {
  std::string text =
      fmt::format("data      {}\nprocess   {}\n", Printable(status.data_dir), ProcessText(status));
  if (status.run) {
    const RunStatus& run = *status.run;
    text += fmt::format("requests  {} to TMDB, {} answered 429", FormatCount(run.requests),
                        FormatCount(run.throttled));
    if (status.running()) {
      const auto left = status.time_left();
      text += fmt::format(", {:.1f}/s, ETA {}", run.requests_per_second, left ? FormatDuration(*left) : "-");
    }
    std::string errors;
    for (const auto& [name, count] : run.errors)
      errors += fmt::format("{}{} {}", errors.empty() ? "" : ", ", FormatCount(count), name);
    text += fmt::format("\nerrors    {}\n", errors.empty() ? "none" : errors);
  }
  text += fmt::format(
      "queue     {} waiting, {} delayed, {} in flight, {} dead{}\n", FormatCount(status.queue.waiting),
      FormatCount(status.queue.delayed), FormatCount(status.queue.in_flight), FormatCount(status.queue.dead),
      status.oldest_sent ? fmt::format("; the oldest of {}", FormatTime(*status.oldest_sent)) : "");
  if (const std::string fresh = FreshnessText(status); !fresh.empty())
    text += fmt::format("fresh     {}\n", fresh);
  if (const std::string care = status.care ? CareText(*status.care) : ""; !care.empty())
    text += fmt::format("care      {}, {}\n", FormatTime(status.care->at), care);
  for (const auto& [name, run] : status.schedules) text += fmt::format("schedule  {}\n", ScheduleText(name, run));
  if (status.types.empty()) return text;
  text += fmt::format("\n{:<13} {:>10} {:>8} {:>8} {:>10} {:>6} {:>8}  {:<24} {}\n", "type", "stored",
                      "deleted", "missing", "queued", "dead", "MB", "oldest verified", "coverage");
  for (const TypeStatus& t : status.types) {
    const std::string covered = t.coverage()
                                    ? fmt::format("{:.1f} % of {} ({})", 100 * *t.coverage(),
                                                  FormatCount(t.export_ids), FormatDate(*t.export_date))
                                    : std::string("-");
    text += fmt::format("{:<13} {:>10} {:>8} {:>8} {:>10} {:>6} {:>8.1f}  {:<24} {}\n", Name(t.type),
                        FormatCount(t.stored.live), FormatCount(t.stored.tombstones),
                        FormatCount(t.stored.missing),
                        FormatCount(t.queue.waiting + t.queue.delayed + t.queue.in_flight),
                        FormatCount(t.queue.dead), double(t.stored.bytes) / 1e6,
                        t.stored.oldest_verified ? FormatTime(*t.stored.oldest_verified) : "-", covered);
  }
  return text;
}

void AddRun(JsonWriter& json, const Status& status) {
  const RunStatus& run = *status.run;
  json.BeginObject()
      .Field("running", status.running())
      .Field("command", run.command)
      .Field("pid", run.pid)
      .Field("ended", run.ended);
  json.Field("started", FormatTime(run.started)).Field("updated", FormatTime(run.updated));
  json.Field("requests", run.requests).Field("throttled", run.throttled).Field("settled", run.settled);
  json.Key("requests_per_second").Real(status.running() ? run.requests_per_second : 0, 2);
  json.Key("eta_seconds");
  const auto left = status.time_left();
  left ? json.Number(left->count()) : json.Null();
  json.Key("errors").BeginObject();
  for (const auto& [name, count] : run.errors) json.Field(name, count);
  json.EndObject().EndObject();
}

void AddQueue(JsonWriter& json, const QueueCounts& queue) {
  json.BeginObject()
      .Field("waiting", queue.waiting)
      .Field("delayed", queue.delayed)
      .Field("in_flight", queue.in_flight);
  json.Field("dead", queue.dead).EndObject();
}

void AddTime(JsonWriter& json, std::string_view key, std::optional<Time> time) {
  json.Key(key);
  time ? json.Text(FormatTime(*time)) : json.Null();
}

void AddSchedules(JsonWriter& json, const Status& status) {
  json.Key("schedules").BeginArray();
  for (const auto& [name, run] : status.schedules) {
    json.BeginObject().Field("name", name).Field("started", FormatTime(run.started.value_or(Time{})));
    AddTime(json, "ended", run.ended);
    json.Key("exit_code");
    run.exit_code ? json.Number(*run.exit_code) : json.Null();
    json.EndObject();
  }
  json.EndArray();
}

void AddCare(JsonWriter& json, const std::optional<CareStatus>& care) {
  json.Key("care");
  if (!care) return void(json.Null());
  json.BeginObject().Field("at", FormatTime(care->at)).Key("obstacle");
  care->obstacle == CareObstacle::kNone ? json.Null() : json.Text(NameOf(care->obstacle));
  json.Field("purged", care->purged)
      .Field("purged_files", care->files)
      .Field("held", care->held)
      .Field("unasked", care->unasked)
      .EndObject();
}

std::string StatusJson(const Status& status, const std::vector<TypeCoverage>* coverage) {
  JsonWriter json;
  json.BeginObject().Field("data_dir", status.data_dir).Key("process");
  status.run ? AddRun(json, status) : void(json.Null());
  AddQueue(json.Key("queue"), status.queue);
  AddTime(json, "oldest_sent", status.oldest_sent);
  AddSchedules(json, status);
  AddCare(json, status.care);
  json.Key("types").BeginObject();
  for (const TypeStatus& t : status.types) {
    json.Key(Name(t.type))
        .BeginObject()
        .Field("live", t.stored.live)
        .Field("tombstones", t.stored.tombstones);
    json.Field("missing", t.stored.missing)
        .Field("versions", t.stored.versions)
        .Field("segments", t.stored.segments);
    json.Field("bytes", t.stored.bytes);
    AddQueue(json.Key("queue"), t.queue);
    AddTime(json, "oldest_verified", t.stored.oldest_verified);
    json.Field("held_deletions", t.stored.held).Key("watermark");
    const auto watermark = status.watermarks.find(t.type);
    watermark != status.watermarks.end() ? json.Text(FormatDate(watermark->second)) : json.Null();
    json.Key("export_date");
    t.export_date ? json.Text(FormatDate(*t.export_date)) : json.Null();
    json.Field("export_ids", t.export_ids).Key("coverage");
    t.coverage() ? json.Real(*t.coverage(), 4) : json.Null();
    json.EndObject();
  }
  json.EndObject();
  if (coverage != nullptr) AddCoverage(json.Key("coverage"), *coverage);
  return json.EndObject().text();
}

// In steps short enough that a stop is felt at once.
void Sleep(std::chrono::seconds time, const StopFlag& stop) {
  constexpr std::chrono::milliseconds kStep{50};
  for (std::chrono::milliseconds slept{0}; slept < time && !stop.requested(); slept += kStep)
    std::this_thread::sleep_for(kStep);
}

Result<int> Coverage(const Settings& settings, bool json) {
  TRY_ASSIGN(const auto sources, Sources::Open(settings));
  TRY_ASSIGN(const Status status, ReadStatus(*sources));
  TRY_ASSIGN(const auto coverage,
             ReadCoverage(sources->store->files, sources->catalog, sources->ledger, sources->queue,
                          settings.include_adult, sources->store->clock.Now()));
  TRY(WriteOut(json ? StatusJson(status, &coverage) + "\n"
                    : StatusText(status) + "\n" + CoverageText(coverage)));
  return kExitDone;
}

// Of a bucket it is what the owner says: to count all that is stored the whole catalog would have to come.
Result<std::string> PictureOfBucket(const Settings& settings, bool json) {
  TRY_ASSIGN(const auto bucket, OpenedBucket::Open(settings));
  const auto status = ReadBucketStatus(bucket->objects(), bucket->name());
  if (!status) return std::unexpected(OfBucket(bucket->name(), status.error()));
  const Time now = SystemClock().Now();
  return json ? BucketStatusJson(*status, now, settings.rate_limit_requests) + "\n"
              : BucketStatusText(*status, now, settings.rate_limit_requests);
}

Result<std::string> Picture(const Settings& settings, bool json) {
  if (!settings.s3_bucket_name.empty()) return PictureOfBucket(settings, json);
  TRY_ASSIGN(const auto sources, Sources::Open(settings));
  TRY_ASSIGN(const Status status, ReadStatus(*sources));
  return json ? StatusJson(status, nullptr) + "\n" : StatusText(status);
}

}  // namespace

Result<int> StatusCommand(const Settings& settings, const Arguments& arguments) {
  const bool json = arguments.Has("--json");
  const bool watch = arguments.Has("--watch");
  if (arguments.Has("--coverage")) {
    if (watch) return Fail(ErrorCode::kInvalid, "--coverage reads every id: not with --watch");
    return Coverage(settings, json);
  }
  std::optional<StopSignals> signals;
  if (watch) signals.emplace();
  if (const auto tables = NewestTables(TablesFolder(settings.data_dir)); tables && *tables) {
    const std::string old = WhyTablesAreBehind(settings, **tables, SystemClock().Now());
    if (!old.empty()) PrintError(old, settings.log_format);
  }
  for (bool first = true;;) {
    TRY_ASSIGN(std::string text, Picture(settings, json));
    // On a terminal each picture takes the place of the one before; elsewhere a blank line stands between
    // them.
    if (watch && !json) text.insert(0, TakesEscapes(STDOUT_FILENO) ? "\x1b[H\x1b[2J" : first ? "" : "\n");
    first = false;
    TRY(WriteOut(text));
    if (!watch) return kExitDone;
    Sleep(kWatchInterval, signals->flag());
    if (signals->flag().requested()) return kExitDone;
  }
}

}  // namespace tmdbc
