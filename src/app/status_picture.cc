// SPDX-License-Identifier: MIT
#include "app/status_picture.h"

#include <string_view>

#include "base/json_writer.h"
#include "harvester/accepted_exports.h"
#include "tmdb/export_line.h"

namespace tmdbc {
namespace {

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

void AddTimeOrNull(JsonWriter& json, std::string_view key, std::optional<Time> time) {
  json.Key(key);
  time ? json.Text(FormatTime(*time)) : json.Null();
}

void AddSchedules(JsonWriter& json, const Status& status) {
  json.Key("schedules").BeginArray();
  for (const auto& [name, run] : status.schedules) {
    json.BeginObject().Field("name", name).Field("started", FormatTime(run.started.value_or(Time{})));
    AddTimeOrNull(json, "ended", run.ended);
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

}  // namespace

Result<StoredCounts> CountStored(RecordLedger& ledger) {
  // A process that was killed in its first moment leaves a catalog without tables: nothing is stored.
  auto stored = ledger.Counts();
  if (!stored && stored.error().code == ErrorCode::kNotFound) return StoredCounts();
  return stored;
}

Result<Status> ReadStatus(std::string data_dir, Database& catalog, QueueView& queue,
                          const StoredCounts& stored) {
  Status status;
  status.data_dir = std::move(data_dir);
  TRY_ASSIGN(status.run, ReadRunStatus(catalog));
  TRY_ASSIGN(status.schedules, ReadScheduleRuns(catalog));
  TRY_ASSIGN(status.watermarks, ReadWatermarks(catalog));
  TRY_ASSIGN(status.care, ReadCareStatus(catalog));
  for (const MediaType type : kRecordTypes) Of(status, type);  // in this order
  for (const auto& [type, counts] : stored) Of(status, type).stored = counts;
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

std::string StatusJson(const Status& status, const std::vector<TypeCoverage>* coverage) {
  JsonWriter json;
  json.BeginObject().Field("data_dir", status.data_dir).Key("process");
  status.run ? AddRun(json, status) : void(json.Null());
  AddQueue(json.Key("queue"), status.queue);
  AddTimeOrNull(json, "oldest_sent", status.oldest_sent);
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
    AddTimeOrNull(json, "oldest_verified", t.stored.oldest_verified);
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

}  // namespace tmdbc
