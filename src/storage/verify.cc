// SPDX-License-Identifier: MIT
#include "storage/verify.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/hash.h"
#include "storage/index_cache.h"
#include "storage/kept_aside.h"
#include "storage/record_index.h"
#include "storage/record_line.h"
#include "storage/record_loader.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/sequence_state.h"
#include "storage/stats_patch.h"

namespace tmdbc {
namespace {

// Patches ask for the bodies that they stand on in about the order in which those were stored.
constexpr std::size_t kLinesBytes = 16 << 20;

// What the index says of a line: sorted by place, so that a walk through the segments meets them in order.
struct Expected {
  Place place;
  MediaId id{};
  std::int64_t version = 0;
  bool current = false;
  bool operator<(const Expected& other) const { return place < other.place; }
};

// One media type's segments against the index.
class TypeVerifier {
 public:
  TypeVerifier(FileSystem& files, RecordIndex& index, MediaType type, bool deep, std::int64_t lines_at_once,
               VerifyReport& report)
      : files_(files),
        index_(index),
        type_(type),
        deep_(deep),
        lines_at_once_(lines_at_once),
        report_(report),
        loader_(files, kLinesBytes) {}

  Result<void> Run() {
    // The index before the files: what another process commits meanwhile only makes files longer. What it
    // seals or compacts meanwhile can look like damage: Changed().
    TRY_ASSIGN(segments_, index_.Segments(type_));
    TRY_ASSIGN(lost_up_to_, index_.LostUpTo(type_));
    TRY(FindFiles());
    TRY(CheckNumbers());
    TRY(CheckState());
    // Nearly always everything is sound, and known to be so without a list of what the index says. Only of the segments
    // where something is amiss one is made, and they are looked at again.
    for (const SegmentRow& row : segments_) {
      TRY_ASSIGN(const bool sound, IsSound(row));
      if (!sound) suspects_.insert(row.number);
    }
    if (deep_) TRY(CompareCounts());
    if (suspects_.empty()) return {};
    // In groups: where all is damaged the list would be as long as the index.
    for (auto row = segments_.begin(); row != segments_.end();) {
      const auto first = row;
      std::set<std::uint32_t> group;
      for (std::int64_t lines = 0; row != segments_.end() && lines < lines_at_once_; ++row) {
        if (!suspects_.contains(row->number)) continue;
        group.insert(row->number);
        lines += std::max<std::int64_t>(row->records, 1);
      }
      if (group.empty()) break;
      TRY(LoadExpected([&](std::uint32_t segment) { return group.contains(segment); }));
      for (const SegmentRow& suspect : std::span(first, row)) {
        if (group.contains(suspect.number)) TRY(CheckSegment(suspect));
      }
    }
    TRY(LoadExpected([&](std::uint32_t segment) {
      return !std::ranges::binary_search(segments_, segment, {}, &SegmentRow::number);
    }));
    for (const Expected& expected : expected_) {
      Note(SealedPath(type_, expected.place.segment), expected.place.frame_at,
           "the index points to no segment of its own", {expected.id});
    }
    return {};
  }

  // Whether the segments, or what state.json says of them, are other ones than when Run() began.
  Result<bool> Changed() {
    TRY_ASSIGN(const auto segments, index_.Segments(type_));
    const auto same = [](const SegmentRow& one, const SegmentRow& other) {
      return one.number == other.number && one.sealed_at == other.sealed_at && one.origin == other.origin;
    };
    if (!std::ranges::equal(segments, segments_, same)) return true;
    TRY_ASSIGN(const auto state, ReadState());
    return state != state_;
  }

 private:
  Result<std::optional<std::string>> ReadState() {
    auto json = files_.Read(StatePath(type_), 0, 4096);
    if (json) return *std::move(json);
    if (json.error().code == ErrorCode::kNotFound) return std::nullopt;
    return std::unexpected(json.error());
  }

  void Note(std::string file, std::uint64_t offset, std::string what, std::vector<MediaId> records = {}) {
    report_.damage.push_back({std::move(file), offset, std::move(what), std::move(records)});
  }

  Result<void> FindFiles() {
    TRY_ASSIGN(const auto paths, files_.List(fmt::format("{}/{}", kRecordsFolder, Name(type_))));
    for (const std::string& path : paths) {
      const auto name = ParseSegmentPath(path);
      if (name) (name->open ? open_files_ : sealed_files_).insert(name->number);
    }
    return {};
  }

  Result<void> CheckNumbers() {
    for (const SegmentRow& row : segments_) {
      if (!row.origin) continue;
      for (const auto& part : row.origin->parts) covered_.insert(part.number);
      covered_.insert(row.origin->retired.begin(), row.origin->retired.end());
    }
    std::set<std::uint32_t> known = covered_;
    for (const SegmentRow& row : segments_) {
      known.insert(row.number);
      if (!row.sealed_at && &row != &segments_.back()) {
        Note(OpenPath(type_, row.number), 0, "open, though it is not the last segment");
      }
    }
    const std::uint32_t last = std::max(segments_.empty() ? 0 : segments_.back().number, lost_up_to_);
    NoteGaps(type_, known, last, report_);
    const bool last_is_open = !segments_.empty() && !segments_.back().sealed_at;
    for (const std::uint32_t number : sealed_files_) {
      if (std::ranges::binary_search(segments_, number, {}, &SegmentRow::number)) continue;
      if (covered_.contains(number)) {
        report_.notes.push_back(
            SealedPath(type_, number) +
            " is left over from a compaction: the next process that writes to the store removes it");
      } else {
        Note(SealedPath(type_, number), 0, kNotInIndex);
      }
    }
    for (const std::uint32_t number : open_files_) {
      // One behind the last sealed one belongs to a batch that has not been committed.
      const bool uncommitted = !last_is_open && number == last + 1;
      if (!uncommitted && !(last_is_open && number == last))
        Note(OpenPath(type_, number), 0, kNotInIndex);
    }
    return {};
  }

  Result<void> CheckState() {
    const std::string path = StatePath(type_);
    auto sealed = segments_;
    std::erase_if(sealed, [](const SegmentRow& row) { return !row.sealed_at; });
    const auto last = std::ranges::max_element(sealed, {}, &SegmentRow::place);
    TRY_ASSIGN(state_, ReadState());
    if (last == sealed.end()) {
      if (state_ && segments_.empty()) Note(path, 0, "there, though nothing has been sealed");
    } else if (!state_) {
      Note(path, 0, "missing");
    } else if (!StatesLast(*state_, *last, lost_up_to_)) {
      Note(path, 0, fmt::format("does not say what the index says of segment {}", last->place()));
    }
    return {};
  }

  // What the index says of some segments.
  Result<void> LoadExpected(const std::function<bool(std::uint32_t)>& wanted) {
    expected_.clear();
    TRY(index_.VisitRows(type_, [&](const IndexRow& row) {
      if (wanted(row.place.segment)) expected_.push_back({row.place, row.id, row.version, true});
    }));
    TRY(index_.VisitSteps(type_, [&](const StepRow& row) {
      if (wanted(row.place.segment)) expected_.push_back({row.place, row.id, row.version, false});
    }));
    std::sort(expected_.begin(), expected_.end());
    // A view that became a step between the two walks was met in both.
    const auto same = [](const Expected& one, const Expected& other) {
      return one.place == other.place && one.id == other.id && one.version == other.version;
    };
    expected_.erase(std::unique(expected_.begin(), expected_.end(), same), expected_.end());
    return {};
  }

  // Every line that was found where the index says is counted: are these all that it speaks of?
  Result<void> CompareCounts() {
    TRY_ASSIGN(const auto lines, index_.LinesBySegment(type_));
    for (const auto& [segment, count] : lines) {
      const auto found = found_.find(segment);
      if (found == found_.end() || found->second != count) suspects_.insert(segment);
    }
    return {};
  }

  // One pass without a report. What counts for it counts when it is sound.
  Result<bool> IsSound(const SegmentRow& row) {
    const bool sealed_file = sealed_files_.contains(row.number);
    if (!sealed_file && (row.sealed_at || !open_files_.contains(row.number))) return false;
    std::string path = sealed_file ? SealedPath(type_, row.number) : OpenPath(type_, row.number);
    const auto size = SizeOf(row, path);
    if (!size || (row.sealed_at ? *size != row.bytes : *size < row.bytes)) return false;
    TRY_ASSIGN(const bool exists, files_.Exists(path));
    if (!exists) path = SealedPath(type_, row.number);
    if (!deep_) {
      const auto crc = CrcOf(files_, path, row.bytes);
      if (!crc && !IsDamage(crc.error()) && crc.error().code != ErrorCode::kNotFound) {
        return std::unexpected(crc.error());
      }
      if (!crc || *crc != row.crc) return false;
    } else {
      VerifyReport counted;
      std::swap(report_, counted);
      by_look_up_ = true;
      const auto walked = WalkSegment(row, path, row.bytes);
      by_look_up_ = false;
      std::swap(report_, counted);
      if (!walked && walked.error().code == ErrorCode::kNotFound) return false;
      if (!walked) return std::unexpected(walked.error());
      if (!counted.damage.empty()) return false;
      report_.frames += counted.frames;
      report_.records += counted.records;
      looked_[row.number] = {counted.frames, counted.records};
    }
    ++report_.segments;
    report_.bytes += std::int64_t(row.bytes);
    return true;
  }

  // What the index places into bytes [from, to) of a segment.
  std::span<const Expected> ExpectedIn(std::uint32_t segment, std::uint64_t from, std::uint64_t to) const {
    const auto begin =
        std::lower_bound(expected_.begin(), expected_.end(), Expected{{segment, from, 0, 0}, {}, 0, false});
    const auto end = std::lower_bound(begin, expected_.end(), Expected{{segment, to, 0, 0}, {}, 0, false});
    return {begin, end};
  }

  static std::vector<MediaId> IdsOf(std::span<const Expected> expected) {
    std::set<MediaId> ids;
    for (const Expected& one : expected) ids.insert(one.id);
    return {ids.begin(), ids.end()};
  }

  Result<void> CheckSegment(const SegmentRow& row) {
    if (const auto looked = looked_.find(row.number); looked != looked_.end()) {  // it looked sound, and was counted
      report_.frames -= looked->second.first;
      report_.records -= looked->second.second;
    } else {
      ++report_.segments;
      report_.bytes += std::int64_t(row.bytes);
    }
    const auto looked = CheckFile(row);
    if (looked || looked.error().code != ErrorCode::kNotFound) return looked;
    // Gone, or renamed, under our hands.
    Note(SealedPath(type_, row.number), 0, "missing", IdsOf(ExpectedIn(row.number, 0, UINT64_MAX)));
    return {};
  }

  Result<void> CheckFile(const SegmentRow& row) {
    const bool sealed_file = sealed_files_.contains(row.number);
    const bool found = sealed_file || (!row.sealed_at && open_files_.contains(row.number));
    const std::string path =
        sealed_file || row.sealed_at ? SealedPath(type_, row.number) : OpenPath(type_, row.number);
    std::uint64_t size = 0;
    if (found) {
      TRY_ASSIGN(size, SizeOf(row, path));
    }
    const bool size_fits = row.sealed_at ? size == row.bytes : size >= row.bytes;
    if (!found || !size_fits) {
      Note(path, std::min(size, row.bytes),
           found ? fmt::format("{} bytes, the index says {}", size, row.bytes) : "missing",
           IdsOf(ExpectedIn(row.number, found ? size : 0, UINT64_MAX)));
    }
    if (!found) return {};
    if (deep_) return WalkSegment(row, path, std::min(size, row.bytes));
    return size_fits ? CheckBytes(row, path) : Result<void>();
  }

  // Without going deep: only what is damaged is looked into.
  Result<void> CheckBytes(const SegmentRow& row, const std::string& path) {
    const std::int64_t frames = report_.frames, records = report_.records;
    TRY(WalkSegment(row, path, row.bytes));
    report_.frames = frames;
    report_.records = records;
    return {};
  }

  // Of the open segment the name may change while we look.
  Result<std::uint64_t> SizeOf(const SegmentRow& row, const std::string& path) {
    auto size = files_.Size(path);
    if (!size && size.error().code == ErrorCode::kNotFound) size = files_.Size(SealedPath(type_, row.number));
    return size;
  }

  Result<void> WalkSegment(const SegmentRow& row, std::string path, std::uint64_t end) {
    TRY_ASSIGN(const bool exists, files_.Exists(path));
    if (!exists) path = SealedPath(type_, row.number);
    SegmentReader reader(files_, path, end);
    const std::int64_t records_before = report_.records;
    const std::size_t damage_before = report_.damage.size();
    std::optional<SegmentOrigin> origin;
    while (true) {
      TRY_ASSIGN(const auto frame, reader.Next());
      if (!frame) break;
      if (frame->origin) {
        origin = frame->origin;
        continue;
      }
      ++report_.frames;
      const auto expected = ExpectedIn(row.number, frame->at, frame->at + frame->length);
      if (!frame->damage.empty()) {
        Note(path, frame->at, "frame: " + frame->damage, IdsOf(expected));
      } else {
        TRY(CheckFrame(path, row.number, *frame, expected));
      }
    }
    if (report_.damage.size() != damage_before) return {};
    if (reader.crc() != row.crc) {
      // A flip that changes nothing of the content, as in the unused bit of a frame's header.
      Note(path, 0, "its bytes are not those that were written, though every record is");
    } else if (origin != row.origin || (origin && origin->lines() != row.records)) {
      Note(path, 0, "it does not say of itself what the index says it stands for");
    } else if (report_.records - records_before != row.records) {
      Note(path, 0,
           fmt::format("{} records, the index says {}", report_.records - records_before, row.records));
    }
    return {};
  }

  Result<void> CheckFrame(const std::string& path, std::uint32_t segment, const SegmentReader::Frame& frame,
                          std::span<const Expected> expected) {
    auto next = expected.begin();
    for (std::size_t line_at = 0; line_at < frame.content.size();) {
      // What the index places where no line begins.
      for (; next != expected.end() && next->place.line_at < line_at; ++next) ReportLost(path, *next);
      const Expected* here = nullptr;
      if (next != expected.end() && next->place.line_at == line_at) here = &*next++;
      const auto text = LineAt(frame.content, line_at);
      if (!text) {
        Note(path, frame.at, text.error().message);
        break;
      }
      std::optional<Expected> looked_up;
      if (by_look_up_) {
        TRY_ASSIGN(looked_up, FindIndexed(*text, {segment, frame.at, static_cast<std::uint32_t>(frame.length),
                                                  static_cast<std::uint32_t>(line_at),
                                                  static_cast<std::uint32_t>(text->size() + 1)}));
        if (looked_up) here = &*looked_up;
      }
      TRY(CheckLine(path, frame, *text, here));
      line_at += text->size() + 1;
    }
    for (; next != expected.end(); ++next) ReportLost(path, *next);
    return {};
  }

  // What the index says is in that place, asked by the line's own id.
  Result<std::optional<Expected>> FindIndexed(std::string_view text, const Place& place) {
    const auto line = ParseRecordLine(text);
    if (!line || !line->is_record()) return std::nullopt;
    TRY_ASSIGN(const auto row, index_.Find(line->id));
    std::optional<Expected> expected;
    if (row && row->place == place) {
      expected = Expected{place, line->id, row->version, true};
    } else if (row && line->change != Change::kStats) {
      TRY_ASSIGN(const auto steps, index_.Steps(line->id));
      const auto step = std::ranges::find(steps, place, &StepRow::place);
      if (step != steps.end()) expected = Expected{place, line->id, step->version, false};
    }
    if (expected) ++found_[place.segment];
    return expected;
  }

  void ReportLost(const std::string& path, const Expected& expected) {
    Note(path, expected.place.frame_at, "the index points to a place where no such record begins",
         {expected.id});
  }

  Result<void> CheckLine(const std::string& path, const SegmentReader::Frame& frame, std::string_view text,
                         const Expected* expected) {
    ++report_.records;
    const auto line = ParseRecordLine(text);
    if (!line) {
      Note(path, frame.at, line.error().message,
           expected ? std::vector{expected->id} : std::vector<MediaId>{});
      return {};
    }
    const auto damaged = [&](std::string what) { Note(path, frame.at, std::move(what), {line->id}); };
    if (line->id.type != type_) damaged("a record of another type");
    if (!line->is_record()) {
      if (expected) Note(path, frame.at, "the index takes a verified line for a record", {expected->id});
      return {};
    }
    if (!line->data.empty() && Sha256Hex(line->data) != line->sha256) damaged("sha256 differs");
    if (!expected) {
      // A stats record that has been replaced since is not in the index any more, nor is what was purged.
      if (line->change == Change::kStats || line->change == Change::kPurge) return {};
      TRY_ASSIGN(const std::int64_t purged, index_.PurgedUpTo(line->id));
      if (line->version > purged) damaged(fmt::format("version {} is not in the index", line->version));
      return {};
    }
    if (line->id != expected->id || line->version != expected->version ||
        expected->place.frame_length != frame.length) {
      damaged(fmt::format("the index takes it for {} version {}", ToString(expected->id), expected->version));
      return {};
    }
    return expected->current ? CheckCurrent(*line, damaged) : Result<void>();
  }

  Result<std::string> BaseOf(const IndexRow& row) {
    TRY_ASSIGN(const Place place, RecordLoader::BaseOf(index_, row));
    return loader_.LoadBody(row.id, row.version, place);
  }

  template <class Damaged>
  Result<void> CheckCurrent(const RecordLine& line, const Damaged& damaged) {
    TRY_ASSIGN(const auto row, index_.Find(line.id));
    if (!row || row->version != line.version) return {};  // replaced while we looked
    if (row->change != line.change || row->fetched_at != line.fetched_at || row->tv_id != line.tv_id ||
        row->season_number != line.season_number) {
      damaged("the index row does not say what the record says");
    }
    ContentHash hash;
    if (row->live()) {
      const Result<std::string> base = line.patch.empty() ? Result<std::string>() : BaseOf(*row);
      if (!base && !IsDamage(base.error())) return std::unexpected(base.error());
      if (!base) return {};  // it is named where it lies
      const auto hashed = [&]() -> Result<ContentHash> {
        if (line.patch.empty()) return HashContent(line.data);
        TRY_ASSIGN(const std::string body, ApplyStatsPatch(*base, line.patch));
        return HashContent(body);
      }();
      if (!hashed) {
        damaged(hashed.error().message);
        return {};
      }
      hash = *hashed;
    }
    if (row->hash != hash) damaged("the content hash of the index differs");
    if (line.id.type != MediaType::kSeason || line.data.empty()) return {};
    TRY_ASSIGN(const auto episodes, EpisodesOf(line.data));
    for (const EpisodeRef& episode : episodes) {
      TRY_ASSIGN(const auto season, index_.SeasonIdOfEpisode(episode.id));
      if (!season) damaged(fmt::format("episode:{} is not in the index", episode.id));
    }
    return {};
  }

  FileSystem& files_;
  RecordIndex& index_;
  const MediaType type_;
  const bool deep_;
  const std::int64_t lines_at_once_;
  VerifyReport& report_;

  std::vector<SegmentRow> segments_;
  std::optional<std::string> state_;  // the text of state.json
  std::set<std::uint32_t> sealed_files_, open_files_;
  std::set<std::uint32_t> covered_;   // numbers that compacted segments stand for
  std::uint32_t lost_up_to_ = 0;
  std::set<std::uint32_t> suspects_;  // segments that do not look sound
  std::map<std::uint32_t, std::pair<std::int64_t, std::int64_t>> looked_;  // frames and records of the others
  std::map<std::uint32_t, std::int64_t> found_;  // lines of a segment that are where the index says
  bool by_look_up_ = false;                      // a line is looked up by its id, not in expected_
  std::vector<Expected> expected_;
  RecordLoader loader_;
};

// A process at work beside us seals and compacts: then index and files are not of one moment. So what looks
// like damage counts only when nothing has changed since the look began; a seal takes milliseconds, and is
// seldom.
Result<void> VerifyType(FileSystem& files, RecordIndex& index, MediaType type, bool deep,
                        const std::function<void()>& pause, std::int64_t lines_at_once, VerifyReport& report) {
  constexpr int kMostPasses = 5;
  for (int passes = 1;; ++passes) {
    VerifyReport found;
    TypeVerifier verifier(files, index, type, deep, lines_at_once, found);
    TRY(verifier.Run());
    if (!found.damage.empty() && passes < kMostPasses) {
      if (pause) pause();
      TRY_ASSIGN(const bool changed, verifier.Changed());
      if (changed) continue;
    }
    report.segments += found.segments;
    report.frames += found.frames;
    report.records += found.records;
    report.bytes += found.bytes;
    std::ranges::move(found.damage, std::back_inserter(report.damage));
    std::ranges::move(found.notes, std::back_inserter(report.notes));
    return {};
  }
}

}  // namespace

void NoteGaps(MediaType type, const std::set<std::uint32_t>& known, std::uint32_t last, VerifyReport& report) {
  const auto note = [&](std::uint32_t first, std::uint32_t end) {
    if (first >= end) return;
    const std::string up_to = end - first > 1 ? fmt::format(", up to {}", SealedPath(type, end - 1)) : "";
    report.damage.push_back({SealedPath(type, first), 0, "missing" + up_to + ": the numbers have a gap", {}});
  };
  std::uint32_t next = 1;
  for (const std::uint32_t number : known) {
    if (number > last) break;
    note(next, number);
    next = number + 1;
  }
  note(next, last + 1);
}

Result<VerifyReport> Verify(FileSystem& files, Database& catalog, bool deep, const std::function<void()>& pause,
                            std::int64_t lines_at_once) {
  constexpr const char* kCatalog = "catalog.db";
  RecordIndex index(catalog);
  VerifyReport report;
  if (deep) {
    TRY(GrowIndexCache(catalog));
    TRY_ASSIGN(const auto errors, index.IntegrityErrors());
    for (const std::string& error : errors) report.damage.push_back({kCatalog, 0, error, {}});
  }
  for (const MediaType type : kRecordTypes) {
    auto done = VerifyType(files, index, type, deep, pause, lines_at_once, report);
    if (!done && done.error().code == ErrorCode::kCorrupt) {
      report.damage.push_back({kCatalog, 0, done.error().message, {}});
    } else if (!done) {
      return Within("verify", done.error());
    }
  }
  TRY_ASSIGN(const auto paths, files.List(std::string(kRecordsFolder)));
  for (const std::string& path : paths) {
    if (ParseAsidePath(path)) report.asides.push_back(path);
  }
  return report;
}

}  // namespace tmdbc
