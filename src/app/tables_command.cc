// SPDX-License-Identifier: MIT
// tables: brings the Parquet tables up to date with the mirror, beside the process at work.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "app/command.h"
#include "app/data_dir.h"
#include "app/duckdb_place.h"
#include "app/hints.h"
#include "app/newest_tables.h"
#include "app/opened_bucket.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/stop_signals.h"
#include "app/tables_publish.h"
#include "base/json_writer.h"
#include "tables/bucket_tables.h"
#include "tables/check.h"

namespace tmdbc {
namespace {

// One line on a terminal, renewed once a second; nothing elsewhere.
class TablesMeter {
 public:
  explicit TablesMeter(const Clock& clock) : clock_(clock), shows_(TakesEscapes(STDERR_FILENO)) {}
  ~TablesMeter() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }
  void Show(const tables::PublishProgress& progress) {
    if (!shows_) return;
    const MonoTime now = clock_.Mono();
    if (progress.what != what_) {
      what_ = progress.what;
      begun_ = now;
    }
    if (shown_ && now - *shown_ < std::chrono::seconds(1)) return;
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    const auto left =
        TimeLeft(progress.total - progress.done, seconds > 0 ? double(progress.done) / seconds : 0);
    std::fputs(
        fmt::format("\r\x1b[K{}: {:.0f} %{}", what_, 100.0 * double(progress.done) / double(progress.total),
                    left ? "  ETA " + FormatDuration(*left) : "")
            .c_str(),
        stderr);
    std::fflush(stderr);
  }

 private:
  const Clock& clock_;
  const bool shows_;
  std::string what_;
  MonoTime begun_{};
  std::optional<MonoTime> shown_;
};

std::string TextOf(const tables::PublishReport& report) {
  if (report.generation == 0) return "nothing is stored yet: there are no tables to make\n";
  if (!report.published) return fmt::format("generation {} is up to date\n", report.generation);
  return fmt::format("generation {}: {}, {}, {} of {:.1f} MB written{}\n",
                     report.generation, Counted(report.records, "record"), Counted(report.rows, "row"),
                     Counted(report.files, "file"), double(report.bytes) / 1e6,
                     report.built ? ", all made again" : "");
}

void PutTexts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.Key(name).BeginArray();
  for (const std::string& text : texts) json.Text(text);
  json.EndArray();
}

std::string JsonOf(const tables::PublishReport& report) {
  JsonWriter json;
  json.BeginObject()
      .Field("generation", report.generation)
      .Field("published", report.published)
      .Field("built", report.built)
      .Field("records", report.records)
      .Field("rows", report.rows)
      .Field("files", report.files)
      .Field("bytes", report.bytes);
  PutTexts(json, "damages", report.damages);
  PutTexts(json, "lost", report.lost);
  PutTexts(json, "mended", report.mended);
  PutTexts(json, "gone", report.gone);
  return json.EndObject().text() + "\n";
}

std::string TextOf(const tables::CheckReport& report) {
  if (report.generation == 0) return "there are no tables yet: run `tables`\n";
  std::string text;
  for (const std::string& fault : report.faults) text += "tables/" + fault + "\n";
  const std::string verdict =
      report.faults.empty() ? "each as it was written" : Counted(std::ssize(report.faults), "fault");
  return text + fmt::format("generation {}: {} of {:.1f} MB, {}\n", report.generation,
                            Counted(report.files, "file"), double(report.bytes) / 1e6, verdict);
}

std::string JsonOf(const tables::CheckReport& report) {
  JsonWriter json;
  json.BeginObject()
      .Field("generation", report.generation)
      .Field("files", report.files)
      .Field("bytes", report.bytes);
  PutTexts(json, "faults", report.faults);
  return json.EndObject().text() + "\n";
}

int Stopped(const Settings& settings) {
  PrintError("stopped", settings.log_format);
  return kExitPartly;
}

Result<tables::CheckReport> CheckHere(const Settings& settings, const StopFlag& stop) {
  TRY(DataDir::OpenForReading(settings.data_dir));
  TRY(NewestTables(TablesFolder(settings)));
  PosixFileSystem folder(TablesFolder(settings));
  return tables::CheckTables(folder, TablesFolder(settings), stop);
}

// Every byte, as at home: sizes alone would not tell whether they are those that were written.
Result<tables::CheckReport> CheckBucket(const Settings& settings, const StopFlag& stop) {
  TRY_ASSIGN(const auto bucket, OpenedBucket::Open(settings));
  tables::BucketTables tables(bucket->objects());
  auto report = tables::CheckTables(tables, "", stop);
  if (!report) return std::unexpected(OfBucket(bucket->name(), report.error()));
  return report;
}

Result<int> Check(const Settings& settings, bool as_json) {
  const StopSignals signals;
  const auto report = settings.s3_bucket_name.empty() ? CheckHere(settings, signals.flag())
                                                      : CheckBucket(settings, signals.flag());
  if (!report && signals.flag().requested()) return Stopped(settings);
  if (!report) return std::unexpected(report.error());
  TRY(WriteOut(as_json ? JsonOf(*report) : TextOf(*report)));
  if (!report->faults.empty())
    PrintError("the tables are damaged: `tables` makes again what is missing or cut, `tables --rebuild` all",
               settings.log_format);
  return report->generation > 0 && report->faults.empty() ? kExitDone : kExitPartly;
}

}  // namespace

Result<int> TablesCommand(const Settings& settings, const Arguments& arguments) {
  if (arguments.Has("--check") && arguments.Has("--rebuild"))
    return Fail(ErrorCode::kInvalid, "--check makes nothing: ask it and --rebuild one at a time");
  if (arguments.Has("--check")) return Check(settings, arguments.Has("--json"));
  TRY_ASSIGN(const duckdb::Library library, LoadDuckdb(settings));
  const StopSignals signals;
  const SystemClock clock;
  TablesMeter meter(clock);
  const auto report = PublishTables(settings, library, arguments.Has("--rebuild"), signals.flag(),
                                    [&](const tables::PublishProgress& progress) { meter.Show(progress); });
  if (!report && signals.flag().requested()) return Stopped(settings);
  if (!report) return std::unexpected(report.error());
  for (const std::string& damage : report->damages)
    PrintError(Explain(damage + ": its records are not in the tables", Hint::kRefetch), settings.log_format);
  if (report->other_past) PrintError(kOtherPast, settings.log_format);
  for (const std::string& file : report->lost)
    PrintError(fmt::format("tables/{} was missing or damaged: all tables were made again", file),
               settings.log_format);
  for (const std::string& path : report->mended)
    PrintError(fmt::format("tables/{} was missing or damaged, and is whole again", path), settings.log_format);
  for (const std::string& gone : report->gone) PrintError("tables/" + gone, settings.log_format);
  TRY(WriteOut(arguments.Has("--json") ? JsonOf(*report) : TextOf(*report)));
  return report->complete() ? kExitDone : kExitPartly;
}

}  // namespace tmdbc
