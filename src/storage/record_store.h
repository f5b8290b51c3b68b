// SPDX-License-Identifier: MIT
// RecordStore: transitional. It holds the pieces that serve one audience each and passes the old calls on to
// them; new code takes the piece it needs: RecordReader, RecordWriter, RecordLedger, PopularityTable,
// ChangeFeed, and the functions of compaction.h, care.h, verify.h and rebuild.h.
#pragma once

#include <memory>
#include <utility>

#include "storage/care.h"
#include "storage/change_feed.h"
#include "storage/compaction.h"
#include "storage/ledger.h"
#include "storage/popularity_table.h"
#include "storage/rebuild.h"
#include "storage/record.h"
#include "storage/record_reader.h"
#include "storage/record_writer.h"
#include "storage/verify.h"

namespace tmdbc {

using RecordStoreOptions = RecordWriterOptions;

class RecordStore {
 public:
  static Result<std::unique_ptr<RecordStore>> Open(FileSystem& files, Database& catalog, const Clock& clock,
                                                   RecordStoreOptions options) {
    TRY_ASSIGN(auto writer, RecordWriter::Open(files, catalog, clock, options));
    return std::unique_ptr<RecordStore>(new RecordStore(files, catalog, &clock, options, std::move(writer)));
  }
  static Result<std::unique_ptr<RecordStore>> OpenReadOnly(FileSystem& files, Database& catalog) {
    return std::unique_ptr<RecordStore>(new RecordStore(files, catalog, nullptr, {}, nullptr));
  }

  RecordReader& reader() { return reader_; }
  RecordWriter& writer() { return *writer_; }
  RecordLedger& ledger() { return ledger_; }
  PopularityTable& popularity() { return popularity_; }
  ChangeFeed& feed() { return feed_; }

  const std::vector<std::string>& notices() const { return writer_->notices(); }

  Result<Change> Put(Document document) { return writer_->Put(std::move(document)); }
  Result<Change> PutGone(MediaId id, Time at) { return writer_->PutGone(id, at); }
  Result<void> PutSeasonList(std::int64_t tv_id, std::span<const std::int64_t> listed, Time at) {
    const SeasonList list{.given = true, .numbers = {listed.begin(), listed.end()}, .ids = {}};
    TRY_ASSIGN(const auto seasons, writer_->LiveSeasons(tv_id));
    for (const auto& season : seasons) {
      if (StandingOf(season.id.id, season.number, season.holds_number, list) == SeasonStanding::kNotListed)
        TRY(writer_->PutGone(season.id, at, DeletionEvidence::kNotListed));
    }
    return {};
  }
  Result<void> HoldDeletion(MediaId id, Time at) { return writer_->HoldDeletion(id, at); }
  bool CommitDue() const { return writer_->CommitDue(); }
  std::optional<MonoTime> CommitDeadline() const { return writer_->CommitDeadline(); }
  Result<void> Commit(const std::function<Result<void>()>& within) { return writer_->Commit(within); }
  Result<void> Seal() { return writer_->Seal(); }

  Result<StoredRecord> Find(MediaId id) { return reader_.Find(id); }
  Result<StoredRecord> FindSeason(std::int64_t tv_id, std::int64_t season_number) {
    return reader_.FindSeason(tv_id, season_number);
  }
  Result<StoredRecord> FindSeasonOfEpisode(std::int64_t episode_id) {
    return reader_.FindSeasonOfEpisode(episode_id);
  }
  Result<MediaId> SeasonAt(std::int64_t tv_id, std::int64_t season_number) {
    return reader_.SeasonAt(tv_id, season_number);
  }
  Result<std::vector<MediaId>> SeasonsOfEpisode(std::int64_t episode_id) {
    return reader_.SeasonsOfEpisode(episode_id);
  }
  Result<std::vector<StoredRecord>> History(MediaId id) { return reader_.History(id); }
  using Kept = tmdbc::Kept;
  Result<Kept> KeptOf(MediaId id) { return reader_.KeptOf(id); }
  Result<StoredRecord> FindAsOf(MediaId id, Time at) { return reader_.FindAsOf(id, at); }

  Result<std::vector<std::int64_t>> SeasonNumbers(std::int64_t tv_id) { return ledger_.SeasonNumbers(tv_id); }
  Result<IdState> StateOf(MediaId id) { return ledger_.StateOf(id); }
  Result<void> VisitStates(MediaType type, const std::function<void(const IdState&)>& visit) {
    return ledger_.VisitStates(type, visit);
  }
  Result<void> VisitLive(MediaType type, const std::function<void(const LiveRecord&)>& visit) {
    return ledger_.VisitLive(type, visit);
  }
  Result<void> VisitKnownIds(MediaType type, const std::function<void(std::int64_t)>& visit) {
    return ledger_.VisitKnownIds(type, visit);
  }
  Result<std::map<MediaType, std::int64_t>> DeletionsSince(Time since) {
    return ledger_.DeletionsSince(since);
  }
  Result<void> AcceptDeletions(Time at) { return ledger_.AcceptDeletions(at); }
  Result<std::vector<std::int64_t>> HeldDeletions(MediaType type) { return ledger_.HeldDeletions(type); }
  Result<std::vector<std::pair<MediaType, TypeCounts>>> Counts() { return ledger_.Counts(); }

  using Popularity = tmdbc::Popularity;
  Result<void> SetPopularity(MediaType type, std::span<const Popularity> sorted) {
    return popularity_.Set(type, sorted);
  }
  Result<std::optional<float>> PopularityOf(MediaId id) { return popularity_.Find(id); }

  using FeedDamage = tmdbc::FeedDamage;
  Result<std::int64_t> NewestSequence(MediaType type) { return feed_.NewestSequence(type); }
  Result<std::int64_t> ReadFeed(MediaType type, std::int64_t since, const ChangeFeed::Visit& visit,
                                const ChangeFeed::Skip& skip = {}) {
    return feed_.Read(type, since, visit, skip);
  }

  using CompactOptions = tmdbc::CompactOptions;
  using CompactReport = tmdbc::CompactReport;
  Result<CompactReport> Compact(MediaType type, CompactOptions options,
                                const std::function<bool()>& stopping) {
    options.frame_bytes = options_.frame_bytes;
    return tmdbc::Compact(files_, catalog_, *writer_, type, options, stopping);
  }
  Result<std::int64_t> PurgeUnverified(MediaType type, Time before) {
    std::vector<std::int64_t> due;
    TRY(ledger_.VisitLive(type, [&](const LiveRecord& record) {
      if (record.verified_at < before) due.push_back(record.id);
    }));
    TRY(Purge(*writer_, type, due, clock_->Now()));
    return std::int64_t(due.size());
  }

  using Damage = tmdbc::Damage;
  using VerifyReport = tmdbc::VerifyReport;
  Result<VerifyReport> Verify(bool deep, const std::function<void()>& pause = {}) {
    return tmdbc::Verify(files_, catalog_, deep, pause);
  }
  Result<VerifyReport> Rebuild() {
    TRY_ASSIGN(auto report, tmdbc::Rebuild(files_, catalog_));
    if (writer_) TRY(writer_->Reload());
    return report;
  }

 private:
  RecordStore(FileSystem& files, Database& catalog, const Clock* clock, RecordStoreOptions options,
              std::unique_ptr<RecordWriter> writer)
      : files_(files),
        catalog_(catalog),
        clock_(clock),
        options_(options),
        reader_(files, catalog),
        ledger_(catalog),
        popularity_(catalog),
        feed_(files, catalog),
        writer_(std::move(writer)) {}

  FileSystem& files_;
  Database& catalog_;
  const Clock* const clock_;
  const RecordStoreOptions options_;
  RecordReader reader_;
  RecordLedger ledger_;
  PopularityTable popularity_;
  ChangeFeed feed_;
  std::unique_ptr<RecordWriter> writer_;  // null: opened for reading
};

}  // namespace tmdbc
