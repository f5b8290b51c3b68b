// SPDX-License-Identifier: MIT
// status: read from catalog.db alone, so it works beside the process at work and after it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "app/bucket_status.h"
#include "app/command.h"
#include "app/coverage.h"
#include "app/newest_tables.h"
#include "app/opened_bucket.h"
#include "app/opened_store.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/run_status.h"
#include "app/status_picture.h"
#include "app/stop_signals.h"
#include "app/tables_publish.h"
#include "base/safe_text.h"
#include "queue/sqlite_queue_view.h"
#include "storage/ledger.h"

namespace tmdbc {
namespace {

constexpr std::chrono::seconds kWatchInterval{2};

// What status reads from. Opened again for each picture of --watch: the store may have been made meanwhile.
struct Sources {
  const std::unique_ptr<OpenedStore> store;
  Database& catalog{store->catalog};
  RecordLedger& ledger{store->ledger};
  SqliteQueueView queue{catalog, store->clock};

  static Result<std::unique_ptr<Sources>> Open(const Settings& settings) {
    TRY_ASSIGN(auto store, OpenedStore::ForReadingAll(settings));
    return std::unique_ptr<Sources>(new Sources{std::move(store)});
  }
  Result<Status> Read() {
    TRY_ASSIGN(const StoredCounts stored, CountStored(ledger));
    return ReadStatus(store->name, catalog, queue, stored);
  }
};

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
  std::string began = fmt::format("{} began {}", name, FormatTime(run.started.value_or(Time{})));
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

// In steps short enough that a stop is felt at once.
void Sleep(std::chrono::seconds time, const StopFlag& stop) {
  constexpr std::chrono::milliseconds kStep{50};
  for (std::chrono::milliseconds slept{0}; slept < time && !stop.requested(); slept += kStep)
    std::this_thread::sleep_for(kStep);
}

Result<int> Coverage(const Settings& settings, bool json) {
  TRY_ASSIGN(const auto sources, Sources::Open(settings));
  TRY_ASSIGN(const Status status, sources->Read());
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
  TRY_ASSIGN(const Status status, sources->Read());
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
  if (const auto tables = NewestTables(TablesFolder(settings)); tables && *tables) {
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
