// SPDX-License-Identifier: MIT
// query: one record, from exec to exit in a few milliseconds: it opens the index and one frame of one
// segment, and nothing else; a history opens a frame a version.
#include "app/command.h"
#include "app/opened_store.h"
#include "app/output.h"
#include "history/history.h"
#include "history/record_address.h"
#include "storage/record_reader.h"

namespace tmdbc {
namespace {

struct Question {
  RecordAddress address;
  std::string name;  // "movie:550"
  bool envelope = false, history = false, json = false;
  std::optional<AskedTime> as_of;
  std::optional<VersionPair> diff;
};

Result<Question> QuestionOf(const Arguments& arguments) {
  Question question;
  TRY_ASSIGN(const std::string type, arguments.Need("--type"));
  TRY_ASSIGN(const std::string id, arguments.Need("--id"));
  const auto address = ParseRecordAddress(type, id);
  const bool bad_type = !ParseMediaType(type);
  if (!address) return WithinFlag(bad_type ? "--type" : "--id", address.error());
  question.address = *address;
  question.name = type + ":" + id;
  question.envelope = arguments.Has("--envelope");
  question.history = arguments.Has("--history");
  question.json = arguments.Has("--json");
  if (const auto text = arguments.Get("--as-of")) {
    const auto at = ParseAsOf(*text);
    if (!at) return WithinFlag("--as-of", at.error());
    question.as_of = AskedTime{*at, *text};
  }
  if (const auto versions = arguments.Get("--diff")) {
    const auto pair = ParseVersions(*versions);
    if (!pair) return WithinFlag("--diff", pair.error());
    question.diff = *pair;
  }
  if (int(question.history) + int(question.as_of.has_value()) + int(question.diff.has_value()) > 1)
    return Fail(ErrorCode::kInvalid, "--history, --as-of and --diff are three questions: ask one at a time");
  if (question.envelope && (question.history || question.diff))
    return Fail(ErrorCode::kInvalid, "--envelope goes with the record or with --as-of, not with {}",
                question.history ? "--history" : "--diff");
  return question;
}

struct Answer {
  std::string text;
  std::vector<std::string> damage;  // versions that cannot be read
};

// The error, with what is missing called as the person called it.
std::unexpected<Error> NotThere(RecordReader& reader, const Error& error, const Question& question) {
  if (error.code != ErrorCode::kNotFound) return std::unexpected(error);
  if (question.diff && error.message.starts_with(question.name + " has no version"))
    return std::unexpected(error);
  const auto why = WhyNotThere(reader, question.address, question.name, question.as_of);
  if (!why) return std::unexpected(why.error());
  return Fail(ErrorCode::kNotFound, "{}", *why);
}

Result<std::string> RecordText(RecordReader& reader, const Question& question) {
  const auto record = question.as_of ? FindRecordAsOf(reader, question.address, question.as_of->at)
                                     : FindRecord(reader, question.address);
  if (!record) return NotThere(reader, record.error(), question);
  if (question.envelope) return record->envelope + "\n";
  if (!record->live()) {
    // The tombstone's status is that of the answer that showed it: its own 404, or its show's body.
    const char* evidence = record->status == 404 ? "TMDB answered 404" : "its show listed it no longer";
    return Fail(ErrorCode::kNotFound, "{} was deleted: {} on {} (--envelope prints the tombstone)",
                question.name, evidence, FormatTime(record->fetched_at));
  }
  const auto data = DataOf(*record, question.address);
  if (!data) return NotThere(reader, data.error(), question);
  return *data + "\n";
}

Result<Answer> AnswerTo(RecordReader& reader, const Question& question) {
  Answer answer;
  if (question.history) {
    const auto versions = HistoryOf(reader, question.address);
    if (!versions) return NotThere(reader, versions.error(), question);
    for (const StoredRecord& version : *versions) {
      if (!version.damage.empty()) answer.damage.push_back(version.damage);
    }
    answer.text = question.json ? HistoryJson(*versions) : HistoryText(*versions);
  } else if (question.diff) {
    const auto text = question.json ? DiffPatch(reader, question.address, question.name, *question.diff)
                                    : DiffText(reader, question.address, question.name, *question.diff);
    if (!text) return NotThere(reader, text.error(), question);
    answer.text = *text;
  } else {
    TRY_ASSIGN(answer.text, RecordText(reader, question));
  }
  return answer;
}

}  // namespace

Result<int> QueryCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const Question question, QuestionOf(arguments));
  TRY_ASSIGN(const auto store, OpenedStore::ForReading(settings));
  const auto answer = AnswerTo(store->reader, question);
  if (!answer) {
    if (answer.error().code == ErrorCode::kCorrupt && answer.error().hint == Hint::kNone)
      return Fail(ErrorCode::kCorrupt, Hint::kRefetch, "{}", answer.error().message);
    if (answer.error().code != ErrorCode::kNotFound) return std::unexpected(answer.error());
    PrintError(answer.error(), settings.log_format);
    return kExitPartly;
  }
  TRY(WriteOut(answer->text));
  for (const std::string& damage : answer->damage) PrintError(damage, settings.log_format);
  return answer->damage.empty() ? kExitDone : kExitUnusable;
}

}  // namespace tmdbc
