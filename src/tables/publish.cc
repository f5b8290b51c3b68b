// SPDX-License-Identifier: MIT
#include "tables/publish.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tmdbc::tables {
namespace {

class Publication {
 public:
  Publication(const PublishPorts& ports, const PublishOptions& options, TableFolder& folder)
      : ports_(ports), options_(options), folder_(folder) {}

  Result<PublishReport> Run() {
    TRY(TakeUp());
    TRY_ASSIGN(const bool due, IsDue());
    if (!due) return report_;
    TRY(Make());
    return report_;
  }

 private:
  // What was published last, and what a crash has left.
  Result<void> TakeUp() {
    if (folder_.Exists("tmp")) TRY(folder_.Remove("tmp"));
    TRY_ASSIGN(auto published, ReadPublished(folder_, options_.rebuild));
    if (!published) return {};
    previous_ = std::move(published->manifest);
    report_.generation = previous_->generation;
    FindLost();
    if (!report_.lost.empty() || !published->whole) return {};
    TRY(FinishGeneration(folder_, *previous_, ports_.duckdb));
    return RemoveOld(folder_, *previous_, ports_.clock.Now());
  }

  // Somebody has taken files away. All follows from the store, but for what it does not keep.
  void FindLost() {
    for (auto& [name, table] : previous_->tables) {
      std::erase_if(table.files, [&](const DataFile& file) {
        const auto size = folder_.files().Size(file.path);
        const bool lost = !size || std::int64_t(*size) != file.bytes;
        if (lost) report_.lost.push_back(file.path);
        return lost;
      });
    }
  }

  Result<bool> IsDue() {
    bool due = options_.rebuild, any = previous_.has_value();
    build_ = options_.rebuild || !previous_ || previous_->spec != kSpecVersion || !report_.lost.empty();
    for (const MediaType type : kRecordTypes) {
      TRY_ASSIGN(const std::int64_t newest, ports_.feed.NewestSequence(type));
      any = any || newest > 0;
      const std::int64_t since =
          previous_ && previous_->sequences.contains(type) ? previous_->sequences.at(type) : 0;
      // A store that was made anew begins again.
      if (newest < since) build_ = true;
      due = due || newest != since;
    }
    if (options_.popularity_minimum) exports_ = NewExports(ports_.exports, previous_ ? &*previous_ : nullptr);
    return any && (due || build_ || !exports_.empty());
  }

  Result<void> Make() {
    TRY(folder_.MakeFolder("tmp"));
    duckdb::DatabaseOptions duckdb;
    duckdb.temporary_folder = folder_.Full("tmp/duckdb");
    TRY_ASSIGN(duckdb::Database database, duckdb::Database::Open(ports_.duckdb, duckdb));
    TRY_ASSIGN(duckdb::Connection connection, database.Connect());
    GenerationDraft draft(folder_, previous_ ? &*previous_ : nullptr, build_);
    Scratch scratch(connection);
    PartWriter writer(connection, folder_.Full("tmp"));
    const BaseOf base_of = [this](MediaId id, std::int64_t version) { return FindBase(id, version); };
    Workshop workshop{connection, scratch,        writer,      draft,
                      base_of,    options_.sizes, ports_.stop, ports_.progress};
    TRY(PublishTypes(workshop));
    if (!exports_.empty())
      TRY(PublishPopularity(workshop, ports_.files, exports_, *options_.popularity_minimum, report_.damages));
    // A clock that was set back puts no generation before its parent.
    const Time after = previous_ ? previous_->committed_at + std::chrono::milliseconds(1) : Time{};
    const Time now = std::max(ports_.clock.Now(), after);
    TRY(PublishSnapshots(workshop, rows_, now));
    TRY(PublishDictionary(workshop));
    const Manifest& manifest = draft.Finish(now);
    report_.files = std::ssize(draft.files());
    report_.bytes = draft.bytes();
    TRY(CommitGeneration(folder_, draft.files(), manifest));
    report_.published = true;
    report_.built = build_;
    report_.generation = manifest.generation;
    TRY(FinishGeneration(folder_, manifest, ports_.duckdb));
    TRY(folder_.Remove("tmp"));
    return RemoveOld(folder_, manifest, now);
  }

  Result<void> PublishTypes(Workshop& workshop) {
    Manifest& manifest = workshop.draft.manifest();
    for (const MediaType type : kRecordTypes) {
      const std::int64_t since = manifest.sequences.contains(type) ? manifest.sequences.at(type) : 0;
      TRY_ASSIGN(const std::int64_t newest, ports_.feed.NewestSequence(type));
      if (newest == since) continue;
      // Lists are few and small: they are made whole.
      const bool lists = type == MediaType::kConfiguration;
      TRY_ASSIGN(ChangeBatch batch, ChangeBatch::Read(ports_.feed, type, lists ? 0 : since,
                                                      folder_.Full("tmp/spool"), ports_.stop));
      const std::int64_t before = workshop.scratch.total_rows();
      if (batch.lines() > 0) TRY(lists ? PublishLists(workshop, batch) : PublishRecords(workshop, batch));
      manifest.sequences[type] = batch.sequence();
      manifest.purged = manifest.purged || batch.has_purge();
      rows_[type] = workshop.scratch.total_rows() - before;
      report_.rows += rows_[type];
      report_.records += std::ssize(batch.records());
      report_.damages.insert(report_.damages.end(), batch.damages().begin(), batch.damages().end());
    }
    return {};
  }

  // The body that began the version.
  Result<std::optional<std::string>> FindBase(MediaId id, std::int64_t version) {
    auto history = ports_.reader.History(id);
    // Purged since, and what came after a purge has a later version.
    if (!history && history.error().code == ErrorCode::kNotFound) return std::optional<std::string>();
    if (!history) return std::unexpected(history.error());
    for (StoredRecord& record : *history) {
      if (record.version > version) return std::optional<std::string>();
      if (record.version < version) continue;
      if (!record.damage.empty())
        return Fail(ErrorCode::kCorrupt, "its version {} cannot be read: {}", version, record.damage);
      if (record.live()) return std::optional<std::string>(std::move(record.data));
    }
    return Fail(ErrorCode::kCorrupt, "its version {} is not there", version);
  }

  const PublishPorts& ports_;
  const PublishOptions& options_;
  TableFolder& folder_;
  PublishReport report_;
  std::optional<Manifest> previous_;
  bool build_ = false;
  std::vector<PopularityExport> exports_;   // to be taken in
  std::map<MediaType, std::int64_t> rows_;  // of the types that were taken in
};

}  // namespace

Result<PublishReport> Publish(const PublishPorts& ports, const PublishOptions& options) {
  TRY_ASSIGN(TableFolder folder, TableFolder::Open(options.root, options.before));
  return Publication(ports, options, folder).Run();
}

}  // namespace tmdbc::tables
