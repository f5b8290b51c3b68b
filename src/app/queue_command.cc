// SPDX-License-Identifier: MIT
// queue list | dead | redrive | purge.
#include <fmt/format.h>

#include "app/command.h"
#include "app/opened_store.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/progress.h"
#include "app/work_place.h"
#include "base/json_writer.h"
#include "base/safe_text.h"
#include "queue/sqlite_queue.h"

namespace tmdbc {
namespace {

constexpr std::int64_t kDefaultLimit = 20;
constexpr std::int64_t kMaxRows = 10'000'000;

Result<std::optional<MediaType>> TypeOf(const Arguments& arguments) {
  const auto name = arguments.Get("--type");
  if (!name) return std::nullopt;
  const auto type = ParseMediaType(*name);
  if (!type) return Fail(ErrorCode::kInvalid, "--type: {}", type.error().message);
  if (!CanBeAsked(*type)) {
    return Fail(ErrorCode::kInvalid,
                "--type is '{}': seasons and episodes are never queued, they come with their show: --type=tv",
                *name);
  }
  return *type;
}

// The queue for one command, with all that it stands on.
struct Reading {
  std::unique_ptr<OpenedStore> store;
  SqliteQueueView queue{store->catalog, store->clock, {.max_receives = kMaxReceives}};
};
struct Mending {
  std::unique_ptr<SystemClock> clock;
  std::unique_ptr<WorkPlace> place;
  std::unique_ptr<SqliteIdQueue> queue;
};

Result<std::unique_ptr<Reading>> OpenForReading(const Settings& settings) {
  TRY_ASSIGN(auto store, OpenedStore::ForReading(settings));
  return std::unique_ptr<Reading>(new Reading{std::move(store)});
}

Result<Mending> OpenForWriting(const Settings& settings) {
  Mending open{.clock = std::make_unique<SystemClock>(), .place = nullptr, .queue = nullptr};
  // Where there is no store there is no queue to mend.
  TRY_ASSIGN(open.place, WorkPlace::Open(settings, *open.clock, {.must_exist = true}));
  TRY_ASSIGN(open.queue, SqliteIdQueue::Open(open.place->catalog(), *open.clock, {.max_receives = kMaxReceives}));
  return open;
}

// What a command did to how many messages.
Result<int> PrintCount(const Arguments& arguments, std::string_view key, std::string_view sentence,
                       std::int64_t count) {
  if (arguments.Has("--json")) {
    TRY(WriteOut(JsonWriter().BeginObject().Field(key, count).EndObject().text() + "\n"));
  } else {
    TRY(WriteOut(fmt::format("{} {}\n", FormatCount(count), sentence)));
  }
  return kExitDone;
}

JsonWriter Begin(MediaId id, float popularity) {
  JsonWriter json;
  json.BeginObject()
      .Field("type", Name(id.type))
      .Field("id", id.id)
      .Key("popularity")
      .Raw(fmt::format("{}", popularity));
  return json;
}

}  // namespace

Result<int> QueueListCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const auto type, TypeOf(arguments));
  TRY_ASSIGN(const auto limit, arguments.Number("--limit", 1, kMaxRows));
  TRY_ASSIGN(const auto open, OpenForReading(settings));
  TRY_ASSIGN(const auto items, open->queue.Peek(type, int(limit.value_or(kDefaultLimit))));
  std::string text;
  for (const QueueItem& item : items) {
    text += arguments.Has("--json")
                ? Begin(item.id, item.popularity).EndObject().text() + "\n"
                : fmt::format("{:<24} popularity {}\n", ToString(item.id), item.popularity);
  }
  if (text.empty() && !arguments.Has("--json")) text = "nothing is waiting\n";
  TRY(WriteOut(text));
  return kExitDone;
}

Result<int> QueueDeadCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const auto type, TypeOf(arguments));
  TRY_ASSIGN(const auto limit, arguments.Number("--limit", 1, kMaxRows));
  TRY_ASSIGN(const auto open, OpenForReading(settings));
  TRY_ASSIGN(const auto letters, open->queue.DeadLetters(type, int(limit.value_or(kDefaultLimit))));
  std::string text;
  for (const DeadLetter& letter : letters) {
    if (arguments.Has("--json")) {
      JsonWriter json = Begin(letter.id, letter.popularity);
      json.Field("receive_count", letter.receive_count)
          .Field("reason", letter.reason)
          .Field("died", FormatTime(letter.died));
      text += json.EndObject().text() + "\n";
    } else {
      text += fmt::format("{:<24} {}  {}\n", ToString(letter.id), FormatTime(letter.died),
                          Printable(letter.reason));
    }
  }
  if (text.empty() && !arguments.Has("--json")) text = "no dead letters\n";
  TRY(WriteOut(text));
  return kExitDone;
}

Result<int> QueueRedriveCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const auto type, TypeOf(arguments));
  TRY_ASSIGN(const auto open, OpenForWriting(settings));
  TRY_ASSIGN(const std::int64_t count, open.queue->Redrive(type, Time::max()));
  TRY(open.place->Close(*open.queue));
  return PrintCount(arguments, "redriven", "dead letters are queued again", count);
}

Result<int> QueuePurgeCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const auto type, TypeOf(arguments));
  const bool dead = arguments.Has("--dead");
  if (!arguments.Has("--yes")) {
    return Fail(ErrorCode::kInvalid, "queue purge forgets {} for good: say --yes to do it",
                dead ? "dead letters" : "queued ids");
  }
  TRY_ASSIGN(const auto open, OpenForWriting(settings));
  TRY_ASSIGN(const std::int64_t count, open.queue->Purge(type, dead));
  TRY(open.place->Close(*open.queue));
  return PrintCount(arguments, "purged", dead ? "dead letters are forgotten" : "queued ids are forgotten",
                    count);
}

}  // namespace tmdbc
