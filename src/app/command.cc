// SPDX-License-Identifier: MIT
#include "app/command.h"

#include <charconv>

#include "base/words.h"

namespace tmdbc {
namespace {

constexpr Option kJson = {"--json", "", "print JSON", ""};
constexpr Option kTypes = {"--types", "LIST", "media types, for this run instead of MEDIA_TYPES",
                           "MEDIA_TYPES"};
constexpr Option kAcceptExport = {
    "--accept-export", "", "take an export although it has fewer than 95 % of the last one's lines", ""};

constexpr Option kAcceptGap = {"--accept-gap", "", "go past days whose changes TMDB does not give completely",
                               ""};
constexpr Option kAcceptDeletions = {"--accept-deletions", "",
                                     "delete what TMDB says is gone, however much it is", ""};

constexpr Option kUpstream = {"--upstream", "", "what is served and is not stored: fetch it from TMDB, and store it",
                              "SERVE_UPSTREAM"};

constexpr Option kRunOptions[] = {
    {"--once", "", "one harvest, fetch all that is queued, end", ""},
    kTypes,
    {"--limit", "N", "queue at most N new ids of each type, the most popular ones", ""},
    kAcceptExport,
    kAcceptGap,
    kAcceptDeletions,
    {"--take-over", "",
     "with S3_BUCKET_NAME: also fetch what a deployment that was taken down has handed out to its collectors", ""},
    {"--serve", "", "also answer TMDB's read API and show the dashboard, as `serve` does", ""},
    kUpstream,
    {"--json", "", "print the summary as JSON", ""},
};

constexpr Option kHarvestOptions[] = {
    {"--mode", "MODE",
     "auto, export, changes or ids (auto: ids when --ids is given; else the export, and the changes since "
     "the "
     "last harvest)",
     ""},
    kTypes,
    {"--ids", "LIST", "queue these ids of the one type of --types, known or not: 550,551", ""},
    {"--limit", "N", "queue at most N new ids of each type, the most popular ones", ""},
    {"--since", "DAY",
     "with --mode=changes: from this day on (2026-11-22, UTC), not from where the last ended", ""},
    {"--until", "DAY", "with --mode=changes: up to this day, itself included", ""},
    {"--dry-run", "", "queue nothing: tell how many requests it would take and how long", ""},
    kAcceptExport,
    kAcceptGap,
    kAcceptDeletions,
    {"--json", "", "print the report as JSON", ""},
};

constexpr Option kCollectOptions[] = {kAcceptDeletions, {"--json", "", "print the summary as JSON", ""}};

constexpr Option kTriggerOptions[] = {
    {"FILE", "FILE", "the events: an array of PutEvents entries, or one event as it is delivered", ""},
    kAcceptExport,
    kAcceptGap,
    kAcceptDeletions,
    {"--json", "", "print each summary as JSON", ""},
};

constexpr Option kStatusOptions[] = {
    kJson,
    {"--watch", "", "print it again every 2 seconds until stopped", ""},
    {"--coverage", "",
     "every id of the exports against the store, how old all of it is, what is due (reads all ids: seconds)",
     ""},
};

constexpr Option kQueryOptions[] = {
    {"--type", "TYPE",
     "movie, tv, season, episode, person, collection, company, network, keyword or configuration", ""},
    {"--id", "ID",
     "TMDB's id; a season also as 1399/season/1, an episode as 1399/season/1/episode/2, a configuration list "
     "by its path",
     ""},
    {"--envelope", "", "print the stored line around it too: version, fetched_at, sha256...", ""},
    {"--history", "", "list its versions instead, and what changed in each", ""},
    {"--as-of", "TIME",
     "as it was then: 2026-11-22T10:01:02Z, also with an offset; a date means its end, UTC", ""},
    {"--diff", "V1,V2", "what these two versions differ in, by path", ""},
    {"--json", "",
     "--history as one object a line, --diff as a JSON Patch (RFC 6902); the rest is JSON anyway", ""},
};

constexpr Option kChangesOptions[] = {
    {"--since", "SEQ",
     "print what came after this: the last seq you have, by type (movie=12,tv=7) or alone with --type; 0 for "
     "all",
     ""},
    {"--type", "TYPE", "only this media type", ""},
    {"--follow", "", "go on: look every second for what is new, until stopped", ""},
    {"--limit", "N", "stop after N lines, at the end of that segment", ""},
    {"--skip-damaged", "",
     "print a line {\"seq\":N,...\"damaged\":FILE,...} for what cannot be read, and go on", ""},
    {"--json", "", "accepted for symmetry: what it prints is JSON anyway", ""},
};

constexpr Option kTypeFilter = {"--type", "TYPE", "only this media type", ""};
constexpr Option kQueueListOptions[] = {
    kTypeFilter,
    {"--limit", "N", "at most N of them (20)", ""},
    {"--json", "", "print one JSON object a line", ""},
};
constexpr Option kQueueRedriveOptions[] = {kTypeFilter, kJson};
constexpr Option kQueuePurgeOptions[] = {
    kTypeFilter,
    {"--dead", "", "forget the dead letters instead of what is queued", ""},
    {"--yes", "",
     "do it. New ids come back with the next harvest; ids that changed on an earlier day do not, until their "
     "refresh (within 30 days): `harvest --mode=changes --since=DAY` queues them again",
     ""},
    kJson,
};

constexpr Option kCompactOptions[] = {
    {"--types", "LIST", "only these media types (a show's seasons go with it), instead of all",
     "MEDIA_TYPES"},
    {"--keep-versions-for", "DAYS", "drop versions that were replaced longer ago (without it: none ever)",
     ""},
    {"--dry-run", "", "change nothing: tell what would become of it", ""},
    kJson,
};

constexpr Option kVerifyOptions[] = {
    {"--deep", "", "read every record and check its sha256", ""},
    {"--rebuild", "", "make the index again from the records first; nobody else may be at work", ""},
    {"--upgrade", "", "with --rebuild: also a store that an earlier version of this program wrote", ""},
    {"--adopt-source", "",
     "first take the TMDB of TMDB_API_BASE_URL for the one that the store was filled from: the same TMDB behind "
     "another address, never the simulated one",
     ""},
    {"--key", "", "try the key with one request", ""},
    kJson,
};

constexpr Option kImagesOptions[] = {
    {"--types", "LIST", "of movie, tv, season, person, collection, company and network (movie,tv,person)", ""},
    {"--kinds", "LIST", "of poster, backdrop, profile, still and logo (poster,backdrop,profile)", ""},
    {"--sizes", "LIST", "of TMDB's sizes: w342, h632, original.. (w342)", ""},
    {"--languages", "LIST", "only images in these, the earlier ones first; null for images without one: en,null", ""},
    {"--most-popular", "N", "of each type so many records (10000)", ""},
    {"--per-title", "N", "of each kind and record so many images (1)", ""},
    {"--max-bytes", "SIZE", "keep no more than this: 500M, 20G.. (20G)", ""},
    {"--check", "", "fetch nothing: read every image that is kept, and remove damaged ones", ""},
    kJson,
};

constexpr Option kServeOptions[] = {
    {"--listen", "ADDRESS", "where to listen (127.0.0.1:8080)", "SERVE_LISTEN"},
    kUpstream,
};

constexpr Option kSqlOptions[] = {
    {"STATEMENT", "SQL", "the statement, in quotes; - reads it from stdin", ""},
    {"--format", "FORMAT", "table, csv, jsonl, json or parquet", ""},
    {"--out", "FILE", "with --format=parquet: the file to write", ""},
    {"--explain", "", "run it, and print its plan and what each step took instead", ""},
    {"--views", "", "print the SQL that makes the tables known to DuckDB's own shell, R or Python", ""},
    {"--json", "", "short for --format=json", ""},
};

constexpr Option kCarryOptions[] = {kJson};

constexpr Option kTablesOptions[] = {
    {"--rebuild", "", "make all of them again, from the first record on", ""},
    {"--check", "", "make nothing: compare every file with what was written", ""},
    kJson,
};

constexpr Option kSettingsOptions[] = {
    {"--markdown", "", "print docs/configuration.md", ""},
    {"--env-example", "", "print .env.example", ""},
    {"--has-key", "", "print nothing: exit 0 when there is a TMDB_API_KEY, 1 when there is none", ""},
    kJson,
};

constexpr Option kCompletionsOptions[] = {{"SHELL", "SHELL", "bash, zsh or fish", ""}};
constexpr Option kManualOptions[] = {
    {"--settings", "", "tmdb-collector.toml(5) instead of tmdb-collector(1)", ""}};

constexpr ExitMeaning kExitMeanings[] = {
    {kExitDone, "done"},
    {kExitPartly, "work left or partly failed"},
    {kExitUsage, "bad usage or configuration"},
    {kExitUnusable, "TMDB or the store is unusable"},
    {kExitDenied, "TMDB refuses the key"},
};

constexpr Command kCommands[] = {
    {"run", "harvest and fetch: the whole mirror", kRunOptions,
     "Without --once it goes on by its schedule (COLLECTION_INTERVAL, COLLECTION_SCHEDULE or [[schedule]]) "
     "until it is "
     "stopped; SIGHUP makes it read its settings again. Where S3_BUCKET_NAME is set it keeps the mirror in that bucket.",
     false, RunCommand},
    {"harvest", "find ids that are new and queue them", kHarvestOptions, "", false, HarvestCommand},
    {"collect", "fetch all that is queued, then end", kCollectOptions, "", false, CollectCommand},
    {"trigger", "do what the EventBridge events of a file ask for", kTriggerOptions,
     "samples/trigger-event.json is such a file; each event is one harvest, and fetching what is queued.",
     false, TriggerCommand},
    {"status", "the queue, the store, the process at work", kStatusOptions, "", false, StatusCommand},
    {"query", "print one record as TMDB sent it", kQueryOptions,
     "Exits 1 when the id is unknown or deleted; with --envelope a deleted one prints its tombstone. The "
     "envelope of an episode is its season's.",
     false, QueryCommand},
    {"changes", "our own change feed, for followers", kChangesOptions,
     "One record a line, as it is stored, with its sequence number \"seq\" in front "
     "(docs/advanced-usage.md). Exits "
     "0 when the newest line was reached, 1 when more is left or damage was skipped.",
     false, ChangesCommand},
    {"queue list", "what is fetched next", kQueueListOptions, "", false, QueueListCommand},
    {"queue dead", "what was given up, and why", kQueueListOptions, "", false, QueueDeadCommand},
    {"queue redrive", "queue the dead letters again", kQueueRedriveOptions, "", false, QueueRedriveCommand},
    {"queue purge", "forget what is queued", kQueuePurgeOptions, "", false, QueuePurgeCommand},
    {"compact", "merge small segments, drop old statistics and what was purged", kCompactOptions,
     "Readers and followers notice nothing. Exits 1 when it was stopped or left damaged segments alone.",
     false, CompactCommand},
    {"verify", "check the store, the settings, the key", kVerifyOptions,
     "Exits 1 when something is damaged, and names the records.", false, VerifyCommand},
    {"tables", "bring the Parquet tables up to date, in DATA_DIR/tables or the bucket", kTablesOptions,
     "They are made the first time; afterwards from what has changed. Readers notice nothing: docs/tables.md says how to "
     "open them. Exits 1 when damage was left out, or found.",
     false, TablesCommand},
    {"sql", "ask the tables, in SQL", kSqlOptions,
     "One statement that reads: SELECT, FROM, WITH, VALUES, DESCRIBE, SHOW or SUMMARIZE, in DuckDB's SQL. SHOW TABLES "
     "lists what there is (docs/data-dictionary.md). Exits 1 when there are no tables yet, 2 when the statement is wrong, "
     "3 without DuckDB's library.",
     false, SqlCommand},
    {"images", "fetch TMDB's pictures of the most popular records into DATA_DIR/images", kImagesOptions,
     "What is there is not fetched again. Where --max-bytes is met the images of less popular records make room. Exits 1 "
     "when some failed or it was stopped.",
     false, ImagesCommand},
    {"serve", "answer TMDB's read API from the mirror", kServeOptions,
     "A client that takes another base URL needs nothing else: http://127.0.0.1:8080/3. Runs beside every other "
     "command; with --upstream it is the one that writes.",
     false, ServeCommand},
    {"push", "carry DATA_DIR into the empty bucket of S3_BUCKET_NAME", kCarryOptions,
     "Goes on where it was stopped. Afterwards the mirror is the bucket's: what is done in DATA_DIR is done to another "
     "one.",
     false, PushCommand},
    {"pull", "carry the mirror of S3_BUCKET_NAME into an empty DATA_DIR", kCarryOptions,
     "Takes what was published last, checks every segment, and goes on where it was stopped.", false, PullCommand},
    {"settings", "every setting and schedule, its value and where it came from", kSettingsOptions, "", false,
     SettingsCommand},
    {"completions", "print what a shell needs to complete commands, flags and their values",
     kCompletionsOptions,
     "bash: tmdb-collector completions bash > ~/.local/share/bash-completion/completions/tmdb-collector. The Debian "
     "package brings all three.",
     false, CompletionsCommand, true},
    {"manual", "print the man page", kManualOptions, "", true, ManualCommand, true},
    {"lambda", "work as a function of AWS Lambda", {}, "AWS starts it so; docs/aws.md says how it gets there.", true,
     LambdaCommand, true},
};

}  // namespace

std::span<const Command> CommandTable() {
  return kCommands;
}

std::span<const ExitMeaning> ExitMeanings() {
  return kExitMeanings;
}

int ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kExists:
      return kExitUsage;
    case ErrorCode::kDenied:
      return kExitDenied;
    case ErrorCode::kNotFound:
    case ErrorCode::kUnavailable:
    case ErrorCode::kCorrupt:
    case ErrorCode::kUnreadable:
    case ErrorCode::kNoSpace:
    case ErrorCode::kBusy:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      break;
  }
  return kExitUnusable;
}

std::unexpected<Error> WithinFlag(const char* flag, const Error& error) {
  return Within(flag, error);
}

std::optional<std::string> Arguments::Get(std::string_view flag) const {
  const auto found = values_.find(flag);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

Result<std::string> Arguments::Need(std::string_view flag) const {
  const auto value = Get(flag);
  if (!value || value->empty()) return Fail(ErrorCode::kInvalid, "{} is needed; see --help", flag);
  return *value;
}

Result<std::optional<std::int64_t>> Arguments::Number(std::string_view flag, std::int64_t low,
                                                      std::int64_t high) const {
  const auto text = Get(flag);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < low || number > high) {
    return Fail(ErrorCode::kInvalid, "{} is '{}': use a whole number from {} to {}", flag, ShowValue(*text),
                low, high);
  }
  return number;
}

}  // namespace tmdbc
