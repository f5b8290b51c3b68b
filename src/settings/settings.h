// SPDX-License-Identifier: MIT
// Settings: every setting there is, in one table. The table parses, checks and documents:
// docs/configuration.md and .env.example are printed from it (settings_docs.h), and a bad value is answered
// with a sentence made from it. Where values come from, the weaker first: the table's default,
// tmdb-collector.toml, .env, the environment, flags.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "harvester/harvest_report.h"
#include "scheduler/schedule_expression.h"
#include "tmdb/detail_fetch.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// A value that somebody gave, and where: ".env:3", "tmdb-collector.toml:5", "the
// environment", "--rate-limit-requests".
struct GivenSetting {
  std::string name;
  std::string text;
  std::string source;
};

// A [[schedule]] table of tmdb-collector.toml as it stands there: name, expression, timezone, types, mode,
// limit.
struct GivenSchedule {
  std::string source;  // of the table
  std::vector<GivenSetting> values;
};

// When `run` harvests, and what.
struct ScheduleSetting {
  std::string name;
  ScheduleExpression expression;
  HarvestMode mode = HarvestMode::kAuto;
  std::vector<MediaType> types = {};       // empty: media_types
  std::optional<std::int64_t> limit = {};  // of new ids a type
  std::string source = {};                 // "tmdb-collector.toml:5", or the setting that it is made of
};

struct SettingSources {
  std::optional<std::string> config_path =
      {};  // --config; empty: tmdb-collector.toml in the working directory, if it is there
  std::string env_path = ".env";  // read if it is there
  // Returns nullptr for a name that is not set: getenv.
  const char* (*environment)(const char* name) = nullptr;
  std::vector<GivenSetting> flags = {};
};

// Which requests of the served API have a line in the log.
enum class ServeLog : std::uint8_t { kOff, kErrors, kAll };

// When `run` brings the tables up to date.
enum class TablesRhythm : std::uint8_t { kAuto, kOff, kDaily, kAfterEveryCollection };

struct Settings {
  std::string tmdb_api_key;  // a secret: 32 hex digits (v3) or a token with two dots (v4); empty when not set
  std::string tmdb_api_base_url;  // without a trailing slash, like the next one
  std::string tmdb_export_base_url;
  std::string image_base_url;
  std::string serve_image_base_url;  // with a slash at its end; empty: TMDB's
  double image_rate = 0;           // images a second
  double rate_limit_requests = 0;  // a second, over all workers
  int collector_concurrency = 0;
  Namespaces namespaces;       // what is appended to the details of each type
  SeasonExtras season_extras;  // what further requests bring along for a show's seasons
  std::chrono::minutes collection_interval{0};
  std::string collection_schedule;  // an expression; empty: every collection_interval
  std::string collection_timezone;  // of that, and of schedules that name none
  // What `run` follows: the [[schedule]] tables, or the one that the settings above make, called
  // "collection".
  std::vector<ScheduleSetting> schedules;
  std::vector<MediaType> media_types;
  bool include_adult = false;
  std::string data_dir;
  std::string s3_bucket_name;  // empty: this machine's files
  std::string s3_endpoint;     // of an S3 that is not AWS's; without a trailing slash
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  TablesRhythm tables = TablesRhythm::kAuto;            // when `run` publishes them
  std::optional<double> popularity_history_min = 1.0;  // empty: the popularity of past days is not kept
  std::string duckdb_library;  // a path; empty: where it is by custom (app/duckdb_place.h)
  std::string metrics_listen;  // host:port (metrics_server.h); empty: nowhere
  std::string serve_listen;    // host:port
  std::string serve_tls_cert, serve_tls_key;  // paths of PEM files; both or none
  std::vector<std::string> serve_api_keys;    // secrets; none: everybody may ask
  std::vector<std::string> serve_hosts;       // names of this machine, in lower case
  ServeLog serve_log = ServeLog::kOff;
  bool serve_upstream = false;
  std::int64_t serve_cache_bytes = 0;

  // AWS's own variables that stand in .env (AWS_PROFILE, AWS_REGION..), secrets among them; those of the environment
  // come first. None of them is a setting of this program.
  std::map<std::string, std::string> aws_variables;

  std::vector<std::string> warnings;  // allowed, but a person should know; said once, when work starts
  std::vector<GivenSetting> given;    // what is not a default, as it came, secrets hidden

  // For ReloadSettings().
  SettingSources sources;
  std::vector<std::string> texts;  // in force, in the order of the table
};

// One row of the table.
struct Setting {
  std::string_view name;     // of the environment variable; the toml key is the same in lower case
  std::string_view section;  // where it stands in the documentation and, by custom, in tmdb-collector.toml
  std::string_view fallback;
  std::string_view allowed;  // ends the sentence "use ..."
  std::string_view description;
  bool secret = false;  // never shown, and no flag: the command line is for all users of a machine to read
  // Parses and checks `text`; false when it is not allowed. Blanks around it are gone already.
  bool (*apply)(std::string_view text, Settings& settings);
  // Whether a running process takes it when it is told to read its settings again.
  bool reloads = false;
  // The end of the sentence about a bad value where `allowed` alone does not help: "its hours field is...".
  std::string (*why)(std::string_view text) = nullptr;
};

// In the order in which they are documented.
std::span<const Setting> SettingsTable();
const Setting* FindSetting(std::string_view name);
// The setting that somebody who wrote `name` most likely meant, whatever its case: at most two letters away.
// Null when it is more likely another program's.
const Setting* NearestSetting(std::string_view name);
// "--rate-limit-requests"
std::string FlagOf(const Setting& setting);
// "rate_limit_requests"
std::string TomlKeyOf(const Setting& setting);
// The default as a person would write it.
std::string FallbackOf(const Setting& setting);
// The sections of tmdb-collector.toml: "tmdb", "collector"...
bool IsSection(std::string_view name);

// The defaults, then `given` in turn: the later wins. Every value is checked, also one that a
// later one hides. kInvalid with one sentence that names the setting, the value (*** for a
// secret), the source and what is allowed.
Result<Settings> ResolveSettings(std::span<const GivenSetting> given,
                                 std::span<const GivenSchedule> schedules = {});

// Reads the files and the environment, then resolves. An empty value in .env or the environment counts as not
// set.
Result<Settings> LoadSettings(const SettingSources& sources);

// Reads again where `settings` came from and takes what a running process may take. Returns a sentence for
// each other setting that has changed: it needs a restart. After an error nothing has changed.
Result<std::vector<std::string>> ReloadSettings(Settings& settings);

// What to do next when a command needs the key and there is none.
Result<void> RequireKey(const Settings& settings);
// The key where TMDB wants it: a v3 key in the query, a v4 token as Bearer.
ApiAccess ApiAccessOf(const Settings& settings);

}  // namespace tmdbc
