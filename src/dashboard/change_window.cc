// SPDX-License-Identifier: MIT
#include "dashboard/change_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/json_writer.h"
#include "dashboard/record_card.h"
#include "history/record_diff.h"
#include "storage/record_index.h"

namespace tmdbc::dashboard {
namespace {

// From where the last `bytes` of the feed are read.
Result<std::int64_t> BeginOfLast(std::uint64_t bytes, MediaType type, Database& catalog) {
  RecordIndex index(catalog);
  TRY_ASSIGN(const auto sealed, index.SealedInOrder(type));
  std::uint64_t sum = 0;
  for (auto row = sealed.rbegin(); row != sealed.rend(); ++row)
    if ((sum += row->bytes) > bytes)
      return row == sealed.rbegin() ? std::int64_t(row->place()) - 1 : row->place();
  return 0;
}

}  // namespace

Result<void> ChangeWindow::Follow(MediaType type, FileSystem& files, Database& catalog) {
  OfType& at = types_[type];
  const auto followed = FollowFeed(type, at, files, catalog);
  // Nothing is stored yet, or another store has taken its place: from the start.
  if (!followed &&
      (followed.error().code == ErrorCode::kNotFound || followed.error().code == ErrorCode::kInvalid)) {
    at = {};
    return {};
  }
  if (!followed) return followed;
  OpenTail tail(files, catalog);
  TRY_ASSIGN(const auto reached, tail.Read(type, at.since, at.open, [&](std::string_view line) -> Result<void> {
    Take(at, 0, line);
    return {};
  }));
  at.open = reached.position;
  return {};
}

Result<void> ChangeWindow::FollowFeed(MediaType type, OfType& at, FileSystem& files, Database& catalog) {
  if (!at.begun) {
    TRY_ASSIGN(at.since, BeginOfLast(kFirstBytes, type, catalog));
    at.begun = true;
  }
  ChangeFeed feed(files, catalog);
  TRY_ASSIGN(at.since, feed.Read(
                           type, at.since,
                           [&](std::int64_t sequence, std::string_view line) -> Result<bool> {
                             Take(at, sequence, line);
                             return true;
                           },
                           [&](const FeedDamage& damage) -> Result<void> {
                             Damaged(damage);
                             return {};
                           }));
  return {};
}

void ChangeWindow::Take(OfType& at, std::int64_t sequence, std::string_view text) {
  const auto line = ParseRecordLine(text);
  if (!line || !line->is_record()) return;
  const Key key{line->id.id, line->version, line->change, line->fetched_at};
  const bool numbers = line->change == Change::kStats;
  std::deque<ChangeEntry>& entries = numbers ? at.numbers : at.changes;
  if (sequence != 0 && at.unsealed.erase(key) > 0) {
    const auto told = std::ranges::find_if(entries, [&](const ChangeEntry& entry) {
      return Key{entry.id.id, entry.version, entry.change, entry.fetched_at} == key;
    });
    if (told == entries.end()) return;  // it has left the window
    told->sequence = sequence;
    told->revision = ++revision_;
    return;
  }
  if (sequence == 0) at.unsealed.insert(key);
  entries.push_back({.number = ++number_,
                     .revision = ++revision_,
                     .sequence = sequence,
                     .id = line->id,
                     .tv_id = line->tv_id,
                     .season_number = line->season_number,
                     .version = line->version,
                     .change = line->change,
                     .fetched_at = line->fetched_at});
  if (entries.size() > kKept) entries.pop_front();
}

void ChangeWindow::Damaged(const FeedDamage& damage) {
  const bool known = std::ranges::any_of(
      damages_, [&](const FeedDamage& d) { return d.file == damage.file && d.offset == damage.offset; });
  if (known) return;
  damages_.push_back(damage);
  if (damages_.size() > kDamagesKept) damages_.pop_front();
}

bool ChangeWindow::Describe(RecordReader& reader, int most) {
  std::vector<ChangeEntry*> bare;
  for (auto& [type, at] : types_) {
    for (auto* entries : {&at.changes, &at.numbers})
      for (ChangeEntry& entry : *entries)
        if (!entry.described) bare.push_back(&entry);
  }
  std::ranges::sort(bare, std::greater(), &ChangeEntry::fetched_at);
  for (ChangeEntry* entry : bare) {
    if (most-- == 0) return true;
    Describe(reader, *entry);
  }
  return false;
}

void ChangeWindow::Describe(RecordReader& reader, ChangeEntry& entry) {
  entry.described = true;  // whatever comes of it: what cannot be read is told without
  entry.revision = ++revision_;
  if (entry.change == Change::kUpdate || entry.change == Change::kDelete) {
    Compare(reader, entry);
  } else if (const auto view = reader.Find(entry.id); view && view->live()) {
    entry.title = TitleOf(view->data);
  }
  if (entry.id.type != MediaType::kSeason) return;
  if (const auto show = reader.Find({MediaType::kTv, entry.tv_id}); show && show->live())
    entry.title = fmt::format("{}: {}", TitleOf(show->data), entry.title);
}

void ChangeWindow::Compare(RecordReader& reader, ChangeEntry& entry) {
  const auto history = reader.History(entry.id);
  if (!history) return;
  const auto after = std::ranges::find(*history, entry.version, &StoredRecord::version);
  if (after == history->end() || after == history->begin()) return;
  const auto before = std::prev(after);
  entry.title = TitleOf(after->live() ? after->data : before->data);
  if (!after->live() || !before->live()) return;
  if (const auto diff = RecordDiff::Between(before->data, after->data)) entry.what = diff->Summary();
}

std::vector<ChangeEntry> ChangeWindow::Entries() const {
  std::vector<ChangeEntry> all;
  for (const auto& [type, at] : types_) {
    for (const auto* entries : {&at.changes, &at.numbers})
      all.insert(all.end(), entries->begin(), entries->end());
  }
  std::ranges::sort(all, [](const ChangeEntry& a, const ChangeEntry& b) {
    return std::tie(a.fetched_at, a.number) > std::tie(b.fetched_at, b.number);
  });
  return all;
}

std::string ChangesJson(const std::vector<ChangeEntry>& entries, std::int64_t revision, std::int64_t since) {
  JsonWriter json;
  json.BeginObject().Field("revision", revision).Key("changes").BeginArray();
  for (const ChangeEntry& entry : entries) {
    if (entry.revision <= since) continue;
    json.BeginObject()
        .Field("number", entry.number)
        .Field("seq", entry.sequence)
        .Field("type", Name(entry.id.type));
    json.Field("id", entry.id.id).Field("version", entry.version).Field("change", Name(entry.change));
    if (entry.id.type == MediaType::kSeason)
      json.Field("tv_id", entry.tv_id).Field("season_number", entry.season_number);
    json.Field("at", FormatTime(entry.fetched_at))
        .Field("title", entry.title)
        .Field("what", entry.what)
        .EndObject();
  }
  return json.EndArray().EndObject().text();
}

}  // namespace tmdbc::dashboard
