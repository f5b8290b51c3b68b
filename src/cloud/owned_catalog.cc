// SPDX-License-Identifier: MIT
#include "cloud/owned_catalog.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "base/json_writer.h"
#include "cloud/bucket_home.h"
#include "cloud/catalog_time.h"
#include "cloud/dispatcher.h"
#include "storage/catalog_id.h"
#include "storage/record_index.h"

namespace tmdbc {
namespace {

constexpr char kOwnerTables[] = R"sql(
CREATE TABLE IF NOT EXISTS taken_objects(key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS request_tries(key TEXT PRIMARY KEY, tries INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owner_times(name TEXT PRIMARY KEY, time INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS doomed_objects(key TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql";

}  // namespace

Result<Database> OpenCatalog(const std::string& scratch_folder) {
  // A function that never ran here has none; that it could not be made, SQLite says.
  std::error_code ignored;
  std::filesystem::create_directories(scratch_folder, ignored);
  TRY_ASSIGN(Database catalog,
             Database::Open(scratch_folder + "/" + std::string(kCatalogFile), Database::Mode::kReadWrite));
  TRY(MarkCatalog(catalog));
  TRY(catalog.Execute(kOwnerTables));
  return catalog;
}

Result<Database> OpenOwnedCatalog(BucketFileSystem& files, const std::string& scratch_folder, AdoptReport& adopted) {
  TRY_ASSIGN(Database catalog, OpenCatalog(scratch_folder));
  // An owner that died before it published the first catalog may have left segments.
  const auto made = catalog.Transact([&]() -> Result<void> {
    RecordIndex index(catalog);
    TRY(index.Create());
    return {};
  });
  TRY(made);
  TRY_ASSIGN(adopted, AdoptSegments(files, catalog));
  return catalog;
}

Result<std::map<MediaType, std::int64_t>> SequencesOf(Database& catalog) {
  RecordIndex index(catalog);
  std::map<MediaType, std::int64_t> sequences;
  for (const MediaType type : kRecordTypes) {
    TRY_ASSIGN(const auto last, index.LastSegment(type));
    if (last) sequences[type] = last->number;
  }
  return sequences;
}

Result<std::vector<std::string>> DoomRemovedObjects(Database& catalog, BucketFileSystem& files, Time now) {
  std::vector<std::string> due;
  const auto done = catalog.Transact([&]() -> Result<void> {
    TRY_ASSIGN(Statement doom, catalog.Prepare("INSERT OR IGNORE INTO doomed_objects(key, since) VALUES (?1, ?2)"));
    TRY_ASSIGN(Statement spare, catalog.Prepare("DELETE FROM doomed_objects WHERE key=?1"));
    for (const std::string& key : files.RemovedObjects()) TRY(doom.Bind(key, Micros(now)).Run());
    for (const std::string& key : files.WrittenObjects()) TRY(spare.Bind(key).Run());
    TRY_ASSIGN(Statement over, catalog.Prepare("SELECT key FROM doomed_objects WHERE since<=?1"));
    over.Bind(Micros(now - kDoomedFor));
    for (;;) {
      TRY_ASSIGN(const bool row, over.Step());
      if (!row) break;
      due.emplace_back(over.Text(0));
    }
    for (const std::string& key : due) TRY(spare.Bind(key).Run());
    return {};
  });
  TRY(done);
  files.ForgetWritten();
  return due;
}

Result<std::vector<std::string>> OldCatalogs(ObjectStore& objects, const HeadState& head) {
  TRY_ASSIGN(const auto catalogs, objects.ListObjects(std::string(kCatalogPrefix), ""));
  std::vector<std::string> old;
  for (const ObjectInfo& object : catalogs) {
    if (object.key < head.catalog.key && object.key != head.previous) old.push_back(object.key);
  }
  return old;
}

std::string FormatOwnerStatus(const HeadState& head, const OwnerStatus& status, Time now) {
  JsonWriter json;
  json.BeginObject().Field("at", FormatTime(now)).Field("epoch", head.epoch);
  json.Key("sequences").BeginObject();
  for (const auto& [type, number] : head.sequences) json.Field(Name(type), number);
  json.EndObject().Field("waiting", head.waiting).Field("dead", status.dead);
  json.Key("out").BeginObject().Field("batches", head.out_batches).Field("ids", head.out_ids).EndObject();
  json.Key("messages").BeginObject().Field("waiting", status.channel.waiting);
  json.Field("in_flight", status.channel.in_flight).Field("dead", status.channel.dead).EndObject();
  json.Key("stopped");
  head.stopped ? json.Text(*head.stopped) : json.Null();
  json.Key("rate").BeginObject().Key("allowed");
  status.rate > 0 ? json.Raw(fmt::format("{:g}", status.rate)) : json.Null();
  json.Key("seen");
  status.seen_rate ? json.Raw(fmt::format("{:.2f}", *status.seen_rate)) : json.Null();
  json.EndObject();
  const Spent& spent = status.spent.sum;
  json.Key("spent").BeginObject().Field("since", FormatTime(status.spent.since));
  json.Field("puts", spent.puts).Field("gets", spent.gets).Field("messages", spent.messages);
  json.Field("invocations", spent.invocations).Field("gb_seconds", spent.gb_ms / 1000).EndObject();
  return json.EndObject().text() + "\n";
}

Result<std::optional<Time>> NotePublication(Database& catalog, Time now) {
  std::optional<Time> last;
  const auto note = [&]() -> Result<void> {
    TRY_ASSIGN(Statement read, catalog.Prepare("SELECT time FROM owner_times WHERE name='published'"));
    TRY_ASSIGN(const bool row, read.Step());
    if (row) last = Time(Duration(read.Int(0)));
    read.Reset();
    TRY_ASSIGN(Statement put,
               catalog.Prepare("INSERT OR REPLACE INTO owner_times(name, time) VALUES ('published', ?1)"));
    return put.Bind(Micros(now)).Run();
  };
  TRY(catalog.Transact(note));
  return last;
}

Result<void> ForgetBucket(Database& catalog) {
  TRY(Dispatcher::Forget(catalog));
  return catalog.Execute(
      "DROP TABLE IF EXISTS taken_objects; DROP TABLE IF EXISTS request_tries; "
      "DROP TABLE IF EXISTS owner_times; DROP TABLE IF EXISTS doomed_objects; DROP TABLE IF EXISTS spent");
}

}  // namespace tmdbc
