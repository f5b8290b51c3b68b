// SPDX-License-Identifier: MIT
#include "storage/record_writer.h"

#include <algorithm>
#include <utility>

#include "base/compression.h"
#include "base/hash.h"
#include "storage/change_rule.h"
#include "storage/dead_bytes.h"
#include "storage/kept_aside.h"
#include "storage/record_index.h"
#include "storage/record_line.h"
#include "storage/record_loader.h"
#include "storage/recovery.h"
#include "storage/segment_writer.h"
#include "storage/sequence_state.h"
#include "storage/stats_patch.h"

namespace tmdbc {
namespace {

// What one entry of the batch takes in memory besides its line.
constexpr std::uint64_t kEntryBytes = 200;
// Inflated frames that are kept while a batch lasts: a refresh asks in about the order in which was stored.
constexpr std::size_t kKeptBytes = 16 << 20;
// One verified line speaks of answers no further apart than this: the index is told its time for all of them.
constexpr Duration kVerifiedSpan = std::chrono::seconds(1);

Result<void> CheckId(MediaId id) {
  if (id.id >= 1 && id.id <= kMaxRecordId && HasRecords(id.type)) return {};
  return Fail(ErrorCode::kInvalid, "store {}: no id that a record can have", ToString(id));
}

// False when what was read is damaged or lost; an error when it could not be looked at.
template <class T>
Result<bool> Proven(const Result<T>& read) {
  if (!read && !IsDamage(read.error())) return std::unexpected(read.error());
  return read.has_value();
}

}  // namespace

// What has been put since the last commit.
struct RecordWriter::Batch {
  struct View {
    IndexRow row;          // its place may still be one in the batch
    bool written = false;  // false: only verified_at is new
  };
  std::map<MediaId, View> views;  // sorted, so that neighbouring rows of the index are written together
  std::vector<StepRow> steps;
  std::vector<std::pair<std::int64_t, std::int64_t>> episodes;  // episode id, season id
  std::set<MediaId> answered;                   // by a document: no longer in the ledger of missing ids
  std::map<MediaId, MissingRow> missing;        // the ledger's new rows
  std::map<MediaId, std::int64_t> purges;       // up to that version
  std::map<MediaId, std::optional<Time>> held;  // empty: held no longer
  std::map<std::int64_t, std::set<std::int64_t>> seasons;  // of a show, by id
  // To be told in verified lines: live records that a fetch found unchanged, and 404s in their order.
  std::map<MediaId, Time> confirmed;
  std::vector<std::pair<MediaId, Time>> gone;
  DeadBytes dead;
  std::uint64_t bytes = 0;
  std::optional<MonoTime> began;
};

RecordWriter::RecordWriter(FileSystem& files, Database& catalog, const Clock& clock,
                           RecordWriterOptions options)
    : files_(files),
      catalog_(catalog),
      clock_(clock),
      options_(options),
      index_(std::make_unique<RecordIndex>(catalog)),
      loader_(std::make_unique<RecordLoader>(files, kKeptBytes)),
      encoder_(std::make_unique<ZstdEncoder>(options.zstd_level)),
      commit_interval_(std::min(options.first_commit_interval, options.commit_interval)),
      batch_(std::make_unique<Batch>()) {}

RecordWriter::~RecordWriter() = default;

Result<std::unique_ptr<RecordWriter>> RecordWriter::Open(FileSystem& files, Database& catalog,
                                                         const Clock& clock, RecordWriterOptions options) {
  std::unique_ptr<RecordWriter> writer(new RecordWriter(files, catalog, clock, options));
  auto asides = RecoverStore(files, catalog, *writer->index_, clock);
  if (!asides) return Within("open the store", asides.error());
  writer->asides_ = *std::move(asides);
  for (const std::string& path : writer->asides_) writer->notices_.push_back(AsideNotice(path));
  TRY(writer->Reload());
  return writer;
}

Result<void> RecordWriter::Reload() {
  if (batch_->began) return Fail(ErrorCode::kInternal, "the batch has not been committed");
  writers_.clear();
  for (const MediaType type : kRecordTypes) TRY(LoadWriter(type));
  return {};
}

Result<void> RecordWriter::LoadWriter(MediaType type) {
  loader_->Forget();
  TRY_ASSIGN(auto open, index_->LastSegment(type));
  TRY_ASSIGN(const std::uint32_t next, index_->NextNumber(type));
  if (open && open->sealed_at) open.reset();
  writers_[type] = std::make_unique<SegmentWriter>(files_, *encoder_, type, options_.frame_bytes, open, next);
  return {};
}

// --- what is put ---

Result<std::optional<IndexRow>> RecordWriter::CurrentView(MediaId id) {
  if (const auto found = batch_->views.find(id); found != batch_->views.end()) return found->second.row;
  return index_->Find(id);
}

Result<std::vector<IndexRow>> RecordWriter::SeasonsInView(std::int64_t tv_id) {
  TRY_ASSIGN(const auto stored, index_->SeasonsOf(tv_id));
  std::set<std::int64_t> ids;
  for (const IndexRow& row : stored) ids.insert(row.id.id);
  if (const auto put = batch_->seasons.find(tv_id); put != batch_->seasons.end()) {
    ids.insert(put->second.begin(), put->second.end());
  }
  std::vector<IndexRow> seasons;
  for (const std::int64_t id : ids) {
    TRY_ASSIGN(const auto row, CurrentView({MediaType::kSeason, id}));
    if (row && row->tv_id == tv_id) seasons.push_back(*row);
  }
  return seasons;
}

void RecordWriter::Touch(std::uint64_t bytes) {
  if (!batch_->began) batch_->began = clock_.Mono();
  batch_->bytes += bytes + kEntryBytes;
}

Result<void> RecordWriter::Write(const std::optional<IndexRow>& before, RecordLine& line,
                                 const ContentHash& hash, Time verified_at) {
  std::string text;
  text.reserve(line.data.size() + 512);
  AppendRecordLine(line, text);
  if (text.size() > kMaxLineBytes) {
    return Fail(ErrorCode::kInvalid, "store {}: a record of {} bytes is too long", ToString(line.id),
                text.size());
  }
  IndexRow row;
  row.id = line.id;
  row.tv_id = line.tv_id;
  row.season_number = line.season_number;
  row.version = line.version;
  row.change = line.change;
  row.fetched_at = line.fetched_at;
  // Of what is live a verified line says when; a tombstone has one time.
  row.verified_at = row.live() ? verified_at : line.fetched_at;
  row.hash = hash;
  // What came before a purge is not part of the record's history.
  const bool goes_on = before && before->change != Change::kPurge && line.change != Change::kPurge;
  // A stats record is not a step: it goes when it is replaced. A version that nobody can read any more is none either.
  // What can fail comes before the line is taken: another try must not write it twice.
  bool begins_step = goes_on && before->change != Change::kStats;
  if (begins_step) {
    TRY_ASSIGN(begins_step, Readable(*before));
  }
  row.place = writers_.at(line.id.type)->Add(text);
  row.first_at = goes_on ? before->first_at : line.fetched_at;
  row.changes = goes_on ? before->changes : 0;
  if (goes_on && (line.change == Change::kUpdate || line.change == Change::kRestore)) ++row.changes;
  if (begins_step) {
    batch_->steps.push_back({before->id, before->version, before->change, before->fetched_at, before->place});
  }
  if (line.change == Change::kPurge) batch_->purges[line.id] = line.version;
  if (line.change == Change::kInsert || line.change == Change::kRestore) {
    batch_->answered.insert(line.id);
    batch_->missing.erase(line.id);
  }
  // What the line replaces. (Of a purge the index counts it.)
  if (before && before->change == Change::kStats && line.change != Change::kPurge) {
    batch_->dead.AddLine(line.id.type, before->place);
  }
  if (before && !batch_->views.contains(line.id)) batch_->dead.AddConfirmation(*before);
  batch_->confirmed.erase(line.id);
  if (row.live() && verified_at != line.fetched_at) batch_->confirmed[line.id] = verified_at;  // a clock was set back
  std::erase_if(batch_->gone, [&](const auto& answer) { return answer.first == line.id; });
  if (line.id.type == MediaType::kSeason) batch_->seasons[line.tv_id].insert(line.id.id);
  batch_->views[line.id] = {row, true};
  Touch(text.size());
  return {};
}

Result<Change> RecordWriter::Put(Document document) {
  const MediaId id = document.id;
  TRY(CheckId(id));
  // The bodies that come are one line already; a line break would end the record early. Two searches for one
  // byte each take 1 us for 18 KB, find_first_of() takes 50.
  if (document.data.find('\n') != std::string::npos || document.data.find('\r') != std::string::npos) {
    TRY_ASSIGN(document.data, OneLine(std::move(document.data)));
  }
  if (document.data.empty()) return Fail(ErrorCode::kInvalid, "store {}: no data", ToString(id));
  const Time at = ToMillis(document.fetched_at);
  TRY_ASSIGN(auto before, CurrentView(id));
  if (!document.lacking.empty() && before && before->live()) {
    TRY_ASSIGN(const bool kept, KeepLacking(*before, document));
    if (!kept) return Change::kUnchanged;
  }
  ChangeDecision decision = Classify(before, document.hash, at);
  if (before && before->live()) TRY(Unhold(id));  // others are never held
  RecordLine line;
  std::string patch;
  bool readable = true;
  if (decision.change == Change::kUnchanged) {
    TRY_ASSIGN(readable, Readable(*before));
  } else if (decision.change == Change::kStats) {
    TRY_ASSIGN(readable, MakePatch(*before, document.data, patch));
  }
  if (!readable) decision = {Change::kUpdate, before->version + 1, decision.fetched_at};
  if (decision.change == Change::kUnchanged) {
    if (!batch_->views.contains(id)) batch_->dead.AddConfirmation(*before);
    Batch::View& view = batch_->views.try_emplace(id, *before, false).first->second;
    view.row.verified_at = at;
    batch_->confirmed[id] = at;
    Touch(0);
    return decision.change;
  }
  line.id = id;
  line.tv_id = document.tv_id;
  line.season_number = document.season_number;
  line.version = decision.version;
  line.change = decision.change;
  line.fetched_at = decision.fetched_at;
  line.etag = std::move(document.etag);
  if (patch.empty()) {
    line.sha256 = Sha256Hex(document.data);
    line.data = document.data;
  } else {
    line.patch = patch;
  }
  TRY(Write(before, line, document.hash, at));
  for (const EpisodeRef& episode : document.episodes) batch_->episodes.emplace_back(episode.id, id.id);
  return decision.change;
}

Result<void> RecordWriter::WriteEmpty(const IndexRow& before, RecordLine line, Time at) {
  line.id = before.id;
  line.tv_id = before.tv_id;
  line.season_number = before.season_number;
  line.fetched_at = TimeOfNextLine(before, at);
  TRY(Unhold(before.id));
  return Write(before, line, {}, at);
}

Result<void> RecordWriter::WriteTombstone(const IndexRow& before, Time at, DeletionEvidence evidence) {
  RecordLine line;
  line.version = before.version + 1;
  line.change = Change::kDelete;
  // The status of the answer that says so: of the 404, or of its show's body.
  line.status = evidence == DeletionEvidence::kNotListed ? 200 : 404;
  return WriteEmpty(before, line, at);
}

Result<void> RecordWriter::WritePurge(const IndexRow& before, Time at) {
  RecordLine line;
  line.version = before.version;
  line.change = Change::kPurge;
  line.status = 0;  // TMDB was not asked
  return WriteEmpty(before, line, at);
}

Result<void> RecordWriter::PutPurge(MediaId id, Time at) {
  TRY(CheckId(id));
  at = ToMillis(at);
  TRY_ASSIGN(const auto view, CurrentView(id));
  if (!view || !view->live()) return {};
  TRY(WritePurge(*view, at));
  if (id.type != MediaType::kTv) return {};
  TRY_ASSIGN(const auto seasons, SeasonsInView(id.id));
  for (const IndexRow& season : seasons) {
    if (season.live()) TRY(WritePurge(season, at));
  }
  return {};
}

Result<Place> RecordWriter::BaseOf(const IndexRow& row) {
  const auto put = std::ranges::find_if(batch_->steps, [&](const StepRow& step) {
    return step.id == row.id && step.version == row.version;
  });
  if (put != batch_->steps.end()) return put->place;
  return RecordLoader::BaseOf(*index_, row);
}

Result<bool> RecordWriter::Readable(const IndexRow& row) {
  if (row.place.segment == 0 || options_.trust_segments) return true;  // 0: still in the batch
  return Proven(loader_->LoadView(*index_, row));
}

Result<bool> RecordWriter::KeepLacking(const IndexRow& view, Document& document) {
  if (view.place.segment == 0) return false;  // in the batch: what came a moment ago is as good
  const auto stored = loader_->LoadViewBody(*index_, view);
  // A bucket that is away is worth no waiting: the id is a dead letter, and is asked for again.
  if (!stored && options_.trust_segments && !IsDamage(stored.error())) return false;
  TRY_ASSIGN(const bool readable, Proven(stored));
  if (!readable) return true;  // there is nothing to keep
  TRY_ASSIGN(document.data, WithMembersOf(std::move(document.data), *stored, document.lacking));
  TRY_ASSIGN(document.hash, HashContent(document.data));
  return true;
}

Result<bool> RecordWriter::MakePatch(const IndexRow& before, std::string_view data, std::string& patch) {
  const auto base = BaseOf(before);
  if (!base) return Proven(base);
  if (base->segment == 0) return true;  // still in the batch: twice within a second, and the whole body once more
  if (!WorthReading(before.id.type, *base)) return true;
  const auto body = loader_->LoadBody(before.id, before.version, *base);
  if (body) patch = MakeStatsPatch(*body, data).value_or("");
  // A bucket that is away is worth no waiting: the whole body needs nothing of it.
  if (!body && options_.trust_segments && !IsDamage(body.error())) return true;
  return Proven(body);
}

bool RecordWriter::WorthReading(MediaType type, const Place& place) {
  if (!options_.trust_segments || loader_->AtHand(type, place)) return true;
  if (const auto& open = writers_.at(type)->open(); open && open->number == place.segment) return true;  // on this disk
  const std::pair frame{type, Place{.segment = place.segment, .frame_at = place.frame_at}};
  if (std::erase(passed_by_, frame) > 0) return true;
  passed_by_.push_back(frame);
  if (passed_by_.size() > kFramesRemembered) passed_by_.pop_front();
  return false;
}

Result<void> RecordWriter::CountGone(MediaId id, Time at, bool tombstone) {
  auto known = batch_->missing.find(id);
  if (known == batch_->missing.end()) {
    std::optional<MissingRow> stored;
    if (!batch_->answered.contains(id)) {
      TRY_ASSIGN(stored, index_->Missing(id));
    }
    // The 404 that made a tombstone is counted without a row.
    known = batch_->missing.emplace(id, stored.value_or(MissingRow{tombstone ? 1 : 0, {}})).first;
  }
  ++known->second.attempts;
  known->second.last_checked = at;
  batch_->gone.emplace_back(id, at);
  Touch(0);
  return {};
}

Result<Change> RecordWriter::PutGone(MediaId id, Time at, DeletionEvidence evidence) {
  TRY(CheckId(id));
  at = ToMillis(at);
  TRY_ASSIGN(const auto before, CurrentView(id));
  if (!before || !before->live()) {
    if (before) batch_->views.try_emplace(id, *before, false).first->second.row.verified_at = at;
    TRY(CountGone(id, at, before && before->change == Change::kDelete));
    return Change::kUnchanged;
  }
  TRY(WriteTombstone(*before, at, evidence));
  if (id.type != MediaType::kTv) return Change::kDelete;
  TRY_ASSIGN(const auto seasons, SeasonsInView(id.id));
  for (const IndexRow& season : seasons) {
    if (season.live()) TRY(WriteTombstone(season, at, evidence));
  }
  return Change::kDelete;
}

Result<void> RecordWriter::HoldDeletion(MediaId id, Time at) {
  TRY_ASSIGN(const bool live, IsLive(id));
  if (!live) return {};
  at = ToMillis(at);
  batch_->held[id] = at;
  batch_->gone.emplace_back(id, at);
  Touch(0);
  return {};
}

Result<void> RecordWriter::Unhold(MediaId id) {
  const auto in_batch = batch_->held.find(id);
  if (in_batch == batch_->held.end()) {
    TRY_ASSIGN(const auto held, index_->Held(id));
    if (held) batch_->held[id] = std::nullopt;
  } else if (in_batch->second) {
    in_batch->second.reset();
    std::erase_if(batch_->gone, [&](const auto& answer) { return answer.first == id; });
  }
  return {};
}

Result<std::optional<Time>> RecordWriter::AnsweredAt(MediaId id) {
  TRY(CheckId(id));
  std::optional<Time> last;
  const auto take = [&](const std::optional<Time>& at) {
    if (at && (!last || *at > *last)) last = at;
  };
  TRY_ASSIGN(const auto view, CurrentView(id));
  if (view && view->change != Change::kPurge) take(view->verified_at);
  if (const auto missed = batch_->missing.find(id); missed != batch_->missing.end()) {
    take(missed->second.last_checked);
  } else if (!batch_->answered.contains(id)) {
    TRY_ASSIGN(const auto missing, index_->Missing(id));
    if (missing) take(missing->last_checked);
  }
  if (const auto held = batch_->held.find(id); held != batch_->held.end()) {
    take(held->second);
  } else {
    TRY_ASSIGN(const auto stored, index_->Held(id));
    take(stored);
  }
  return last;
}

Result<bool> RecordWriter::IsLive(MediaId id) {
  TRY(CheckId(id));
  TRY_ASSIGN(const auto view, CurrentView(id));
  return view && view->live();
}

Result<std::vector<RecordWriter::LiveSeason>> RecordWriter::LiveSeasons(std::int64_t tv_id) {
  TRY_ASSIGN(const auto rows, SeasonsInView(tv_id));
  std::map<std::int64_t, const IndexRow*> holders;  // by number
  for (const IndexRow& row : rows) {
    if (!row.live()) continue;
    const IndexRow*& holder = holders[row.season_number];
    if (!holder || std::pair(holder->verified_at, holder->id) < std::pair(row.verified_at, row.id))
      holder = &row;
  }
  std::vector<LiveSeason> seasons;
  for (const IndexRow& row : rows) {
    if (row.live()) seasons.push_back({row.id, row.season_number, holders[row.season_number] == &row});
  }
  return seasons;
}

// --- the commit ---

bool RecordWriter::CommitDue() const {
  return batch_->began &&
         (batch_->bytes >= options_.commit_bytes || clock_.Mono() - *batch_->began >= commit_interval_);
}

std::optional<MonoTime> RecordWriter::CommitDeadline() const {
  if (!batch_->began) return std::nullopt;
  return *batch_->began + commit_interval_;
}

void RecordWriter::AppendVerified() {
  // Neighbours in time make one line, whose time the index then has for all of them: so it can be made again exactly.
  std::map<MediaType, std::vector<std::pair<Time, std::int64_t>>> confirmed;
  for (const auto& [id, at] : batch_->confirmed) confirmed[id.type].emplace_back(at, id.id);
  for (auto& [type, answers] : confirmed) {
    std::ranges::sort(answers);
    for (auto begin = answers.begin(); begin != answers.end();) {
      const auto end = std::find_if(begin, answers.end(),
                                    [&](const auto& answer) { return answer.first - begin->first >= kVerifiedSpan; });
      std::vector<std::int64_t> ids;
      for (auto answer = begin; answer != end; ++answer) ids.push_back(answer->second);
      AppendVerified(type, 200, std::prev(end)->first, std::move(ids));
      begin = end;
    }
  }
  // 404s count: an id that is asked for twice is in two lines.
  std::map<MediaType, std::vector<std::pair<Time, std::int64_t>>> gone;
  for (const auto& [id, at] : batch_->gone) gone[id.type].emplace_back(at, id.id);
  for (auto& [type, answers] : gone) {
    std::ranges::stable_sort(answers, {}, &std::pair<Time, std::int64_t>::first);
    for (auto begin = answers.begin(); begin != answers.end();) {
      std::set<std::int64_t> ids;
      auto end = begin;
      while (end != answers.end() && end->first - begin->first < kVerifiedSpan && ids.insert(end->second).second) ++end;
      AppendVerified(type, 404, std::prev(end)->first, {ids.begin(), ids.end()});
      begin = end;
    }
  }
  batch_->confirmed.clear();
  batch_->gone.clear();
}

void RecordWriter::AppendVerified(MediaType type, int status, Time at, std::vector<std::int64_t> ids) {
  std::ranges::sort(ids);
  for (const std::int64_t number : ids) {
    const MediaId id{type, number};
    const auto view = batch_->views.find(id);
    if (view != batch_->views.end() && (status == 200) == view->second.row.live()) view->second.row.verified_at = at;
    if (status == 200) continue;
    if (const auto row = batch_->missing.find(id); row != batch_->missing.end()) row->second.last_checked = at;
    if (const auto held = batch_->held.find(id); held != batch_->held.end() && held->second) held->second = at;
  }
  RecordLine line;
  line.id = {type, 0};
  line.change = Change::kVerified;
  line.fetched_at = at;
  line.status = status;
  line.ids = std::move(ids);
  std::string text;
  AppendRecordLine(line, text);
  writers_.at(type)->Add(text);
}

Result<void> RecordWriter::FlushBatch() {
  AppendVerified();
  for (auto& [type, writer] : writers_) {
    if (writer->empty()) continue;
    if (writer->renaming()) TRY(SealOne(type));
    TRY(writer->Flush(ToMillis(clock_.Now())));
  }
  return {};
}

Result<void> RecordWriter::IndexBatch() {
  for (const auto& [type, writer] : writers_) {
    if (!writer->empty()) TRY(index_->PutSegment(writer->Flushed()));
  }
  for (StepRow step : batch_->steps) {
    step.place = writers_.at(step.id.type)->Resolve(step.place);
    TRY(index_->PutStep(step));
  }
  for (const auto& [id, version] : batch_->purges) TRY(index_->PutPurge(id, version));
  TRY(batch_->dead.Write(*index_, [&](MediaType type) { return writers_.at(type)->Flushed().number; }));
  for (const auto& [id, view] : batch_->views) {
    if (!view.written) {
      TRY(index_->PutVerified(id, view.row.verified_at));
      continue;
    }
    IndexRow row = view.row;
    row.place = writers_.at(id.type)->Resolve(row.place);
    TRY(index_->Put(row));
  }
  for (const auto& [episode, season] : batch_->episodes) TRY(index_->PutEpisode(episode, season));
  for (const MediaId id : batch_->answered) TRY(index_->RemoveMissing(id));
  for (const auto& [id, row] : batch_->missing) TRY(index_->PutMissing(id, row));
  for (const auto& [id, at] : batch_->held) TRY(at ? index_->PutHeld(id, *at) : index_->RemoveHeld(id));
  return {};
}

Result<void> RecordWriter::Commit(const std::function<Result<void>()>& within) {
  if (catalog_.InTransaction()) return Fail(ErrorCode::kInternal, "commit: within a transaction");
  const auto flushed = FlushBatch();
  if (!flushed) {
    for (auto& [type, writer] : writers_) writer->Cut();
    return Within("commit", flushed.error());
  }
  const auto done = catalog_.Transact([&]() -> Result<void> {
    TRY(IndexBatch());
    if (within) TRY(within());
    return {};
  });
  if (!done) {
    // A COMMIT that reports an error may be on the disk all the same, and a power cut would bring it back: what it
    // would point to stays. Where there was no room, or somebody else held the catalog, nothing was written.
    const bool known = done.error().code == ErrorCode::kNoSpace || done.error().code == ErrorCode::kBusy;
    for (auto& [type, writer] : writers_) {
      if (!writer->empty()) known ? writer->Cut() : writer->Keep();
    }
    return Within("commit", done.error());
  }
  for (auto& [type, writer] : writers_) {
    if (!writer->empty()) writer->Committed();
  }
  encoder_->SetLevel(batch_->bytes >= options_.commit_bytes ? options_.fast_zstd_level : options_.zstd_level);
  *batch_ = {};
  if (!options_.trust_segments) loader_->Forget();
  commit_interval_ = std::min(2 * commit_interval_, options_.commit_interval);
  for (auto& [type, writer] : writers_) {
    if (IsSealDue(type)) (void)SealOne(type);
    if (state_behind_.contains(type)) (void)WriteState(type);
  }
  return {};
}

bool RecordWriter::IsSealDue(MediaType type) const {
  const auto& open = writers_.at(type)->open();
  if (!open) return false;
  const Duration age = clock_.Now() - open->opened_at;
  // Opened long after now: the clock was set back.
  return writers_.at(type)->renaming() || open->bytes >= options_.segment_bytes ||
         age >= options_.segment_age || -age > options_.segment_age;
}

Result<void> RecordWriter::WriteState(MediaType type) {
  TRY(BringStateUpToDate(files_, *index_, type));
  state_behind_.erase(type);
  return {};
}

Result<void> RecordWriter::ForgetFailedCommit(SegmentWriter& writer) {
  const SegmentRow row = *writer.open();
  // This write takes the place in the log where the failed one was: once it is durable, that one never happened.
  TRY(catalog_.Transact([&]() -> Result<void> {
    TRY_ASSIGN(auto last, index_->LastSegment(row.type));
    if (last) last->dead = row.dead;  // the index alone counts those
    if (last != row) {
      return Fail(ErrorCode::kIo, "the batch before has to be committed first");
    }
    return index_->PutSegment(row);
  }));
  writer.Forget();
  return {};
}

Result<void> RecordWriter::SealOne(MediaType type) {
  SegmentWriter& writer = *writers_.at(type);
  if (writer.keeps()) TRY(ForgetFailedCommit(writer));
  TRY(writer.Rename());
  SegmentRow row = *writer.open();
  row.sealed_at = ToMillis(clock_.Now());
  TRY(catalog_.Transact([&] { return index_->PutSegment(row); }));
  writer.Sealed();
  state_behind_.insert(type);
  return WriteState(type);
}

Result<void> RecordWriter::Seal() {
  Result<void> done;
  for (auto& [type, writer] : writers_) {
    auto sealed = writer->open() ? SealOne(type) : Result<void>();
    if (sealed && state_behind_.contains(type)) sealed = WriteState(type);
    if (!sealed && done) done = Within("seal", sealed.error());
  }
  if (done && !asides_.empty()) done = DropKnown(files_, *index_, asides_);
  return done;
}

Result<void> RecordWriter::SealDue() {
  Result<void> done;
  for (auto& [type, writer] : writers_) {
    auto sealed = IsSealDue(type) ? SealOne(type) : Result<void>();
    if (sealed && state_behind_.contains(type)) sealed = WriteState(type);
    if (!sealed && done) done = Within("seal", sealed.error());
  }
  return done;
}

Result<void> RecordWriter::ReplaceSegments(MediaType type, const std::function<Result<void>()>& replace) {
  if (batch_->began || catalog_.InTransaction()) {
    return Fail(ErrorCode::kInternal, "replace segments: a batch is under way");
  }
  if (writers_.at(type)->open()) TRY(SealOne(type));
  const auto done = replace();
  // Also after an error: what was replaced before it has taken numbers.
  TRY(LoadWriter(type));
  TRY(done);
  return WriteState(type);
}

}  // namespace tmdbc
