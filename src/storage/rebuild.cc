// SPDX-License-Identifier: MIT
#include <libdeflate.h>

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "storage/record_line.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/sequence_state.h"
#include "storage/store_care.h"

namespace tmdbc {
namespace {

using Report = RecordStore::VerifyReport;

// A file to be cut once the index has been written.
struct Tail {
  std::string path;
  std::uint64_t size;
};

Result<std::uint32_t> CrcOf(FileSystem& files, const std::string& path, std::uint64_t end) {
  constexpr std::uint64_t kChunk = 1 << 20;
  std::uint32_t crc = 0;
  for (std::uint64_t at = 0; at < end; at += kChunk) {
    TRY_ASSIGN(const std::string bytes, files.Read(path, at, std::min(kChunk, end - at)));
    crc = libdeflate_crc32(crc, bytes.data(), bytes.size());
  }
  return crc;
}

// Replays the segments of one type, in the order of their numbers.
class TypeRebuilder {
 public:
  TypeRebuilder(FileSystem& files, RecordIndex& index, MediaType type, Report& report,
                std::vector<Tail>& tails)
      : files_(files), index_(index), type_(type), report_(report), tails_(tails) {}

  Result<void> Run() {
    TRY_ASSIGN(const auto paths, files_.List(fmt::format("{}/{}", kRecordsFolder, Name(type_))));
    std::map<std::uint32_t, std::string> segments;
    for (const std::string& path : paths) {
      const auto name = ParseSegmentPath(path);
      if (!name) continue;
      const auto [known, added] = segments.emplace(name->number, path);
      if (added) continue;
      Note("", 0, fmt::format("{} and {} have the same number; the sealed one counts", known->second, path));
      known->second = SealedPath(type_, name->number);
    }
    std::uint32_t next = 1;
    for (auto& [number, path] : segments) {
      for (; next < number; ++next) Note(SealedPath(type_, next), 0, "missing: the numbers have a gap");
      ++next;
      const bool last = number == segments.rbegin()->first;
      if (path.ends_with(".open") && !last) {  // only a lost seal can leave one behind
        TRY(files_.Rename(path, SealedPath(type_, number)));
        path = SealedPath(type_, number);
        TRY(files_.SyncFolder(FolderOfPath(path)));
      }
      TRY(Replay(number, path, path.ends_with(".open")));
    }
    return {};
  }

 private:
  void Note(std::string file, std::uint64_t offset, std::string what, std::vector<MediaId> records = {}) {
    report_.damage.push_back({std::move(file), offset, std::move(what), std::move(records)});
  }

  Result<void> Replay(std::uint32_t number, const std::string& path, bool open) {
    TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
    SegmentReader reader(files_, path, size);
    SegmentRow row{.type = type_, .number = number, .bytes = size, .sealed_at = {}};
    std::uint64_t whole_end = 0;
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
    if (open && whole_end < size) {
      row.bytes = whole_end;
      TRY_ASSIGN(row.crc, CrcOf(files_, path, whole_end));
      tails_.push_back({path, whole_end});
    }
    if (!open) {
      TRY_ASSIGN(row.sealed_at, SealedAt(number));
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
    TRY_ASSIGN(const auto before, index_.Find(row.id));
    const bool goes_on = before && before->change != Change::kPurge;
    row.first_at = goes_on ? before->first_at : row.fetched_at;
    row.changes = goes_on ? before->changes : 0;
    if (goes_on && (row.change == Change::kUpdate || row.change == Change::kRestore)) ++row.changes;
    if (goes_on && before->change != Change::kStats) {
      TRY(index_.PutStep({before->id, before->version, before->change, before->fetched_at, before->place}));
    }
    return index_.Put(row);
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
  RecordStore::VerifyReport& report_;
  std::vector<Tail>& tails_;
  Time last_fetched_{};
};

}  // namespace

Result<Report> RebuildIndex(FileSystem& files, Database& catalog, RecordIndex& index) {
  Report report;
  std::vector<Tail> tails;
  auto done = catalog.Transact([&]() -> Result<void> {
    TRY(index.Clear());
    for (const MediaType type : kRecordTypes) TRY(TypeRebuilder(files, index, type, report, tails).Run());
    return index.DropOverruled();
  });
  if (!done) return Within("rebuild the index", done.error());
  for (const Tail& tail : tails) {
    TRY_ASSIGN(const auto file, files.OpenAppend(tail.path));
    TRY(file->Truncate(tail.size));
    TRY(file->Sync());
  }
  return report;
}

}  // namespace tmdbc
