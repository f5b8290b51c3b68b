// SPDX-License-Identifier: MIT
#include "titles/follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "titles/past_popularity.h"

namespace tmdbc::titles {
namespace {

constexpr std::array kPopularTypes = {MediaType::kMovie, MediaType::kTv, MediaType::kPerson};
constexpr std::uint64_t kMaxPastBytes = 16 << 20;
std::string PastName(MediaType type) {
  return fmt::format("{}.past", Name(type));
}

std::uint32_t SecondsOf(Time time) {
  return std::uint32_t(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

}  // namespace

Follower::Follower(FileSystem& files, Database& catalog, const Clock& clock, std::string folder,
                   PublishedTitles& published, Say say, FollowerOptions options, RecentChanges* changes)
    : clock_(clock),
      folder_(std::move(folder)),
      published_(published),
      say_(std::move(say)),
      options_(options),
      feed_(files, catalog),
      tail_(files, catalog),
      reader_(files, catalog),
      popularities_(catalog),
      // After a restart no state has the number of another one before it.
      state_(std::uint64_t(clock.Now().time_since_epoch().count())),
      changes_(changes) {}

Result<void> Follower::Open() {
  if (!lock_) {
    TRY_ASSIGN(auto lock, FolderLock::Take(folder_, "keeps the title index"));
    lock_.emplace(std::move(lock));
  }
  std::vector<Followed> followed;
  for (const MediaType type : kIndexedTypes) {
    TRY_ASSIGN(Shelf shelf, Shelf::Open(folder_, type));
    if (!shelf.fresh_because().empty())
      say_(LogLevel::kInfo, fmt::format("the title index of {} is built again: {}", Name(type), shelf.fresh_because()));
    followed.push_back({.shelf = std::move(shelf)});
    Followed& one = followed.back();
    one.sealed = one.shelf.saved_up_to();
    one.building = one.sealed == 0;
  }
  followed_ = std::move(followed);
  LoadPast();
  past_is_due_ = true;
  return {};
}

void Follower::LoadPast() {
  PosixFileSystem folder(folder_);
  for (const MediaType type : kPopularTypes) {
    const auto bytes = folder.Read(PastName(type), 0, kMaxPastBytes);
    auto days = bytes ? UnpackPast(*bytes) : std::unexpected(bytes.error());
    if (days) past_[type] = *std::move(days);
  }
}

void Follower::NotePast() {
  PosixFileSystem folder(folder_);
  const auto today = std::int32_t(std::chrono::floor<std::chrono::days>(clock_.Now()).time_since_epoch().count());
  for (const Followed& one : followed_) {
    const MediaType type = one.shelf.type();
    if (std::ranges::find(kPopularTypes, type) == kPopularTypes.end() || !one.view) continue;
    AddDay(past_[type], TopOf(*one.view, today));
    // Lost, it is missed for a week at most.
    if (const auto written = WriteWhole(folder, PastName(type), PackPast(past_[type])); !written)
      say_(LogLevel::kWarn, written.error().message);
  }
}

Result<bool> Follower::Poll(const StopFlag& stop) {
  const std::uint64_t commits = changes_ == nullptr ? 0 : changes_->Commits();
  read_all_ = true;
  if (followed_.empty()) {
    TRY(Open());
    RefreshPopularity();
    if (std::ranges::none_of(followed_, &Followed::building)) TRY(Publish());
  }
  bool news = false;
  for (Followed& one : followed_) {
    if (one.shelf.lost()) TRY(DiscardLost(one));
    auto some = Follow(one, stop);
    if (one.shelf.lost()) {
      TRY(DiscardLost(one));
      some = Follow(one, stop);
    }
    if (!some) return some;
    if (*some) one.view.reset();
    news = news || *some;
    if (stop.requested()) return news;
  }
  news = RefreshPopularity() || news || !published_once_;
  if (news) TRY(Publish());
  TellChanges(commits);
  return news;
}

void Follower::NoteChanged(MediaId id) {
  if (changes_ == nullptr) return;
  if (changed_.size() == RecentChanges::kMost) {
    changed_.clear();
    unclear_ = true;
  }
  changed_.push_back(id);
}

void Follower::TellChanges(std::uint64_t commits) {
  if (changes_ == nullptr || !read_all_) return;
  if (std::exchange(unclear_, false)) changes_->Forget();
  changes_->Followed(commits, changed_);
  changed_.clear();
}

Result<void> Follower::DiscardLost(Followed& one) {
  published_.Publish(nullptr);
  published_once_ = false;
  one.view.reset();
  return BeginAnew(one, "a file of it was cut off, or cannot be read any longer");
}

Result<bool> Follower::Follow(Followed& one, const StopFlag& stop) {
  const MediaType type = one.shelf.type();
  TRY_ASSIGN(const std::int64_t newest, feed_.NewestSequence(type));
  if (newest < one.sealed) {
    TRY(BeginAnew(one, "the store was made again"));
  } else if (one.sealed == one.shelf.saved_up_to() && one.sealed > 0) {
    TRY_ASSIGN(const std::uint32_t mark, tail_.MarkOf(type, one.sealed));
    if (mark != 0 && one.shelf.mark() != 0 && mark != one.shelf.mark())
      TRY(BeginAnew(one, "the store was made again"));
  }
  bool news = false;
  const std::size_t limit = options_.entries_while_building;
  const auto visit = [&](std::int64_t, std::string_view line) -> Result<bool> {
    news = true;
    TRY(Take(one, line));
    return one.shelf.pending() < limit && !stop.requested();
  };
  const auto skip = [&](const FeedDamage& damage) -> Result<void> {
    say_(LogLevel::kWarn, fmt::format("the title index passes over damage in {} at byte {}: {}", damage.file,
                                      damage.offset, damage.what));
    unclear_ = true;
    return {};
  };
  while (one.sealed < newest) {
    TRY_ASSIGN(one.sealed, feed_.Read(type, one.sealed, visit, skip));
    if (stop.requested()) return news;
    if (one.shelf.pending() >= limit) TRY(Save(one, Shelf::Merge::kNone));
  }
  TRY_ASSIGN(const auto reached, tail_.Read(type, one.sealed, one.open, [&](std::string_view line) -> Result<void> {
    news = true;
    return Take(one, line);
  }));
  one.open = reached.position;
  // The next Poll() reads what is left, or passes over it.
  if (!reached.all) unclear_ = true;
  read_all_ = read_all_ && reached.all;
  if (one.building) {
    TRY(Save(one, Shelf::Merge::kAll));
    one.building = false;
  } else if (one.shelf.pending() >= options_.entries_in_memory) {
    TRY(Save(one, Shelf::Merge::kSome));
  }
  return news;
}

Result<void> Follower::BeginAnew(Followed& one, std::string_view why) {
  say_(LogLevel::kInfo, fmt::format("the title index of {} is built again: {}", Name(one.shelf.type()), why));
  TRY(one.shelf.Clear());
  one.sealed = 0;
  one.open = {};
  one.building = true;
  return {};
}

Result<void> Follower::Take(Followed& one, std::string_view text) {
  const auto line = ParseRecordLine(text);
  if (line && !line->is_record()) return {};
  if (line) NoteChanged(line->id);
  unclear_ = unclear_ || !line;
  const auto taken = line ? TakeRecord(one, *line) : std::unexpected(line.error());
  if (taken || taken.error().code == ErrorCode::kIo) return taken;
  if (unreadable_++ == 0)
    say_(LogLevel::kWarn, fmt::format("the title index leaves out what it cannot read: {}", taken.error().message));
  return {};
}

Result<void> Follower::TakeRecord(Followed& one, const RecordLine& line) {
  if (line.id.id < 0 || line.id.id > UINT32_MAX)
    return Fail(ErrorCode::kInvalid, "{}: the title index takes no such id", ToString(line.id));
  if (line.change == Change::kDelete || line.change == Change::kPurge) {
    one.shelf.Put(GoneEntry(line.id.id));
    return {};
  }
  TRY_ASSIGN(const auto known, one.shelf.Find(std::uint32_t(line.id.id)));
  const bool numbers_only = line.change == Change::kStats && known && !known->gone();
  Entry entry;
  if (!line.patch.empty() && numbers_only) {
    entry = *known;
    TRY(ApplyNumbers(entry, line.patch));
  } else if (!line.patch.empty()) {
    // What it is a patch of was not to be read; the store may know more by now.
    TRY_ASSIGN(const StoredRecord record, reader_.Find(line.id));
    TRY_ASSIGN(entry, EntryOf(line.id, line.tv_id, record.data));
  } else {
    TRY_ASSIGN(entry, EntryOf(line.id, line.tv_id, line.data));
    if (numbers_only) entry.base = known->base;
  }
  entry.fixed.changed = numbers_only ? known->fixed.changed : SecondsOf(line.fetched_at);
  one.shelf.Put(entry);
  return {};
}

Result<void> Follower::Save(Followed& one, Shelf::Merge merge) {
  TRY_ASSIGN(const std::uint32_t mark, tail_.MarkOf(one.shelf.type(), one.sealed));
  return one.shelf.Save(one.sealed, mark, merge);
}

PopularityOf Follower::PopularityBy(MediaType type) {
  return [walk = PopularityTable::Walk(popularities_, type)](std::int64_t id) mutable -> std::optional<float> {
    const auto found = walk.Find(id);
    return found ? *found : std::nullopt;  // a store without the table has no export yet
  };
}

bool Follower::RefreshPopularity() {
  if (popularity_read_ && clock_.Mono() - *popularity_read_ < options_.popularity_interval) return false;
  popularity_read_ = clock_.Mono();
  bool changed = false;
  for (Followed& one : followed_) {
    if (!one.shelf.RefreshPopularity(PopularityBy(one.shelf.type()))) continue;
    one.view.reset();
    changed = past_is_due_ = true;
  }
  return changed;
}

Result<void> Follower::Publish() {
  std::vector<TypeTitles> types;
  for (Followed& one : followed_) {
    if (!one.view) {
      TRY_ASSIGN(one.view, one.shelf.View(PopularityBy(one.shelf.type())));
    }
    types.push_back(*one.view);
  }
  if (std::exchange(past_is_due_, false)) NotePast();
  published_.Publish(std::make_shared<const Titles>(std::move(types), ++state_, past_));
  published_once_ = true;
  return {};
}

}  // namespace tmdbc::titles
