// SPDX-License-Identifier: MIT
// DemandDesk: where the thread that serves leaves what it wants of TMDB, and where the thread that fetches takes it and
// brings the replies. Any thread.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "tmdb/demand.h"

namespace tmdbc {

class DemandDesk {
 public:
  using Reply = std::function<void(const Demand&, DemandReply)>;

  // --- who serves ---
  void Put(Demand demand) {
    const std::lock_guard lock(mutex_);
    demands_.push_back(std::move(demand));
    if (wake_) wake_();
  }
  // Where the replies go; called in the other thread, and never after the return of a call that gave an empty one.
  void OnReply(Reply reply) {
    const std::lock_guard lock(mutex_);
    reply_ = std::move(reply);
  }

  // --- who fetches ---
  // Called when there is something to take; must not call the desk.
  void OnPut(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
  }
  std::vector<Demand> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(demands_, {});
  }
  void Bring(const Demand& demand, DemandReply reply) {
    const std::lock_guard lock(mutex_);
    if (reply_) reply_(demand, std::move(reply));
  }

 private:
  std::mutex mutex_;
  std::vector<Demand> demands_;
  Reply reply_;
  std::function<void()> wake_;
};

}  // namespace tmdbc
