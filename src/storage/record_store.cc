// SPDX-License-Identifier: MIT
#include "storage/record_store.h"

#include <algorithm>
#include <utility>

#include "base/compression.h"
#include "base/hash.h"
#include "storage/change_rule.h"
#include "storage/popularity_table.h"
#include "storage/record_index.h"
#include "storage/record_line.h"
#include "storage/segment_path.h"
#include "storage/segment_reader.h"
#include "storage/segment_writer.h"
#include "storage/sequence_state.h"
#include "storage/store_care.h"

namespace tmdbc {
namespace {

// What one entry of the batch takes in memory besides its line.
constexpr std::uint64_t kEntryBytes = 200;

// All times are written in milliseconds; so they are compared.
Time ToMillis(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time);
}

Result<void> CheckPut(MediaId id, const Clock* clock) {
  if (!clock) return Fail(ErrorCode::kInternal, "store {}: the store was opened for reading", ToString(id));
  if (id.id >= 1 && id.id <= kMaxRecordId && id.type != MediaType::kEpisode) return {};
  return Fail(ErrorCode::kInvalid, "store {}: no id that a record can have", ToString(id));
}

}  // namespace

// What has been put since the last commit.
struct RecordStore::Batch {
  struct View {
    IndexRow row;          // its place may still be one in the batch
    bool written = false;  // false: only verified_at is new
  };
  std::map<MediaId, View> views;  // sorted, so that neighbouring rows of the index are written together
  std::vector<StepRow> steps;
  std::vector<std::pair<std::int64_t, std::int64_t>> episodes;  // episode id, season id
  std::set<MediaId> answered;                   // by a document: no longer in the ledger of missing ids
  std::map<MediaId, MissingRow> missing;        // the ledger's new rows
  std::map<MediaId, std::optional<Time>> held;  // empty: held no longer
  std::map<std::int64_t, std::set<std::int64_t>> seasons;  // of a show, by id
  std::uint64_t bytes = 0;
  std::optional<MonoTime> began;
};

RecordStore::RecordStore(FileSystem& files, Database& catalog, const Clock* clock, RecordStoreOptions options)
    : files_(files),
      catalog_(catalog),
      clock_(clock),
      options_(options),
      index_(std::make_unique<RecordIndex>(catalog)),
      popularity_(std::make_unique<PopularityTable>(catalog)),
      decoder_(std::make_unique<ZstdDecoder>()),
      commit_interval_(std::min(options.first_commit_interval, options.commit_interval)),
      batch_(std::make_unique<Batch>()) {}

RecordStore::~RecordStore() = default;

Result<std::unique_ptr<RecordStore>> RecordStore::Open(FileSystem& files, Database& catalog,
                                                       const Clock& clock, RecordStoreOptions options) {
  std::unique_ptr<RecordStore> store(new RecordStore(files, catalog, &clock, options));
  store->encoder_ = std::make_unique<ZstdEncoder>(options.zstd_level);
  if (auto recovered = store->Recover(); !recovered) return Within("open the store", recovered.error());
  TRY(store->LoadWriters());
  return store;
}

Result<std::unique_ptr<RecordStore>> RecordStore::OpenReadOnly(FileSystem& files, Database& catalog) {
  return std::unique_ptr<RecordStore>(new RecordStore(files, catalog, nullptr, {}));
}

// --- recovery
// --------------------------------------------------------------------------------------------------------------

Result<void> RecordStore::Recover() {
  TRY_ASSIGN(const auto paths, files_.List(std::string(kRecordsFolder)));
  std::map<MediaType, std::vector<SegmentName>> found;
  for (const std::string& path : paths) {
    if (path.ends_with(".tmp")) TRY(files_.Remove(path));
    if (const auto name = ParseSegmentPath(path)) found[name->type].push_back(*name);
  }
  TRY(catalog_.Transact([&]() -> Result<void> {
    TRY_ASSIGN(const bool index_is_new, index_->Create());
    // Within the transaction: a refusal leaves no empty tables that the next start would believe.
    if (index_is_new && !found.empty()) {
      return Fail(ErrorCode::kCorrupt,
                  "there are records, but catalog.db knows none of them: run verify --rebuild");
    }
    return popularity_->Create();
  }));
  for (const MediaType type : kRecordTypes) TRY(RecoverType(type, found[type]));
  return {};
}

Result<void> RecordStore::RecoverType(MediaType type, std::span<const SegmentName> found) {
  TRY_ASSIGN(const auto segments, index_->Segments(type));
  const std::uint32_t last = segments.empty() ? 0 : segments.back().number;
  const bool last_is_open = last != 0 && !segments.back().sealed_at;
  bool open_file = false, sealed_file = false;
  for (const SegmentName& name : found) {
    const std::string path = name.open ? OpenPath(type, name.number) : SealedPath(type, name.number);
    if (last_is_open && name.number == last) {
      (name.open ? open_file : sealed_file) = true;
    } else if (name.open && !last_is_open && name.number == last + 1) {
      TRY(files_.Remove(path));  // begun by a batch that was never committed
    } else if (name.open || name.number > last) {
      return Fail(ErrorCode::kCorrupt, "catalog.db does not know {}: run verify --rebuild", path);
    }
  }
  if (last_is_open) {
    SegmentRow row = segments.back();
    const std::string path = open_file ? OpenPath(type, last) : SealedPath(type, last);
    if (open_file == sealed_file) {
      return Fail(ErrorCode::kCorrupt, "{} {}: run verify --rebuild", path,
                  open_file ? "exists under both of its names" : "is missing");
    }
    TRY_ASSIGN(const std::uint64_t size, files_.Size(path));
    if (size < row.bytes || (sealed_file && size != row.bytes)) {
      return Fail(ErrorCode::kCorrupt, "{} has {} bytes, the index says {}: run verify --rebuild", path, size,
                  row.bytes);
    }
    if (size > row.bytes) {
      TRY_ASSIGN(const auto file, files_.OpenAppend(path));
      TRY(file->Truncate(row.bytes));
      TRY(file->Sync());
    }
    if (sealed_file) {  // renamed, but the index was not told
      TRY(files_.SyncFolder(FolderOfPath(path)));
      row.sealed_at = ToMillis(clock_->Now());
      TRY(catalog_.Transact([&] { return index_->PutSegment(row); }));
    }
  }
  return WriteState(type);
}

Result<void> RecordStore::LoadWriters() {
  writers_.clear();
  for (const MediaType type : kRecordTypes) {
    TRY_ASSIGN(const auto segments, index_->Segments(type));
    std::optional<SegmentRow> open;
    std::uint32_t next = 1;
    if (!segments.empty()) {
      next = segments.back().number + 1;
      if (!segments.back().sealed_at) open = segments.back();
    }
    writers_[type] =
        std::make_unique<SegmentWriter>(files_, *encoder_, type, options_.frame_bytes, open, next);
  }
  return {};
}

Result<void> RecordStore::WriteState(MediaType type) {
  TRY_ASSIGN(const auto segments, index_->Segments(type));
  const auto last =
      std::find_if(segments.rbegin(), segments.rend(), [](const SegmentRow& row) { return !!row.sealed_at; });
  if (last != segments.rend()) {
    const std::string path = StatePath(type);
    const std::string wanted = FormatState({last->number, *last->sealed_at});
    const auto present = files_.Read(path, 0, wanted.size() + 1);
    if (!present && present.error().code != ErrorCode::kNotFound) return std::unexpected(present.error());
    if (!present || *present != wanted) TRY(WriteWhole(files_, path, wanted));
  }
  state_behind_.erase(type);
  return {};
}

// --- writing
// ---------------------------------------------------------------------------------------------------------------

Result<std::optional<IndexRow>> RecordStore::CurrentView(MediaId id) {
  if (const auto found = batch_->views.find(id); found != batch_->views.end()) return found->second.row;
  return index_->Find(id);
}

Result<std::vector<IndexRow>> RecordStore::SeasonsInView(std::int64_t tv_id) {
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

void RecordStore::Touch(std::uint64_t bytes) {
  if (!batch_->began) batch_->began = clock_->Mono();
  batch_->bytes += bytes + kEntryBytes;
}

Result<void> RecordStore::Write(const std::optional<IndexRow>& before, RecordLine& line,
                                const ContentHash& hash) {
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
  row.fetched_at = row.verified_at = line.fetched_at;
  row.hash = hash;
  row.place = writers_.at(line.id.type)->Add(text);
  // What came before a purge is no part of the record's history.
  const bool goes_on = before && before->change != Change::kPurge;
  row.first_at = goes_on ? before->first_at : line.fetched_at;
  row.changes = goes_on ? before->changes : 0;
  if (goes_on && (line.change == Change::kUpdate || line.change == Change::kRestore)) ++row.changes;
  // A stats record is no step: it goes when it is replaced.
  if (goes_on && before->change != Change::kStats) {
    batch_->steps.push_back({before->id, before->version, before->change, before->fetched_at, before->place});
  }
  if (line.change == Change::kInsert || line.change == Change::kRestore) {
    batch_->answered.insert(line.id);
    batch_->missing.erase(line.id);
  }
  if (line.id.type == MediaType::kSeason) batch_->seasons[line.tv_id].insert(line.id.id);
  batch_->views[line.id] = {row, true};
  Touch(text.size());
  return {};
}

Result<Change> RecordStore::Put(Document document) {
  const MediaId id = document.id;
  TRY(CheckPut(id, clock_));
  // The bodies that come are one line already; a line break would end the record early. Two searches for one
  // byte each take 1 us for 18 KB, find_first_of() takes 50.
  if (document.data.find('\n') != std::string::npos || document.data.find('\r') != std::string::npos) {
    TRY_ASSIGN(document.data, OneLine(std::move(document.data)));
  }
  if (document.data.empty()) return Fail(ErrorCode::kInvalid, "store {}: no data", ToString(id));
  const Time fetched_at = ToMillis(document.fetched_at);
  TRY_ASSIGN(auto before, CurrentView(id));
  const Verdict verdict = Classify(before, document.hash, fetched_at, clock_->Now());
  if (verdict.stale) return Change::kUnchanged;
  TRY(Unhold(id));
  if (verdict.change == Change::kUnchanged) {
    Batch::View& view = batch_->views.try_emplace(id, *before, false).first->second;
    view.row.verified_at = fetched_at;
    Touch(0);
    return verdict.change;
  }
  RecordLine line;
  line.id = id;
  line.tv_id = document.tv_id;
  line.season_number = document.season_number;
  line.version = verdict.version;
  line.change = verdict.change;
  line.fetched_at = fetched_at;
  line.etag = std::move(document.etag);
  line.sha256 = Sha256Hex(document.data);
  line.data = document.data;
  TRY(Write(before, line, document.hash));
  for (const EpisodeRef& episode : document.episodes) batch_->episodes.emplace_back(episode.id, id.id);
  return verdict.change;
}

Result<void> RecordStore::WriteTombstone(const IndexRow& before, Time at) {
  RecordLine line;
  line.id = before.id;
  line.tv_id = before.tv_id;
  line.season_number = before.season_number;
  line.version = before.version + 1;
  line.change = Change::kDelete;
  line.fetched_at = at;
  line.status = 404;
  return Write(before, line, {});
}

Result<void> RecordStore::CountGone(MediaId id, Time at, bool tombstone) {
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
  Touch(0);
  return {};
}

Result<Change> RecordStore::PutGone(MediaId id, Time at) {
  TRY(CheckPut(id, clock_));
  at = ToMillis(at);
  TRY_ASSIGN(const auto before, CurrentView(id));
  if (!before) {
    TRY(CountGone(id, at, false));
    return Change::kUnchanged;
  }
  const Verdict verdict = ClassifyGone(before, at, clock_->Now());
  if (verdict.stale) return Change::kUnchanged;
  TRY(Unhold(id));
  if (verdict.change == Change::kUnchanged) {
    batch_->views.try_emplace(id, *before, false).first->second.row.verified_at = at;
    TRY(CountGone(id, at, before->change == Change::kDelete));
    return Change::kUnchanged;
  }
  TRY(WriteTombstone(*before, at));
  if (id.type == MediaType::kTv) TRY(PutSeasonList(id.id, {}, at));
  return Change::kDelete;
}

Result<void> RecordStore::HoldDeletion(MediaId id, Time at) {
  TRY(CheckPut(id, clock_));
  at = ToMillis(at);
  TRY_ASSIGN(const auto before, CurrentView(id));
  if (ClassifyGone(before, at, clock_->Now()).change != Change::kDelete) return {};
  batch_->held[id] = at;
  Touch(0);
  return {};
}

Result<void> RecordStore::Unhold(MediaId id) {
  const auto in_batch = batch_->held.find(id);
  if (in_batch == batch_->held.end()) {
    TRY_ASSIGN(const auto held, index_->Held(id));
    if (held) batch_->held[id] = std::nullopt;
  } else {
    in_batch->second.reset();
  }
  return {};
}

Result<void> RecordStore::PutSeasonList(std::int64_t tv_id, std::span<const std::int64_t> listed, Time at) {
  TRY(CheckPut({MediaType::kTv, tv_id}, clock_));
  at = ToMillis(at);
  TRY_ASSIGN(const auto seasons, SeasonsInView(tv_id));
  // Of several live seasons with one number the one fetched last has it.
  std::map<std::int64_t, const IndexRow*> holder;
  for (const IndexRow& row : seasons) {
    if (!row.live()) continue;
    const IndexRow*& held = holder[row.season_number];
    if (!held || std::pair(held->verified_at, held->id) < std::pair(row.verified_at, row.id)) held = &row;
  }
  for (const IndexRow& row : seasons) {
    const bool stays = std::find(listed.begin(), listed.end(), row.season_number) != listed.end() &&
                       holder[row.season_number] == &row;
    if (stays || ClassifyGone(row, at, clock_->Now()).change != Change::kDelete) continue;
    TRY(WriteTombstone(row, at));
  }
  return {};
}

bool RecordStore::CommitDue() const {
  return batch_->began &&
         (batch_->bytes >= options_.commit_bytes || clock_->Mono() - *batch_->began >= commit_interval_);
}

std::optional<MonoTime> RecordStore::CommitDeadline() const {
  if (!batch_->began) return std::nullopt;
  return *batch_->began + commit_interval_;
}

Result<void> RecordStore::FlushBatch() {
  for (auto& [type, writer] : writers_) {
    if (writer->empty()) continue;
    if (writer->renaming()) TRY(SealOne(type));
    TRY(writer->Flush(ToMillis(clock_->Now())));
  }
  return {};
}

Result<void> RecordStore::IndexBatch() {
  for (const auto& [type, writer] : writers_) {
    if (!writer->empty()) TRY(index_->PutSegment(writer->Flushed()));
  }
  for (StepRow step : batch_->steps) {
    step.place = writers_.at(step.id.type)->Resolve(step.place);
    TRY(index_->PutStep(step));
  }
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

Result<void> RecordStore::Commit(const std::function<Result<void>()>& within) {
  if (!clock_) return Fail(ErrorCode::kInternal, "commit: the store was opened for reading");
  if (catalog_.InTransaction()) return Fail(ErrorCode::kInternal, "commit: within a transaction");
  auto done = FlushBatch();
  if (done) {
    done = catalog_.Transact([&]() -> Result<void> {
      TRY(IndexBatch());
      if (within) TRY(within());
      return {};
    });
  }
  if (!done) {
    for (auto& [type, writer] : writers_) writer->Cut();
    return Within("commit", done.error());
  }
  for (auto& [type, writer] : writers_) {
    if (!writer->empty()) writer->Committed();
  }
  *batch_ = {};
  commit_interval_ = std::min(2 * commit_interval_, options_.commit_interval);
  for (auto& [type, writer] : writers_) {
    if (SealDue(type)) (void)SealOne(type);
    if (state_behind_.contains(type)) (void)WriteState(type);
  }
  return {};
}

bool RecordStore::SealDue(MediaType type) const {
  const auto& open = writers_.at(type)->open();
  if (!open) return false;
  return writers_.at(type)->renaming() || open->bytes >= options_.segment_bytes ||
         clock_->Now() - open->opened_at >= options_.segment_age;
}

Result<void> RecordStore::SealOne(MediaType type) {
  SegmentWriter& writer = *writers_.at(type);
  TRY(writer.Rename());
  SegmentRow row = *writer.open();
  row.sealed_at = ToMillis(clock_->Now());
  TRY(catalog_.Transact([&] { return index_->PutSegment(row); }));
  writer.Sealed();
  state_behind_.insert(type);
  return WriteState(type);
}

Result<void> RecordStore::Seal() {
  if (!clock_ || batch_->began) return Fail(ErrorCode::kInternal, "seal: the batch has not been committed");
  Result<void> done;
  for (auto& [type, writer] : writers_) {
    auto sealed = writer->open() ? SealOne(type) : Result<void>();
    if (sealed && state_behind_.contains(type)) sealed = WriteState(type);
    if (!sealed && done) done = Within("seal", sealed.error());
  }
  return done;
}

// --- reading
// ---------------------------------------------------------------------------------------------------------------

Result<StoredRecord> RecordStore::Load(MediaId id, std::int64_t version, const Place& place) {
  const auto load = [&]() -> Result<StoredRecord> {
    TRY_ASSIGN(const std::string frame, ReadFrame(files_, id.type, place));
    TRY_ASSIGN(const std::string content, decoder_->Unframe(frame, kMaxLineBytes));
    TRY_ASSIGN(const std::string_view text, LineAt(content, place.line_at));
    TRY_ASSIGN(RecordLine line, ParseRecordLine(text));
    if (line.id != id || line.version != version) {
      return Fail(ErrorCode::kCorrupt, "found {} version {}", ToString(line.id), line.version);
    }
    StoredRecord record;
    record.id = id;
    record.tv_id = line.tv_id;
    record.season_number = line.season_number;
    record.version = version;
    record.change = line.change;
    record.fetched_at = line.fetched_at;
    record.status = line.status;
    record.etag = std::move(line.etag);
    record.sha256 = std::move(line.sha256);
    record.data = line.data;
    record.envelope = text;
    return record;
  };
  auto record = load();
  if (record) return record;
  return Fail(record.error().code, "read {} version {} in {} at byte {}: {}", ToString(id), version,
              SealedPath(id.type, place.segment), place.frame_at, record.error().message);
}

Result<StoredRecord> RecordStore::Find(MediaId id) {
  TRY_ASSIGN(const auto row, index_->Find(id));
  if (!row) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
  return LoadView(*row);
}

Result<StoredRecord> RecordStore::LoadView(const IndexRow& row) {
  if (row.change == Change::kPurge) {
    return Fail(ErrorCode::kNotFound, "{} was purged on {}: TMDB had not confirmed it for too long",
                ToString(row.id), FormatTime(row.fetched_at));
  }
  return Load(row.id, row.version, row.place);
}

Result<StoredRecord> RecordStore::FindSeason(std::int64_t tv_id, std::int64_t season_number) {
  TRY_ASSIGN(const auto row, index_->FindSeason(tv_id, season_number));
  if (!row) return Fail(ErrorCode::kNotFound, "season {} of tv:{} is not stored", season_number, tv_id);
  return LoadView(*row);
}

Result<StoredRecord> RecordStore::FindSeasonOfEpisode(std::int64_t episode_id) {
  TRY_ASSIGN(const auto row, index_->FindSeasonOfEpisode(episode_id));
  if (!row) return Fail(ErrorCode::kNotFound, "episode:{} is not stored", episode_id);
  return LoadView(*row);
}

Result<std::vector<StepRow>> RecordStore::StepsOf(const IndexRow& current) {
  // Should another process be writing, the steps may hold `current` by now: they are cut back to what came
  // before it.
  TRY_ASSIGN(auto steps, index_->Steps(current.id));
  std::erase_if(steps, [&](const StepRow& step) {
    return current.change == Change::kStats ? step.version > current.version
                                            : step.version >= current.version;
  });
  return steps;
}

Result<std::vector<StoredRecord>> RecordStore::History(MediaId id) {
  TRY_ASSIGN(const auto current, index_->Find(id));
  if (!current) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
  TRY_ASSIGN(const auto steps, StepsOf(*current));
  std::vector<StoredRecord> records;
  for (const StepRow& step : steps) {
    TRY_ASSIGN(auto record, Load(id, step.version, step.place));
    records.push_back(std::move(record));
  }
  if (current->change != Change::kStats) {
    TRY_ASSIGN(auto record, LoadView(*current));
    records.push_back(std::move(record));
  }
  return records;
}

Result<StoredRecord> RecordStore::FindAsOf(MediaId id, Time at) {
  TRY_ASSIGN(const auto current, index_->Find(id));
  if (!current) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
  if (current->change == Change::kPurge || current->fetched_at <= at) return LoadView(*current);
  TRY_ASSIGN(const auto steps, StepsOf(*current));
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->fetched_at <= at) return Load(id, step->version, step->place);
  }
  return Fail(ErrorCode::kNotFound, "{} was not stored yet at {}: its first version here is of {}",
              ToString(id), FormatTime(at),
              FormatTime(steps.empty() ? current->fetched_at : steps.front().fetched_at));
}

Result<IdState> RecordStore::StateOf(MediaId id) {
  return index_->StateOf(id);
}

Result<void> RecordStore::VisitStates(MediaType type, const std::function<void(const IdState&)>& visit) {
  return index_->VisitStates(type, visit);
}

Result<void> RecordStore::VisitLive(MediaType type, const std::function<void(const LiveRecord&)>& visit) {
  return index_->VisitLive(type, visit);
}

Result<std::vector<std::int64_t>> RecordStore::HeldDeletions(MediaType type) {
  return index_->HeldDeletions(type);
}

Result<std::vector<std::int64_t>> RecordStore::SeasonNumbers(std::int64_t tv_id) {
  TRY_ASSIGN(const auto seasons, index_->SeasonsOf(tv_id));
  std::vector<std::int64_t> numbers;
  for (const IndexRow& row : seasons) {
    if (row.live() && (numbers.empty() || numbers.back() != row.season_number))
      numbers.push_back(row.season_number);
  }
  return numbers;
}

Result<void> RecordStore::VisitKnownIds(MediaType type, const std::function<void(std::int64_t)>& visit) {
  return index_->VisitStates(type, [&](const IdState& state) { visit(state.id); });
}

Result<std::vector<std::pair<MediaType, TypeCounts>>> RecordStore::Counts() {
  return index_->Counts();
}

Result<void> RecordStore::SetPopularity(MediaType type, std::span<const Popularity> sorted) {
  return popularity_->Set(type, sorted);
}

Result<std::optional<float>> RecordStore::PopularityOf(MediaId id) {
  return popularity_->Find(id);
}

// --- the change feed
// ------------------------------------------------------------------------------------------------------------------

Result<std::int64_t> RecordStore::NewestSequence(MediaType type) {
  TRY_ASSIGN(const auto segments, index_->Segments(type));
  std::int64_t newest = 0;
  for (const SegmentRow& row : segments) {
    if (row.sealed_at) newest = row.number;
  }
  return newest;
}

Result<std::int64_t> RecordStore::ReadFeed(
    MediaType type, std::int64_t since,
    const std::function<Result<bool>(std::int64_t sequence, std::string_view line)>& visit) {
  TRY_ASSIGN(const std::int64_t newest, NewestSequence(type));
  if (since < 0 || since > newest) {
    return Fail(ErrorCode::kInvalid, "{} has no sequence number {}: the newest is {}", Name(type), since,
                newest);
  }
  TRY_ASSIGN(const auto segments, index_->Segments(type));
  for (const SegmentRow& row : segments) {
    if (row.number <= since || !row.sealed_at) continue;
    bool more = true;
    SegmentReader reader(files_, SealedPath(type, row.number), row.bytes);
    while (true) {
      TRY_ASSIGN(const auto frame, reader.Next());
      if (!frame) break;
      if (!frame->damage.empty()) {
        return Fail(ErrorCode::kCorrupt, "{} at {}: {}", SealedPath(type, row.number), frame->at,
                    frame->damage);
      }
      for (std::size_t line_at = 0; line_at < frame->content.size();) {
        TRY_ASSIGN(const std::string_view line, LineAt(frame->content, line_at));
        TRY_ASSIGN(const bool go_on, visit(row.number, line));
        more = more && go_on;
        line_at += line.size() + 1;
      }
    }
    since = row.number;
    if (!more) break;
  }
  return since;
}

// --- compaction and purge
// ------------------------------------------------------------------------------------------------------------------

Result<RecordStore::CompactReport> RecordStore::Compact(MediaType, const CompactOptions&,
                                                        const std::function<bool()>&) {
  return Fail(ErrorCode::kInternal, "compaction is not built yet");
}

Result<std::int64_t> RecordStore::PurgeUnverified(MediaType, Time) {
  return Fail(ErrorCode::kInternal, "the purge is not built yet");
}

// --- care
// ------------------------------------------------------------------------------------------------------------------

Result<RecordStore::VerifyReport> RecordStore::Verify(bool deep) {
  return VerifyRecords(files_, *index_, deep);
}

Result<RecordStore::VerifyReport> RecordStore::Rebuild() {
  if (batch_->began) return Fail(ErrorCode::kInternal, "rebuild: the batch has not been committed");
  TRY(index_->Create());
  TRY(popularity_->Create());
  TRY_ASSIGN(auto report, RebuildIndex(files_, catalog_, *index_));
  for (const MediaType type : kRecordTypes) TRY(WriteState(type));
  if (clock_) TRY(LoadWriters());
  return report;
}

}  // namespace tmdbc
