// SPDX-License-Identifier: MIT
#include "tables/delta_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

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

// The state as of `manifest`, as one row an action; one column an action, and in each row one is not NULL. Removed
// files are left out: they are for a program that would delete them, and that is the publish alone.
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

}  // namespace

std::int64_t DeltaVersion(const Manifest& manifest, std::string_view table) {
  const TableFiles* files = FilesOf(&manifest, table);
  return files == nullptr ? -1 : files->delta_version;
}

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
  if (files->delta_version == 0 || before == nullptr) entry += ProtocolJson() + "\n";
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

void DropOldEntries(std::string_view table, std::int64_t oldest, std::vector<DerivedFile>& files) {
  for (std::int64_t at = oldest - oldest % kCheckpointEvery; at > 0; at -= kCheckpointEvery) {
    const std::string checkpoint = DeltaCheckpointPath(table, at);
    if (std::ranges::find(files, checkpoint, &DerivedFile::path) == files.end()) continue;
    // Names of one length: their order is the versions'.
    const std::string first = DeltaEntryPath(table, at).substr(0, checkpoint.find(".checkpoint"));
    std::erase_if(files, [&](const DerivedFile& file) { return file.path < first; });
    return;
  }
}

Result<void> DeltaLogs::Put(const std::string& path, const std::string& text, std::vector<DerivedFile>& files) {
  TRY(folder_.Replace(path, text));
  std::erase_if(files, [&](const DerivedFile& file) { return file.path == path; });
  files.push_back(FactsOf(path, text));
  return {};
}

Result<duckdb::Connection*> DeltaLogs::Connection() {
  if (!connection_) {
    TRY_ASSIGN(auto database, duckdb::Database::Open(duckdb_, {}));
    database_.emplace(std::move(database));
    TRY_ASSIGN(auto connection, database_->Connect());
    connection_.emplace(std::move(connection));
  }
  return &*connection_;
}

Result<void> DeltaLogs::PutCheckpoint(const Table& table, const Manifest& manifest, std::vector<DerivedFile>& files) {
  const TableFiles& of = *FilesOf(&manifest, table.name);
  const std::string path = DeltaCheckpointPath(table.name, of.delta_version);
  const std::string temporary = fmt::format("tmp/{}.checkpoint.parquet", table.name);
  TRY(folder_.MakeFolder("tmp"));
  TRY_ASSIGN(duckdb::Connection * connection, Connection());
  TRY(connection->Execute(CheckpointSql(table, of, manifest)));
  TRY(connection->Execute(fmt::format("COPY delta_checkpoint TO {} (FORMAT parquet, USE_TMP_FILE false)",
                                      duckdb::Quoted(folder_.Full(temporary)))));
  TRY(connection->Execute("DROP TABLE delta_checkpoint"));
  DerivedFile file{path, 0, ""};
  TRY_ASSIGN(const std::uint64_t size, folder_.files().Size(temporary));
  file.bytes = std::int64_t(size);
  TRY_ASSIGN(file.sha256, Sha256OfFile(folder_.files(), temporary));
  TRY(folder_.MoveIn(temporary, path));
  TRY(folder_.SyncFolder(fmt::format("{}/_delta_log", table.name)));
  std::erase_if(files, [&](const DerivedFile& one) { return one.path == path; });
  files.push_back(std::move(file));
  JsonWriter json;
  json.BeginObject().Field("version", of.delta_version).Field("size", of.files.size() + 3).EndObject();
  return Put(fmt::format("{}/_delta_log/_last_checkpoint", table.name), json.text() + "\n", files);
}

Result<void> DeltaLogs::Append(const Table& table, const Manifest& manifest, const Manifest* before,
                               std::vector<DerivedFile>& files) {
  const std::int64_t version = DeltaVersion(manifest, table.name);
  TRY(folder_.MakeFolder(fmt::format("{}/_delta_log", table.name)));
  TRY(Put(DeltaEntryPath(table.name, version), DeltaEntry(table, manifest, before), files));
  const bool is_due = version > 0 && (version % kCheckpointEvery == 0 || before == nullptr);
  return is_due ? PutCheckpoint(table, manifest, files) : Result<void>();
}

Result<std::vector<DerivedFile>> DeltaLogs::Make(const Table& table, const std::vector<Manifest>& kept) {
  std::vector<DerivedFile> files;
  const Manifest* before = nullptr;
  for (const Manifest& manifest : kept) {
    const std::int64_t version = DeltaVersion(manifest, table.name);
    const std::int64_t last = before == nullptr ? -1 : DeltaVersion(*before, table.name);
    if (version < 0 || (before != nullptr && version == last)) continue;
    if (before != nullptr && version != last + 1) {
      // A generation between them is not there: what comes first is the next.
      files.clear();
      before = nullptr;
    }
    TRY(Append(table, manifest, before, files));
    before = &manifest;
  }
  return files;
}

}  // namespace tmdbc::tables
