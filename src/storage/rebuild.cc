// SPDX-License-Identifier: MIT
#include "storage/rebuild.h"

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "storage/kept_aside.h"
#include "storage/popularity_table.h"
#include "storage/record_index.h"
#include "storage/record_line.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/sequence_state.h"

namespace tmdbc {
namespace {

using Report = VerifyReport;

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
      : files_(files), index_(index), type_(type), report_(report), tails_(tails), left_over_(left_over) {}

  Result<void> Run() {
    TRY(FindFiles());
    // In the order in which things happened, which is that of the numbers but for compacted segments.
    std::ranges::stable_sort(files_found_, {}, &Found::place);
    for (const Found& found : files_found_) TRY(Replay(found));
    for (std::uint32_t number = 1; number <= last_number_; ++number) {
      const bool known = std::ranges::any_of(files_found_, [&](const Found& found) {
        return found.number == number || (found.origin && found.origin->Covers(number));
      });
      if (!known) Note(SealedPath(type_, number), 0, "missing: the numbers have a gap");
    }
    return {};
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
    std::uint32_t place() const { return origin ? origin->last() : number; }
  };

  Result<void> FindFiles() {
    TRY_ASSIGN(const auto paths, files_.List(fmt::format("{}/{}", kRecordsFolder, Name(type_))));
    std::map<std::uint32_t, Found> found;
    for (const std::string& path : paths) {
      const auto name = ParseSegmentPath(path);
      if (!name) continue;
      const auto [known, added] = found.emplace(name->number, Found{name->number, path, name->open, {}});
      if (added) continue;
      Note("", 0,
           fmt::format("{} and {} have the same number; the sealed one counts", known->second.path, path));
      known->second.path = SealedPath(type_, name->number);
      known->second.open = false;
    }
    if (!found.empty()) last_number_ = found.rbegin()->first;
    for (auto& [number, one] : found) {
      if (one.open && number != last_number_) {  // only a lost seal can leave one behind
        TRY(files_.Rename(one.path, SealedPath(type_, number)));
        one.path = SealedPath(type_, number);
        one.open = false;
        TRY(files_.SyncFolder(FolderOfPath(one.path)));
      }
      if (one.open) continue;
      auto origin = ReadOrigin(files_, one.path);
      if (!origin && origin.error().code != ErrorCode::kCorrupt) return std::unexpected(origin.error());
      if (origin) one.origin = *std::move(origin);  // else Replay() meets the damage
    }
    for (const auto& [number, one] : found) {
      // What a compaction has copied but not removed: its copy counts.
      const bool left_over = std::ranges::any_of(found, [&](const auto& other) {
        return other.second.origin && other.first != number && other.second.origin->Covers(number);
      });
      if (left_over) {
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
    SegmentReader reader(files_, path, size);
    std::uint64_t whole_end = 0;
    const std::size_t damage_before = report_.damage.size();
    while (true) {
      TRY_ASSIGN(const auto frame, reader.Next());
      if (!frame) break;
      ++report_.frames;
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
                          static_cast<std::uint32_t>(line_at)};
        TRY(ReplayLine(path, *text, place, row));
        line_at += text->size() + 1;
      }
    }
    row.crc = reader.crc();
    // Damage does not become sound by being counted: a checksum that cannot match keeps `verify` naming it.
    if (!open && report_.damage.size() > damage_before) row.crc = ~row.crc;
    if (open && whole_end < size) {
      row.bytes = whole_end;
      TRY_ASSIGN(row.crc, CrcOf(files_, path, whole_end));
      tails_.push_back({path, whole_end});
    }
    if (!open) {
      TRY_ASSIGN(row.sealed_at, SealedAt(row.place()));
    }
    ++report_.segments;
    report_.bytes += std::int64_t(row.bytes);
    // An open segment that holds nothing is one that was never committed; the next Open() removes it.
    return open && row.bytes == 0 ? Result<void>() : index_.PutSegment(row);
  }

  Result<void> ReplayLine(const std::string& path, std::string_view text, const Place& place,
                          SegmentRow& segment) {
    const auto line = ParseRecordLine(text);
    if (!line) {
      Note(path, place.frame_at, line.error().message);
      return {};
    }
    const auto damaged = [&](std::string what) { Note(path, place.frame_at, std::move(what), {line->id}); };
    if (line->id.type != type_ || line->id.id < 1 || line->id.id > kMaxRecordId) {
      damaged("not a record of this type");
      return {};
    }
    ++report_.records;
    ++segment.records;
    last_fetched_ = line->fetched_at;
    if (segment.records == 1) segment.opened_at = line->fetched_at;

    IndexRow row;
    row.id = line->id;
    row.tv_id = line->tv_id;
    row.season_number = line->season_number;
    row.version = line->version;
    row.change = line->change;
    row.fetched_at = row.verified_at = line->fetched_at;
    row.place = place;
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

  // The lines of an id come in order, but for a compacted segment whose origin is damaged: that one is read
  // at the place of its own number, too late.
  Result<void> Enter(IndexRow row) {
    TRY_ASSIGN(const auto before, index_.Find(row.id));
    if (row.change != Change::kPurge && before && before->change == Change::kPurge &&
        row.version <= before->version) {
      return index_.PutPurge(row.id, before->version);
    }
    if (before && before->version > row.version) return EnterStep(row);
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
    if (row.change == Change::kStats || row.change == Change::kPurge) return {};
    TRY_ASSIGN(const std::int64_t purged, index_.PurgedUpTo(row.id));
    if (row.version <= purged) return {};
    return index_.PutStep({row.id, row.version, row.change, row.fetched_at, row.place});
  }

  // By state.json, when it speaks of this segment; else the segment's last record is the best we know.
  Result<Time> SealedAt(std::uint32_t number) {
    const auto json = files_.Read(StatePath(type_), 0, 4096);
    const auto state = json ? ParseState(*json) : Fail(ErrorCode::kNotFound, "no state");
    if (state && state->sequence == number) return state->timestamp;
    return last_fetched_;
  }

  FileSystem& files_;
  RecordIndex& index_;
  const MediaType type_;
  VerifyReport& report_;
  std::vector<Tail>& tails_;
  std::vector<std::string>& left_over_;
  std::vector<Found> files_found_;
  std::uint32_t last_number_ = 0;
  Time last_fetched_{};
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

}  // namespace

Result<VerifyReport> Rebuild(FileSystem& files, Database& catalog) {
  RecordIndex index(catalog);
  TRY(index.Create());
  TRY(PopularityTable(catalog).Create());
  Report report;
  std::vector<Tail> tails;
  std::vector<std::string> left_over;
  if (auto back = PutBackAll(files, report); !back) return Within("rebuild the index", back.error());
  auto done = catalog.Transact([&]() -> Result<void> {
    TRY(index.Clear());
    for (const MediaType type : kRecordTypes) {
      TRY(TypeRebuilder(files, index, type, report, tails, left_over).Run());
    }
    return index.DropOverruled();
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
