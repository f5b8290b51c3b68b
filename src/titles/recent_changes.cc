// SPDX-License-Identifier: MIT
#include "titles/recent_changes.h"

#include <algorithm>

#include "titles/entry.h"

namespace tmdbc::titles {

void RecentChanges::Committed() {
  {
    const std::scoped_lock lock(mutex_);
    ++commits_;
  }
  woken_.notify_all();
}

RecentChanges::Moment RecentChanges::Now() const {
  const std::scoped_lock lock(mutex_);
  return now_;
}

bool RecentChanges::IsUnchanged(MediaId id, Moment since) const {
  // What is not indexed is not followed.
  if (std::ranges::find(kIndexedTypes, id.type) == kIndexedTypes.end()) return false;
  const std::scoped_lock lock(mutex_);
  if (followed_ != commits_ || since < known_since_) return false;
  const auto changed = last_.find(id);
  return changed == last_.end() || changed->second <= since;
}

void RecentChanges::Forget() {
  const std::scoped_lock lock(mutex_);
  known_since_ = ++now_;
  last_.clear();
}

void RecentChanges::Await(std::chrono::milliseconds at_most, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, stop, at_most, [this] { return commits_ != awaited_; });
  awaited_ = commits_;
}

std::uint64_t RecentChanges::Commits() const {
  const std::scoped_lock lock(mutex_);
  return commits_;
}

void RecentChanges::Followed(std::uint64_t commits, std::span<const MediaId> changed) {
  const std::scoped_lock lock(mutex_);
  if (!changed.empty()) ++now_;
  for (const MediaId& id : changed) last_[id] = now_;
  followed_ = commits;
  if (last_.size() <= kMost) return;
  known_since_ = ++now_;
  last_ = {};
}

}  // namespace tmdbc::titles
