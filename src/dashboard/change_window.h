// SPDX-License-Identifier: MIT
// ChangeWindow: the newest changes of the mirror, of each type so many. It follows our change feed, and beyond it the
// segment that is still open, so that a change is here within seconds and not when its segment is sealed. In memory
// alone: each start begins with what was written last. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "storage/change_feed.h"
#include "storage/open_tail.h"
#include "storage/record.h"
#include "storage/record_line.h"
#include "storage/record_reader.h"

namespace tmdbc::dashboard {

struct ChangeEntry {
  std::int64_t number = 0;  // of this window: the later one is greater
  std::int64_t revision = 0;  // greater than that of all that was told before: what was added, or has been amended
  std::int64_t sequence = 0;  // in the feed; 0: its segment is not sealed yet
  MediaId id{};
  std::int64_t tv_id = 0, season_number = 0;  // of a season
  std::int64_t version = 0;
  Change change = Change::kInsert;
  Time fetched_at{};
  std::string title = {};
  std::string what = {};  // of an update: "title, credits.cast (+1 -2)"
  bool described = false;
};

class ChangeWindow {
 public:
  // Of each type, and of those in which only numbers moved as many again.
  static constexpr std::size_t kKept = 150;
  // Of the feed's end, at the first look.
  static constexpr std::uint64_t kFirstBytes = 8 << 20;
  static constexpr std::size_t kDamagesKept = 20;

  // Takes in what is new of one type. An error leaves it as it was.
  Result<void> Follow(MediaType type, FileSystem& files, Database& catalog);
  // Gives up to `most` of the newest entries that lack them a title and what they changed; true when some are left.
  bool Describe(RecordReader& reader, int most);

  // The newest first.
  std::vector<ChangeEntry> Entries() const;
  std::int64_t revision() const { return revision_; }
  const std::deque<FeedDamage>& damages() const { return damages_; }

 private:
  using Key = std::tuple<std::int64_t, std::int64_t, Change, Time>;  // id, version, ...
  struct OfType {
    bool begun = false;
    std::int64_t since = 0;                    // of the feed
    OpenTail::Position open;                   // beyond it
    std::deque<ChangeEntry> changes, numbers;  // the oldest first
    std::set<Key> unsealed;                    // told, but not by the feed yet
  };

  Result<void> FollowFeed(MediaType type, OfType& at, FileSystem& files, Database& catalog);
  void Take(OfType& at, std::int64_t sequence, std::string_view line);
  void Describe(RecordReader& reader, ChangeEntry& entry);
  // The title, and what the version changed.
  void Compare(RecordReader& reader, ChangeEntry& entry);
  void Damaged(const FeedDamage& damage);

  std::map<MediaType, OfType> types_;
  std::deque<FeedDamage> damages_;
  std::int64_t number_ = 0, revision_ = 0;
};

// The entries of a revision above `since`, the newest first: {"revision","changes":[...]}.
std::string ChangesJson(const std::vector<ChangeEntry>& entries, std::int64_t revision, std::int64_t since);

}  // namespace tmdbc::dashboard
