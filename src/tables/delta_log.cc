// SPDX-License-Identifier: MIT
#include "tables/delta_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/hash.h"
#include "base/json_writer.h"
#include "base/version.h"

namespace tmdbc::tables {
namespace {

std::int64_t Milliseconds(Time time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string_view DeltaType(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "string";
    case ColumnType::kInteger:
      return "long";
    case ColumnType::kReal:
      return "double";
    case ColumnType::kBool:
      return "boolean";
    case ColumnType::kDate:
      return "date";
    case ColumnType::kTime:
      return "timestamp";
  }
  return "";
}

// The table's id, which stays the same for as long as the table has its name.
std::string DeltaId(std::string_view table) {
  const std::string hash = Sha256Hex(fmt::format("tmdb-collector table {}", table));
  // RFC 9562: version 8, made in a way of one's own.
  return fmt::format("{}-{}-8{}-8{}-{}", hash.substr(0, 8), hash.substr(8, 4), hash.substr(12, 3),
                     hash.substr(15, 3), hash.substr(18, 12));
}

const TableFiles* FilesOf(const Manifest* manifest, std::string_view table) {
  if (manifest == nullptr) return nullptr;
  const auto found = manifest->tables.find(table);
  return found == manifest->tables.end() ? nullptr : &found->second;
}

// Within the table's folder.
std::string_view NameOf(const DataFile& file) {
  return std::string_view(file.path).substr(file.path.find('/') + 1);
}

std::string StatsOf(const Table& table, const DataFile& file) {
  JsonWriter stats;
  stats.BeginObject().Field("numRecords", file.rows);
  if (!table.range_column.empty()) {
    stats.Key("minValues").BeginObject().Field(table.range_column, file.first).EndObject();
    stats.Key("maxValues").BeginObject().Field(table.range_column, file.last).EndObject();
  }
  return stats.EndObject().text();
}

std::string ProtocolJson() {
  JsonWriter json;
  json.BeginObject().Key("protocol").BeginObject();
  return json.Field("minReaderVersion", 1).Field("minWriterVersion", 2).EndObject().EndObject().text();
}

std::string MetaDataJson(const Table& table, Time created) {
  JsonWriter json;
  json.BeginObject().Key("metaData").BeginObject().Field("id", DeltaId(table.name)).Field("name", table.name);
  json.Field("description", table.description);
  json.Key("format")
      .BeginObject()
      .Field("provider", "parquet")
      .Key("options")
      .BeginObject()
      .EndObject()
      .EndObject();
  json.Field("schemaString", DeltaSchema(table)).Key("partitionColumns").BeginArray().EndArray();
  json.Field("createdTime", Milliseconds(created));
  json.Key("configuration")
      .BeginObject()
      .Field("delta.deletedFileRetentionDuration", "interval 1 days")
      .EndObject();
  return json.EndObject().EndObject().text();
}

// The state as of `manifest`, as one row an action; one column an action, of which one a row is not NULL. Removed files
// are left out: they are for who would delete them, and that is the publish alone.
std::string CheckpointSql(const Table& table, const TableFiles& files, const Manifest& manifest) {
  using duckdb::Quoted;
  const std::int64_t at = Milliseconds(manifest.committed_at);
  std::string sql =
      "CREATE OR REPLACE TEMP TABLE delta_checkpoint ("
      "txn STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT), "
      "add STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT, "
      "dataChange BOOLEAN, stats VARCHAR), "
      "remove STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN), "
      "\"metaData\" STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options "
      "MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], createdTime BIGINT, "
      "configuration MAP(VARCHAR, VARCHAR)), "
      "protocol STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER));\n";
  sql += "INSERT INTO delta_checkpoint (protocol) VALUES ({'minReaderVersion': 1, 'minWriterVersion': 2});\n";
  sql += fmt::format(
      "INSERT INTO delta_checkpoint (\"metaData\") VALUES ({{'id': {}, 'name': {}, 'description': {}, 'format': "
      "{{'provider': 'parquet', 'options': MAP {{}}}}, 'schemaString': {}, 'partitionColumns': [], "
      "'createdTime': {}, 'configuration': MAP {{'delta.deletedFileRetentionDuration': 'interval 1 days'}}}});\n",
      Quoted(DeltaId(table.name)), Quoted(table.name), Quoted(table.description), Quoted(DeltaSchema(table)),
      at);
  sql += fmt::format(
      "INSERT INTO delta_checkpoint (txn) VALUES ({{'appId': 'tmdb-collector', 'version': {}, 'lastUpdated': "
      "{}}});\n",
      manifest.generation, at);
  for (const DataFile& file : files.files) {
    sql += fmt::format(
        "INSERT INTO delta_checkpoint (add) VALUES ({{'path': {}, 'partitionValues': MAP {{}}, 'size': {}, "
        "'modificationTime': {}, 'dataChange': false, 'stats': {}}});\n",
        Quoted(NameOf(file)), file.bytes, at, Quoted(StatsOf(table, file)));
  }
  return sql;
}

Result<void> WriteCheckpoint(TableFolder& folder, const Table& table, const TableFiles& files,
                             const Manifest& manifest, duckdb::Connection& connection) {
  const std::string path = DeltaCheckpointPath(table.name, files.delta_version);
  if (!folder.Exists(path)) {
    const std::string temporary = fmt::format("tmp/{}.checkpoint.parquet", table.name);
    TRY(folder.MakeFolder("tmp"));
    TRY(connection.Execute(CheckpointSql(table, files, manifest)));
    TRY(connection.Execute(fmt::format("COPY delta_checkpoint TO {} (FORMAT parquet, USE_TMP_FILE false)",
                                       duckdb::Quoted(folder.Full(temporary)))));
    TRY(connection.Execute("DROP TABLE delta_checkpoint"));
    TRY(folder.MoveIn(temporary, path));
    TRY(folder.SyncFolder(fmt::format("{}/_delta_log", table.name)));
  }
  JsonWriter json;
  json.BeginObject().Field("version", files.delta_version).Field("size", files.files.size() + 3).EndObject();
  return folder.Replace(fmt::format("{}/_delta_log/_last_checkpoint", table.name), json.text() + "\n");
}

}  // namespace

std::string DeltaEntryPath(std::string_view table, std::int64_t version) {
  return fmt::format("{}/_delta_log/{:020}.json", table, version);
}

std::string DeltaCheckpointPath(std::string_view table, std::int64_t version) {
  return fmt::format("{}/_delta_log/{:020}.checkpoint.parquet", table, version);
}

std::string DeltaSchema(const Table& table) {
  JsonWriter json;
  json.BeginObject().Field("type", "struct").Key("fields").BeginArray();
  for (const Column& column : table.columns) {
    json.BeginObject()
        .Field("name", column.name)
        .Field("type", DeltaType(column.type))
        .Field("nullable", true);
    json.Key("metadata").BeginObject().Field("comment", column.description).EndObject().EndObject();
  }
  return json.EndArray().EndObject().text();
}

std::string DeltaEntry(const Table& table, const Manifest& after, const Manifest* before) {
  const TableFiles* files = FilesOf(&after, table.name);
  const TableFiles* old = FilesOf(before, table.name);
  const std::int64_t at = Milliseconds(after.committed_at);
  std::string entry;
  {
    JsonWriter json;
    json.BeginObject().Key("commitInfo").BeginObject().Field("timestamp", at).Field("operation", "WRITE");
    json.Key("operationParameters").BeginObject().Field("mode", "Overwrite").EndObject();
    entry +=
        json.Field("engineInfo", fmt::format("tmdb-collector/{}", kVersion)).EndObject().EndObject().text() +
        "\n";
  }
  if (files->delta_version == 0) entry += ProtocolJson() + "\n";
  if (files->delta_version == 0 || before == nullptr || before->spec != after.spec)
    entry += MetaDataJson(table, after.committed_at) + "\n";
  {
    JsonWriter json;
    json.BeginObject().Key("txn").BeginObject().Field("appId", "tmdb-collector");
    entry += json.Field("version", after.generation).Field("lastUpdated", at).EndObject().EndObject().text() +
             "\n";
  }
  const auto has = [](const TableFiles* of, const std::string& path) {
    return of != nullptr && std::ranges::find(of->files, path, &DataFile::path) != of->files.end();
  };
  if (old != nullptr) {
    for (const DataFile& file : old->files) {
      if (has(files, file.path)) continue;
      JsonWriter json;
      json.BeginObject()
          .Key("remove")
          .BeginObject()
          .Field("path", NameOf(file))
          .Field("deletionTimestamp", at);
      entry += json.Field("dataChange", true).EndObject().EndObject().text() + "\n";
    }
  }
  for (const DataFile& file : files->files) {
    if (has(old, file.path)) continue;
    JsonWriter json;
    json.BeginObject().Key("add").BeginObject().Field("path", NameOf(file));
    json.Key("partitionValues")
        .BeginObject()
        .EndObject()
        .Field("size", file.bytes)
        .Field("modificationTime", at);
    json.Field("dataChange", true).Field("stats", StatsOf(table, file));
    entry += json.EndObject().EndObject().text() + "\n";
  }
  return entry;
}

Result<void> CutDeltaLogs(TableFolder& folder, const Manifest* manifest) {
  for (const Table& table : Tables()) {
    const TableFiles* files = FilesOf(manifest, table.name);
    const std::string log = fmt::format("{}/_delta_log", table.name);
    // 00000000000000000007.json, 00000000000000000020.checkpoint.parquet; _last_checkpoint only spares a listing.
    const std::string first = fmt::format("{:020}", files ? files->delta_version + 1 : 0);
    TRY_ASSIGN(auto names, folder.Names(log));
    std::ranges::reverse(names);
    for (const std::string& name : names) {
      if (name.substr(0, first.size()) >= first) TRY(folder.Remove(log + "/" + name));
    }
  }
  return {};
}

Result<void> WriteDeltaLogs(TableFolder& folder, const Manifest& manifest, const Manifest* previous,
                            duckdb::Connection& connection) {
  for (const Table& table : Tables()) {
    const TableFiles* files = FilesOf(&manifest, table.name);
    const TableFiles* old = FilesOf(previous, table.name);
    const std::int64_t before = old ? old->delta_version : -1;
    if (files == nullptr || files->delta_version < 0 || files->delta_version == before) continue;
    const std::string path = DeltaEntryPath(table.name, files->delta_version);
    if (!folder.Exists(path)) {
      if (files->delta_version != before + 1) {
        return Fail(ErrorCode::kCorrupt,
                    "write {}: generation {} has version {} of the table before it, and not {}", path,
                    manifest.generation, before, files->delta_version - 1);
      }
      TRY(folder.MakeFolder(fmt::format("{}/_delta_log", table.name)));
      TRY(folder.WriteNew(path, DeltaEntry(table, manifest, previous)));
    }
    if (files->delta_version > 0 && files->delta_version % kCheckpointEvery == 0)
      TRY(WriteCheckpoint(folder, table, *files, manifest, connection));
  }
  return {};
}

}  // namespace tmdbc::tables
