// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "tables/part_splice.h"
#include "tables/workshop.h"

namespace tmdbc::tables {
namespace {

constexpr std::int64_t kWidest = std::int64_t{65'536} << 17;  // ten digits name its end
constexpr std::int64_t kChildRows = 4;  // a page of a child has so many times the rows of one of its root

// The widest range of ids that keeps a file below what is wanted, from the bytes of one range of the first width.
std::int64_t ChooseWidth(std::uint64_t bytes, const PartSizes& sizes) {
  std::int64_t width = sizes.first_width;
  double file = std::max(double(bytes), 1.0);
  while (width < kWidest && 2 * file <= double(sizes.file_bytes)) {
    width *= 2;
    file *= 2;
  }
  return width;
}

// The tables of one type, each with the part in which the bucket at hand lies. Takes the rows of its records; the other
// tables' go to the scratch.
class RecordParts final : public RowSink {
 public:
  RecordParts(Workshop& workshop, MediaType type, const ChangedIds& changed)
      : workshop_(workshop), type_(type), changed_(changed), place_of_(Tables().size()) {
    for (std::size_t i = 0; i < Tables().size(); ++i) {
      if (Tables()[i].type != type) continue;
      tables_.push_back(std::make_unique<Slot>(Tables()[i]));
      place_of_[i] = tables_.back().get();
    }
  }

  Result<void> Row(std::size_t table, std::span<const Cell> cells) override {
    Slot* slot = place_of_[table];
    if (slot == nullptr) return workshop_.scratch.Row(table, cells);
    TRY(slot->rows.Row(cells));
    workshop_.scratch.CountRow();
    return {};
  }
  Result<void> Reject(std::string_view path, std::string_view value, std::string_view reason) override {
    return workshop_.scratch.Reject(path, value, reason);
  }
  Result<void> Unknown(std::string_view path) override { return workshop_.scratch.Unknown(path); }

  Result<void> EndBucket(std::int64_t bucket, std::optional<std::int64_t> next) {
    for (const auto& slot : tables_) {
      const auto done = EndBucket(*slot, bucket, next);
      if (done) continue;
      if (slot->splice && IsDamage(done.error())) workshop_.draft.Distrust(slot->table.name, slot->partition);
      return Within(fmt::format("write table {}", slot->table.name).c_str(), done.error());
    }
    return EndVersions(bucket, next);
  }

 private:
  struct Slot {
    explicit Slot(const Table& of) : table(of), rows(of) {}
    const Table& table;
    RecordRows rows;  // of the bucket at hand
    std::unique_ptr<PartSplice> splice;
    std::string path;       // of the splice
    std::string partition;  // of the old file that the splice has
  };

  static std::int64_t Part(std::int64_t bucket, std::int64_t width) { return bucket * kBucketIds / width; }

  Result<void> EndBucket(Slot& slot, std::int64_t bucket, std::optional<std::int64_t> next) {
    const std::string& name = slot.table.name;
    if (!slot.splice) TRY(Open(slot, bucket));
    if (slot.splice) {
      for (const RecordRows::Record& record : slot.rows.Records()) TRY(slot.splice->Add(slot.rows, record));
    }
    slot.rows.Clear();
    // Before a table has its width, all rows come from one range of the first width: it is chosen by them.
    if (workshop_.draft.Width(name) == 0) {
      const std::int64_t first = workshop_.sizes.first_width;
      if (next && Part(*next, first) == Part(bucket, first)) return {};
      workshop_.draft.SetWidth(name, ChooseWidth(slot.splice ? slot.splice->bytes() : 0, workshop_.sizes));
    }
    const std::int64_t width = workshop_.draft.Width(name);
    if (next && Part(*next, width) == Part(bucket, width)) return {};
    return slot.splice ? Close(slot, RangeName(Part(bucket, width) * width, width)) : Result<void>();
  }

  // Unless there is nothing to put in or to leave out.
  Result<void> Open(Slot& slot, std::int64_t bucket) {
    std::optional<PageFile> old;
    if (const std::int64_t width = workshop_.draft.Width(slot.table.name); width != 0) {
      slot.partition = RangeName(Part(bucket, width) * width, width);
      TRY_ASSIGN(const std::string path, workshop_.draft.OldFile(slot.table.name, slot.partition));
      if (!path.empty()) {
        auto file = PageFile::Open(slot.table, path);
        if (!file && IsDamage(file.error())) workshop_.draft.Distrust(slot.table.name, slot.partition);
        if (!file) return std::unexpected(file.error());
        old.emplace(std::move(*file));
      }
    }
    if (!old && slot.rows.rows() == 0) return {};
    slot.path = workshop_.writer.NextPath(slot.table);
    PageSizes pages = workshop_.sizes.pages;
    if (slot.table.kind == TableKind::kRoot) pages.page_rows /= kChildRows;
    slot.splice = std::make_unique<PartSplice>(slot.table, slot.path, pages, std::move(old), changed_);
    return {};
  }

  Result<void> Close(Slot& slot, const std::string& partition) {
    TRY_ASSIGN(const auto finished, slot.splice->Finish());
    slot.splice.reset();
    if (finished.is_old) return {};
    std::optional<PartWriter::Part> part;
    if (finished.rows > 0) {
      TRY_ASSIGN(part, workshop_.writer.Believe(slot.table, slot.path, finished.rows, finished.sha256));
    }
    return workshop_.draft.Put(slot.table.name, partition, part);
  }

  Result<void> EndVersions(std::int64_t bucket, std::optional<std::int64_t> next) {
    // Seasons come in the order of their shows: one file.
    if (type_ == MediaType::kSeason) return next ? Result<void>() : PublishVersions(workshop_, Name(type_));
    const std::int64_t width = workshop_.sizes.version_ids;
    if (next && Part(*next, width) == Part(bucket, width)) return {};
    return PublishVersions(workshop_,
                           fmt::format("{}-{}", Name(type_), RangeName(Part(bucket, width) * width, width)));
  }

  Workshop& workshop_;
  const MediaType type_;
  const ChangedIds& changed_;
  std::vector<std::unique_ptr<Slot>> tables_;
  std::vector<Slot*> place_of_;  // by table; null: not of this type
};

// A season may have belonged to another show, whose files hold its old rows.
Result<void> AddOldBuckets(Workshop& workshop, std::set<std::int64_t>& buckets) {
  for (const DataFile& file : workshop.draft.manifest().tables.find("seasons")->second.files) {
    TRY_ASSIGN(const std::string old, workshop.draft.OldFile("seasons", PartitionOf(file.path)));
    TRY_ASSIGN(auto rows,
               workshop.connection.Query(fmt::format(
                   "SELECT DISTINCT tv_id // {} FROM {} WHERE season_id IN (SELECT id FROM changed)",
                   kBucketIds, ReadParquet(old))));
    for (;;) {
      TRY_ASSIGN(const bool some, rows.Next());
      if (!some) break;
      for (std::size_t row = 0; row < rows.size(); ++row) buckets.insert(rows.Bigint(0, row));
    }
  }
  return {};
}

// Of a record that cannot be made out the rows stay that it had.
Result<void> KeepDamaged(Workshop& workshop, ChangeBatch& batch, ChangedIds& changed) {
  for (const std::int64_t id : batch.TakeDamaged()) {
    changed.Keep(id);
    TRY(workshop.connection.Execute(fmt::format("DELETE FROM changed WHERE id = {}", id)));
  }
  return {};
}

}  // namespace

std::string RangeName(std::int64_t first, std::int64_t width) {
  return fmt::format("{:010}-{:010}", first, first + width - 1);
}

Result<void> FillChanged(Workshop& workshop, const ChangeBatch& batch) {
  TRY(workshop.connection.Execute("CREATE OR REPLACE TEMP TABLE changed (id BIGINT)"));
  TRY_ASSIGN(auto ids, duckdb::Appender::Open(workshop.connection, "changed"));
  for (const auto& [id, bucket] : batch.records()) {
    ids.Bigint(id);
    TRY(ids.EndRow());
  }
  return ids.Close();
}

Result<void> ReplacePart(Workshop& workshop, std::size_t table, std::string_view partition,
                         std::string_view record) {
  const Table& of = Tables()[table];
  const std::int64_t rows = workshop.scratch.rows(table);
  TRY_ASSIGN(const std::string old, workshop.draft.OldFile(of.name, partition));
  if (old.empty() && rows == 0) return {};
  TRY_ASSIGN(const std::string fresh, workshop.scratch.Take(table));
  const std::string columns = ColumnList(of);
  const std::string new_rows = fmt::format("SELECT {} FROM {}", columns, fresh);
  std::string select = new_rows;
  if (!old.empty()) {
    const std::string changed = duckdb::QuotedName(record) + " IN (SELECT id FROM changed)";
    const std::string gone = fmt::format("SELECT {} FROM {} WHERE {}", columns, ReadParquet(old), changed);
    TRY_ASSIGN(
        const std::int64_t differing,
        workshop.connection.QueryNumber(fmt::format(
            "SELECT count(*) FROM (({0} EXCEPT ALL {1}) UNION ALL ({1} EXCEPT ALL {0}))", gone, new_rows)));
    if (differing == 0) return rows == 0 ? Result<void>() : workshop.scratch.Clear(table);
    select = fmt::format("SELECT {} FROM {} WHERE NOT {} UNION ALL {}", columns, ReadParquet(old), changed,
                         new_rows);
  }
  TRY_ASSIGN(const auto part, workshop.writer.Write(of, select));
  TRY(workshop.draft.Put(of.name, partition, part));
  return rows == 0 ? Result<void>() : workshop.scratch.Clear(table);
}

Result<void> PublishRecords(Workshop& workshop, ChangeBatch& batch) {
  const MediaType type = batch.type();
  TRY(FillChanged(workshop, batch));
  std::set<std::int64_t> buckets;
  for (const std::int64_t bucket : batch.Buckets()) buckets.insert(bucket);
  if (type == MediaType::kSeason && workshop.draft.HasOldFiles("seasons"))
    TRY(AddOldBuckets(workshop, buckets));

  ChangedIds changed(batch.records());
  RecordParts parts(workshop, type, changed);
  Extractor extractor(ExtractionPlan::Of(type), parts);
  PublishProgress progress{Name(type), 0, std::int64_t(buckets.size())};
  for (auto bucket = buckets.begin(); bucket != buckets.end(); ++bucket) {
    if (workshop.stop.requested()) return Fail(ErrorCode::kUnavailable, "stopped");
    TRY(batch.ReadBucket(
        *bucket, [&](const RecordLine& line) { return workshop.scratch.Version(line); },
        [&](const ChangeBatch::State& state) -> Result<void> {
          if (state.data.empty()) return {};
          const RecordLine& line = state.line;
          workshop.scratch.BeginRecord(type, line.id.id);
          return extractor.Extract({.id = line.id.id,
                                    .version = line.version,
                                    .fetched_at = line.fetched_at,
                                    .tv_id = line.tv_id,
                                    .season_number = line.season_number},
                                   state.data);
        },
        workshop.base_of));
    TRY(KeepDamaged(workshop, batch, changed));
    const auto next = std::next(bucket);
    TRY(parts.EndBucket(*bucket, next == buckets.end() ? std::nullopt : std::optional(*next)));
    ++progress.done;
    if (workshop.progress) workshop.progress(progress);
  }
  return PublishRejects(workshop, type);
}

}  // namespace tmdbc::tables
