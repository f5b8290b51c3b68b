// SPDX-License-Identifier: MIT
#include "storage/change_feed.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "storage/segment_path.h"
#include "storage/segment_reader.h"

namespace tmdbc {
namespace {

using Visit = ChangeFeed::Visit;
using Skip = ChangeFeed::Skip;

// One segment. The follower knows its sequence numbers up to `reached`.
class SegmentFeed {
 public:
  SegmentFeed(FileSystem& files, const SegmentRow& row, std::int64_t reached, const Visit& visit,
              const Skip& skip)
      : files_(files),
        path_(SealedPath(row.type, row.number)),
        bytes_(row.bytes),
        visit_(visit),
        skip_(skip),
        reached_(reached) {
    parts_ = row.origin ? row.origin->parts : std::vector<SegmentOrigin::Part>{{row.number, row.records}};
    left_ = parts_[0].lines;
  }

  // To its end, or to the end of a sequence number within which `visit` said that it is enough.
  Result<void> Read() {
    std::uint64_t end = bytes_;
    if (skip_) {
      TRY_ASSIGN(const std::uint64_t size, files_.Size(path_));
      end = std::min(end, size);
    }
    SegmentReader reader(files_, path_, end);
    TRY(EndParts());
    while (!enough_) {
      TRY_ASSIGN(const auto frame, reader.Next());
      if (!frame) break;
      if (!frame->damage.empty()) TRY(Damaged(frame->at, frame->damage));
      for (std::size_t line_at = 0; line_at < frame->content.size() && !enough_;) {
        const auto line = LineAt(frame->content, line_at);
        if (!line) {
          TRY(Damaged(frame->at, line.error().message));
          break;
        }
        if (part_ == parts_.size()) TRY(Damaged(frame->at, "it has more lines than it says"));
        TRY(Take(*line));
        line_at += line->size() + 1;
      }
    }
    if (!enough_ && !lost_ && part_ < parts_.size()) TRY(Damaged(end, "it has fewer lines than it says"));
    if (lost_) {
      reached_ = parts_.back().number;
      enough_ = wants_no_more_;
    }
    return {};
  }

  // The last sequence number whose lines have all been told.
  std::int64_t reached() const { return reached_; }
  bool enough() const { return enough_; }

 private:
  Result<void> Take(std::string_view line) {
    const std::int64_t sequence = parts_[part_].number;
    if (sequence > reached_) {
      TRY_ASSIGN(const bool more, visit_(sequence, line));
      wants_no_more_ = wants_no_more_ || !more;
    }
    --left_;
    return EndParts();
  }

  Result<void> EndParts() {
    while (left_ == 0 && part_ < parts_.size() && !enough_) {
      reached_ = std::max<std::int64_t>(reached_, parts_[part_].number);
      enough_ = wants_no_more_;
      if (++part_ < parts_.size()) left_ = parts_[part_].lines;
    }
    return {};
  }

  // Returns when it is to be skipped: what follows belongs to nobody knows which of the segment's numbers.
  // The last of them is above what every follower has, so that none misses a line.
  Result<void> Damaged(std::uint64_t at, std::string_view what) {
    const std::int64_t last = parts_.back().number;
    if (!skip_) {
      return Fail(ErrorCode::kCorrupt, Hint::kSkipDamaged, "{} is damaged at byte {}: {}; what follows it begins after {}",
                  path_, at, what, last);
    }
    lost_ = true;
    part_ = parts_.size() - 1;
    left_ = INT64_MAX;
    return skip_({last, path_, at, std::string(what)});
  }

  FileSystem& files_;
  const std::string path_;
  const std::uint64_t bytes_;
  const Visit& visit_;
  const Skip& skip_;
  std::vector<SegmentOrigin::Part> parts_;
  std::size_t part_ = 0;
  std::int64_t left_ = 0;  // lines of the part
  std::int64_t reached_;
  bool wants_no_more_ = false, enough_ = false;
  bool lost_ = false;  // something was skipped
};

}  // namespace

Result<std::int64_t> ChangeFeed::NewestSequence(MediaType type) {
  TRY_ASSIGN(const auto last, index_.LastSealed(type));
  return last ? last->place() : 0;
}

Result<std::int64_t> ChangeFeed::Read(MediaType type, std::int64_t since, const Visit& visit,
                                      const Skip& skip) {
  std::optional<std::uint32_t> vanished;
  TRY_ASSIGN(const std::int64_t newest, NewestSequence(type));
  if (since < 0 || since > newest) {
    return Fail(ErrorCode::kInvalid,
                "the feed of {} has no sequence number {}, its newest is {}: a store that was made again is "
                "followed from 0",
                Name(type), since, newest);
  }
  TRY_ASSIGN(auto sealed, index_.SealedInOrder(type, since));
  auto next = sealed.begin();
  while (true) {
    next = std::find_if(next, sealed.end(), [&](const SegmentRow& row) { return row.place() > since; });
    if (next == sealed.end()) return since;
    SegmentFeed feed(files_, *next, since, visit, skip);
    const auto read = feed.Read();
    since = feed.reached();
    if (read && feed.enough()) return since;
    if (read) continue;
    // A compaction beside us has taken the file away: what it held is found again, once.
    if (read.error().code != ErrorCode::kNotFound) return std::unexpected(read.error());
    if (vanished == next->number && skip) {
      TRY(skip({next->place(), SealedPath(type, next->number), 0, "missing"}));
      since = next->place();
      continue;
    }
    if (vanished == next->number) {
      return Fail(ErrorCode::kCorrupt, Hint::kSkipDamaged, "{} is missing; what follows it begins after {}",
                  SealedPath(type, next->number), next->place());
    }
    vanished = next->number;
    TRY_ASSIGN(sealed, index_.SealedInOrder(type, since));
    next = sealed.begin();
  }
}

}  // namespace tmdbc
