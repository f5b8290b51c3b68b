// SPDX-License-Identifier: MIT
// When `run` brings the tables up to date, and the thread in which it does: the mirror goes on meanwhile. The tables
// are a follower of the change feed like any other; a publish that fails costs the mirror nothing and is tried again.
#pragma once

#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "settings/settings.h"
#include "tables/publish.h"

namespace tmdbc {

// After a collection. `there`: tables have been made; `last`: when this process, or the one that published the newest
// generation, did so last.
bool TablesAreDue(TablesRhythm rhythm, bool there, std::optional<Time> last, Time now);

// One thread calls it; the publish has its own.
class TablesPublisher {
 public:
  // All outlive it; `settings` may change between calls.
  TablesPublisher(const Settings& settings, const Clock& clock, Log& log)
      : settings_(settings), clock_(clock), log_(log) {}
  // Stops a publish that is under way, which leaves the tables as they were or as they are to be.
  ~TablesPublisher();
  TablesPublisher(const TablesPublisher&) = delete;

  // A collection has ended, with all its care: begins a publish when one is due, behind the one that is under way.
  void CollectionEnded();
  // Says in the log how a publish ended, once it has. Between other work, often.
  void Check();
  // Waits for it, until `stop` is requested. False when it failed.
  bool Finish(const StopFlag& stop);

 private:
  bool IsDue() const;
  void Begin();
  bool HasEnded();
  // Of one that has ended; false when it failed.
  bool Take();
  // False when the publish failed.
  bool LogOutcome(const Result<tables::PublishReport>& outcome);

  const Settings& settings_;
  const Clock& clock_;
  Log& log_;
  std::optional<Time> last_;  // that this process has begun one
  bool wanted_ = false;       // a collection has ended that none was begun for
  StopFlag stop_;
  std::thread thread_;
  std::mutex mutex_;
  std::optional<Result<tables::PublishReport>> outcome_;  // guarded by mutex_
};

}  // namespace tmdbc
