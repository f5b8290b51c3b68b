// SPDX-License-Identifier: MIT
#include "harvester/harvester.h"

#include <algorithm>
#include <utility>

#include "harvester/change_counts.h"
#include "harvester/change_harvest.h"
#include "harvester/change_reader.h"
#include "harvester/export_harvest.h"
#include "harvester/orphans.h"
#include "harvester/queue_order.h"
#include "harvester/refresh.h"
#include "harvester/sightings.h"
#include "harvester/upstream_time.h"
#include "harvester/watermarks.h"
#include "tmdb/change_page.h"
#include "tmdb/export_line.h"

namespace tmdbc {

namespace chrono = std::chrono;

namespace {

// After an export host that never answered the API gets a last chance, so that all ends within 15 s.
constexpr Duration kLastChance = chrono::seconds(1);

// A dead letter gets another chance once a day, whenever in the day the harvest runs: what ailed TMDB may be
// over, and no change, deletion or refresh of that id would be seen otherwise.
constexpr Duration kDeadLetterRest = chrono::hours(20);

Result<void> CheckCanBeFetched(MediaType type) {
  if (!CanBeAsked(type)) {
    return Fail(ErrorCode::kInvalid, "there is no export of type {0}: {0}s come with their show, use type tv",
                Name(type));
  }
  return {};
}

Result<void> CheckRange(const HarvestOptions& options, chrono::sys_days today) {
  if (options.mode != HarvestMode::kChanges && (options.since || options.until))
    return Fail(ErrorCode::kInvalid, "a range of days is of the change feeds: only mode changes has one");
  if (options.since && *options.since > today)
    return Fail(ErrorCode::kInvalid, "the first day is {}: it has not come yet, today is {} (UTC)",
                FormatDate(*options.since), FormatDate(today));
  if (options.since && options.until && *options.until < *options.since)
    return Fail(ErrorCode::kInvalid, "the last day is {}: that is before the first, {}", FormatDate(*options.until),
                FormatDate(*options.since));
  return {};
}

}  // namespace

class Harvester::Run {
 public:
  Run(const Harvester& harvester, const HarvestOptions& options, const StopFlag& stop)
      : ports_(harvester.ports_),
        sources_(harvester.sources_),
        options_(options),
        stop_(stop),
        order_(ports_) {}

  Result<HarvestReport> Execute() {
    const MonoTime started = ports_.clock.Mono();
    TRY(Check());
    if (!options_.dry_run) {
      TRY(CreateAcceptedExports(ports_.catalog));
      TRY(CreateWatermarks(ports_.catalog));
      TRY(CreateOrphans(ports_.catalog));
      TRY(CreateSightings(ports_.catalog));
      TRY(CreateChangeCounts(ports_.catalog));
      TRY(CreateUpstreamTime(ports_.catalog));
    }
    TRY_ASSIGN(const auto known, ReadUpstreamTime(ports_.catalog));
    if (known) ports_.upstream.Reached(*known);
    for (const MediaType type : options_.types) TRY(order_.Learn(type, stop_));
    TRY(CheckHeld());
    TRY(WakeDeadLetters());
    if (options_.mode != HarvestMode::kChanges)
      TRY(ExportHarvest(ports_, sources_, options_, stop_, order_).Execute(report_));
    if (options_.mode != HarvestMode::kExport) {
      TRY(MendWatermarks());
      TRY(ReadChanges(started));
    }
    // Of two clocks that differ one is wrong: neither is for later runs to go by.
    if (!options_.dry_run && !ports_.upstream.ClockIsOff()) TRY(PutUpstreamTime(ports_.catalog, ports_.upstream));
    SayWhenTheClockIsOff();
    report_.stopped |= stop_.requested();
    if (!report_.stopped && !report_.denied()) TRY(Care());
    return std::move(report_);
  }

 private:
  // Whatever was harvested, of whatever types: all that is stored grows old.
  Result<void> Care() {
    std::vector<MediaType> stored;
    for (const MediaType type : kRecordTypes) {
      if (!IsRefreshedByAge(type)) continue;
      const bool known = std::ranges::find(options_.types, type) != options_.types.end();
      if (!known) TRY(order_.Learn(type, stop_));
      if (order_.RecordsOf(type) > 0) stored.push_back(type);
    }
    return QueueRefreshes(ports_, options_, stored, stop_, order_, report_);
  }

  Result<void> Check() {
    for (const MediaType type : options_.types) TRY(CheckCanBeFetched(type));
    TRY(CheckRange(options_, chrono::floor<chrono::days>(ports_.clock.Now())));
    TRY_ASSIGN(watermarks_, ReadWatermarks(ports_.catalog));
    if (options_.mode != HarvestMode::kChanges) return {};
    if (std::ranges::none_of(options_.types, &HasChangeFeed))
      return Fail(ErrorCode::kInvalid, Hint::kExportOnly,
                  "type {} has no change feed: only movie, tv and person have", Name(options_.types.front()));
    for (const MediaType type : options_.types) {
      if (!HasChangeFeed(type) || options_.since || watermarks_.contains(type)) continue;
      return Fail(ErrorCode::kInvalid, Hint::kExportFirst,
                  "since when? No export of type {} has been harvested yet", Name(type));
    }
    return {};
  }

  Result<void> ReadChanges(MonoTime started) {
    // An upstream that never answered is told within 15 s, both hosts together.
    const Duration left = kGiveUpUnanswered - (ports_.clock.Mono() - started);
    const bool silent = report_.requests > 0 && report_.exit_code() == 3;
    ChangeReader reader(ports_, sources_, silent ? std::max(left, kLastChance) : kGiveUpUnanswered);
    ChangeHarvest changes(ports_, options_, stop_, order_, reader);
    std::optional<std::string> down;
    for (const MediaType type : options_.types) {
      const auto span = SpanOf(type);
      if (!span || stop_.requested() || report_.denied()) continue;
      ChangesReport& entry = report_.Of(type).changes.emplace();
      if (down) {
        // What one feed could not get the others will not get either.
        const auto watermark = WatermarkOf(type);
        entry.verdict = ChangesVerdict::kUnreachable;
        entry.reason = *down;
        entry.watermark_before = entry.watermark_after = watermark;
        continue;
      }
      TRY(order_.Remember(type, stop_));
      TRY_ASSIGN(entry, changes.Walk(type, *span, WatermarkOf(type)));
      LogChanges(type, entry);
      if (entry.verdict == ChangesVerdict::kUnreachable) down = entry.reason;
      if (entry.verdict == ChangesVerdict::kStopped) report_.stopped = true;
    }
    order_.Forget();
    report_.api_requests = reader.requests();
    return {};
  }

  std::optional<chrono::sys_days> WatermarkOf(MediaType type) const {
    const auto found = watermarks_.find(type);
    return found == watermarks_.end() ? std::nullopt : std::optional(found->second);
  }

  // Empty when there is nothing to walk: a type without a feed, or one whose first export was just read.
  std::optional<ChangeSpan> SpanOf(MediaType type) const {
    if (!HasChangeFeed(type)) return std::nullopt;
    const auto watermark = WatermarkOf(type);
    if (!options_.since && !watermark) return std::nullopt;
    return ChangeSpan{.from = std::max(options_.since ? *options_.since : *watermark, kFirstChangesDay),
                      .to = options_.until,
                      .moves_watermark = !options_.since && !options_.until};
  }

  // A watermark in the future was set by a version that believed a clock which was ahead.
  Result<void> MendWatermarks() {
    TRY_ASSIGN(const auto accepted, AcceptedExports(ports_.catalog));
    for (auto& [type, watermark] : watermarks_) {
      std::optional<chrono::sys_days> in_force;
      for (const AcceptedExport& entry : accepted) {
        const auto file = std::ranges::find(kExportFiles, entry.name, &ExportFile::name);
        if (file == kExportFiles.end() || file->type != type) continue;
        in_force = std::max(in_force.value_or(entry.date), entry.date);
      }
      const auto sound = SoundWatermark(watermark, ports_.upstream.latest(), in_force, ports_.clock.Now());
      if (!sound) continue;
      ports_.log.Warn(
          "a watermark lies in the future, so a clock was wrong: the changes are read again from the last "
          "day that TMDB is known to have reached",
          {{"type", Name(type)}, {"watermark", FormatDate(watermark)}, {"from", FormatDate(*sound)}});
      watermark = *sound;
      if (!options_.dry_run) TRY(SetWatermark(ports_.catalog, type, watermark));
    }
    return {};
  }

  void SayWhenTheClockIsOff() {
    if (!ports_.upstream.ClockIsOff()) return;
    ports_.log.Warn(
        "this machine's clock differs by more than a day from TMDB's: what was read is queued, but no "
        "progress is remembered until the clock is right",
        {{"here", FormatTime(ports_.clock.Now())}, {"tmdb", FormatTime(*ports_.upstream.latest())}});
  }

  void LogChanges(MediaType type, const ChangesReport& report) {
    const bool fine = report.verdict == ChangesVerdict::kRead || report.verdict == ChangesVerdict::kStopped;
    const auto shown = [](const std::optional<chrono::sys_days>& day) {
      return day ? FormatDate(*day) : std::string("none");
    };
    ports_.log.Info("changes read", {{"type", Name(type)},
                                     {"days", report.days},
                                     {"pages", report.pages},
                                     {"ids", report.ids},
                                     {"fresh", report.fresh},
                                     {options_.dry_run ? "would_queue" : "queued", report.queued},
                                     {"watermark", shown(report.watermark_after)}});
    if (!fine)
      ports_.log.Error("changes not read completely", {{"type", Name(type)}, {"reason", report.reason}});
  }

  Result<void> WakeDeadLetters() {
    if (options_.dry_run) return {};
    for (const MediaType type : options_.types) {
      TRY_ASSIGN(const std::int64_t woken, ports_.desk.Redrive(type, ports_.clock.Now() - kDeadLetterRest));
      if (woken > 0)
        ports_.log.Info("dead letters of earlier days are tried again",
                        {{"type", Name(type)}, {"ids", woken}});
    }
    return {};
  }

  // Deletions that are held: told of, and once a person has agreed to them all are asked for again.
  Result<void> CheckHeld() {
    for (const MediaType type : options_.types) {
      TRY_ASSIGN(auto held, ports_.ledger.HeldDeletions(type));
      if (TraitsOf(type).has_seasons) {
        TRY_ASSIGN(const auto shows, ports_.ledger.ShowsOfHeldSeasons());
        held.insert(held.end(), shows.begin(), shows.end());
        std::ranges::sort(held);
        held.erase(std::ranges::unique(held).begin(), held.end());
      }
      if (held.empty()) continue;
      TypeReport& report = report_.Of(type);
      report.held = std::int64_t(held.size());
      if (!options_.accept_deletions) continue;
      std::vector<QueueItem> items;
      for (const std::int64_t id : held) {
        TRY_ASSIGN(const IdState state, ports_.ledger.StateOf({type, id}));
        TRY_ASSIGN(const float priority, order_.Of({type, id}, state, false));
        items.push_back({.id = {type, id}, .popularity = priority});
      }
      report.held_queued = report.held;
      if (!options_.dry_run) {
        TRY_ASSIGN(report.held_queued, ports_.sender.Send(items));
      }
    }
    return {};
  }

  const HarvestPorts& ports_;
  const HarvestSources& sources_;
  const HarvestOptions& options_;
  const StopFlag& stop_;
  QueueOrder order_;
  Watermarks watermarks_;  // before this harvest
  HarvestReport report_;
};

Harvester::Harvester(const HarvestPorts& ports, HarvestSources sources)
    : ports_(ports), sources_(std::move(sources)) {}

Result<HarvestReport> Harvester::Harvest(const HarvestOptions& options, const StopFlag& stop) {
  return Run(*this, options, stop).Execute();
}

Result<std::int64_t> Harvester::HarvestIds(MediaType type, const std::vector<std::int64_t>& ids) {
  TRY(CheckCanBeFetched(type));
  const bool list = TraitsOf(type).source == RecordSource::kList;
  const auto most = list ? std::int64_t(ConfigurationPaths().size()) : kMaxId;
  std::vector<QueueItem> items;
  for (const std::int64_t id : ids) {
    if (list ? !ConfigurationPath(id) : id < 1 || id > most)
      return Fail(ErrorCode::kInvalid, "'{}' is not an id of type {}: use 1 to {}", id, Name(type), most);
    items.push_back({.id = {type, id}, .popularity = kAskedPriority});
  }
  return ports_.sender.Send(items);
}

}  // namespace tmdbc
