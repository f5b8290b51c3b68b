// SPDX-License-Identifier: MIT
// query: one record, from exec to exit in a few milliseconds: it opens the index and one frame of one
// segment, and nothing else; a history opens a frame a version.
#include "app/command.h"
#include "app/data_dir.h"
#include "app/history.h"
#include "app/output.h"
#include "app/record_address.h"
#include "storage/record_store.h"

namespace tmdbc {
namespace {

struct Question {
  RecordAddress address;
  std::string name;  // "movie:550"
  bool envelope = false, history = false, json = false;
  std::optional<std::string> as_of_text;
  std::optional<Time> as_of;
  std::optional<VersionPair> diff;
};

Result<Question> QuestionOf(const Arguments& arguments) {
  Question question;
  TRY_ASSIGN(const std::string type, arguments.Need("--type"));
  TRY_ASSIGN(const std::string id, arguments.Need("--id"));
  TRY_ASSIGN(question.address, ParseRecordAddress(type, id));
  question.name = type + ":" + id;
  question.envelope = arguments.Has("--envelope");
  question.history = arguments.Has("--history");
  question.json = arguments.Has("--json");
  question.as_of_text = arguments.Get("--as-of");
  if (question.as_of_text) {
    TRY_ASSIGN(question.as_of, ParseAsOf(*question.as_of_text));
  }
  if (const auto versions = arguments.Get("--diff")) {
    TRY_ASSIGN(question.diff, ParseVersions(*versions));
  }
  if (int(question.history) + int(question.as_of.has_value()) + int(question.diff.has_value()) > 1)
    return Fail(ErrorCode::kInvalid, "--history, --as-of and --diff are three questions: ask one at a time");
  if (question.envelope && (question.history || question.diff))
    return Fail(ErrorCode::kInvalid, "--envelope goes with the record or with --as-of, not with {}",
                question.history ? "--history" : "--diff");
  return question;
}

// The error, with what is missing called as the person called it.
std::unexpected<Error> NotThere(const Error& error, const Question& question) {
  if (error.code != ErrorCode::kNotFound) return std::unexpected(error);
  if (question.diff && error.message.starts_with(question.name + " has no version"))
    return std::unexpected(error);
  if (question.as_of)
    return Fail(ErrorCode::kNotFound, "{} was not in the store yet at {}", question.name,
                *question.as_of_text);
  return Fail(ErrorCode::kNotFound, "{} is not in the store", question.name);
}

Result<std::string> RecordText(RecordStore& store, const Question& question) {
  const auto record = question.as_of ? FindRecordAsOf(store, question.address, *question.as_of)
                                     : FindRecord(store, question.address);
  if (!record) return NotThere(record.error(), question);
  if (question.envelope) return record->envelope + "\n";
  if (record->status == 404) {
    return Fail(ErrorCode::kNotFound,
                "{} was deleted: TMDB answered 404 on {} (--envelope prints the tombstone)", question.name,
                FormatTime(record->fetched_at));
  }
  const auto data = DataOf(*record, question.address);
  if (!data) return NotThere(data.error(), question);
  return *data + "\n";
}

Result<std::string> Answer(RecordStore& store, const Question& question) {
  if (question.history) {
    const auto versions = HistoryOf(store, question.address);
    if (!versions) return NotThere(versions.error(), question);
    return question.json ? HistoryJson(*versions) : HistoryText(*versions);
  }
  if (question.diff) {
    const auto text = question.json ? DiffPatch(store, question.address, question.name, *question.diff)
                                    : DiffText(store, question.address, question.name, *question.diff);
    if (!text) return NotThere(text.error(), question);
    return *text;
  }
  return RecordText(store, question);
}

}  // namespace

Result<int> QueryCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const Question question, QuestionOf(arguments));
  TRY_ASSIGN(const DataDir dir, DataDir::OpenForReading(settings.data_dir));
  TRY_ASSIGN(Database catalog, dir.OpenCatalog());
  PosixFileSystem files(dir.path());
  TRY_ASSIGN(const auto store, RecordStore::OpenReadOnly(files, catalog));
  const auto text = Answer(*store, question);
  if (!text) {
    if (text.error().code != ErrorCode::kNotFound) return std::unexpected(text.error());
    PrintError(text.error().message, settings.log_format);
    return kExitPartly;
  }
  TRY(WriteOut(*text));
  return kExitDone;
}

}  // namespace tmdbc
