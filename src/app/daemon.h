// SPDX-License-Identifier: MIT
// Daemon: `run` without --once. It follows the schedules until it is stopped: what is due is collected, one
// after the other; between them it waits, compacts the store, and looks at the clock each second, for it may
// jump and the machine may sleep. What an earlier process left in the queue is fetched at once. A drain that
// lasts is interrupted when a schedule is due, so that a first mirror of three weeks does not keep the
// changes of three weeks from being seen: their ids come first in the queue. SIGHUP reads the settings again.
// A service manager is told how it is.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app/collection.h"
#include "app/command.h"
#include "app/tables_rhythm.h"
#include "base/service_notify.h"
#include "scheduler/scheduler.h"

namespace tmdbc {

// One thread.
class Daemon {
 public:
  // All references outlive the daemon; the settings are those of the pipeline.
  Daemon(Settings& settings, const Arguments& arguments, Pipeline& pipeline);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until stopped, until nothing is due any more, or until nothing that comes later can help
  // (Next::kNever): then the exit code of the last collection. Stopped it is 0 when nothing is left to
  // fetch and the last collection was whole, else 1.
  Result<int> Run();

 private:
  Result<void> Reload();
  // A collection has ended, or was interrupted.
  Result<void> Begin(const std::string& schedule);
  Result<void> Collected(Summary summary);
  // What a collection has brought goes to followers once it is there for everybody.
  void FollowUp();
  Result<void> DrainOnly();
  Result<void> Wait();
  // Once a day, while nothing else is to do (docs/decisions/compaction.md, "By itself").
  bool CompactionIsDue() const;
  void Compact();
  // Of a schedule's run, durably.
  Result<void> End(const std::string& name, int exit_code);
  Result<void> WhenThereIsRoom(const std::function<Result<void>()>& write);
  HarvestOptions OptionsOf(const ScheduleSetting& schedule, const HarvestOptions& base) const;
  bool WantsPause(MonoTime drain_began) const;

  Settings& settings_;
  const Arguments& arguments_;
  Pipeline& pipeline_;
  std::optional<Scheduler> scheduler_;
  ServiceNotify notify_;
  TablesPublisher tables_;

  std::optional<std::string> under_way_;  // the schedule whose collection has not ended
  std::optional<MonoTime> drain_at_;      // when the queue is to be fetched without a harvest before
  Summary interrupted_;                   // the harvest of the collection that goes on
  // The --accept flags are for the first collection that could use them: an export schedule reads no feed.
  struct Accepts {
    bool exports = true, gap = true, deletions = true;
  };
  Accepts accepts_;
  HarvestMode mode_ = HarvestMode::kAuto;  // of the collection under way
  std::optional<int> code_;                // of the last collection
  bool has_collected_ = false;             // and the tables were not told
  bool hopeless_ = false;                  // no later try will mend what it ended with
  bool finished_ = false;                  // nothing is due any more
  Time told_next_{};
  MonoTime compact_at_{};  // not before
};

}  // namespace tmdbc
