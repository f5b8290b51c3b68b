// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tables/workshop.h"

namespace tmdbc::tables {
namespace {

// Of a row's cells in memory, of what a Parquet file takes; measured: 0.25 to 0.5.
constexpr double kPackedShare = 0.4;
constexpr std::int64_t kWidest = std::int64_t{65'536} << 17;  // ten digits name its end

// The widest range of ids that keeps a file below what is wanted, from the rows of one range of the first width.
std::int64_t ChooseWidth(std::int64_t bytes, const PartSizes& sizes) {
  std::int64_t width = sizes.first_width;
  double file = std::max(double(bytes) * kPackedShare, 1.0);
  while (width < kWidest && 2 * file <= double(sizes.file_bytes)) {
    width *= 2;
    file *= 2;
  }
  return width;
}

// The tables of one type, and in which part of each the bucket at hand lies.
class RecordParts {
 public:
  RecordParts(Workshop& workshop, MediaType type) : workshop_(workshop), type_(type) {
    for (std::size_t i = 0; i < Tables().size(); ++i) {
      if (Tables()[i].type == type) tables_.push_back(i);
    }
  }

  // Before a table has its width, all rows come from one range of the first width: it is chosen by them.
  Result<void> EndBucket(std::int64_t bucket, std::optional<std::int64_t> next) {
    for (const std::size_t table : tables_) {
      const std::string& name = Tables()[table].name;
      if (workshop_.draft.Width(name) == 0) {
        const std::int64_t first = workshop_.sizes.first_width;
        if (next && Part(*next, first) == Part(bucket, first)) continue;
        workshop_.draft.SetWidth(name, ChooseWidth(workshop_.scratch.bytes(table), workshop_.sizes));
      }
      const std::int64_t width = workshop_.draft.Width(name);
      if (next && Part(*next, width) == Part(bucket, width)) continue;
      TRY(ReplacePart(workshop_, table, RangeName(Part(bucket, width) * width, width),
                      Tables()[table].record_column));
    }
    return EndVersions(bucket, next);
  }

 private:
  static std::int64_t Part(std::int64_t bucket, std::int64_t width) { return bucket * kBucketIds / width; }

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
  std::vector<std::size_t> tables_;
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
Result<void> KeepDamaged(Workshop& workshop, ChangeBatch& batch) {
  for (const std::int64_t id : batch.TakeDamaged())
    TRY(workshop.connection.Execute(fmt::format("DELETE FROM changed WHERE id = {}", id)));
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

  Extractor extractor(ExtractionPlan::Of(type), workshop.scratch);
  RecordParts parts(workshop, type);
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
    TRY(KeepDamaged(workshop, batch));
    const auto next = std::next(bucket);
    TRY(parts.EndBucket(*bucket, next == buckets.end() ? std::nullopt : std::optional(*next)));
    ++progress.done;
    if (workshop.progress) workshop.progress(progress);
  }
  return PublishRejects(workshop, type);
}

}  // namespace tmdbc::tables
