// SPDX-License-Identifier: MIT
// Follower: keeps the title index of a folder (DATA_DIR/serve) up to date with our own change feed: what is sealed, and
// behind it what has been committed to the open segments, so that a record is found as soon as it is looked for again
// after its commit. Reads beside the process that writes and never makes it wait. What it knows is on the shelves
// (shelf.h): after a restart it goes on where it was; what is damaged, of another version or of a store that was made
// again is built again. One thread; the index that it publishes belongs to any.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/folder_lock.h"
#include "base/log.h"
#include "base/sqlite.h"
#include "base/stop.h"
#include "storage/change_feed.h"
#include "storage/open_tail.h"
#include "storage/popularity_table.h"
#include "storage/record_line.h"
#include "storage/record_reader.h"
#include "titles/recent_changes.h"
#include "titles/shelf.h"
#include "titles/titles.h"

namespace tmdbc::titles {

struct FollowerOptions {
  // So many entries are held in memory before they become a file: while the index is built, and later.
  std::size_t entries_while_building = 100'000;
  std::size_t entries_in_memory = 1'000;
  // How often the popularities are looked at again; an export comes once a day.
  Duration popularity_interval = std::chrono::minutes(1);
};

class Follower {
 public:
  // A sentence for the log, and how much it matters; what it says has been settled.
  using Say = std::function<void(LogLevel, const std::string&)>;

  // All but the folder's name and the options outlive it. `folder` is made when it is absent. `changes` is told what
  // was read; null: nobody is.
  Follower(FileSystem& files, Database& catalog, const Clock& clock, std::string folder, PublishedTitles& published,
           Say say, FollowerOptions options = {}, RecentChanges* changes = nullptr);

  // Takes what is new and publishes it; whether there was anything. The first call publishes what is on the shelves at
  // once, if all are there, and comes back when it has caught up with the feed: after a minute or so when it had to
  // build. A stop request ends it between two segments. When a file of the index was cut off in use, nothing is
  // published until that type is built again. kBusy: another process keeps the index in this folder.
  Result<bool> Poll(const StopFlag& stop);

 private:
  struct Followed {
    Shelf shelf;
    std::int64_t sealed = 0;  // the sequence number up to which the feed has been read
    OpenTail::Position open = {};
    bool building = false;  // it was empty, and the feed has not been read to its end yet
    std::optional<TypeTitles> view = {};  // as it was published; nothing: it has changed since
  };

  Result<void> Open();
  Result<bool> Follow(Followed& one, const StopFlag& stop);
  Result<void> BeginAnew(Followed& one, std::string_view why);
  Result<void> DiscardLost(Followed& one);
  Result<void> Take(Followed& one, std::string_view line);
  void NoteChanged(MediaId id);
  // Everything that had been committed at that count has been taken, if all could be read.
  void TellChanges(std::uint64_t commits);
  Result<void> TakeRecord(Followed& one, const RecordLine& line);
  Result<void> Save(Followed& one, Shelf::Merge merge);
  Result<void> Publish();
  bool RefreshPopularity();
  void LoadPast();
  // Another day's popularities are there: notes what is most popular now.
  void NotePast();
  PopularityOf PopularityBy(MediaType type);

  const Clock& clock_;
  const std::string folder_;
  PublishedTitles& published_;
  const Say say_;
  const FollowerOptions options_;
  ChangeFeed feed_;
  OpenTail tail_;
  RecordReader reader_;
  PopularityTable popularities_;
  std::optional<MonoTime> popularity_read_;
  std::optional<FolderLock> lock_;
  std::vector<Followed> followed_;  // empty: not opened yet
  PastDays past_;
  bool past_is_due_ = false;
  bool published_once_ = false;
  std::uint64_t state_ = 0;
  std::int64_t unreadable_ = 0;  // records that could not be read, told once

  RecentChanges* const changes_;
  std::vector<MediaId> changed_;  // not told yet
  bool unclear_ = true;           // more was changed than these
  bool read_all_ = false;         // by this Poll()
};

}  // namespace tmdbc::titles
