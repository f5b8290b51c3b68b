// SPDX-License-Identifier: MIT
#include "tables/scratch.h"

#include <fmt/format.h>

namespace tmdbc::tables {
namespace {

std::string ScratchName(std::size_t table) {
  return "n_" + Tables()[table].name;
}

}  // namespace

std::string ColumnList(const Table& table) {
  std::string list;
  for (const Column& column : table.columns)
    list += (list.empty() ? "" : ", ") + duckdb::QuotedName(column.name);
  return list;
}

std::string ColumnDefinitions(const Table& table) {
  std::string list;
  for (const Column& column : table.columns)
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", duckdb::QuotedName(column.name),
                        SqlName(column.type));
  return list;
}

Scratch::Scratch(duckdb::Connection& connection)
    : connection_(connection),
      slots_(Tables().size()),
      rejects_(FindTable("rejects").value()),
      unknown_members_(FindTable("unknown_members").value()),
      record_versions_(FindTable("record_versions").value()) {}

void Scratch::BeginRecord(MediaType type, std::int64_t id) {
  record_type_ = Name(type);
  id_ = id;
}

Result<void> Scratch::Make(std::size_t table) {
  if (slots_[table].made) return {};
  slots_[table].made = true;
  return connection_.Execute(fmt::format("CREATE OR REPLACE TEMP TABLE {} ({})",
                                         duckdb::QuotedName(ScratchName(table)),
                                         ColumnDefinitions(Tables()[table])));
}

Result<void> Scratch::Row(std::size_t table, std::span<const Cell> cells) {
  Slot& slot = slots_[table];
  if (!slot.appender) {
    TRY(Make(table));
    TRY_ASSIGN(auto appender, duckdb::Appender::Open(connection_, ScratchName(table)));
    slot.appender.emplace(std::move(appender));
  }
  duckdb::Appender& rows = *slot.appender;
  const std::vector<Column>& columns = Tables()[table].columns;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    if (cell.null) {
      rows.Null();
      continue;
    }
    switch (columns[i].type) {
      case ColumnType::kText:
        rows.Varchar(cell.text);
        break;
      case ColumnType::kInteger:
        rows.Bigint(cell.number);
        break;
      case ColumnType::kReal:
        rows.Double(cell.real);
        break;
      case ColumnType::kBool:
        rows.Boolean(cell.number != 0);
        break;
      case ColumnType::kDate:
        rows.Date(std::int32_t(cell.number));
        break;
      case ColumnType::kTime:
        rows.Timestamp(cell.number);
        break;
    }
  }
  ++slot.rows;
  ++total_rows_;
  return rows.EndRow();
}

Result<void> Scratch::Reject(std::string_view path, std::string_view value, std::string_view reason) {
  const Cell cells[] = {TextCell(record_type_), NumberCell(id_), TextCell(path), TextCell(value),
                        TextCell(reason)};
  return Row(rejects_, cells);
}

Result<void> Scratch::Unknown(std::string_view path) {
  const Cell cells[] = {TextCell(record_type_), NumberCell(id_), TextCell(path)};
  return Row(unknown_members_, cells);
}

Result<void> Scratch::Version(const RecordLine& line) {
  const bool season = line.id.type == MediaType::kSeason;
  const Cell cells[] = {TextCell(Name(line.id.type)),
                        NumberCell(line.id.id),
                        NumberCell(line.version),
                        TextCell(Name(line.change)),
                        NumberCell(line.fetched_at.time_since_epoch().count()),
                        {},
                        {.null = false, .number = 0},
                        NumberCell(line.status),
                        line.etag ? TextCell(*line.etag) : Cell{},
                        line.sha256.empty() ? Cell{} : TextCell(line.sha256),
                        season ? NumberCell(line.tv_id) : Cell{},
                        season ? NumberCell(line.season_number) : Cell{}};
  return Row(record_versions_, cells);
}

Result<std::string> Scratch::Take(std::size_t table) {
  TRY(Make(table));
  Slot& slot = slots_[table];
  if (slot.appender) {
    TRY(slot.appender->Close());
    slot.appender.reset();
  }
  return duckdb::QuotedName(ScratchName(table));
}

Result<void> Scratch::Clear(std::size_t table) {
  Slot& slot = slots_[table];
  slot.appender.reset();
  slot.made = false;
  slot.rows = 0;
  return Make(table);
}

}  // namespace tmdbc::tables
