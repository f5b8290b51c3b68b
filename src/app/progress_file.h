// SPDX-License-Identifier: MIT
// ProgressFile: what neither the records nor TMDB can say again, kept beside catalog.db in progress.json, so that the
// loss of catalog.db costs no feed day and runs no schedule twice: how far the change feeds were read, which exports
// are in force, when the schedules ran, what a person agreed to. catalog.db is the master while it exists; the file is
// written after it and read by RestoreProgress() alone.
//
// A file that is too old, damaged or missing costs requests and no change. The queue is lost with catalog.db, so the
// watermark of a type in the file is one that it had while nothing of that type was queued: what was listed before it
// has been fetched, or was given up and is named in the file. Without a watermark the harvester goes back to the oldest
// verification (docs/decisions/storage.md). Bytes: docs/storage-format.md. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "harvester/accepted_exports.h"
#include "queue/queue_desk.h"
#include "scheduler/scheduler.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct SavedProgress {
  struct Feed {
    std::chrono::sys_days watermark{};
    std::int64_t sequence = 0;           // the newest of the type's records then: with older ones it is not to be believed
    std::vector<std::int64_t> given_up;  // dead letters, ascending
    bool operator==(const Feed&) const = default;
  };
  std::map<MediaType, Feed> feeds;
  std::optional<Time> upstream_date;  // the latest that TMDB is known to have reached
  std::vector<AcceptedExport> exports;
  std::map<std::string, ScheduleState> schedules;  // by name
  std::optional<Time> deletions_accepted_at;
};

// Times in milliseconds. The text ends with a checksum of itself and a line feed.
std::string FormatProgress(const SavedProgress& progress);
// kCorrupt when a byte of it differs from what was written.
Result<SavedProgress> ParseProgress(std::string_view text);

class ProgressFile {
 public:
  // All outlive it. `files` is rooted at DATA_DIR.
  ProgressFile(FileSystem& files, Database& catalog, QueueView& queue)
      : files_(files), catalog_(catalog), queue_(queue) {}

  // Reads the file and the watermarks that are there; before the first harvest of this process.
  Result<void> Open();
  // Writes the file when it would say something else than it does. An error has changed nothing: call it again.
  Result<void> Save();

 private:
  Result<SavedProgress> Now();
  Result<std::optional<SavedProgress::Feed>> FeedNow(MediaType type, std::chrono::sys_days watermark,
                                                     const QueueCounts& queued);

  FileSystem& files_;
  Database& catalog_;
  QueueView& queue_;
  SavedProgress saved_;          // what the file says
  std::string text_;             // its bytes; empty when there is none to believe
  std::set<MediaType> earlier_;  // types that had a watermark before this process
};

// The newest sequence number of each type that the file speaks of; none when there is no file to believe.
std::map<MediaType, std::uint32_t> SavedSequences(FileSystem& files);

// Puts what the file says where `catalog` says nothing: of the feeds, the exports, the schedules, the date and the
// agreement each by itself. Returns sentences for a person: what is not believed. The index has been made again
// before; nobody else is at work.
Result<std::vector<std::string>> RestoreProgress(FileSystem& files, Database& catalog, const Clock& clock);

}  // namespace tmdbc
