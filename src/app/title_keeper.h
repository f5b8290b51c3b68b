// SPDX-License-Identifier: MIT
// TitleKeeper: a thread that keeps the title index up to date while the read API is served. It reads the store by
// itself, with a connection of its own, so nobody waits for it.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/log.h"
#include "settings/settings.h"
#include "titles/recent_changes.h"
#include "titles/titles.h"

namespace tmdbc {

class TitleKeeper {
 public:
  using Say = std::function<void(LogLevel, const std::string&)>;

  // The index is in DATA_DIR/serve; where another process keeps that one, in a temporary folder. `say` is called in the
  // thread, with what an operator should know.
  TitleKeeper(const Settings& settings, Say say);
  // Ends the thread, within a second unless it builds an index just now.
  ~TitleKeeper();
  TitleKeeper(const TitleKeeper&) = delete;
  TitleKeeper& operator=(const TitleKeeper&) = delete;

  const titles::TitleSource& titles() const { return published_; }
  // What the thread has read of the last commits; it has to be told of each (RecentChanges::Committed).
  titles::RecentChanges& changes() { return changes_; }

 private:
  void Run(const std::stop_token& stop);
  // Until it fails, is to stop, or the store has to be opened again.
  Result<void> Follow(const std::string& folder, const std::stop_token& stop);

  const Settings settings_;
  const Say say_;
  titles::PublishedTitles published_;
  titles::RecentChanges changes_;
  std::string said_;  // the thread's: the failure that was told last, if it still lasts
  std::jthread thread_;
};

}  // namespace tmdbc
