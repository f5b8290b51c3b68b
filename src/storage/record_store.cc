// SPDX-License-Identifier: MIT
#include "storage/record_store.h"

#include <algorithm>
#include <utility>

#include "base/compression.h"
#include "base/hash.h"
#include "storage/change_feed.h"
#include "storage/change_rule.h"
#include "storage/compaction.h"
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

static_assert(RecordStoreOptions{}.zstd_level == kZstdLevel);

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

// Reads again, by the index as it is then, what could not be read: a compaction in another process may have
// moved it in between.
template <class Read>
auto OnceMore(const Read& read) {
  auto found = read();
  if (!found && found.error().code == ErrorCode::kCorrupt) found = read();
  return found;
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
  std::map<MediaId, std::int64_t> purges;       // up to that version
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
  const bool goes_on = before && before->change != Change::kPurge && line.change != Change::kPurge;
  row.first_at = goes_on ? before->first_at : line.fetched_at;
  row.changes = goes_on ? before->changes : 0;
  if (goes_on && (line.change == Change::kUpdate || line.change == Change::kRestore)) ++row.changes;
  // A stats record is no step: it goes when it is replaced.
  if (goes_on && before->change != Change::kStats) {
    // A version that nobody can read any more is no step of the history.
    TRY_ASSIGN(const bool readable, Readable(*before));
    if (readable) {
      batch_->steps.push_back(
          {before->id, before->version, before->change, before->fetched_at, before->place});
    }
  }
  if (line.change == Change::kPurge) batch_->purges[line.id] = line.version;
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
  Verdict verdict = Classify(before, document.hash, fetched_at, clock_->Now());
  if (verdict.stale) return Change::kUnchanged;
  if (before && before->live()) TRY(Unhold(id));  // others are never held
  if (verdict.change == Change::kUnchanged || verdict.change == Change::kStats) {
    TRY_ASSIGN(const bool readable, Readable(*before));
    if (!readable) verdict = {.change = Change::kUpdate, .version = before->version + 1};
  }
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

Result<void> RecordStore::WritePurge(const IndexRow& before, Time at) {
  RecordLine line;
  line.id = before.id;
  line.tv_id = before.tv_id;
  line.season_number = before.season_number;
  line.version = before.version;
  line.change = Change::kPurge;
  line.fetched_at = at;
  line.status = 0;  // TMDB was not asked
  TRY(Unhold(before.id));
  return Write(before, line, {});
}

Result<bool> RecordStore::Readable(const IndexRow& row) {
  if (row.place.segment == 0) return true;  // still in the batch
  const auto loaded = Load(row.id, row.version, row.place);
  if (!loaded && loaded.error().code != ErrorCode::kCorrupt) return std::unexpected(loaded.error());
  return loaded.has_value();
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
  for (const auto& [id, version] : batch_->purges) TRY(index_->PutPurge(id, version));
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
  if (!clock_) return Fail(ErrorCode::kInternal, "seal: the store was opened for reading");
  Result<void> done;
  for (auto& [type, writer] : writers_) {
    auto sealed = writer->open() ? SealOne(type) : Result<void>();
    if (sealed && state_behind_.contains(type)) sealed = WriteState(type);
    if (!sealed && done) done = Within("seal", sealed.error());
  }
  if (done && !asides_.empty()) done = DropKnownAsides();
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
  return OnceMore([&]() -> Result<StoredRecord> {
    TRY_ASSIGN(const auto row, index_->Find(id));
    if (!row) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
    return LoadView(*row);
  });
}

Result<StoredRecord> RecordStore::LoadView(const IndexRow& row) {
  if (row.change == Change::kPurge) {
    return Fail(ErrorCode::kNotFound, "{} was purged on {}: TMDB had not confirmed it for too long",
                ToString(row.id), FormatTime(row.fetched_at));
  }
  return Load(row.id, row.version, row.place);
}

Result<StoredRecord> RecordStore::FindSeason(std::int64_t tv_id, std::int64_t season_number) {
  return OnceMore([&]() -> Result<StoredRecord> {
    TRY_ASSIGN(const auto row, index_->FindSeason(tv_id, season_number));
    if (!row) return Fail(ErrorCode::kNotFound, "season {} of tv:{} is not stored", season_number, tv_id);
    return LoadView(*row);
  });
}

Result<StoredRecord> RecordStore::FindSeasonOfEpisode(std::int64_t episode_id) {
  return OnceMore([&]() -> Result<StoredRecord> {
    TRY_ASSIGN(const auto row, index_->FindSeasonOfEpisode(episode_id));
    if (!row) return Fail(ErrorCode::kNotFound, "episode:{} is not stored", episode_id);
    return LoadView(*row);
  });
}

Result<MediaId> RecordStore::SeasonAt(std::int64_t tv_id, std::int64_t season_number) {
  TRY_ASSIGN(const auto row, index_->FindSeason(tv_id, season_number));
  if (!row) return Fail(ErrorCode::kNotFound, "season {} of tv:{} is not stored", season_number, tv_id);
  return row->id;
}

Result<std::vector<MediaId>> RecordStore::SeasonsOfEpisode(std::int64_t episode_id) {
  TRY_ASSIGN(const auto row, index_->FindSeasonOfEpisode(episode_id));
  if (!row) return Fail(ErrorCode::kNotFound, "episode:{} is not stored", episode_id);
  TRY_ASSIGN(const auto seasons, index_->SeasonsOf(row->tv_id));
  std::vector<MediaId> ids = {row->id};
  for (const IndexRow& season : seasons) {
    if (season.id != row->id) ids.push_back(season.id);
  }
  return ids;
}

Result<RecordStore::Kept> RecordStore::KeptOf(MediaId id) {
  TRY_ASSIGN(const auto current, index_->Find(id));
  if (!current) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
  if (current->change == Change::kPurge) return Kept{.purged_at = current->fetched_at};
  TRY_ASSIGN(const auto steps, StepsOf(*current));
  if (steps.empty()) return Kept{{}, current->version, current->fetched_at};
  return Kept{{}, steps.front().version, steps.front().fetched_at};
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
  auto history = LoadHistory(id);
  const auto damaged = [](const StoredRecord& record) { return !record.damage.empty(); };
  // As OnceMore(): it may only have been moved.
  if (history && std::ranges::any_of(*history, damaged)) history = LoadHistory(id);
  return history;
}

Result<std::vector<StoredRecord>> RecordStore::LoadHistory(MediaId id) {
  TRY_ASSIGN(const auto current, index_->Find(id));
  if (!current) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
  if (current->change == Change::kPurge) return std::unexpected(LoadView(*current).error());
  TRY_ASSIGN(auto steps, StepsOf(*current));
  if (current->change != Change::kStats)
    steps.push_back({id, current->version, current->change, current->fetched_at, current->place});
  std::vector<StoredRecord> records;
  for (const StepRow& step : steps) {
    auto record = Load(id, step.version, step.place);
    if (!record && record.error().code != ErrorCode::kCorrupt) return std::unexpected(record.error());
    if (record) {
      records.push_back(*std::move(record));
      continue;
    }
    // One version that is lost takes none of the others along.
    StoredRecord lost;
    lost.id = id;
    lost.version = step.version;
    lost.change = step.change;
    lost.fetched_at = step.fetched_at;
    lost.status = step.change == Change::kDelete ? 404 : 200;
    lost.damage = record.error().message;
    records.push_back(std::move(lost));
  }
  return records;
}

Result<StoredRecord> RecordStore::FindAsOf(MediaId id, Time at) {
  return OnceMore([&] { return LoadAsOf(id, at); });
}

Result<StoredRecord> RecordStore::LoadAsOf(MediaId id, Time at) {
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

Result<std::map<MediaType, std::int64_t>> RecordStore::DeletionsSince(Time since) {
  return index_->DeletionsSince(since);
}

Result<void> RecordStore::AcceptDeletions(Time at) {
  return index_->AcceptDeletions(at);
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
  return NewestSequenceOf(*index_, type);
}

Result<std::int64_t> RecordStore::ReadFeed(
    MediaType type, std::int64_t since,
    const std::function<Result<bool>(std::int64_t sequence, std::string_view line)>& visit,
    const std::function<Result<void>(const FeedDamage&)>& skip) {
  return ReadChangeFeed(files_, *index_, type, since, visit, skip);
}

// --- compaction and purge
// ------------------------------------------------------------------------------------------------------------------

void RecordStore::CompactReport::Add(const CompactReport& more) {
  segments_before += more.segments_before;
  segments_after += more.segments_after;
  records_kept += more.records_kept;
  stats_dropped += more.stats_dropped;
  versions_dropped += more.versions_dropped;
  purged_dropped += more.purged_dropped;
  bytes_before += more.bytes_before;
  bytes_after += more.bytes_after;
  damaged_segments += more.damaged_segments;
}

Result<RecordStore::CompactReport> RecordStore::Compact(MediaType type, const CompactOptions& options,
                                                        const std::function<bool()>& stopping) {
  if (!clock_ || batch_->began || catalog_.InTransaction()) {
    return Fail(ErrorCode::kInternal, "compact: the store is not open for writing, or a batch is under way");
  }
  if (!options.dry_run && writers_.at(type)->open()) TRY(SealOne(type));
  auto report =
      CompactSegments(files_, catalog_, *index_, *encoder_, type, options_.frame_bytes, options, stopping);
  // Also after an error: what was replaced before it has taken numbers.
  TRY(LoadWriter(type));
  if (!report) return Fail(report.error().code, "compact {}: {}", Name(type), report.error().message);
  if (!options.dry_run) TRY(WriteState(type));
  return report;
}

Result<std::int64_t> RecordStore::PurgeUnverified(MediaType type, Time before) {
  if (!clock_ || batch_->began || catalog_.InTransaction()) {
    return Fail(ErrorCode::kInternal, "purge: the store is not open for writing, or a batch is under way");
  }
  std::vector<std::int64_t> due;
  TRY(index_->VisitLive(type, [&](const LiveRecord& record) {
    if (record.verified_at < before) due.push_back(record.id);
  }));
  const Time now = ToMillis(clock_->Now());
  for (const std::int64_t id : due) {
    TRY_ASSIGN(const auto view, CurrentView({type, id}));
    if (!view || !view->live()) continue;
    TRY(WritePurge(*view, now));
    if (type == MediaType::kTv) {
      TRY_ASSIGN(const auto seasons, SeasonsInView(id));
      for (const IndexRow& season : seasons) {
        if (season.live()) TRY(WritePurge(season, now));
      }
    }
    if (CommitDue()) TRY(Commit({}));
  }
  TRY(Commit({}));
  return std::int64_t(due.size());
}

// --- care
// ------------------------------------------------------------------------------------------------------------------

Result<RecordStore::VerifyReport> RecordStore::Verify(bool deep, const std::function<void()>& pause) {
  return VerifyRecords(files_, *index_, deep, pause);
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
