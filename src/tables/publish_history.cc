// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <array>

#include "tables/workshop.h"

namespace tmdbc::tables {
namespace {

std::size_t PlaceOf(std::string_view table) {
  return FindTable(table).value();
}

// NULL when there is none.
Cell OptionalText(std::string_view text) {
  return text.empty() ? Cell{} : TextCell(text);
}

}  // namespace

Result<void> PublishRejects(Workshop& workshop, MediaType type) {
  TRY(ReplacePart(workshop, PlaceOf("rejects"), Name(type), "id"));
  const std::size_t members = PlaceOf("unknown_members"), paths = PlaceOf("unknown_paths");
  TRY_ASSIGN(const std::string old, workshop.draft.OldFile("unknown_members", Name(type)));
  if (workshop.scratch.rows(members) == 0 && old.empty()) return {};
  // Counted over all members of the type, those that stay too: before the new ones are gone.
  TRY_ASSIGN(const std::string fresh, workshop.scratch.Take(members));
  std::string all = "SELECT record_type, id, path FROM " + fresh;
  if (!old.empty()) {
    all += fmt::format(
        " UNION ALL SELECT record_type, id, path FROM {} WHERE id NOT IN (SELECT id FROM changed)",
        ReadParquet(old));
  }
  TRY_ASSIGN(
      const auto part,
      workshop.writer.Write(
          Tables()[paths], fmt::format("SELECT record_type, path, count(*) AS records, min(id) AS example_id "
                                       "FROM ({}) GROUP BY record_type, path",
                                       all)));
  TRY(workshop.draft.Put("unknown_paths", Name(type), part));
  return ReplacePart(workshop, members, Name(type), "id");
}

Result<void> PublishVersions(Workshop& workshop, std::string_view partition) {
  const std::size_t versions = PlaceOf("record_versions");
  TRY_ASSIGN(const std::string old, workshop.draft.OldFile("record_versions", partition));
  if (workshop.scratch.rows(versions) == 0) return {};
  TRY_ASSIGN(const std::string fresh, workshop.scratch.Take(versions));
  const std::string columns = ColumnList(Tables()[versions]);
  std::string steps = fmt::format("SELECT {} FROM {}", columns, fresh), kept;
  if (!old.empty()) {
    steps += fmt::format(" UNION ALL SELECT {} FROM {} WHERE id IN (SELECT id FROM {})", columns,
                         ReadParquet(old), fresh);
    kept = fmt::format(" UNION ALL SELECT {} FROM {} WHERE id NOT IN (SELECT id FROM {})", columns,
                       ReadParquet(old), fresh);
  }
  // A line may come twice (a compaction beside the reader); a purge takes the place of all up to its version.
  const std::string select = fmt::format(
      "SELECT * REPLACE (lead(valid_from) OVER later AS valid_to, lead(version) OVER later IS NULL AS is_current) FROM ("
      "SELECT * FROM ({}) QUALIFY "
      "row_number() OVER (PARTITION BY id, version ORDER BY change = 'purge' DESC, valid_from DESC, sha256) = 1 "
      "AND version >= coalesce(max(version) FILTER (change = 'purge') OVER (PARTITION BY id), 0)"
      ") WINDOW later AS (PARTITION BY id ORDER BY version){}",
      steps, kept);
  TRY_ASSIGN(const auto part, workshop.writer.Write(Tables()[versions], select));
  TRY(workshop.draft.Put("record_versions", partition, part));
  return workshop.scratch.Clear(versions);
}

Result<void> PublishSnapshots(Workshop& workshop, const std::map<MediaType, std::int64_t>& rows, Time now) {
  const std::size_t snapshots = PlaceOf("snapshots");
  for (const auto& [type, changed] : rows) {
    const Manifest& manifest = workshop.draft.manifest();
    const std::array cells = {NumberCell(manifest.generation),
                              NumberCell(ToMillis(now).time_since_epoch().count()), TextCell(Name(type)),
                              NumberCell(manifest.sequences.at(type)), NumberCell(changed)};
    TRY(workshop.scratch.Row(snapshots, cells));
  }
  // Nothing in the old file is of this generation.
  TRY(workshop.connection.Execute("CREATE OR REPLACE TEMP TABLE changed (id BIGINT)"));
  return ReplacePart(workshop, snapshots, kWhole, "generation");
}

Result<void> PublishDictionary(Workshop& workshop) {
  const std::size_t dictionary = PlaceOf("data_dictionary");
  for (const Table& table : Tables()) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const Column& column = table.columns[i];
      const std::string source = table.SourcePath(column);
      const std::array cells = {
          TextCell(table.name),           TextCell(column.name),        NumberCell(std::int64_t(i) + 1),
          TextCell(SqlName(column.type)), NumberCell(!column.required), OptionalText(column.unit),
          TextCell(column.description),   OptionalText(source),         NumberCell(table.IsKey(column.name))};
      TRY(workshop.scratch.Row(dictionary, cells));
    }
  }
  TRY_ASSIGN(const std::string fresh, workshop.scratch.Take(dictionary));
  TRY_ASSIGN(const auto part, workshop.writer.Write(Tables()[dictionary], "FROM " + fresh));
  TRY(workshop.draft.Put("data_dictionary", kWhole, part));
  return workshop.scratch.Clear(dictionary);
}

}  // namespace tmdbc::tables
