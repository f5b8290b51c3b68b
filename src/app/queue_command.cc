// SPDX-License-Identifier: MIT
// queue list | dead | redrive | purge.
#include <fmt/format.h>

#include "app/command.h"
#include "app/data_dir.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/progress.h"
#include "base/json_writer.h"
#include "base/safe_text.h"
#include "queue/sqlite_queue.h"

namespace tmdbc {
namespace {

constexpr std::int64_t kDefaultLimit = 20;
constexpr std::int64_t kMaxLimit = 10'000'000;

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
struct Look {
  DataDir dir;
  SystemClock clock;
  Database catalog;
  SqliteQueueView queue{catalog, clock, {.max_receives = kMaxReceives}};
};
struct Mending {
  DataDir dir;
  SystemClock clock;
  Database catalog;
  std::unique_ptr<SqliteIdQueue> queue;
};

Result<std::unique_ptr<Look>> OpenForReading(const Settings& settings) {
  TRY_ASSIGN(DataDir dir, DataDir::OpenForReading(settings.data_dir));
  TRY_ASSIGN(Database catalog, dir.OpenCatalog());
  return std::unique_ptr<Look>(new Look{std::move(dir), SystemClock(), std::move(catalog)});
}

Result<std::unique_ptr<Mending>> OpenForWriting(const Settings& settings) {
  // A folder without a store has no queue to mend; OpenForWriting() alone would make one.
  TRY(DataDir::OpenForReading(settings.data_dir));
  TRY_ASSIGN(DataDir dir, DataDir::OpenForWriting(settings.data_dir));
  TRY_ASSIGN(Database catalog, dir.OpenCatalog());
  std::unique_ptr<Mending> open(new Mending{std::move(dir), SystemClock(), std::move(catalog), nullptr});
  TRY_ASSIGN(open->queue, SqliteIdQueue::Open(open->catalog, open->clock, {.max_receives = kMaxReceives}));
  return open;
}

// What a command did to how many messages.
Result<int> Tell(const Arguments& arguments, std::string_view key, std::string_view sentence,
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
  TRY_ASSIGN(const auto limit, arguments.Number("--limit", 1, kMaxLimit));
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
  TRY_ASSIGN(const auto limit, arguments.Number("--limit", 1, kMaxLimit));
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
  TRY_ASSIGN(const std::int64_t count, open->queue->Redrive(type, Time::max()));
  return Tell(arguments, "redriven", "dead letters are queued again", count);
}

Result<int> QueuePurgeCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const auto type, TypeOf(arguments));
  const bool dead = arguments.Has("--dead");
  if (!arguments.Has("--yes")) {
    return Fail(ErrorCode::kInvalid, "queue purge forgets {} for good: say --yes to do it",
                dead ? "dead letters" : "queued ids");
  }
  TRY_ASSIGN(const auto open, OpenForWriting(settings));
  TRY_ASSIGN(const std::int64_t count, open->queue->Purge(type, dead));
  return Tell(arguments, "purged", dead ? "dead letters are forgotten" : "queued ids are forgotten", count);
}

}  // namespace tmdbc
