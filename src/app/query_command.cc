// SPDX-License-Identifier: MIT
// query: one record, from exec to exit in a few milliseconds: it opens the index and one frame of one
// segment, and nothing else.
#include "app/command.h"
#include "app/data_dir.h"
#include "app/output.h"
#include "app/record_address.h"
#include "storage/record_store.h"
#include "tmdb/document.h"

namespace tmdbc {
namespace {

Result<StoredRecord> FindRecord(RecordStore& store, const RecordAddress& address) {
  if (address.by_place) return store.FindSeason(address.tv_id, address.season_number);
  if (address.type == MediaType::kEpisode) return store.FindSeasonOfEpisode(address.id);
  return store.Find({address.type, address.id});
}

Result<std::string> DataOf(const StoredRecord& record, const RecordAddress& address) {
  if (address.type != MediaType::kEpisode) return record.data;
  return address.by_place ? EpisodeByNumber(record.data, address.episode_number)
                          : EpisodeById(record.data, address.id);
}

std::unexpected<Error> Unknown(const std::string& name) {
  return Fail(ErrorCode::kNotFound, "{} is not in the store", name);
}

Result<std::string> Answer(RecordStore& store, const RecordAddress& address, const std::string& name,
                           bool envelope) {
  const auto record = FindRecord(store, address);
  if (!record)
    return record.error().code == ErrorCode::kNotFound ? Unknown(name) : std::unexpected(record.error());
  if (envelope) return record->envelope;
  if (record->status == 404) {
    return Fail(ErrorCode::kNotFound,
                "{} was deleted: TMDB answered 404 on {} (--envelope prints the tombstone)", name,
                FormatTime(record->fetched_at));
  }
  const auto data = DataOf(*record, address);
  if (!data) return data.error().code == ErrorCode::kNotFound ? Unknown(name) : std::unexpected(data.error());
  return *data;
}

}  // namespace

Result<int> QueryCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const std::string type, arguments.Need("--type"));
  TRY_ASSIGN(const std::string id, arguments.Need("--id"));
  TRY_ASSIGN(const RecordAddress address, ParseRecordAddress(type, id));
  TRY_ASSIGN(const DataDir dir, DataDir::OpenForReading(settings.data_dir));
  TRY_ASSIGN(Database catalog, dir.OpenCatalog());
  PosixFileSystem files(dir.path());
  TRY_ASSIGN(const auto store, RecordStore::OpenReadOnly(files, catalog));
  auto text = Answer(*store, address, type + ":" + id, arguments.Has("--envelope"));
  if (!text) {
    if (text.error().code != ErrorCode::kNotFound) return std::unexpected(text.error());
    PrintError(text.error().message);
    return kExitPartly;
  }
  TRY(WriteOut(*text + "\n"));
  return kExitDone;
}

}  // namespace tmdbc
