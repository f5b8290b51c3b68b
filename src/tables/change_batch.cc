// SPDX-License-Identifier: MIT
#include "tables/change_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "storage/stats_patch.h"

namespace tmdbc::tables {

std::int64_t BucketOf(MediaType type, std::int64_t id, std::int64_t tv_id) {
  return (type == MediaType::kSeason ? tv_id : id) / kBucketIds;
}

Result<ChangeBatch> ChangeBatch::Read(ChangeFeed& feed, MediaType type, std::int64_t since,
                                      std::string spool_path, const StopFlag& stop) {
  TRY_ASSIGN(Spool spool, Spool::Create(std::move(spool_path)));
  ChangeBatch batch(type, since, std::move(spool));
  TRY_ASSIGN(batch.sequence_,
             feed.Read(
                 type, since,
                 [&](std::int64_t sequence, std::string_view line) -> Result<bool> {
                   if (stop.requested()) return Fail(ErrorCode::kUnavailable, "stopped");
                   TRY(batch.Take(sequence, line));
                   return true;
                 },
                 [&](const FeedDamage& damage) -> Result<void> {
                   batch.damages_.push_back(
                       fmt::format("{} is damaged at byte {}: {}", damage.file, damage.offset, damage.what));
                   return {};
                 }));
  batch.Settle();
  return batch;
}

Result<void> ChangeBatch::Take(std::int64_t sequence, std::string_view text) {
  const auto parsed = ParseRecordLine(text);
  if (!parsed) {
    damages_.push_back(fmt::format("a line of {} segment {} is damaged: {}", Name(type_), sequence,
                                   parsed.error().message));
    return {};
  }
  const RecordLine& line = *parsed;
  if (!line.is_record()) return {};
  const std::int64_t ordinal = lines_++;
  const Kind kind = !line.patch.empty()             ? Kind::kPatch
                    : line.data.empty()             ? Kind::kNoBody
                    : line.change == Change::kStats ? Kind::kOtherBody
                                                    : Kind::kBody;
  Mark(line);
  has_purge_ = has_purge_ || line.change == Change::kPurge;
  const std::int64_t bucket = BucketOf(type_, line.id.id, line.tv_id);
  entries_.push_back({line.id.id, bucket, ordinal, kind});
  return spool_.Add(bucket, ordinal, text);
}

void ChangeBatch::Mark(const RecordLine& line) {
  const FeedMark mark{line.id.id, line.version, line.fetched_at, line.change == Change::kStats};
  if (mark.stats) {
    numbers_ = mark;
    return;
  }
  std::erase_if(newest_, [&](const FeedMark& one) { return one.id == mark.id; });
  numbers_.reset();
  if (line.change == Change::kPurge) return;
  if (newest_.size() == kFeedMarks) newest_.erase(newest_.begin());
  newest_.push_back(mark);
}

std::vector<FeedMark> ChangeBatch::marks() const {
  std::vector<FeedMark> marks(newest_.rbegin(), newest_.rend());
  if (numbers_) marks.insert(marks.begin(), *numbers_);
  return marks;
}

void ChangeBatch::Settle() {
  std::ranges::sort(entries_, {}, [](const Entry& entry) { return std::pair(entry.id, entry.ordinal); });
  parts_.assign(std::size_t(lines_), Part::kNone);
  for (auto first = entries_.begin(); first != entries_.end();) {
    const auto end =
        std::find_if(first, entries_.end(), [&](const Entry& entry) { return entry.id != first->id; });
    const Entry& newest = *(end - 1);
    parts_[std::size_t(newest.ordinal)] = Part::kNewest;
    if (newest.kind == Kind::kPatch) {
      // A patch stands on the line that began the version, never on another stats line.
      for (auto entry = end - 1; entry != first;) {
        if ((--entry)->kind == Kind::kBody && entry->bucket == newest.bucket) {
          parts_[std::size_t(entry->ordinal)] = Part::kBase;
          break;
        }
      }
    }
    records_.emplace_back(newest.id, newest.bucket);
    first = end;
  }
  std::vector<Entry>().swap(entries_);
}

Result<void> ChangeBatch::ReadBucket(std::int64_t bucket, const VisitStep& step, const VisitState& state,
                                     const BaseOf& base_of) {
  struct Kept {
    std::string newest, base;
  };
  std::map<std::int64_t, Kept> kept;
  TRY(spool_.Read(bucket, [&](std::int64_t ordinal, std::string_view text) -> Result<void> {
    TRY_ASSIGN(const RecordLine line, ParseRecordLine(text));
    const Part part = parts_[std::size_t(ordinal)];
    if (part == Part::kNewest) kept[line.id.id].newest = text;
    if (part == Part::kBase) kept[line.id.id].base = text;
    return line.change == Change::kStats ? Result<void>() : step(line);
  }));
  for (const auto& [id, lines] : kept) {
    const auto done = Visit(lines.newest, lines.base, state, base_of);
    if (done) continue;
    if (!IsDamage(done.error())) return done;
    damages_.push_back(fmt::format("{} (up to segment {}) is damaged: {}", ToString(MediaId{type_, id}),
                                   sequence_, done.error().message));
    damaged_.push_back(id);
  }
  return {};
}

Result<void> ChangeBatch::Visit(std::string_view newest, std::string_view base_line, const VisitState& state,
                                const BaseOf& base_of) {
  State now;
  TRY_ASSIGN(now.line, ParseRecordLine(newest));
  now.data = now.line.data;
  if (now.line.patch.empty()) return state(now);
  std::optional<std::string> base;
  if (!base_line.empty()) {
    TRY_ASSIGN(const RecordLine line, ParseRecordLine(base_line));
    if (line.version == now.line.version) base = line.data;
  }
  if (!base) {
    TRY_ASSIGN(base, base_of(now.line.id, now.line.version));
  }
  if (!base) return state(now);
  const auto patched = ApplyStatsPatch(*base, now.line.patch);
  if (!patched)
    return Fail(ErrorCode::kCorrupt, "its numbers do not fit version {}: {}", now.line.version,
                patched.error().message);
  now.data = *patched;
  return state(now);
}

}  // namespace tmdbc::tables
