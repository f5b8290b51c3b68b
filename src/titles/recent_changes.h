// SPDX-License-Identifier: MIT
// RecentChanges: which records the last commits changed, as the follower reads it (follower.h), so that what was made
// of a record need not look it up again after every commit. Between a commit and the moment when the follower has read
// it nothing is known to be unchanged, nor where the follower cannot read all of it: then the store is asked, as if
// there were none of this. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <stop_token>
#include <unordered_map>

#include "tmdb/media_id.h"

namespace tmdbc::titles {

class RecentChanges {
 public:
  // So many changed records are remembered; when there are more, all are forgotten.
  static constexpr std::size_t kMost = 10'000;

  // A point between what the follower had read and what it had not; 0: before everything.
  using Moment = std::uint64_t;

  // --- for a reader of the store ---
  // Something was committed. Wakes the follower.
  void Committed();
  // What is read of the store after this call is at least as new.
  Moment Now() const;
  // Whether what was read of the record at `since` is what the store has, as of the last Committed().
  bool IsUnchanged(MediaId id, Moment since) const;
  // Whatever was read may have changed, by something else than a line of the feed.
  void Forget();

  // --- for the follower ---
  // Until Committed() is called, `at_most`, or until it is to stop.
  void Await(std::chrono::milliseconds at_most, const std::stop_token& stop);
  // How often Committed() has been called.
  std::uint64_t Commits() const;
  // All that had been committed at that count has been read; these are the records that it changed.
  void Followed(std::uint64_t commits, std::span<const MediaId> changed);

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any woken_;
  // All guarded by mutex_.
  std::uint64_t commits_ = 1, followed_ = 0;  // nothing is known before the follower has begun
  std::uint64_t awaited_ = 0;                 // of commits_: the last that woke the follower
  Moment now_ = 1, known_since_ = 1;
  std::unordered_map<MediaId, Moment> last_;  // change of each, since known_since_
};

}  // namespace tmdbc::titles
