// SPDX-License-Identifier: MIT
// push, pull: a DATA_DIR into a bucket, and back.
#include <fmt/format.h>
#include <unistd.h>

#include <random>

#include "app/command.h"
#include "app/data_dir.h"
#include "app/opened_bucket.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/stop_signals.h"
#include "base/json_writer.h"
#include "cloud/carry.h"

namespace tmdbc {
namespace {

// On a terminal, what was carried so far, in place.
CarryOptions OptionsFor(const StopSignals& signals, const char* verb) {
  CarryOptions options;
  options.stopping = [&signals] { return signals.flag().requested(); };
  if (!TakesEscapes(STDERR_FILENO)) return options;
  options.progress = [verb](const CarryReport& report, std::int64_t of) {
    fmt::print(stderr, "\r{} {} of {} files, {:.1f} MB\x1b[K", verb, FormatCount(report.files + report.there),
               FormatCount(of), double(report.bytes) / 1e6);
    if (report.files + report.there == of) fmt::print(stderr, "\r\x1b[K");
  };
  return options;
}

Result<void> TellCarried(const Arguments& arguments, const CarryReport& report, const std::string& from,
                         const std::string& to) {
  if (arguments.Has("--json")) {
    JsonWriter json;
    json.BeginObject().Field("from", from).Field("to", to).Field("files", report.files);
    return WriteOut(json.Field("there", report.there).Field("bytes", report.bytes).EndObject().text() + "\n");
  }
  std::string there;
  if (report.there > 0) there = fmt::format(", {} there already", Counted(report.there, "file"));
  return WriteOut(fmt::format("{} is in {}: {}, {:.1f} MB carried{}\n", from, to,
                              Counted(report.files, "file"), double(report.bytes) / 1e6, there));
}

std::string NewMark() {
  std::random_device random;
  return fmt::format("{:08x}-{:08x}-{:08x}", random(), random(), random());
}

Result<int> Ended(const Result<CarryReport>& carried, const std::string& name) {
  if (carried) return kExitDone;
  if (carried.error().code == ErrorCode::kUnavailable) {  // stopped
    PrintError(carried.error(), LogFormat::kText);
    return kExitPartly;
  }
  return std::unexpected(OfBucket(name, carried.error()));
}

}  // namespace

Result<int> PushCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const auto bucket, OpenedBucket::Open(settings));
  // A DATA_DIR that holds no store is told of, not made.
  TRY(DataDir::OpenForReading(settings.data_dir));
  TRY_ASSIGN(const DataDir dir, DataDir::OpenForWriting(settings.data_dir));
  TRY_ASSIGN(Database catalog, dir.OpenCatalog());
  PosixFileSystem files(dir.path());
  TRY(bucket->Probe());
  const SystemClock clock;
  const StopSignals signals;
  const auto carried =
      PushStore(files, catalog, clock, bucket->objects(), NewMark(), OptionsFor(signals, "pushed"));
  if (carried) TRY(TellCarried(arguments, *carried, dir.path(), bucket->name()));
  return Ended(carried, bucket->name());
}

Result<int> PullCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const auto bucket, OpenedBucket::Open(settings));
  TRY_ASSIGN(const DataDir dir, DataDir::OpenForWriting(settings.data_dir));
  PosixFileSystem files(dir.path());
  const StopSignals signals;
  const auto carried = PullStore(bucket->objects(), files, dir.path(), OptionsFor(signals, "pulled"));
  if (carried) TRY(TellCarried(arguments, *carried, bucket->name(), dir.path()));
  return Ended(carried, bucket->name());
}

}  // namespace tmdbc
