// SPDX-License-Identifier: MIT
#include "storage/rebuild.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "base/hash.h"
#include "storage/dead_bytes.h"
#include "storage/index_cache.h"
#include "storage/kept_aside.h"
#include "storage/popularity_table.h"
#include "storage/record_index.h"
#include "storage/record_line.h"
#include "storage/record_loader.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/sequence_state.h"
#include "storage/stats_patch.h"

namespace tmdbc {
namespace {

using Report = VerifyReport;

// A refresh asks in about the order in which was stored: so do the patches ask for the bodies that they stand on.
constexpr std::size_t kKeptBytes = 16 << 20;

// A file to be cut once the index has been written.
struct Tail {
  std::string path;
  std::uint64_t size;
};

// Replays the segments of one type, in the order of their numbers.
class TypeRebuilder {
 public:
  TypeRebuilder(FileSystem& files, RecordIndex& index, MediaType type, Report& report,
                std::vector<Tail>& tails, std::vector<std::string>& left_over)
      : files_(files),
        index_(index),
        type_(type),
        report_(report),
        tails_(tails),
        left_over_(left_over),
        loader_(files, kKeptBytes) {}

  Result<void> Run() {
    if (const auto json = files_.Read(StatePath(type_), 0, 4096)) {
      if (const auto state = ParseState(*json)) state_ = *state;
    }
    TRY(FindFiles());
    // In the order in which things happened, which is that of the numbers but for compacted segments.
    std::ranges::stable_sort(files_found_, {}, &Found::place);
    for (const Found& found : files_found_) TRY(Replay(found));
    for (std::uint32_t number = 1; number <= last_number_; ++number) {
      if (!numbers_.contains(number)) Note(SealedPath(type_, number), 0, "missing: the numbers have a gap");
    }
    return ReplayDeferred();
  }

 private:
  void Note(std::string file, std::uint64_t offset, std::string what, std::vector<MediaId> records = {}) {
    report_.damage.push_back({std::move(file), offset, std::move(what), std::move(records)});
  }

  struct Found {
    std::uint32_t number = 0;
    std::string path;
    bool open = false;
    std::optional<SegmentOrigin> origin;
    bool late = false;  // a compacted one that cannot say its place: it is read at that of its number
    std::uint32_t place() const { return origin ? origin->last() : number; }
  };

  Result<void> FindFiles() {
    TRY_ASSIGN(const auto paths, files_.List(fmt::format("{}/{}", kRecordsFolder, Name(type_))));
    std::map<std::uint32_t, Found> found;
    for (const std::string& path : paths) {
      const auto name = ParseSegmentPath(path);
      if (!name) continue;
      const auto [known, added] = found.emplace(name->number, Found{.number = name->number, .path = path, .open = name->open, .origin = {}});
      if (added) continue;
      Note("", 0,
           fmt::format("{} and {} have the same number; the sealed one counts", known->second.path, path));
      known->second.path = SealedPath(type_, name->number);
      known->second.open = false;
    }
    if (!found.empty()) last_number_ = found.rbegin()->first;
    std::set<std::uint32_t> covered;
    for (auto& [number, one] : found) {
      if (one.open && number != last_number_) {  // only a lost seal can leave one behind
        TRY(files_.Rename(one.path, SealedPath(type_, number)));
        one.path = SealedPath(type_, number);
        one.open = false;
        TRY(files_.SyncFolder(FolderOfPath(one.path)));
      }
      if (one.open) continue;
      auto origin = ReadOrigin(files_, one.path);
      if (!origin && !IsDamage(origin.error())) return std::unexpected(origin.error());
      if (origin) one.origin = *std::move(origin);  // else Replay() meets the damage
      if (!origin) one.late = true;
      numbers_.insert(number);
      if (!one.origin) continue;
      for (const auto& part : one.origin->parts) covered.insert(part.number);
      covered.insert(one.origin->retired.begin(), one.origin->retired.end());
    }
    numbers_.insert(last_number_);
    numbers_.insert(covered.begin(), covered.end());
    for (const auto& [number, one] : found) {
      // What a compaction has copied but not removed: its copy counts.
      if (covered.contains(number)) {
        left_over_.push_back(one.path);
      } else {
        files_found_.push_back(one);
      }
    }
    return {};
  }

  Result<void> Replay(const Found& found) {
    const std::uint32_t number = found.number;
    const std::string& path = found.path;
    const bool open = found.open;
    TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
    SegmentRow row{.type = type_, .number = number, .bytes = size, .sealed_at = {}, .origin = found.origin};
    late_ = found.late;
    dead_ = {};
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
        continue;
      }
      whole_end = frame->at + frame->length;
      for (std::size_t line_at = 0; line_at < frame->content.size();) {
        const auto text = LineAt(frame->content, line_at);
        if (!text) {
          Note(path, frame->at, text.error().message);
          break;
        }
        const Place place{number, frame->at, static_cast<std::uint32_t>(frame->length),
                          static_cast<std::uint32_t>(line_at), static_cast<std::uint32_t>(text->size() + 1)};
        row.content += place.line_length;
        TRY(ReplayLine(path, *text, place, row));
        line_at += text->size() + 1;
      }
    }
    row.crc = reader.crc();
    // Damage does not become sound by being counted: a checksum that cannot match keeps `verify` naming it.
    if (!open && report_.damage.size() > damage_before) row.crc = ~row.crc;
    if (open && whole_end < size) {
      row.bytes = whole_end;
      const auto crc = CrcOf(files_, path, whole_end);
      if (!crc && !IsDamage(crc.error())) return std::unexpected(crc.error());
      row.crc = crc ? *crc : ~row.crc;
      tails_.push_back({path, whole_end});
    }
    if (!open) {
      row.sealed_at = SealedAt(row.place());
    }
    ++report_.segments;
    report_.bytes += std::int64_t(row.bytes);
    // An open segment that holds nothing is one that was never committed; the next Open() removes it.
    if (open && row.bytes == 0) return {};
    TRY(index_.PutSegment(row));
    return dead_.Write(index_, [&](MediaType) { return number; });
  }

  Result<void> ReplayLine(const std::string& path, std::string_view text, const Place& place,
                          SegmentRow& segment) {
    const auto line = ParseRecordLine(text);
    if (!line) {
      Note(path, place.frame_at, line.error().message);
      return {};
    }
    ++report_.records;
    ++segment.records;
    last_fetched_ = line->fetched_at;
    if (segment.records == 1) segment.opened_at = line->fetched_at;
    if (!line->is_record() && line->id.type == type_) return ReplayVerified(*line);

    const auto damaged = [&](std::string what) { Note(path, place.frame_at, std::move(what), {line->id}); };
    if (line->id.type != type_ || line->id.id < 1 || line->id.id > kMaxRecordId) {
      damaged("not a record of this type");
      return {};
    }
    IndexRow row = RowOf(*line, place);
    if (!line->patch.empty()) {
      TRY_ASSIGN(const auto before, index_.Find(row.id));
      if (!before || !before->live() || before->version != row.version) {
        deferred_.push_back({path, std::string(text), place});
        return {};
      }
      TRY(HashPatched(*before, *line, row, damaged));
    }
    if (!line->data.empty()) {
      if (Sha256Hex(line->data) != line->sha256) damaged("sha256 differs");
      const auto hash = HashContent(line->data);
      if (hash) row.hash = *hash;
      if (!hash) damaged(hash.error().message);
      if (hash && type_ == MediaType::kSeason) {
        TRY_ASSIGN(const auto episodes, EpisodesOf(line->data));
        for (const EpisodeRef& episode : episodes) TRY(index_.PutEpisode(episode.id, row.id.id));
      }
    }
    return Enter(row);
  }

  static IndexRow RowOf(const RecordLine& line, const Place& place) {
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

  template <class Damaged>
  Result<void> HashPatched(const IndexRow& before, const RecordLine& line, IndexRow& row, const Damaged& damaged) {
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
  Result<void> ReplayDeferred() {
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

  Result<void> ReplayVerified(const RecordLine& line) {
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
  Result<void> Unmark(MediaId id) {
    if (marked_.erase(id.id) == 0) return {};
    TRY(index_.RemoveMissing(id));
    return index_.RemoveHeld(id);
  }

  // The lines of an id come in order, but for a compacted segment whose origin is damaged: that one is read
  // at the place of its own number, too late.
  Result<void> Enter(IndexRow row) {
    TRY_ASSIGN(const auto before, index_.Find(row.id));
    if (row.change != Change::kPurge && before && before->change == Change::kPurge &&
        row.version <= before->version) {
      dead_.AddLine(type_, row.place);
      return index_.PutPurge(row.id, before->version);
    }
    if (before && before->version > row.version) return EnterStep(row);
    if (late_ && before && before->version == row.version && before->fetched_at > row.fetched_at) return EnterStep(row);
    TRY(Unmark(row.id));
    if (before) dead_.AddConfirmation(*before);
    if (before && before->change == Change::kStats && row.change != Change::kPurge) dead_.AddLine(type_, before->place);
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

  Result<void> EnterStep(const IndexRow& row) {
    if (row.change == Change::kStats) dead_.AddLine(type_, row.place);
    if (row.change == Change::kStats || row.change == Change::kPurge) return {};
    TRY_ASSIGN(const std::int64_t purged, index_.PurgedUpTo(row.id));
    if (row.version <= purged) return {};
    return index_.PutStep({row.id, row.version, row.change, row.fetched_at, row.place});
  }

  // By state.json, when it speaks of this segment; else the segment's last record is the best we know.
  Time SealedAt(std::uint32_t number) const {
    return state_.sequence == number ? state_.timestamp : last_fetched_;
  }

  struct Deferred {
    std::string path, text;
    Place place;
  };

  FileSystem& files_;
  RecordIndex& index_;
  const MediaType type_;
  VerifyReport& report_;
  std::vector<Tail>& tails_;
  std::vector<std::string>& left_over_;
  std::vector<Found> files_found_;
  std::uint32_t last_number_ = 0;
  std::set<std::uint32_t> numbers_;  // that a file has, or stands for
  SequenceState state_;              // 0 when there is none
  RecordLoader loader_;
  std::vector<Deferred> deferred_;
  std::unordered_set<std::int64_t> marked_;  // ids that are missing or held

  // Of the segment at work.
  Time last_fetched_{};
  bool late_ = false;
  DeadBytes dead_;
};

// What an opening kept aside goes back where it was, if nothing has taken its place.
Result<void> PutBackAll(FileSystem& files, Report& report) {
  TRY_ASSIGN(const auto paths, files.List(std::string(kRecordsFolder)));
  for (const std::string& path : paths) {
    const auto name = ParseAsidePath(path);
    if (!name) continue;
    TRY_ASSIGN(const bool back, PutBack(files, path, *name));
    report.notes.push_back(back ? fmt::format("{}: its bytes are back in their segment", path)
                                : fmt::format("{} cannot be put back: other records have been written in its "
                                              "place since; `zstd -dc` reads it",
                                              path));
  }
  return {};
}

// The schemas that the index and the segments say they have.
Result<void> CheckSchema(FileSystem& files, RecordIndex& index, RebuildOptions options) {
  TRY_ASSIGN(std::int64_t least, index.Schema());
  std::int64_t most = least;
  if (least == 0) least = kRecordSchema;
  for (const MediaType type : kRecordTypes) {
    const auto json = files.Read(StatePath(type), 0, 4096);
    const int schema = json ? SchemaOf(*json) : 0;
    if (schema == 0) continue;
    least = std::min<std::int64_t>(least, schema);
    most = std::max<std::int64_t>(most, schema);
  }
  if (most > kRecordSchema) {
    return Fail(ErrorCode::kInvalid, Hint::kNewStore, "the records have schema {}, this program writes {}", most,
                kRecordSchema);
  }
  if (least < kRecordSchema && !options.upgrade) {
    return Fail(ErrorCode::kInvalid, Hint::kOldStore, "the records have schema {}, this program writes {}", least,
                kRecordSchema);
  }
  return {};
}

}  // namespace

Result<VerifyReport> Rebuild(FileSystem& files, Database& catalog, RebuildOptions options) {
  RecordIndex index(catalog);
  TRY(CheckSchema(files, index, options));
  TRY(PopularityTable(catalog).Create());
  TRY(GrowIndexCache(catalog));
  Report report;
  std::vector<Tail> tails;
  std::vector<std::string> left_over;
  if (auto back = PutBackAll(files, report); !back) return Within("rebuild the index", back.error());
  auto done = catalog.Transact([&]() -> Result<void> {
    TRY(index.Restart());
    for (const MediaType type : kRecordTypes) {
      TRY(TypeRebuilder(files, index, type, report, tails, left_over).Run());
    }
    return index.Finish();
  });
  if (!done) return Within("rebuild the index", done.error());
  for (const Tail& tail : tails) {
    TRY_ASSIGN(const auto file, files.OpenAppend(tail.path));
    TRY(file->Truncate(tail.size));
    TRY(file->Sync());
  }
  // While anything is damaged the copies stay: one of them may be what is whole.
  for (const std::string& path : left_over) {
    if (report.damage.empty()) {
      TRY(files.Remove(path));
      TRY(files.SyncFolder(FolderOfPath(path)));
    } else {
      report.notes.push_back(fmt::format("{} is left over from a compaction", path));
    }
  }
  for (const MediaType type : kRecordTypes) TRY(BringStateUpToDate(files, index, type));
  return report;
}

}  // namespace tmdbc
