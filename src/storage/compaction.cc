// SPDX-License-Identifier: MIT
#include "storage/compaction.h"

#include <libdeflate.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/compression.h"
#include "storage/record_line.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"

namespace tmdbc {
namespace {

using Run = std::vector<SegmentRow>;

std::size_t PartsOf(const SegmentRow& row) {
  return row.origin ? row.origin->parts.size() + row.origin->retired.size() + 1 : 1;
}

// What the lines of `row` come from, in their order.
std::vector<SegmentOrigin::Part> PartsIn(const SegmentRow& row) {
  if (row.origin) return row.origin->parts;
  return {{row.number, row.records}};
}

// The id of a line, read without the rest of it: {"type":"movie","id":550,
std::int64_t IdAtStart(std::string_view line) {
  constexpr std::string_view kId = R"("id":)";
  const auto at = line.find(kId);
  std::int64_t id = 0;
  if (at != std::string_view::npos)
    std::from_chars(line.data() + at + kId.size(), line.data() + line.size(), id);
  return id;
}

bool IsWorthIt(const Run& run, const CompactionPlan& plan) {
  return run.size() >= plan.least_segments ||
         std::ranges::any_of(run, [&](const SegmentRow& row) { return plan.rewrite.contains(row.number); });
}

// Takes from the front what is much larger than all that it would be merged with: what is added day by day would have
// it written again each day. Later, when as much again has gathered behind it, it is merged.
void LeaveWhatIsMuchLarger(Run& run, const CompactionPlan& plan) {
  if (plan.much_larger == 0) return;
  std::uint64_t bytes = 0;
  for (const SegmentRow& row : run) bytes += row.bytes;
  auto first = run.begin();
  for (; first != run.end() && !plan.rewrite.contains(first->number); ++first) {
    bytes -= first->bytes;
    if (first->bytes <= plan.much_larger * bytes) break;
  }
  run.erase(run.begin(), first);
}

// One new segment: what is kept of a run, and where it was before.
class NewSegment {
 public:
  NewSegment(ZstdEncoder& encoder, std::uint64_t frame_bytes)
      : encoder_(encoder), frame_bytes_(frame_bytes) {}

  // The lines that follow are from here.
  void Begin(std::uint32_t number) { origin_.parts.push_back({number, 0}); }
  // That compacted segment has gone into this one.
  void Retire(std::uint32_t number) { origin_.retired.push_back(number); }
  void Retire(std::span<const std::uint32_t> numbers) {
    origin_.retired.insert(origin_.retired.end(), numbers.begin(), numbers.end());
  }

  void Add(MediaId id, const Place& from, std::string_view line) {
    if (!buffer_.empty() && buffer_.size() + line.size() > frame_bytes_) CloseFrame();
    moves_.push_back({id, from, frames_.size(), static_cast<std::uint32_t>(buffer_.size())});
    Append(line);
  }
  // A line that the index does not know.
  void AddVerified(std::string_view line) {
    if (!buffer_.empty() && buffer_.size() + line.size() > frame_bytes_) CloseFrame();
    Append(line);
  }
  // Of the file.
  std::int64_t frames() const { return std::int64_t(frames_.size()); }
  std::int64_t content() const { return content_; }

  // The whole file. No more is added then.
  std::string TakeBytes() {
    CloseFrame();
    std::ranges::sort(origin_.retired);
    std::string bytes = OriginFrame(origin_);
    head_ = bytes.size();
    bytes += bytes_;
    bytes_ = {};
    return bytes;
  }
  const SegmentOrigin& origin() const { return origin_; }

  // Behind TakeBytes(): tells the index where each line is now. An error when `stopping` says so.
  Result<void> MoveAll(RecordIndex& index, std::uint32_t number,
                       const std::function<bool()>& stopping) const {
    constexpr std::size_t kCheckEvery = 1000;  // some milliseconds
    for (std::size_t i = 0; i < moves_.size(); ++i) {
      if (i % kCheckEvery == 0 && stopping()) return Fail(ErrorCode::kUnavailable, "stopped");
      const Moved& moved = moves_[i];
      const Frame& frame = frames_[moved.frame];
      TRY(index.Move(moved.id, moved.from, {number, head_ + frame.at, frame.length, moved.line_at, moved.from.line_length}));
    }
    return {};
  }

 private:
  struct Frame {
    std::uint64_t at;  // within bytes_
    std::uint32_t length;
  };
  struct Moved {
    MediaId id;
    Place from;
    std::size_t frame;
    std::uint32_t line_at;
  };

  void Append(std::string_view line) {
    buffer_ += line;
    buffer_ += '\n';
    content_ += std::int64_t(line.size() + 1);
    ++origin_.parts.back().lines;
    if (buffer_.size() >= frame_bytes_) CloseFrame();
  }

  void CloseFrame() {
    if (buffer_.empty()) return;
    const std::uint64_t at = bytes_.size();
    encoder_.AppendFrame(buffer_, bytes_);
    frames_.push_back({at, static_cast<std::uint32_t>(bytes_.size() - at)});
    buffer_.clear();
  }

  ZstdEncoder& encoder_;
  const std::uint64_t frame_bytes_;
  SegmentOrigin origin_;
  std::string buffer_;  // lines of the frame that is not closed yet
  std::string bytes_;   // closed frames
  std::uint64_t head_ = 0;
  std::int64_t content_ = 0;
  std::vector<Frame> frames_;
  std::vector<Moved> moves_;
};

class Compactor {
 public:
  Compactor(FileSystem& files, Database& catalog, RecordIndex& index, ZstdEncoder& encoder, MediaType type,
            std::uint64_t frame_bytes, const CompactOptions& options,
            const std::function<bool()>& stopping)
      : files_(files),
        catalog_(catalog),
        index_(index),
        encoder_(encoder),
        type_(type),
        frame_bytes_(frame_bytes),
        options_(options),
        stopping_(stopping) {}

  Result<CompactReport> Go() {
    TRY_ASSIGN(const auto sealed, index_.SealedInOrder(type_));
    TRY_ASSIGN(purges_, index_.Purges(type_));
    CompactionPlan plan{.small_bytes = options_.small_bytes,
                        .most_bytes = options_.segment_bytes,
                        .least_segments = options_.least_segments,
                        .much_larger = options_.much_larger,
                        .rewrite = {}};
    TRY_ASSIGN(plan.rewrite, MustBeRewritten(sealed));
    const auto runs = PlanCompaction(sealed, plan);
    std::deque<Run> left(runs.begin(), runs.end());
    while (!left.empty() && !stopped_) {
      const Run run = std::move(left.front());
      left.pop_front();
      TRY_ASSIGN(const auto damaged, CompactRun(run));
      if (!damaged) continue;
      // What cannot be read stays as it is; its neighbours on either side are runs of their own.
      ++report_.damaged_segments;
      const auto at = run.begin() + std::ptrdiff_t(*damaged);
      for (Run part : {Run(at + 1, run.end()), Run(run.begin(), at)}) {
        if (IsWorthIt(part, plan)) left.push_front(std::move(part));
      }
    }
    // Everything has been looked through: nothing of what was purged is left.
    if (!stopped_ && report_.damaged_segments == 0 && !options_.dry_run && !purges_.empty()) {
      const auto forgotten = catalog_.Transact([&]() -> Result<void> {
        for (const auto& [id, version] : purges_) TRY(index_.RemovePurge({type_, id}));
        return {};
      });
      if (!forgotten) return std::unexpected(forgotten.error());
    }
    return report_;
  }

 private:
  bool Stopping() {
    stopped_ = stopped_ || (stopping_ && stopping_());
    return stopped_;
  }

  Result<std::set<std::uint32_t>> MustBeRewritten(std::span<const SegmentRow> sealed) {
    std::set<std::uint32_t> numbers;
    if (options_.versions_before) {
      std::set<std::uint32_t> known;
      for (const SegmentRow& row : sealed) known.insert(row.number);
      TRY(index_.VisitSupersededSteps(type_, *options_.versions_before, [&](const StepRow& step) {
        if (known.contains(step.place.segment)) numbers.insert(step.place.segment);
      }));
    }
    for (const SegmentRow& row : sealed) {
      const bool pays = DeadShare(row) >= options_.dead_share || (options_.reframe && IsPoorlyFramed(row)) ||
                        (options_.pack && !row.origin);
      if (pays) numbers.insert(row.number);
    }
    // The index does not say where the bodies of purged records are, only which segments hold something dead: every
    // line of those is looked at.
    for (const SegmentRow& row : sealed) {
      if (purges_.empty() || Stopping()) break;
      if (numbers.contains(row.number) || row.dead == 0) continue;
      TRY_ASSIGN(const bool holds, HoldsPurged(row));
      if (holds) numbers.insert(row.number);
    }
    return numbers;
  }

  // Frames that were closed by the clock and not by their size. A compacted segment has none that can be helped.
  bool IsPoorlyFramed(const SegmentRow& row) const {
    constexpr std::int64_t kFewFrames = 8;
    return !row.origin && row.frames >= kFewFrames && row.content / row.frames < std::int64_t(options_.frame_bytes) / 4;
  }

  Result<bool> HoldsPurged(const SegmentRow& row) {
    SegmentReader reader(files_, SealedPath(type_, row.number), row.bytes);
    while (true) {
      TRY_ASSIGN(const auto frame, reader.Next());
      if (!frame) return false;
      for (std::string_view rest = frame->content; !rest.empty();) {
        const std::string_view text = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(text.size() + 1, rest.size()));
        if (!purges_.contains(IdAtStart(text))) continue;
        const auto line = ParseRecordLine(text);
        if (line && IsPurged(*line)) return true;
      }
    }
  }

  bool IsPurged(const RecordLine& line) const {
    const auto purge = purges_.find(line.id.id);
    return purge != purges_.end() && line.change != Change::kPurge && line.version <= purge->second;
  }

  // Empty when it is done; else the place within the run of a segment that is damaged.
  Result<std::optional<std::size_t>> CompactRun(const Run& run) {
    NewSegment made(encoder_, frame_bytes_);
    dropped_steps_.clear();
    CompactReport counted;
    for (std::size_t i = 0; i < run.size(); ++i) {
      TRY_ASSIGN(const bool whole, AddSegment(run[i], made, counted));
      if (stopped_) return std::nullopt;
      if (!whole) return i;
    }
    const std::string bytes = made.TakeBytes();
    counted.segments_before = std::int64_t(run.size());
    counted.segments_after = 1;
    for (const SegmentRow& row : run) counted.bytes_before += std::int64_t(row.bytes);
    counted.bytes_after = std::int64_t(bytes.size());
    if (!options_.dry_run) {
      const auto replaced = Replace(run, made, bytes);
      if (!replaced && stopped_) return std::nullopt;
      TRY(replaced);
    }
    report_.Add(counted);
    return std::nullopt;
  }

  // False when the segment is damaged.
  Result<bool> AddSegment(const SegmentRow& row, NewSegment& made, CompactReport& counted) {
    SegmentReader reader(files_, SealedPath(type_, row.number), row.bytes);
    const auto parts = PartsIn(row);
    auto part = parts.begin();
    std::int64_t left = 0;  // of the lines of the part before `part`
    const auto begin_parts = [&] {
      for (; left == 0 && part != parts.end(); ++part) {
        made.Begin(part->number);
        left = part->lines;
      }
    };
    begin_parts();
    while (!Stopping()) {
      TRY_ASSIGN(const auto frame, reader.Next());
      if (!frame) break;
      if (!frame->damage.empty()) return false;
      for (std::size_t line_at = 0; line_at < frame->content.size();) {
        const auto text = LineAt(frame->content, line_at);
        const auto line = text ? ParseRecordLine(*text) : std::unexpected(text.error());
        if (!line || left == 0) return false;
        const Place from{row.number, frame->at, static_cast<std::uint32_t>(frame->length),
                         static_cast<std::uint32_t>(line_at), static_cast<std::uint32_t>(text->size() + 1)};
        if (line->is_record()) {
          TRY_ASSIGN(const bool keep, Keep(*line, from, counted));
          if (keep) made.Add(line->id, from, *text);
        } else {
          TRY(AddVerified(*line, made, counted));
        }
        --left;
        begin_parts();
        line_at += text->size() + 1;
      }
    }
    if (stopped_) return true;
    if (row.origin) {
      made.Retire(row.number);
      made.Retire(row.origin->retired);
    }
    return left == 0 && part == parts.end() && reader.crc() == row.crc;
  }

  Result<bool> Keep(const RecordLine& line, const Place& place, CompactReport& counted) {
    if (IsPurged(line)) {
      ++counted.purged_dropped;
      return false;
    }
    TRY_ASSIGN(const auto view, index_.Find(line.id));
    const bool current = view && view->place == place;
    if (!current && line.change == Change::kStats) {
      ++counted.stats_dropped;
      return false;
    }
    if (!current && options_.versions_before && view) {
      TRY_ASSIGN(const bool superseded,
                 index_.IsSuperseded(line.id, line.version, *options_.versions_before));
      if (superseded) {
        dropped_steps_.emplace_back(line.id, line.version);
        ++counted.versions_dropped;
        return false;
      }
    }
    ++counted.records_kept;
    return true;
  }

  // Of a verified line the ids that have not been answered for since.
  Result<void> AddVerified(RecordLine line, NewSegment& made, CompactReport& counted) {
    std::vector<std::int64_t> ids;
    for (const std::int64_t id : line.ids) {
      TRY_ASSIGN(const bool keep, line.status == 200 ? IsNewest({type_, id}, line.fetched_at)
                                                     : IsStillMissed({type_, id}, line.fetched_at));
      if (keep) ids.push_back(id);
    }
    counted.ids_dropped += std::int64_t(line.ids.size() - ids.size());
    if (ids.empty()) return {};
    line.ids = std::move(ids);
    std::string text;
    AppendRecordLine(line, text);
    text.pop_back();
    made.AddVerified(text);
    return {};
  }

  Result<bool> IsNewest(MediaId id, Time at) {
    TRY_ASSIGN(const auto view, index_.Find(id));
    return view && view->live() && view->verified_at == at;
  }

  // Each 404 of an id that is not there counts; that of a held deletion is the one of its row.
  Result<bool> IsStillMissed(MediaId id, Time at) {
    TRY_ASSIGN(const auto missing, index_.Missing(id));
    if (missing) return true;
    TRY_ASSIGN(const auto held, index_.Held(id));
    return held == at;
  }

  Result<void> Replace(const Run& run, const NewSegment& made, const std::string& bytes) {
    SegmentRow row;
    row.type = type_;
    TRY_ASSIGN(row.number, index_.NextNumber(type_));
    row.bytes = bytes.size();
    row.records = made.origin().lines();
    row.frames = made.frames();
    row.content = made.content();
    row.crc = libdeflate_crc32(0, bytes.data(), bytes.size());
    row.opened_at = run.front().opened_at;
    // state.json speaks of the last sequence number, and that has not changed.
    row.sealed_at = run.back().sealed_at;
    row.origin = made.origin();
    if (row.number > kMaxSegmentNumber) return Fail(ErrorCode::kInternal, "the numbers are used up");
    const std::string path = SealedPath(type_, row.number);
    auto done = WriteWhole(files_, path, bytes);
    if (done) {
      done = catalog_.Transact([&]() -> Result<void> {
        TRY(made.MoveAll(index_, row.number, [this] { return Stopping(); }));
        for (const auto& [id, version] : dropped_steps_) TRY(index_.RemoveStep(id, version));
        for (const SegmentRow& old : run) TRY(index_.RemoveSegment(type_, old.number));
        return index_.PutSegment(row);
      });
    }
    if (!done) {
      // The number belongs to the next segment now. (A file that was never renamed goes with the next
      // opening.)
      TRY_ASSIGN(const bool there, files_.Exists(path));
      if (there) (void)files_.Remove(path);
      return done;
    }
    std::set<std::string> folders;
    for (const SegmentRow& old : run) {
      const std::string old_path = SealedPath(type_, old.number);
      TRY(files_.Remove(old_path));
      folders.insert(FolderOfPath(old_path));
    }
    for (const std::string& folder : folders) TRY(files_.SyncFolder(folder));
    return {};
  }

  FileSystem& files_;
  Database& catalog_;
  RecordIndex& index_;
  ZstdEncoder& encoder_;
  const MediaType type_;
  const std::uint64_t frame_bytes_;
  const CompactOptions& options_;
  const std::function<bool()>& stopping_;

  std::unordered_map<std::int64_t, std::int64_t> purges_;
  std::vector<std::pair<MediaId, std::int64_t>> dropped_steps_;  // of the run at work
  CompactReport report_;
  bool stopped_ = false;
};

}  // namespace

double DeadShare(const SegmentRow& row) {
  return row.content <= 0 ? 0 : std::min(1.0, double(row.dead) / double(row.content));
}

std::vector<Run> PlanCompaction(std::span<const SegmentRow> in_order, const CompactionPlan& plan) {
  std::vector<Run> runs;
  Run run;
  std::uint64_t bytes = 0;
  std::size_t parts = 0;
  const auto close = [&] {
    LeaveWhatIsMuchLarger(run, plan);
    if (!run.empty() && IsWorthIt(run, plan)) runs.push_back(std::move(run));
    run = {};
    bytes = parts = 0;
  };
  for (const SegmentRow& row : in_order) {
    if (row.bytes >= plan.small_bytes && !plan.rewrite.contains(row.number)) {
      close();
      continue;
    }
    const auto live_bytes = static_cast<std::uint64_t>(double(row.bytes) * (1 - DeadShare(row)));
    if (bytes + live_bytes > plan.most_bytes || parts + PartsOf(row) > kMaxOriginParts) close();
    run.push_back(row);
    bytes += live_bytes;
    parts += PartsOf(row);
  }
  close();
  return runs;
}

void CompactReport::Add(const CompactReport& more) {
  segments_before += more.segments_before;
  segments_after += more.segments_after;
  records_kept += more.records_kept;
  stats_dropped += more.stats_dropped;
  ids_dropped += more.ids_dropped;
  versions_dropped += more.versions_dropped;
  purged_dropped += more.purged_dropped;
  bytes_before += more.bytes_before;
  bytes_after += more.bytes_after;
  damaged_segments += more.damaged_segments;
}

Result<CompactReport> Compact(FileSystem& files, Database& catalog, RecordWriter& writer, MediaType type,
                              const CompactOptions& options, const std::function<bool()>& stopping) {
  RecordIndex index(catalog);
  ZstdEncoder encoder(options.zstd_level);
  CompactReport report;
  const auto compact = [&]() -> Result<void> {
    TRY_ASSIGN(report,
               Compactor(files, catalog, index, encoder, type, options.frame_bytes, options, stopping).Go());
    return {};
  };
  const auto done = options.dry_run ? compact() : writer.ReplaceSegments(type, compact);
  if (!done) {
    return Fail(done.error().code, done.error().hint, "compact {}: {}", Name(type), done.error().message);
  }
  return report;
}

}  // namespace tmdbc
