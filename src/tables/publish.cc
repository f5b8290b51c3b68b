// SPDX-License-Identifier: MIT
#include "tables/publish.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "tables/check.h"
#include "tables/derived_files.h"

namespace tmdbc::tables {
namespace {

constexpr std::int64_t kOutgrown = 4;  // times

class Publication {
 public:
  Publication(const PublishPorts& ports, const PublishOptions& options, TableFolder& folder)
      : ports_(ports), options_(options), folder_(folder) {}

  Result<PublishReport> Run() {
    TRY(TakeUp());
    for (;;) {
      TRY_ASSIGN(const bool due, IsDue());
      if (!due) return report_;
      const auto made = Make();
      if (made) return report_;
      if (damaged_.empty()) return std::unexpected(made.error());
      // Begun again without the file: it counts as lost.
      lost_.insert(std::exchange(damaged_, {}));
    }
  }

 private:
  // What was published last, and what a crash has left.
  Result<void> TakeUp() {
    if (folder_.Exists("tmp")) TRY(folder_.Remove("tmp"));
    TRY_ASSIGN(auto published, ReadPublished(folder_, options_.rebuild));
    if (!published) return {};
    previous_ = std::move(published->manifest);
    report_.generation = previous_->generation;
    TRY(FindLost());
    if (!published->whole) return {};
    TRY_ASSIGN(report_.mended, FinishGeneration(folder_, *previous_, ports_.duckdb, options_.rebuild));
    if (folder_.Exists("tmp")) TRY(folder_.Remove("tmp"));
    return RemoveOld(folder_, *previous_, ports_.clock.Now());
  }

  // Files that somebody has taken away or cut. Their bytes are looked at when they are read; those that a rebuild
  // carries over it does not read.
  Result<void> FindLost() {
    for (const auto& [name, table] : previous_->tables) {
      for (const DataFile& file : table.files) {
        // The same file has a second name.
        const std::string link = SnapshotPath(previous_->generation) + "/" + file.path;
        if (!folder_.Exists(file.path) && folder_.Exists(link)) TRY(folder_.HardLink(link, file.path));
        const auto size = folder_.files().Size(file.path);
        bool lost = !size || std::int64_t(*size) != file.bytes;
        if (!lost && options_.rebuild && !CanBeMadeAgain(name)) {
          TRY_ASSIGN(const std::string fault, FaultOf(folder_.files(), file));
          lost = !fault.empty();
        }
        if (lost) lost_.insert(file.path);
      }
    }
    return {};
  }

  // Those of a table, as names of its parts.
  std::set<std::string> LostParts(std::string_view table) const {
    std::set<std::string> parts;
    for (const std::string& path : lost_) {
      if (TableOf(path) == table) parts.emplace(PartitionOf(path));
    }
    return parts;
  }

  static std::string_view TableOf(std::string_view path) { return path.substr(0, path.find('/')); }

  Result<bool> IsDue() {
    bool due = options_.rebuild || !lost_.empty(), any = previous_.has_value();
    build_ = options_.rebuild || !previous_ || previous_->spec != kSpecVersion ||
             std::ranges::any_of(lost_, [](const std::string& path) { return CanBeMadeAgain(TableOf(path)); });
    for (const MediaType type : kRecordTypes) {
      TRY_ASSIGN(const std::int64_t newest, ports_.feed.NewestSequence(type));
      any = any || newest > 0;
      const std::int64_t since =
          previous_ && previous_->sequences.contains(type) ? previous_->sequences.at(type) : 0;
      // A new store begins again.
      if (newest < since) build_ = true;
      due = due || newest != since;
    }
    TRY_ASSIGN(report_.other_past, HasOtherPast());
    build_ = build_ || report_.other_past || (due && HasOutgrown());
    if (options_.popularity_minimum)
      exports_ = NewExports(ports_.exports, previous_ ? &*previous_ : nullptr, LostParts("popularity_daily"));
    return any && (due || build_ || !exports_.empty());
  }

  // Whether a table has outgrown its ranges of ids: a file is much larger than files are to be, and than it was at the
  // last build.
  bool HasOutgrown() const {
    if (!previous_) return false;
    for (const auto& [name, table] : previous_->tables) {
      if (table.width <= options_.sizes.first_width) continue;
      const std::int64_t least = std::max(options_.sizes.file_bytes, table.built_bytes);
      for (const DataFile& file : table.files) {
        if (file.bytes / kOutgrown >= least) return true;
      }
    }
    return false;
  }

  // Whether the store lacks a line that the tables took in. Of each type the newest mark is asked that can still tell.
  Result<bool> HasOtherPast() {
    if (!previous_ || build_) return false;
    for (const auto& [type, marks] : previous_->marks) {
      for (const FeedMark& mark : marks) {
        TRY_ASSIGN(const Standing standing, StandingOf({type, mark.id}, mark));
        if (standing == Standing::kNotThere) return true;
        if (standing == Standing::kThere) break;
      }
    }
    return false;
  }

  static void KeepMarks(std::vector<FeedMark>& marks, std::vector<FeedMark> newest) {
    for (const FeedMark& mark : marks) {
      const bool again = std::ranges::find(newest, mark.id, &FeedMark::id) != newest.end();
      if (!again && !mark.stats && newest.size() < kFeedMarks) newest.push_back(mark);
    }
    marks = std::move(newest);
  }

  enum class Standing : std::uint8_t { kThere, kNotThere, kUnknown };
  Result<Standing> StandingOf(MediaId id, const FeedMark& mark) {
    const auto view = ports_.reader.ViewOf(id);
    if (!view && view.error().code == ErrorCode::kNotFound) return Standing::kNotThere;
    TRY(view);
    if (view->version < mark.version || ToMillis(view->fetched_at) < mark.fetched_at) return Standing::kNotThere;
    if (mark.stats || view->change == Change::kPurge) return Standing::kUnknown;
    TRY_ASSIGN(const auto versions, ports_.reader.VersionsOf(id));
    for (const StepRow& one : versions) {
      if (one.version == mark.version)
        return ToMillis(one.fetched_at) == mark.fetched_at ? Standing::kThere : Standing::kNotThere;
    }
    return Standing::kUnknown;  // a compaction has dropped it
  }

  Result<void> Make() {
    if (folder_.Exists("tmp")) TRY(folder_.Remove("tmp"));
    TRY(folder_.MakeFolder("tmp"));
    report_.records = report_.rows = 0;
    report_.damages.clear();
    rows_.clear();
    changed_ = build_ || !lost_.empty() || !exports_.empty();
    duckdb::DatabaseOptions duckdb;
    duckdb.temporary_folder = folder_.Full("tmp/duckdb");
    TRY_ASSIGN(duckdb::Database database, duckdb::Database::Open(ports_.duckdb, duckdb));
    TRY_ASSIGN(duckdb::Connection connection, database.Connect());
    GenerationDraft draft(folder_, previous_ ? &*previous_ : nullptr, lost_, build_);
    Scratch scratch(connection);
    PartWriter writer(connection, folder_.Full("tmp"));
    const BaseOf base_of = [this](MediaId id, std::int64_t version) { return FindBase(id, version); };
    Workshop workshop{connection, scratch,        writer,      draft,
                      base_of,    options_.sizes, ports_.stop, ports_.progress};
    // A clock that was set back puts no generation before its parent.
    const Time after = previous_ ? previous_->committed_at + std::chrono::milliseconds(1) : Time{};
    const Time now = std::max(ports_.clock.Now(), after);
    if (const auto filled = Fill(workshop, now); !filled) {
      damaged_ = draft.damaged();
      return filled;
    }
    // Lines of the feed that say only that nothing was new.
    if (!changed_) return folder_.Remove("tmp");
    const Manifest& manifest = draft.Finish(now);
    report_.files = std::ssize(draft.files());
    report_.bytes = draft.bytes();
    TRY(CommitGeneration(folder_, draft.files(), manifest));
    report_.published = true;
    report_.built = build_;
    TellLost();
    report_.generation = manifest.generation;
    TRY(FinishGeneration(folder_, manifest, ports_.duckdb, false));
    TRY(folder_.Remove("tmp"));
    return RemoveOld(folder_, manifest, now);
  }

  Result<void> Fill(Workshop& workshop, Time now) {
    TRY(PublishTypes(workshop));
    if (!changed_) return {};
    if (!exports_.empty())
      TRY(PublishPopularity(workshop, ports_.files, exports_, *options_.popularity_minimum, report_.damages));
    TRY(PublishSnapshots(workshop, rows_, now));
    return PublishDictionary(workshop);
  }

  void TellLost() {
    for (const std::string& path : lost_) {
      if (CanBeMadeAgain(TableOf(path))) {
        report_.lost.push_back(path);
        continue;
      }
      if (TableOf(path) == "snapshots") {
        report_.gone.push_back(path + " was lost, and with it what was taken in when");
        continue;
      }
      std::string again;
      for (const PopularityExport& one : exports_) {
        if (PartOf(one) == PartitionOf(path))
          again += fmt::format("{}{}", again.empty() ? "" : ", ", FormatDate(one.day));
      }
      report_.gone.push_back(
          fmt::format("{} was lost, and the days without a kept export with it; taken in again: {}", path,
                      again.empty() ? "none" : again));
    }
  }

  Result<void> PublishTypes(Workshop& workshop) {
    Manifest& manifest = workshop.draft.manifest();
    for (const MediaType type : kRecordTypes) {
      const std::int64_t since = manifest.sequences.contains(type) ? manifest.sequences.at(type) : 0;
      TRY_ASSIGN(const std::int64_t newest, ports_.feed.NewestSequence(type));
      if (newest == since) continue;
      // Lists are few and small: they are made whole.
      const bool lists = type == MediaType::kConfiguration;
      const std::string spool = folder_.Full("tmp/spool");
      TRY_ASSIGN(ChangeBatch batch, ChangeBatch::Read(ports_.feed, type, since, spool, ports_.stop));
      const std::int64_t before = workshop.scratch.total_rows();
      std::vector<std::string> damages;
      if (lists && batch.lines() > 0) {
        TRY_ASSIGN(ChangeBatch all, ChangeBatch::Read(ports_.feed, type, 0, spool + "_lists", ports_.stop));
        TRY(PublishLists(workshop, all));
        damages = all.damages();
      } else {
        if (batch.lines() > 0) TRY(PublishRecords(workshop, batch));
        damages = batch.damages();
      }
      changed_ = changed_ || batch.lines() > 0 || !damages.empty();
      manifest.sequences[type] = batch.sequence();
      manifest.purged = manifest.purged || batch.has_purge();
      KeepMarks(manifest.marks[type], batch.marks());
      rows_[type] = workshop.scratch.total_rows() - before;
      report_.rows += rows_[type];
      report_.records += std::ssize(batch.records());
      report_.damages.insert(report_.damages.end(), damages.begin(), damages.end());
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
  std::set<std::string> lost_;  // of the files of previous_, by path
  std::string damaged_;         // one more, found by the Make() that failed
  bool build_ = false;
  bool changed_ = false;  // something is to be published
  std::vector<PopularityExport> exports_;   // to be taken in
  std::map<MediaType, std::int64_t> rows_;  // of the types that were taken in
};

}  // namespace

Result<PublishReport> Publish(const PublishPorts& ports, const PublishOptions& options) {
  TRY_ASSIGN(TableFolder folder, TableFolder::Open(options.root, options.before));
  return Publish(ports, options, folder);
}

Result<PublishReport> Publish(const PublishPorts& ports, const PublishOptions& options, TableFolder& folder) {
  return Publication(ports, options, folder).Run();
}

}  // namespace tmdbc::tables
