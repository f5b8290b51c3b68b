// SPDX-License-Identifier: MIT
#include "app/progress_file.h"

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/words.h"
#include "cloud/dispatcher.h"
#include "harvester/upstream_time.h"
#include "harvester/watermarks.h"
#include "queue/sqlite_queue.h"
#include "storage/change_feed.h"
#include "storage/ledger.h"
#include "storage/segment_path.h"
#include "tmdb/export_line.h"

namespace tmdbc {
namespace {

constexpr const char* kProgressFile = "progress.json";
constexpr std::uint64_t kMaxProgressBytes = 16 << 20;
// Of a type with more dead letters the watermark waits: that is an outage, not some ids that TMDB cannot serve.
constexpr int kMostGivenUp = 100'000;
constexpr std::string_view kSeal = R"(,"sha256":")";

using Element = simdjson::dom::element;
using Feed = SavedProgress::Feed;

std::unexpected<Error> Odd(std::string_view what) {
  return Fail(ErrorCode::kCorrupt, "{} is not in the form of the format: {}", kProgressFile, what);
}

void AddTime(JsonWriter& json, std::string_view name, std::optional<Time> time) {
  if (time) json.Field(name, FormatTime(*time));
}

Result<std::string_view> TextOf(Element object, std::string_view name) {
  std::string_view text;
  if (object[name].get(text) != simdjson::SUCCESS) return Odd(name);
  return text;
}

Result<std::int64_t> NumberOf(Element object, std::string_view name) {
  std::int64_t number = 0;
  if (object[name].get(number) != simdjson::SUCCESS) return Odd(name);
  return number;
}

// Empty when there is no such member.
Result<std::optional<Time>> TimeOf(Element object, std::string_view name) {
  if (object[name].error() == simdjson::NO_SUCH_FIELD) return std::nullopt;
  TRY_ASSIGN(const auto text, TextOf(object, name));
  TRY_ASSIGN(const Time time, ParseTime(text));
  return time;
}

Result<std::chrono::sys_days> DateOf(Element object, std::string_view name) {
  TRY_ASSIGN(const auto text, TextOf(object, name));
  return ParseDate(text);
}

Result<Feed> FeedOf(Element object) {
  Feed feed;
  TRY_ASSIGN(feed.watermark, DateOf(object, "watermark"));
  TRY_ASSIGN(feed.sequence, NumberOf(object, "sequence"));
  if (feed.sequence < 0 || feed.sequence > kMaxSegmentNumber) return Odd("sequence");
  simdjson::dom::array ids;
  if (object["given_up"].get(ids) != simdjson::SUCCESS) return Odd("given_up");
  for (const Element element : ids) {
    std::int64_t id = 0;
    if (element.get(id) != simdjson::SUCCESS) return Odd("given_up");
    feed.given_up.push_back(id);
  }
  return feed;
}

Result<AcceptedExport> ExportOf(Element object) {
  AcceptedExport accepted;
  TRY_ASSIGN(accepted.name, TextOf(object, "name"));
  TRY_ASSIGN(accepted.date, DateOf(object, "date"));
  TRY_ASSIGN(accepted.lines, NumberOf(object, "lines"));
  TRY_ASSIGN(accepted.ids, NumberOf(object, "ids"));
  TRY_ASSIGN(accepted.bytes, NumberOf(object, "bytes"));
  TRY_ASSIGN(const auto at, TimeOf(object, "accepted_at"));
  if (!at) return Odd("accepted_at");
  accepted.accepted_at = *at;
  return accepted;
}

Result<ScheduleState> ScheduleOf(Element object) {
  ScheduleState state;
  TRY_ASSIGN(state.planned, TimeOf(object, "planned"));
  TRY_ASSIGN(state.started, TimeOf(object, "started"));
  TRY_ASSIGN(state.ended, TimeOf(object, "ended"));
  if (!state.planned || !state.started) return Odd("schedules");
  if (!state.ended) return state;
  TRY_ASSIGN(const std::int64_t code, NumberOf(object, "exit_code"));
  state.exit_code = int(code);
  return state;
}

Result<void> TakeFeeds(Element root, SavedProgress& progress) {
  simdjson::dom::object feeds;
  if (root["feeds"].get(feeds) != simdjson::SUCCESS) return Odd("feeds");
  for (const auto& [name, value] : feeds) {
    const auto type = ParseMediaType(name);
    if (!type) return Odd(name);
    TRY_ASSIGN(progress.feeds[*type], FeedOf(value));
  }
  return {};
}

Result<void> TakeExports(Element root, SavedProgress& progress) {
  simdjson::dom::array exports;
  if (root["exports"].get(exports) != simdjson::SUCCESS) return Odd("exports");
  for (const Element value : exports) {
    TRY_ASSIGN(AcceptedExport accepted, ExportOf(value));
    progress.exports.push_back(std::move(accepted));
  }
  return {};
}

Result<void> TakeSchedules(Element root, SavedProgress& progress) {
  simdjson::dom::array schedules;
  if (root["schedules"].get(schedules) != simdjson::SUCCESS) return Odd("schedules");
  for (const Element value : schedules) {
    TRY_ASSIGN(const auto name, TextOf(value, "name"));
    TRY_ASSIGN(progress.schedules[std::string(name)], ScheduleOf(value));
  }
  return {};
}

// Empty when there is none.
Result<std::string> ReadText(FileSystem& files) {
  auto text = files.Read(kProgressFile, 0, kMaxProgressBytes);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::string();
  return text;
}

Result<void> RestoreFeeds(FileSystem& files, Database& catalog, IdSender& queue, const SavedProgress& saved,
                          std::vector<std::string>& notes) {
  TRY(CreateWatermarks(catalog));
  TRY_ASSIGN(const Watermarks known, ReadWatermarks(catalog));
  if (!known.empty()) return {};
  for (const auto& [type, feed] : saved.feeds) {
    TRY_ASSIGN(const std::int64_t newest, ChangeFeed(files, catalog).NewestSequence(type));
    if (newest < feed.sequence) {
      notes.push_back(fmt::format(
          "{}: the records of type {} end at {}, before what it speaks of ({}): their changes are read again from the "
          "day on which the oldest of them was last confirmed",
          kProgressFile, Name(type), newest, feed.sequence));
      continue;
    }
    std::vector<QueueItem> items;
    for (const std::int64_t id : feed.given_up) items.push_back({.id = {type, id}, .popularity = 0});
    if (!items.empty()) TRY(queue.Send(items));
    TRY(SetWatermark(catalog, type, feed.watermark));
  }
  return {};
}

// A file of days to come was written by a clock that ran ahead, or is not a file of this time: its watermark would pass
// over the days until then.
bool SpeaksOfTheFuture(const SavedProgress& saved, Time now) {
  const Time tomorrow = now + std::chrono::days(1);
  return saved.upstream_date.value_or(now) > tomorrow ||
         std::ranges::any_of(saved.feeds, [&](const auto& entry) {
           return entry.second.watermark > std::chrono::floor<std::chrono::days>(tomorrow);
         });
}

}  // namespace

std::string FormatProgress(const SavedProgress& progress) {
  JsonWriter json;
  json.BeginObject().Key("feeds").BeginObject();
  for (const auto& [type, feed] : progress.feeds) {
    json.Key(Name(type))
        .BeginObject()
        .Field("watermark", FormatDate(feed.watermark))
        .Field("sequence", feed.sequence)
        .Key("given_up")
        .BeginArray();
    for (const std::int64_t id : feed.given_up) json.Number(id);
    json.EndArray().EndObject();
  }
  json.EndObject();
  AddTime(json, "upstream_date", progress.upstream_date);
  json.Key("exports").BeginArray();
  for (const AcceptedExport& accepted : progress.exports) {
    json.BeginObject()
        .Field("name", accepted.name)
        .Field("date", FormatDate(accepted.date))
        .Field("lines", accepted.lines)
        .Field("ids", accepted.ids)
        .Field("bytes", accepted.bytes)
        .Field("accepted_at", FormatTime(accepted.accepted_at))
        .EndObject();
  }
  json.EndArray().Key("schedules").BeginArray();
  for (const auto& [name, state] : progress.schedules) {
    if (!state.planned || !state.started) continue;  // it never ran
    json.BeginObject().Field("name", name);
    AddTime(json, "planned", state.planned);
    AddTime(json, "started", state.started);
    AddTime(json, "ended", state.ended);
    if (state.ended) json.Field("exit_code", state.exit_code.value_or(0));
    json.EndObject();
  }
  json.EndArray();
  AddTime(json, "deletions_accepted_at", progress.deletions_accepted_at);
  const std::string& text = json.text();
  return fmt::format("{}{}{}\"}}\n", text, kSeal, Sha256Hex(text));
}

Result<SavedProgress> ParseProgress(std::string_view text) {
  const auto seal = text.rfind(kSeal);
  const std::string_view content = text.substr(0, seal == std::string_view::npos ? 0 : seal);
  if (content.empty() || text.substr(seal) != fmt::format("{}{}\"}}\n", kSeal, Sha256Hex(content)))
    return Fail(ErrorCode::kCorrupt, "{} does not match its checksum", kProgressFile);
  TRY_ASSIGN(const auto json, ParsedJson::ParseString(std::string(text)));
  const Element root = json.root();
  SavedProgress progress;
  TRY(TakeFeeds(root, progress));
  TRY(TakeExports(root, progress));
  TRY(TakeSchedules(root, progress));
  TRY_ASSIGN(progress.upstream_date, TimeOf(root, "upstream_date"));
  TRY_ASSIGN(progress.deletions_accepted_at, TimeOf(root, "deletions_accepted_at"));
  return progress;
}

Result<void> ProgressFile::Open() {
  TRY_ASSIGN(const Watermarks watermarks, ReadWatermarks(catalog_));
  for (const auto& [type, day] : watermarks) earlier_.insert(type);
  TRY_ASSIGN(std::string text, ReadText(files_));
  auto saved = ParseProgress(text);
  if (!saved) return {};  // catalog.db knows it all
  text_ = std::move(text);
  saved_ = *std::move(saved);
  return {};
}

Result<void> ProgressFile::Save() {
  TRY_ASSIGN(SavedProgress now, Now());
  std::string text = FormatProgress(now);
  if (text == text_) return {};
  TRY(WriteWhole(files_, kProgressFile, text));
  text_ = std::move(text);
  saved_ = std::move(now);
  return {};
}

Result<SavedProgress> ProgressFile::Now() {
  SavedProgress now;
  TRY_ASSIGN(const Watermarks watermarks, ReadWatermarks(catalog_));
  TRY_ASSIGN(const auto queued, queue_.Counts());
  for (const auto& [type, day] : watermarks) {
    const auto count = queued.find(type);
    TRY_ASSIGN(const auto feed, FeedNow(type, day, count == queued.end() ? QueueCounts() : count->second));
    if (feed) now.feeds.emplace(type, *feed);
  }
  TRY_ASSIGN(now.upstream_date, ReadUpstreamTime(catalog_));
  TRY_ASSIGN(now.exports, AcceptedExports(catalog_));
  TRY_ASSIGN(now.schedules, ReadScheduleRuns(catalog_));
  TRY_ASSIGN(now.deletions_accepted_at, RecordLedger(catalog_).DeletionsAcceptedAt());
  return now;
}

Result<std::optional<Feed>> ProgressFile::FeedNow(MediaType type, std::chrono::sys_days watermark,
                                                  const QueueCounts& queued) {
  const auto saved = saved_.feeds.find(type);
  const bool fetched = queued.waiting + queued.delayed + queued.in_flight == 0 && queued.dead <= kMostGivenUp;
  if (!fetched && saved != saved_.feeds.end()) {
    Feed feed = saved->second;
    feed.watermark = std::min(feed.watermark, watermark);
    return feed;
  }
  // The first watermark of a type is older than any of its records.
  if (!fetched && earlier_.contains(type)) return std::nullopt;
  Feed feed{.watermark = watermark, .given_up = {}};
  TRY_ASSIGN(feed.sequence, ChangeFeed(files_, catalog_).NewestSequence(type));
  if (!fetched) return feed;
  TRY_ASSIGN(const auto dead, queue_.DeadLetters(type, kMostGivenUp));
  for (const DeadLetter& letter : dead) feed.given_up.push_back(letter.id.id);
  std::ranges::sort(feed.given_up);
  return feed;
}

std::map<MediaType, std::uint32_t> SavedSequences(FileSystem& files) {
  std::map<MediaType, std::uint32_t> sequences;
  const auto text = ReadText(files);
  const auto saved = text ? ParseProgress(*text) : std::unexpected(text.error());
  if (!saved) return sequences;
  for (const auto& [type, feed] : saved->feeds) sequences[type] = std::uint32_t(feed.sequence);
  return sequences;
}

Result<std::vector<std::string>> RestoreProgress(FileSystem& files, Database& catalog, const Clock& clock) {
  std::vector<std::string> notes;
  TRY_ASSIGN(const std::string text, ReadText(files));
  if (text.empty()) {
    TRY(CreateWatermarks(catalog));
    TRY_ASSIGN(const Watermarks known, ReadWatermarks(catalog));
    // Where the catalog itself knows, nothing is missed.
    if (known.empty())
      notes.push_back(fmt::format("{} is not there: the next harvest reads the exports again, and the change feeds from "
                                  "the day on which the oldest record was verified", kProgressFile));
    return notes;
  }
  const auto saved = ParseProgress(text);
  if (!saved) {
    notes.push_back(saved.error().message + ": it is passed over");
    return notes;
  }
  if (SpeaksOfTheFuture(*saved, clock.Now())) {
    notes.push_back(fmt::format("{} speaks of days that have not come yet: it is passed over", kProgressFile));
    return notes;
  }
  // What is out with collectors stays so.
  TRY_ASSIGN(const auto queue, SqliteIdQueue::Open(catalog, clock, kOwnersQueue));
  const auto restored = catalog.Transact([&]() -> Result<void> {
    TRY(RestoreFeeds(files, catalog, *queue, *saved, notes));
    TRY(CreateUpstreamTime(catalog));
    TRY_ASSIGN(const auto date, ReadUpstreamTime(catalog));
    if (!date) TRY(PutUpstreamTime(catalog, UpstreamDate(saved->upstream_date)));
    TRY(CreateAcceptedExports(catalog));
    TRY_ASSIGN(const auto exports, AcceptedExports(catalog));
    if (exports.empty()) {
      for (const AcceptedExport& accepted : saved->exports) {
        TRY_ASSIGN(const bool kept, files.Exists(KeptExportPath(accepted.name, accepted.date)));
        if (kept) TRY(RecordAcceptedExport(catalog, accepted));
      }
    }
    TRY_ASSIGN(const auto runs, ReadScheduleRuns(catalog));
    if (runs.empty()) TRY(WriteScheduleRuns(catalog, saved->schedules));
    RecordLedger ledger(catalog);
    TRY_ASSIGN(const auto agreed, ledger.DeletionsAcceptedAt());
    if (!agreed && saved->deletions_accepted_at) TRY(ledger.AcceptDeletions(*saved->deletions_accepted_at));
    return {};
  });
  TRY(restored);
  return notes;
}

}  // namespace tmdbc
