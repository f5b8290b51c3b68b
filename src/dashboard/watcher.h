// SPDX-License-Identifier: MIT
// Watcher: reads in a thread of its own what the dashboard shows, so that a request costs the same however much is
// stored: it gets the last picture. While nobody looks it does nothing; what it scans it scans seldom, so that it takes
// a fiftieth of a core at most.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/stop.h"
#include "dashboard/change_window.h"
#include "dashboard/mirror_view.h"

namespace tmdbc::dashboard {

// An answer's body, made once and sent often.
using SharedText = std::shared_ptr<const std::string>;
inline SharedText Share(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// What a reading costs decides when it comes again. Pure.
class Pace {
 public:
  // At least `least` after the last one began, and `share` times what that took.
  Pace(Duration least, int share) : least_(least), share_(share) {}
  bool Due(MonoTime now) const { return !next_ || now >= *next_; }
  void Took(MonoTime from, MonoTime to) { next_ = from + std::max(least_, (to - from) * share_); }

 private:
  Duration least_;
  int share_;
  std::optional<MonoTime> next_;
};

class Watcher {
 public:
  // How long after the last request it still reads.
  static constexpr std::chrono::seconds kWatched{60};
  static constexpr int kDeadLetters = 50;

  // The pictures, JSON each. An answer is never waited for: `status` and the others say when they were read.
  struct Pictures {
    // {"at","counted_at","error","status":{...},"damage":[{"file","offset","what"}]}; "status" is null and "error" a
    // sentence when the store cannot be read.
    SharedText status;
    SharedText freshness;  // AgesJson(); "null" until it has been read
    SharedText coverage;   // {"at","reading","error","types":{...}}
    SharedText dead;       // an array
    std::shared_ptr<const std::vector<ChangeEntry>> changes;
    std::int64_t revision = 0;
  };

  // Reads what is cheap at once. `clock` outlives it.
  Watcher(OpenView open, const Clock& clock);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Begins its thread; once. A test calls Step() instead.
  void Start();
  // One round of all that is due.
  void Step();

  // Any thread: the last pictures; somebody is looking.
  Pictures Current();
  // Any thread: the ids are to be compared with the exports, unless that was done a moment ago.
  void AskForCoverage();

 private:
  void Run(const std::stop_token& stop);
  void DropPassingView();
  void ReadStatus();
  void ReadCounts();
  void ReadCoverage();
  void ReadChanges();
  bool HaveView();
  bool Watched() const;  // under mutex_
  template <class Change>
  void Show(Change change);

  const OpenView open_;
  const Clock& clock_;
  StopFlag stop_;

  // The thread's alone, and the constructor's before it begins.
  std::unique_ptr<MirrorView> view_;
  std::string trouble_;  // why there is no status
  std::string status_ = "null";
  Time status_at_{}, counted_at_{};
  Pace status_pace_{std::chrono::seconds(2), 20}, counts_pace_{std::chrono::seconds(3), 50},
      reopening_pace_{std::chrono::seconds(15), 20}, coverage_pace_{std::chrono::seconds(10), 50},
      changes_pace_{std::chrono::seconds(2), 20};
  ChangeWindow window_;

  std::mutex mutex_;
  std::condition_variable_any wakes_;
  // Guarded by mutex_.
  Pictures pictures_;
  std::optional<MonoTime> looked_;  // the last time that somebody did
  bool coverage_asked_ = false;

  std::jthread thread_;  // last: it uses all the others
};

}  // namespace tmdbc::dashboard
