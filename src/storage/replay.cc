// SPDX-License-Identifier: MIT
#include "storage/replay.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/stats_patch.h"

namespace tmdbc {
namespace {

IndexRow RowOf(const RecordLine& line, const Place& place) {
  IndexRow row;
  row.id = line.id;
  row.tv_id = line.tv_id;
  row.season_number = line.season_number;
  row.version = line.version;
  row.change = line.change;
  row.fetched_at = row.verified_at = line.fetched_at;
  row.place = place;
  return row;
}

}  // namespace

Result<void> FindOrigin(BlobReader& files, FoundSegment& segment) {
  auto origin = ReadOrigin(files, segment.path);
  if (!origin && !IsDamage(origin.error())) return std::unexpected(origin.error());
  segment.late = !origin;  // reading on meets the damage
  if (origin) segment.origin = *std::move(origin);
  return {};
}

// Which segment, as it was first sealed, the next line is from.
class Replay::Source {
 public:
  explicit Source(const FoundSegment& segment) : late_(segment.late) {
    if (segment.origin) parts_ = segment.origin->parts;
    Settle();
  }
  // Empty where nobody knows: of a segment that was never compacted it is that segment's own number.
  std::optional<std::uint32_t> number() const {
    return at_ < parts_.size() ? std::optional(parts_[at_].number) : std::nullopt;
  }
  // The line may be of any segment that went into this one.
  bool unclear() const { return late_; }
  void Next() {
    if (at_ < parts_.size() && ++lines_ >= parts_[at_].lines) ++at_, lines_ = 0;
    Settle();
  }
  // How many lines were lost nobody knows.
  void Lose() {
    late_ = late_ || !parts_.empty();
    parts_.clear();
  }

 private:
  void Settle() {
    while (at_ < parts_.size() && parts_[at_].lines == 0) ++at_;
  }

  std::vector<SegmentOrigin::Part> parts_;
  std::size_t at_ = 0;
  std::int64_t lines_ = 0;
  bool late_;
};

Result<void> Replay::Take(const FoundSegment& found) {
  const std::string& path = found.path;
  TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
  SegmentRow row{
      .type = type_, .number = found.number, .bytes = size, .sealed_at = {}, .origin = found.origin};
  late_ = found.late;
  dead_ = {};
  Source source(found);
  SegmentReader reader(files_, path, size);
  std::uint64_t whole_end = 0;
  const std::size_t damage_before = report_.damage.size();
  while (true) {
    TRY_ASSIGN(const auto frame, reader.Next());
    if (!frame) break;
    ++report_.frames;
    if (!frame->content.empty()) ++row.frames;
    if (!frame->damage.empty()) {
      Note(path, frame->at, "frame: " + frame->damage);
      source.Lose();
      continue;
    }
    whole_end = frame->at + frame->length;
    for (std::size_t line_at = 0; line_at < frame->content.size();) {
      const auto text = LineAt(frame->content, line_at);
      if (!text) {
        Note(path, frame->at, text.error().message);
        source.Lose();
        break;
      }
      const Place place{found.number, frame->at, static_cast<std::uint32_t>(frame->length),
                        static_cast<std::uint32_t>(line_at), static_cast<std::uint32_t>(text->size() + 1)};
      row.content += place.line_length;
      TRY(TakeLine(path, *text, place, row, source));
      source.Next();
      line_at += text->size() + 1;
    }
  }
  row.crc = reader.crc();
  // Damage does not become sound by being counted: a checksum that cannot match keeps `verify` naming it.
  if (!found.open && report_.damage.size() > damage_before) row.crc = ~row.crc;
  if (found.open && whole_end < size) {
    row.bytes = whole_end;
    const auto crc = CrcOf(files_, path, whole_end);
    if (!crc && !IsDamage(crc.error())) return std::unexpected(crc.error());
    row.crc = crc ? *crc : ~row.crc;
    tails_.push_back({path, whole_end});
  }
  if (!found.open) {
    TRY_ASSIGN(row.sealed_at, SealedAt(row.place()));
  }
  ++report_.segments;
  report_.bytes += std::int64_t(row.bytes);
  // An open segment that holds nothing is one that was never committed; the next Open() removes it.
  if (found.open && row.bytes == 0) return {};
  TRY(index_.PutSegment(row));
  return dead_.Write(index_, [&](MediaType) { return found.number; });
}

Result<void> Replay::Finish() {
  return TakeDeferred();
}

Result<void> Replay::TakeLine(const std::string& path, std::string_view text, const Place& place,
                              SegmentRow& segment, Source& source) {
  const auto line = ParseRecordLine(text);
  if (!line) {
    Note(path, place.frame_at, line.error().message);
    return {};
  }
  ++report_.records;
  ++segment.records;
  last_fetched_ = line->fetched_at;
  if (segment.records == 1) segment.opened_at = line->fetched_at;
  if (!line->is_record() && line->id.type == type_) {
    const auto number = source.number();
    if (knows_ && number && knows_(*number)) {
      ++known_;
      return {};
    }
    if (knows_) late_ = source.unclear();
    return TakeVerified(*line);
  }
  if (line->id.type != type_ || line->id.id < 1 || line->id.id > kMaxRecordId) {
    Note(path, place.frame_at, "not a record of this type", {line->id});
    return {};
  }
  const bool known = knows_ && source.number() && knows_(*source.number());
  if (known || (knows_ && source.unclear())) {
    TRY_ASSIGN(const bool moved, Move(*line, place));
    if (moved || known) {
      ++known_;
      return {};
    }
  }
  if (knows_) late_ = source.unclear();
  return TakeRecord(path, text, *line, place);
}

Result<bool> Replay::Move(const RecordLine& line, const Place& to) {
  const auto is = [&](const auto& row) {
    return row.version == line.version && row.change == line.change && row.fetched_at == line.fetched_at;
  };
  std::optional<Place> from;
  TRY_ASSIGN(const auto view, index_.Find(line.id));
  if (view && is(*view)) from = view->place;
  if (view && !from) {
    TRY_ASSIGN(const auto steps, index_.Steps(line.id));
    const auto step = std::ranges::find_if(steps, is);
    if (step != steps.end()) from = step->place;
  }
  if (!from) return false;
  TRY(index_.Move(line.id, *from, to));
  return true;
}

Result<void> Replay::TakeRecord(const std::string& path, std::string_view text, const RecordLine& line,
                                const Place& place) {
  const auto damaged = [&](std::string what) { Note(path, place.frame_at, std::move(what), {line.id}); };
  IndexRow row = RowOf(line, place);
  if (!line.patch.empty()) {
    TRY_ASSIGN(const auto before, index_.Find(row.id));
    if (!before || !before->live() || before->version != row.version) {
      deferred_.push_back({path, std::string(text), place});
      return {};
    }
    TRY(HashPatched(*before, line, row, damaged));
  }
  if (!line.data.empty()) {
    if (Sha256Hex(line.data) != line.sha256) damaged("sha256 differs");
    const auto hash = HashContent(line.data);
    if (hash) row.hash = *hash;
    if (!hash) damaged(hash.error().message);
    if (hash && type_ == MediaType::kSeason) {
      TRY_ASSIGN(const auto episodes, EpisodesOf(line.data));
      for (const EpisodeRef& episode : episodes) TRY(index_.PutEpisode(episode.id, row.id.id));
    }
  }
  return Enter(row);
}

template <class Damaged>
Result<void> Replay::HashPatched(const IndexRow& before, const RecordLine& line, IndexRow& row,
                                 const Damaged& damaged) {
  row.hash.content = before.hash.content;
  const auto patched = [&]() -> Result<ContentHash> {
    TRY_ASSIGN(const Place base, RecordLoader::BaseOf(index_, before));
    TRY_ASSIGN(const std::string body, loader_.LoadBody(before.id, before.version, base));
    TRY_ASSIGN(const std::string now, ApplyStatsPatch(body, line.patch));
    return HashContent(now);
  }();
  if (!patched && !IsDamage(patched.error())) return std::unexpected(patched.error());
  if (patched) row.hash = *patched;
  if (!patched) damaged(patched.error().message);
  return {};
}

// Patches that came before the line they stand on: that one was in a segment that could not say its place, or is lost.
Result<void> Replay::TakeDeferred() {
  for (const Deferred& one : deferred_) {
    const auto damaged = [&](std::string what) {
      Note(one.path, one.place.frame_at, std::move(what), {ParseRecordLine(one.text)->id});
    };
    TRY_ASSIGN(const RecordLine line, ParseRecordLine(one.text));
    TRY_ASSIGN(const auto before, index_.Find(line.id));
    if (before && (before->version > line.version || !before->live())) continue;
    if (!before || before->version < line.version) {
      damaged(fmt::format("the line that began version {} is lost", line.version));
    } else if (before->fetched_at < line.fetched_at) {
      IndexRow row = RowOf(line, one.place);
      TRY(HashPatched(*before, line, row, damaged));
      row.verified_at = std::max(row.verified_at, before->verified_at);
      TRY(Enter(row));
    }
  }
  return {};
}

Result<void> Replay::TakeVerified(const RecordLine& line) {
  for (const std::int64_t number : line.ids) {
    const MediaId id{type_, number};
    TRY_ASSIGN(const auto before, index_.Find(id));
    // What a late segment says is older than what is known.
    if (late_ && before && before->verified_at >= line.fetched_at) continue;
    const bool live = before && before->live();
    if (line.status == 200) {
      if (!live) continue;  // its own lines are lost
      TRY(Unmark(id));
    } else if (live) {
      TRY(index_.PutHeld(id, line.fetched_at));
      marked_.insert(number);
      continue;
    } else {
      TRY_ASSIGN(const auto missing, index_.Missing(id));
      // The 404 that made a tombstone is counted without a row.
      MissingRow row = missing.value_or(MissingRow{before && before->change == Change::kDelete ? 1 : 0, {}});
      ++row.attempts;
      row.last_checked = line.fetched_at;
      TRY(index_.PutMissing(id, row));
      marked_.insert(number);
    }
    if (!before) continue;
    dead_.AddConfirmation(*before);
    TRY(index_.PutVerified(id, line.fetched_at));
  }
  return {};
}

// A record, or TMDB's answer for a live one: it is neither missing nor held any more.
Result<void> Replay::Unmark(MediaId id) {
  if (!knows_ && marked_.erase(id.id) == 0) return {};
  TRY(index_.RemoveMissing(id));
  return index_.RemoveHeld(id);
}

// The lines of an id come in order, but for a compacted segment whose origin is damaged: that one is read
// at the place of its own number, too late.
Result<void> Replay::Enter(IndexRow row) {
  TRY_ASSIGN(const auto before, index_.Find(row.id));
  if (row.change != Change::kPurge && before && before->change == Change::kPurge &&
      row.version <= before->version) {
    dead_.AddLine(type_, row.place);
    return index_.PutPurge(row.id, before->version);
  }
  if (before && before->version > row.version) return EnterStep(row);
  if (late_ && before && before->version == row.version && before->fetched_at > row.fetched_at)
    return EnterStep(row);
  TRY(Unmark(row.id));
  if (before) dead_.AddConfirmation(*before);
  if (before && before->change == Change::kStats && row.change != Change::kPurge)
    dead_.AddLine(type_, before->place);
  if (row.change == Change::kPurge) {
    row.first_at = row.fetched_at;
    if (before && before->change != Change::kPurge) TRY(index_.PutPurge(row.id, row.version));
    return index_.Put(row);
  }
  const bool goes_on = before && before->change != Change::kPurge;
  if (goes_on && before->version == row.version && row.change != Change::kStats) return EnterStep(row);
  row.first_at = goes_on ? before->first_at : row.fetched_at;
  row.changes = goes_on ? before->changes : 0;
  if (goes_on && (row.change == Change::kUpdate || row.change == Change::kRestore)) ++row.changes;
  if (goes_on && before->change != Change::kStats) {
    TRY(index_.PutStep({before->id, before->version, before->change, before->fetched_at, before->place}));
  }
  return index_.Put(row);
}

Result<void> Replay::EnterStep(const IndexRow& row) {
  if (row.change == Change::kStats) dead_.AddLine(type_, row.place);
  if (row.change == Change::kStats || row.change == Change::kPurge) return {};
  TRY_ASSIGN(const std::int64_t purged, index_.PurgedUpTo(row.id));
  if (row.version <= purged) return {};
  return index_.PutStep({row.id, row.version, row.change, row.fetched_at, row.place});
}

// By state.json, when it speaks of this segment; else the segment's last record is the best we know.
Result<Time> Replay::SealedAt(std::uint32_t number) {
  if (!state_) {
    state_.emplace();
    const auto json = files_.Read(StatePath(type_), 0, 4096);
    if (!json && json.error().code != ErrorCode::kNotFound && !IsDamage(json.error()))
      return std::unexpected(json.error());
    const auto state = json ? ParseState(*json) : std::unexpected(json.error());
    if (state) state_ = *state;
  }
  return state_->sequence == number ? state_->timestamp : last_fetched_;
}

}  // namespace tmdbc
