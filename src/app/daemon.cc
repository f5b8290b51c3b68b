// SPDX-License-Identifier: MIT
#include "app/daemon.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/waiting.h"
#include "harvester/freshness.h"
#include "storage/compaction.h"

namespace tmdbc {
namespace {

constexpr Duration kAfterOutage = std::chrono::minutes(15);
// So that harvests that are due all the time do not keep the queue from being fetched.
constexpr Duration kLeastDrain = std::chrono::minutes(15);
constexpr Duration kTick = std::chrono::seconds(1);
constexpr Duration kCompactEvery = std::chrono::hours(24);
// While it compacts: how often the schedules, the service manager and the metrics get their turn.
constexpr Duration kTurnEvery = std::chrono::milliseconds(100);

std::vector<Schedule> SchedulesOf(const Settings& settings) {
  std::vector<Schedule> schedules;
  schedules.reserve(settings.schedules.size());
  for (const ScheduleSetting& setting : settings.schedules)
    schedules.push_back({setting.name, setting.expression});
  return schedules;
}

}  // namespace

Daemon::Daemon(Settings& settings, const Arguments& arguments, Pipeline& pipeline)
    : settings_(settings),
      arguments_(arguments),
      pipeline_(pipeline),
      notify_([](const char* name) -> const char* { return std::getenv(name); }, ::getpid()),
      tables_(settings, pipeline.clock(), pipeline.log()) {
  pipeline_.on_tick = [this] { notify_.Alive(pipeline_.clock().Mono()); };
  pipeline_.signals().ReloadOnHangup();
}

Daemon::~Daemon() {
  pipeline_.on_tick = {};
}

Result<int> Daemon::Run() {
  TRY_ASSIGN(Scheduler scheduler,
             Scheduler::Open(pipeline_.catalog(), pipeline_.clock(), SchedulesOf(settings_)));
  scheduler_.emplace(std::move(scheduler));
  TRY_ASSIGN(const QueueTotals totals, TotalsOf(pipeline_.queue()));
  if (totals.left > 0) drain_at_ = pipeline_.clock().Mono();
  notify_.Ready();
  while (!pipeline_.stop().requested() && !hopeless_ && !finished_) {
    if (pipeline_.signals().TakeReload()) {
      TRY(Reload());
      continue;  // it may have been stopped meanwhile
    }
    TRY_ASSIGN(const auto due, scheduler_->Due());
    if (due) {
      TRY(Begin(*due));
    } else if (drain_at_ && *drain_at_ <= pipeline_.clock().Mono()) {
      TRY(DrainOnly());
    } else if (CompactionIsDue()) {
      Compact();
    } else {
      TRY(Wait());
    }
  }
  notify_.Stopping();
  const int code = code_.value_or(kExitDone);
  if (hopeless_) return code;
  TRY_ASSIGN(const QueueTotals rest, TotalsOf(pipeline_.queue()));
  const int least = rest.left > 0 ? kExitPartly : kExitDone;
  return std::clamp<int>(code, least, kExitPartly);
}

HarvestOptions Daemon::OptionsOf(const ScheduleSetting& schedule, const HarvestOptions& base) const {
  HarvestOptions options = base;
  options.mode = schedule.mode;
  if (!schedule.types.empty()) options.types = schedule.types;
  if (schedule.limit) options.limit = schedule.limit;
  if (schedule.mode == HarvestMode::kChanges) options.limit.reset();
  options.accept_export = options.accept_export && accepts_.exports;
  options.accept_gap = options.accept_gap && accepts_.gap;
  options.accept_deletions = options.accept_deletions && accepts_.deletions;
  // The collection is under way: this is when the next one is due, and each of them cares for what is stored.
  const Time now = pipeline_.clock().Now();
  const Time next = std::min(scheduler_->NextAt(), now + std::chrono::days(30));
  options.refresh_budget = double(RefreshBudget(pipeline_.pace(), next - now, 0));
  return options;
}

bool Daemon::WantsPause(MonoTime drain_began) const {
  if (pipeline_.signals().reload_requested()) return true;
  return pipeline_.clock().Mono() - drain_began >= kLeastDrain && scheduler_->IsDue();
}

Result<void> Daemon::Begin(const std::string& name) {
  // Interrupted before: what it left in the queue goes on below.
  if (under_way_) {
    pipeline_.log().Info("interrupted for a harvest that is due: the queue goes on after it",
                         {{"schedule", *under_way_}});
    TRY(End(*under_way_, kExitPartly));
  }
  under_way_.reset();
  interrupted_ = {};
  const auto schedule = std::ranges::find(settings_.schedules, name, &ScheduleSetting::name);
  TRY_ASSIGN(const HarvestOptions base, HarvestOptionsOf(settings_, arguments_));
  TRY(WhenThereIsRoom([&] { return scheduler_->Begin(name); }));
  pipeline_.SaveProgress();
  if (pipeline_.stop().requested()) return {};
  under_way_ = name;
  mode_ = schedule->mode;
  pipeline_.log().Info("collecting", {{"schedule", name}, {"expression", schedule->expression.ToString()}});
  notify_.Status(fmt::format("collecting by schedule {}", name));
  const MonoTime began = pipeline_.clock().Mono();
  auto summary = Collect(pipeline_, OptionsOf(*schedule, base), [this, began] { return WantsPause(began); });
  if (summary) return Collected(*std::move(summary));
  if (summary.error().code != ErrorCode::kInvalid) return std::unexpected(summary.error());
  // What this schedule asks for cannot be done, now at least (changes before there was an export); others may
  // go on.
  pipeline_.log().Error(summary.error().message, {{"schedule", name}});
  code_ = std::max(code_.value_or(kExitDone), static_cast<int>(kExitPartly));
  under_way_.reset();
  return End(name, kExitUsage);
}

Result<void> Daemon::DrainOnly() {
  notify_.Status("fetching what is queued");
  Summary summary = std::move(interrupted_);
  const MonoTime began = pipeline_.clock().Mono();
  TRY(DrainInto(summary, pipeline_, CollectorOptions().give_up_unanswered,
                accepts_.deletions && arguments_.Has("--accept-deletions"), began,
                [this, began] { return WantsPause(began); }));
  TRY(Care(summary, pipeline_, accepts_.deletions && arguments_.Has("--accept-deletions")));
  return Collected(std::move(summary));
}

Result<void> Daemon::Collected(Summary summary) {
  told_next_ = {};
  interrupted_ = {};
  drain_at_.reset();
  const MonoTime now = pipeline_.clock().Mono();
  if (Paused(summary, pipeline_)) {
    // It goes on when the settings were read; or after the harvest of the schedule that is due.
    interrupted_ = std::move(summary);
    drain_at_ = now;
    return {};
  }
  const CollectionOutcome outcome = OutcomeOf(summary);
  code_ = outcome.exit_code;
  (void)ReportSummary(summary, arguments_.Has("--json"), pipeline_.log());
  // Stopped in the middle: it has not ended, and is taken up again at the next start.
  if (summary.drained->result.end == DrainEnd::kStopped) return {};
  hopeless_ = outcome.next == Next::kNever;
  if (hopeless_) return {};
  if (mode_ != HarvestMode::kChanges) accepts_.exports = false;
  if (mode_ != HarvestMode::kExport) accepts_.gap = false;
  accepts_.deletions = false;
  // The schedule tries an outage again; what belongs to none is tried here.
  const bool denied = outcome.ending == Ending::kDenied;  // only a person can mend that: not before its time
  if (summary.queue.left > 0 && !denied) drain_at_ = now + kAfterOutage;
  if (under_way_) TRY(End(*under_way_, outcome.schedule_code()));
  under_way_.reset();
  has_collected_ = true;
  FollowUp();
  return {};
}

void Daemon::FollowUp() {
  const bool there = pipeline_.PublishChanges();
  if (there && std::exchange(has_collected_, false)) tables_.CollectionEnded();
}

Result<void> Daemon::End(const std::string& name, int exit_code) {
  TRY(WhenThereIsRoom([&] { return scheduler_->End(name, exit_code); }));
  pipeline_.SaveProgress();
  return {};
}

// A full disk is waited for, as everywhere, and so is another program that holds the database.
Result<void> Daemon::WhenThereIsRoom(const std::function<Result<void>()>& write) {
  for (bool told = false;; told = true) {
    const auto written = write();
    if (written || !MayPass(written.error())) return written;
    if (pipeline_.stop().requested()) return {};
    if (!told) {
      pipeline_.log().Error(WhyWeWait(written.error(), "the schedules then go on by themselves"),
                            {{"error", written.error().message}});
    }
    pipeline_.WaitUntil(pipeline_.clock().Mono() + kRoomEvery);
  }
}

Result<void> Daemon::Wait() {
  pipeline_.SealWhatIsDue();
  FollowUp();
  tables_.Check();
  const Time now = pipeline_.clock().Now();
  const Time next = scheduler_->NextAt();
  if (next == Time::max() && !drain_at_) {
    const std::string why =
        "no schedule will ever be due again: give COLLECTION_INTERVAL, COLLECTION_SCHEDULE or a [[schedule]] "
        "with a time to come";
    if (!code_) return Fail(ErrorCode::kInvalid, "{}", why);
    // What was for once has run.
    pipeline_.log().Warn(why);
    finished_ = true;
    return {};
  }
  if (next != told_next_) {
    told_next_ = next;
    const std::string at = next == Time::max() ? "never" : FormatTime(next);
    pipeline_.log().Info("waiting for the next harvest", {{"at", at}});
    notify_.Status(fmt::format("waiting, the next harvest is at {}", at));
  }
  const Duration wait = next == Time::max() ? kTick : std::clamp<Duration>(next - now, Duration(0), kTick);
  pipeline_.WaitUntil(pipeline_.clock().Mono() + wait);
  return {};
}

bool Daemon::CompactionIsDue() const {
  // A batch that the disk had no room for has to be written first.
  return compact_at_ <= pipeline_.clock().Mono() && !pipeline_.store().writer->CommitDeadline();
}

void Daemon::Compact() {
  bool interrupted = false;
  MonoTime next_turn = pipeline_.clock().Mono() + kTurnEvery;
  const auto wanted_elsewhere = [&] {
    interrupted = interrupted || pipeline_.stop().requested() || pipeline_.signals().reload_requested();
    const MonoTime now = pipeline_.clock().Mono();
    // In the middle of a transaction nobody else may look into the catalog.
    if (interrupted || now < next_turn || pipeline_.catalog().InTransaction()) return interrupted;
    pipeline_.WaitUntil(now + std::chrono::milliseconds(1));
    next_turn = now + kTurnEvery;
    interrupted = scheduler_->IsDue();
    return interrupted;
  };
  CompactOptions options;
  options.least_segments = kLeastToMerge;
  options.much_larger = kMuchLarger;
  CompactReport sum;
  pipeline_.HoldStoring(true);
  for (const MediaType type : kRecordTypes) {
    if (wanted_elsewhere()) break;
    const auto report = tmdbc::Compact(pipeline_.files(), pipeline_.catalog(), *pipeline_.store().writer,
                                       type, options, wanted_elsewhere);
    if (!report) {
      // The store is as it was. Should the disk be broken, the next harvest finds out.
      pipeline_.log().Error(fmt::format("{}; it is tried again tomorrow", report.error().message));
      break;
    }
    sum.Add(*report);
  }
  pipeline_.HoldStoring(false);
  // What was interrupted goes on when there is nothing else to do.
  if (!interrupted) compact_at_ = pipeline_.clock().Mono() + kCompactEvery;
  if (sum.segments_before == 0) return;
  pipeline_.log().Info("compacted", {{"segments", sum.segments_before},
                                     {"into", sum.segments_after},
                                     {"bytes", sum.bytes_before},
                                     {"bytes_now", sum.bytes_after},
                                     {"old_statistics", sum.stats_dropped},
                                     {"purged_bodies", sum.purged_dropped}});
}

Result<void> Daemon::Reload() {
  notify_.Reloading(pipeline_.clock().Mono());
  const auto later = ReloadSettings(settings_);
  if (later) {
    pipeline_.Reconfigure();
    TRY(WhenThereIsRoom([this] { return scheduler_->Replace(SchedulesOf(settings_)); }));
    told_next_ = {};
    pipeline_.log().Info("read the settings again");
    for (const std::string& warning : settings_.warnings) pipeline_.log().Warn(warning);
    for (const std::string& sentence : *later) pipeline_.log().Warn(sentence);
  } else {
    pipeline_.log().Error(fmt::format("the settings stay as they were: {}", later.error().message));
  }
  notify_.Ready();
  return {};
}

}  // namespace tmdbc
