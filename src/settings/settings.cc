// SPDX-License-Identifier: MIT
#include "settings/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>

#include "base/text_file.h"
#include "base/version.h"
#include "base/words.h"
#include "harvester/harvest_request.h"
#include "http/listen_address.h"
#include "settings/env_file.h"
#include "settings/toml_file.h"

namespace tmdbc {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;
// TMDB speaks of limits "somewhere in the 40 requests per second range"
// (https://developer.themoviedb.org/docs/rate-limiting).
constexpr double kPoliteRate = 50;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> SplitList(std::string_view text) {
  std::vector<std::string_view> items;
  while (true) {
    const auto comma = text.find(',');
    items.push_back(Trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return items;
    text.remove_prefix(comma + 1);
  }
}

template <class Number>
bool ParseWithin(std::string_view text, Number low, Number high, Number& value) {
  Number parsed{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (!(parsed >= low && parsed <= high)) return false;  // so that NaN is outside
  value = parsed;
  return true;
}

template <class Value, std::size_t N>
bool ParseChoice(std::string_view text, const std::array<std::pair<std::string_view, Value>, N>& choices,
                 Value& value) {
  const std::string lower = Lower(text);
  for (const auto& [name, choice] : choices) {
    if (name == lower) {
      value = choice;
      return true;
    }
  }
  return false;
}

constexpr std::array<std::pair<std::string_view, bool>, 2> kBooleans = {{{"true", true}, {"false", false}}};
constexpr std::array<std::pair<std::string_view, LogLevel>, 5> kLogLevels = {{{"trace", LogLevel::kTrace},
                                                                              {"debug", LogLevel::kDebug},
                                                                              {"info", LogLevel::kInfo},
                                                                              {"warn", LogLevel::kWarn},
                                                                              {"error", LogLevel::kError}}};
constexpr std::array<std::pair<std::string_view, LogFormat>, 2> kLogFormats = {
    {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};

bool IsTokenPart(std::string_view part) {
  return !part.empty() &&
         std::ranges::all_of(part, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; });
}

bool IsV3Key(std::string_view text) {
  return text.size() == 32 && std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c); });
}

// A JSON web token: three base64url parts; the first is an object, so it begins with the letters of {".
bool IsV4Token(std::string_view text) {
  const auto first = text.find('.');
  const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
  return second != std::string_view::npos && text.size() <= 4096 && text.starts_with("eyJ") &&
         IsTokenPart(text.substr(0, first)) && IsTokenPart(text.substr(first + 1, second - first - 1)) &&
         IsTokenPart(text.substr(second + 1));
}

// TMDB's pages show a token with what goes before it in a header.
std::string WhyNoKey(std::string_view text) {
  return text.starts_with("Bearer ") || text.starts_with("bearer ") ? "write it without 'Bearer'" : "";
}

bool ParseKey(std::string_view text, Settings& settings) {
  settings.tmdb_api_key = text;
  return IsV3Key(text) || IsV4Token(text);
}

// http(s)://host[:port][/path]: whatever else a URL may have (user, query, fragment) has no meaning in a
// base.
bool ParseBaseUrl(std::string_view text, std::string& url) {
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return false;
  }
  const bool clean = std::ranges::all_of(
      rest, [](unsigned char c) { return c > ' ' && c < 0x7f && !std::strchr("@?#\"<>\\^`{|}", c); });
  std::string_view authority = rest.substr(0, rest.find('/'));
  std::string_view host = authority, port;
  if (authority.starts_with('[')) {  // an IPv6 address
    const auto end = authority.find(']');
    if (end == std::string_view::npos || end == 1) return false;
    host = authority.substr(0, end + 1);
    port = authority.substr(end + 1);
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  int number = 0;
  const bool port_ok = port.empty() || (port[0] == ':' && ParseWithin(port.substr(1), 1, 65535, number));
  while (text.ends_with('/')) text.remove_suffix(1);
  url = text;
  return clean && !host.empty() && port_ok && text.size() <= 2048;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
bool ParseBucket(std::string_view text, Settings& settings) {
  settings.s3_bucket_name = text;
  const auto edge = [](unsigned char c) { return std::islower(c) || std::isdigit(c); };
  return text.size() >= 3 && text.size() <= 63 && edge(text.front()) && edge(text.back()) &&
         std::ranges::all_of(text, [&](unsigned char c) { return edge(c) || c == '-' || c == '.'; }) &&
         text.find("..") == std::string_view::npos;
}

// "$HOME", "${HOME}": a shell puts something in its place, and who reads a file of settings does not.
bool NamesVariable(std::string_view text) {
  const auto dollar = text.find('$');
  if (dollar == std::string_view::npos || dollar + 1 == text.size()) return false;
  const char next = text[dollar + 1];
  return next == '{' || next == '_' || std::isalpha(static_cast<unsigned char>(next)) || NamesVariable(text.substr(dollar + 1));
}

// A path and nothing else: what some program or a shell would read as more than that (file:///x, s3://bucket,
// ~/data, $HOME/data) is refused, for else it would name one place for us and another for the person.
bool IsPath(std::string_view text) {
  const auto colon = text.find(':');
  const bool scheme = colon != std::string_view::npos && colon > 0 &&
                      std::ranges::all_of(text.substr(0, colon), [](unsigned char c) {
                        return std::isalnum(c) || c == '+' || c == '-' || c == '.';
                      });
  const bool url =
      scheme && (text.substr(colon + 1).starts_with("//") || Lower(text.substr(0, colon)) == "file");
  return !url && !text.starts_with('~') && !NamesVariable(text) && text.find('\0') == std::string_view::npos;
}

// Keys that stand in a URL as they are.
bool ParseServeKeys(std::string_view text, Settings& settings) {
  settings.serve_api_keys.clear();
  if (text.empty()) return true;
  for (const std::string_view key : SplitList(text)) {
    const bool plain = std::ranges::all_of(
        key, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
    if (!plain || key.size() < 8 || key.size() > 4096 || settings.serve_api_keys.size() == 1000) return false;
    settings.serve_api_keys.emplace_back(key);
  }
  return true;
}

bool ParseServeHosts(std::string_view text, Settings& settings) {
  settings.serve_hosts.clear();
  if (text.empty()) return true;
  for (const std::string_view name : SplitList(text)) {
    const bool plain = std::ranges::all_of(
        name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
    if (!plain || name.empty() || name.size() > 253) return false;
    settings.serve_hosts.push_back(Lower(name));
  }
  return true;
}

bool ParseMediaTypes(std::string_view text, Settings& settings) {
  std::vector<MediaType> types;
  for (const std::string_view item : SplitList(text)) {
    const auto type = ParseMediaType(Lower(item));
    if (!type || !CanBeAsked(*type)) return false;
    if (std::ranges::find(types, *type) == types.end()) types.push_back(*type);
  }
  settings.media_types = std::move(types);
  return true;
}

// The namespaces that TMDB knows for a type: the "allowed" of its setting.
constexpr std::string_view Known(MediaType type) {
  return TraitsOf(type).all_namespaces;
}

// What is wrong with an expression, or empty.
std::string WhyNoSchedule(std::string_view text) {
  const auto expression = ScheduleExpression::Parse(text);
  return expression ? "" : expression.error().message;
}

std::string WhyNoTimeZone(std::string_view name) {
  const auto zone = TimeZone::Load(name);
  return zone ? "" : zone.error().message;
}

constexpr std::array<std::pair<std::string_view, HarvestMode>, 3> kModes = {
    {{"auto", HarvestMode::kAuto}, {"export", HarvestMode::kExport}, {"changes", HarvestMode::kChanges}}};

template <MediaType type>
bool ApplyNamespaces(std::string_view text, Settings& settings) {
  auto names = ParseNamespaces(type, text == "none" ? "" : text);
  if (text.empty() || !names) return false;
  settings.namespaces[type] = std::move(*names);
  return true;
}

// What is wrong with a list, which the row's `allowed` alone does not tell: seasons, doubles, English.
template <MediaType type>
std::string WhyNoNamespaces(std::string_view text) {
  const auto names = ParseNamespaces(type, text == "none" ? "" : text);
  return names ? "" : fmt::format("use {}; {}", Known(type), names.error().message);
}

constexpr std::string_view kLanguages = "none, or language tags such as de or pt-BR, with commas between";

std::string WhyNoLanguages(std::string_view text) {
  const auto languages = ParseLanguages(text == "none" ? "" : text);
  return languages ? "" : fmt::format("use {}; {}", kLanguages, languages.error().message);
}

constexpr Setting kTable[] = {
    {"TMDB_API_KEY", "tmdb", "",
     "a v3 API key (32 hexadecimal digits) or a v4 read access token (eyJ..., with two dots)",
     "Your own key, from https://www.themoviedb.org/settings/api. A v3 key is sent in the query, a v4 token "
     "as Bearer. It is never "
     "written to a log, an error or the store.",
     true, ParseKey, false, WhyNoKey},
    {"TMDB_API_BASE_URL", "tmdb", "https://api.themoviedb.org/3",
     "http(s)://host[:port][/path], without user, query or fragment",
     "Where the API is. Another address than TMDB's is for tests and proxies.", false,
     [](std::string_view text, Settings& s) { return ParseBaseUrl(text, s.tmdb_api_base_url); }},
    {"TMDB_EXPORT_BASE_URL", "tmdb", "https://files.tmdb.org/p/exports",
     "http(s)://host[:port][/path], without user, query or fragment", "Where the daily id exports are.",
     false, [](std::string_view text, Settings& s) { return ParseBaseUrl(text, s.tmdb_export_base_url); }},
    {"RATE_LIMIT_REQUESTS", "collector", "3", "a number from 0.1 to 1000",
     "Requests a second, over all workers. No second at the server holds more. TMDB allows about 40; above "
     "50 a warning is given.",
     false,
     [](std::string_view text, Settings& s) { return ParseWithin(text, 0.1, 1000.0, s.rate_limit_requests); },
     true},
    {"COLLECTOR_CONCURRENCY", "collector", "5", "a whole number from 1 to 1000",
     "Requests under way at once. Whatever it says, at most 20 connections are open.", false,
     [](std::string_view text, Settings& s) { return ParseWithin(text, 1, 1000, s.collector_concurrency); },
     true},
    {"MOVIE_APPEND_TO_RESPONSE", "collector", "", Known(MediaType::kMovie),
     "What is fetched with a movie, in the same request: a list, or none.", false,
     [](std::string_view text, Settings& s) { return ApplyNamespaces<MediaType::kMovie>(text, s); },
     false, WhyNoNamespaces<MediaType::kMovie>},
    {"TV_APPEND_TO_RESPONSE", "collector", "", Known(MediaType::kTv),
     "The same with a show; its seasons come without being named. Each one takes one of the 20 places that "
     "it shares with the seasons.",
     false, [](std::string_view text, Settings& s) { return ApplyNamespaces<MediaType::kTv>(text, s); },
     false, WhyNoNamespaces<MediaType::kTv>},
    {"PERSON_APPEND_TO_RESPONSE", "collector", "", Known(MediaType::kPerson), "The same with a person.",
     false, [](std::string_view text, Settings& s) { return ApplyNamespaces<MediaType::kPerson>(text, s); },
     false, WhyNoNamespaces<MediaType::kPerson>},
    {"COLLECTION_APPEND_TO_RESPONSE", "collector", "", Known(MediaType::kCollection),
     "The same with a collection.", false,
     [](std::string_view text, Settings& s) { return ApplyNamespaces<MediaType::kCollection>(text, s); },
     false, WhyNoNamespaces<MediaType::kCollection>},
    {"COMPANY_APPEND_TO_RESPONSE", "collector", "", Known(MediaType::kCompany), "The same with a company.",
     false, [](std::string_view text, Settings& s) { return ApplyNamespaces<MediaType::kCompany>(text, s); },
     false, WhyNoNamespaces<MediaType::kCompany>},
    {"NETWORK_APPEND_TO_RESPONSE", "collector", "", Known(MediaType::kNetwork), "The same with a network.",
     false, [](std::string_view text, Settings& s) { return ApplyNamespaces<MediaType::kNetwork>(text, s); },
     false, WhyNoNamespaces<MediaType::kNetwork>},
    {"SEASON_APPEND_TO_RESPONSE", "collector", "", Known(MediaType::kSeason),
     "What is fetched with each season: a list, or none. It takes further requests, about one more a show; "
     "`harvest --dry-run` says how many.",
     false,
     [](std::string_view text, Settings& s) {
       auto names = ParseNamespaces(MediaType::kSeason, text == "none" ? "" : text);
       if (text.empty() || !names) return false;
       s.season_extras.namespaces = *std::move(names);
       return true;
     },
     false, WhyNoNamespaces<MediaType::kSeason>},
    {"LANGUAGES", "collector", "none", kLanguages,
     "The languages besides English in which names and overviews of seasons and episodes are fetched. Each "
     "takes one more request a show. Movies, shows and people have every language without it.",
     false,
     [](std::string_view text, Settings& s) {
       auto languages = ParseLanguages(text == "none" ? "" : text);
       if (text.empty() || !languages) return false;
       s.season_extras.languages = *std::move(languages);
       return true;
     },
     false, WhyNoLanguages},
    {"COLLECTION_INTERVAL", "harvester", "1440", "a whole number of minutes from 1 to 525600",
     "Minutes from the start of one harvest to the start of the next, for `run` without --once.", false,
     [](std::string_view text, Settings& s) {
       int minutes = 0;
       const bool ok = ParseWithin(text, 1, 525'600, minutes);
       s.collection_interval = std::chrono::minutes(minutes);
       return ok;
     },
     true},
    {"COLLECTION_SCHEDULE", "harvester", "",
     "rate(12 hours), cron(0 6 * * ? *) or at(2026-12-01T06:00:00), in EventBridge's grammar",
     "When `run` without --once harvests, instead of every COLLECTION_INTERVAL minutes.", false,
     [](std::string_view text, Settings& s) {
       s.collection_schedule = text;
       return WhyNoSchedule(text).empty();
     },
     true, WhyNoSchedule},
    {"COLLECTION_TIMEZONE", "harvester", "UTC", "an IANA name as Europe/Berlin, or UTC",
     "The time zone of COLLECTION_SCHEDULE, and of schedules that name none.", false,
     [](std::string_view text, Settings& s) {
       s.collection_timezone = text;
       return WhyNoTimeZone(text).empty();
     },
     true, WhyNoTimeZone},
    {"MEDIA_TYPES", "harvester", "movie,tv,person",
     "a list of movie, tv, person, collection, company, network, keyword, configuration",
     "What is mirrored. Seasons and episodes come with tv.", false, ParseMediaTypes, true},
    {"INCLUDE_ADULT", "harvester", "false", "true or false",
     "Whether the adult exports of movie, tv and person are harvested too.", false,
     [](std::string_view text, Settings& s) { return ParseChoice(text, kBooleans, s.include_adult); }, true},
    {"DATA_DIR", "storage", "./data",
     "the path of a folder that is empty, absent, or was made by this program; no URL, and ~ and $NAMES written out",
     "The folder of the store, made when it is absent. One process at a time writes to it.", false,
     [](std::string_view text, Settings& s) {
       s.data_dir = text;
       while (s.data_dir.size() > 1 && s.data_dir.ends_with('/')) s.data_dir.pop_back();
       return !text.empty() && text.size() < 4096 && IsPath(text);
     }},
    {"S3_BUCKET_NAME", "storage", "",
     "the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots and hyphens",
     "The bucket that holds the mirror: `run` keeps it there, one process at a time; `query`, `changes`, `status` and "
     "`verify` read it from anywhere; `push` and `pull` carry it there and back (docs/aws.md). DATA_DIR then holds what "
     "is being written.",
     false, ParseBucket},
    {"S3_ENDPOINT", "storage", "", "an http or https URL without query, such as http://127.0.0.1:7480",
     "Where S3_BUCKET_NAME is when it is not with AWS: Ceph, MinIO, Cloudflare R2. `verify` says whether that server "
     "does what a store needs.",
     false,
     [](std::string_view text, Settings& s) { return text.empty() || ParseBaseUrl(text, s.s3_endpoint); }},
    {"LOG_LEVEL", "log", "info", "trace, debug, info, warn or error",
     "How much is said on stderr. --debug is short for debug.", false,
     [](std::string_view text, Settings& s) { return ParseChoice(text, kLogLevels, s.log_level); }, true},
    {"LOG_FORMAT", "log", "text", "text or json", "Lines for people, or one JSON object a line.", false,
     [](std::string_view text, Settings& s) { return ParseChoice(text, kLogFormats, s.log_format); }},
    {"METRICS_LISTEN", "metrics", "",
     "host:port of this machine, such as 127.0.0.1:9464, or a port alone, then of 127.0.0.1",
     "Where a process that works serves /metrics for Prometheus, /healthz and /readyz; when it is not set, "
     "nowhere. Port 0 takes any free one, and the log says which. It asks nobody who they are.",
     false,
     [](std::string_view text, Settings& s) {
       s.metrics_listen = text;
       return text.empty() || ParseListenAddress(text).has_value();
     }},
    {"IMAGE_BASE_URL", "images", "https://image.tmdb.org/t/p",
     "http(s)://host[:port][/path], without user, query or fragment", "Where `images` fetches TMDB's pictures.", false,
     [](std::string_view text, Settings& s) { return ParseBaseUrl(text, s.image_base_url); }},
    {"IMAGE_RATE", "images", "20", "a number from 0.1 to 1000",
     "Pictures a second. Their host is another one than the API's and has no stated limit.", false,
     [](std::string_view text, Settings& s) { return ParseWithin(text, 0.1, 1000.0, s.image_rate); }},
    {"SERVE_LISTEN", "serve", "127.0.0.1:8080",
     "host:port of this machine, such as 127.0.0.1:8080, or a port alone, then of 127.0.0.1",
     "Where `serve` answers TMDB's read API and shows the dashboard; --listen is short for it. When it is set, `run` "
     "serves there, too. Another host than 127.0.0.1 lets other machines ask: see SERVE_API_KEYS and docs/serving.md.",
     false,
     [](std::string_view text, Settings& s) {
       s.serve_listen = text;
       return ParseListenAddress(text).has_value();
     }},
    {"SERVE_TLS_CERT", "serve", "", "the path of a PEM file",
     "The certificate, and what chains it to one that clients know: then it is served over TLS alone. Read again when it "
     "has changed.",
     false,
     [](std::string_view text, Settings& s) {
       s.serve_tls_cert = text;
       return text.empty() || (text.size() < 4096 && IsPath(text));
     }},
    {"SERVE_TLS_KEY", "serve", "", "the path of a PEM file", "The key of SERVE_TLS_CERT.", false,
     [](std::string_view text, Settings& s) {
       s.serve_tls_key = text;
       return text.empty() || (text.size() < 4096 && IsPath(text));
     }},
    {"SERVE_API_KEYS", "serve", "", "a list of words of 8 to 4096 letters, digits, -, _ and .",
     "The keys of the served API: a client shows one as api_key or as Bearer, as it does at TMDB. When it is not set, "
     "everybody who reaches it may ask, with whatever key.",
     true, ParseServeKeys},
    {"SERVE_HOSTS", "serve", "", "a list of host names, such as mirror.example",
     "By which names, beside localhost and addresses in figures, a browser may ask for the dashboard. Any other name "
     "could be a foreign page's.",
     false, ParseServeHosts},
    {"SERVE_LOG", "serve", "off", "off, errors or all",
     "Which served requests have a line on stderr: none, those with a status of 400 and more, or all. Keys are hidden.",
     false,
     [](std::string_view text, Settings& s) {
       constexpr std::array<std::pair<std::string_view, ServeLog>, 3> kLogs = {
           {{"off", ServeLog::kOff}, {"errors", ServeLog::kErrors}, {"all", ServeLog::kAll}}};
       return ParseChoice(text, kLogs, s.serve_log);
     }},
    {"SERVE_UPSTREAM", "serve", "false", "true or false",
     "Whether `serve`, and `run` where it serves, fetches from TMDB what a client asks for and the mirror does not hold, "
     "within RATE_LIMIT_REQUESTS; --upstream is short for it. Records are stored. `serve` is then the process that "
     "writes to the store: beside `run` give it to that one (docs/serving.md).",
     false, [](std::string_view text, Settings& s) { return ParseChoice(text, kBooleans, s.serve_upstream); }},
    {"SERVE_CACHE_BYTES", "serve", "67108864", "a whole number from 0 to 1099511627776",
     "How much memory may hold answers that are ready to be sent again; 0: none.", false,
     [](std::string_view text, Settings& s) {
       return ParseWithin<std::int64_t>(text, 0, std::int64_t(1) << 40, s.serve_cache_bytes);
     }},
    {"SERVE_IMAGE_BASE_URL", "serve", "", "http(s)://host[:port]/t/p, as clients reach `serve`",
     "What `serve` gives at /3/configuration as the address of the pictures, so that clients take those that `images` "
     "fetched. Not set: TMDB's own address.",
     false,
     [](std::string_view text, Settings& s) {
       s.serve_image_base_url.clear();
       if (text.empty()) return true;
       if (!ParseBaseUrl(text, s.serve_image_base_url)) return false;
       s.serve_image_base_url += '/';
       return true;
     }},
    {"TABLES", "tables", "auto", "auto, off, daily or after-every-collection",
     "When `run` brings the Parquet tables up to date, in DATA_DIR/tables or in the bucket: once a day, or after each "
     "collection. auto: daily, once `tables` has made them from this DATA_DIR.",
     false,
     [](std::string_view text, Settings& s) {
       constexpr std::array<std::pair<std::string_view, TablesRhythm>, 4> kRhythms = {
           {{"auto", TablesRhythm::kAuto},
            {"off", TablesRhythm::kOff},
            {"daily", TablesRhythm::kDaily},
            {"after-every-collection", TablesRhythm::kAfterEveryCollection}}};
       return ParseChoice(text, kRhythms, s.tables);
     },
     true},
    {"POPULARITY_HISTORY_MIN", "tables", "1.0", "off or a number from 0 to 1000000",
     "The table popularity_daily keeps the popularity of every day from TMDB's exports, of all ids that have at least "
     "this much; nobody else keeps it.",
     false,
     [](std::string_view text, Settings& s) {
       if (text == "off") {
         s.popularity_history_min = std::nullopt;
         return true;
       }
       double minimum = 0;
       if (!ParseWithin(text, 0.0, 1e6, minimum)) return false;
       s.popularity_history_min = minimum;
       return true;
     },
     true},
    {"DUCKDB_LIBRARY", "tables", "", "the path of libduckdb.so, 1.4.4 or later but before 2",
     "DuckDB's library, which `tables` and `sql` load. When it is not set: where `./dev duckdb` or the package "
     "tmdb-collector-sql puts it, else where the system finds libraries.",
     false,
     [](std::string_view text, Settings& s) {
       s.duckdb_library = text;
       return text.empty() || (text.size() < 4096 && IsPath(text));
     }},
};

// ShowValue() for schedules, in which a question mark is not what it is in a URL.
std::string ShowSchedule(std::string_view text) {
  constexpr std::size_t kMost = 256;
  const std::string masked = MaskKeys(text.substr(0, kMost));
  std::string shown;
  for (std::string_view rest = masked;;) {
    const auto mark = rest.find('?');
    shown += ShowValue(rest.substr(0, mark));
    if (mark == std::string_view::npos) return shown;
    shown += '?';
    rest.remove_prefix(mark + 1);
  }
}

std::string ShowText(const Setting& setting, std::string_view text) {
  if (setting.secret) return "***";
  return setting.why == WhyNoSchedule ? ShowSchedule(text) : ShowValue(text);
}

std::unexpected<Error> Refuse(const Setting& setting, std::string_view text, std::string_view source) {
  std::string shown = ShowText(setting, text);
  if (setting.secret) shown += fmt::format(" ({} characters)", text.size());
  std::string why = setting.why ? MaskKeys(setting.why(text)) : "";
  if (why.empty()) why = fmt::format("use {}", setting.allowed);
  return Fail(ErrorCode::kInvalid, "{} is '{}' (from {}): {}", setting.name, shown, source, why);
}

// Shells and .env files take the quotes around a value away; what puts a variable into the environment as it stands
// (docker run --env-file, a unit's EnvironmentFile that quotes twice) does not. No value begins or ends with one.
bool IsQuoted(std::string_view text) {
  constexpr std::string_view kQuotes[] = {"\"", "'", "\u201c", "\u201d", "\u2018", "\u2019"};
  return std::ranges::any_of(kQuotes, [&](auto quote) { return text.starts_with(quote) || text.ends_with(quote); });
}

std::unexpected<Error> RefuseQuoted(const Setting& setting, std::string_view text, std::string_view source) {
  return Fail(ErrorCode::kInvalid, "{} is '{}' (from {}): the quotes are part of the value: write it without them",
              setting.name, ShowText(setting, text), source);
}

// --- schedules ---

constexpr std::string_view kScheduleKeys[] = {"name", "expression", "timezone", "types", "mode", "limit"};
constexpr std::size_t kMaxSchedules = 100;

// As EventBridge Scheduler has them.
bool IsScheduleName(std::string_view text) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits);
}

std::unexpected<Error> RefuseIn(const GivenSetting& value, std::string_view sentence) {
  return Fail(ErrorCode::kInvalid, "{} of a schedule is '{}' (from {}): {}", value.name,
              value.name == "expression" ? ShowSchedule(value.text) : ShowValue(value.text), value.source,
              sentence);
}

// `value` by one of kScheduleKeys; the expression waits for its time zone.
Result<void> TakeScheduleValue(const GivenSetting& value, ScheduleSetting& schedule, TimeZone& zone) {
  const std::string_view text = Trim(value.text);
  Settings types;
  std::int64_t limit = 0;
  if (value.name == "name") {
    if (!IsScheduleName(text))
      return RefuseIn(value, "use 1 to 64 letters, digits, hyphens, underscores and dots");
    schedule.name = text;
  } else if (value.name == "timezone") {
    auto loaded = TimeZone::Load(text);
    if (!loaded) return RefuseIn(value, loaded.error().message);
    zone = *std::move(loaded);
  } else if (value.name == "types") {
    if (!ParseMediaTypes(text, types)) {
      return RefuseIn(value, fmt::format("use {}", FindSetting("MEDIA_TYPES")->allowed));
    }
    schedule.types = std::move(types.media_types);
  } else if (value.name == "mode") {
    if (!ParseChoice(text, kModes, schedule.mode)) return RefuseIn(value, "use auto, export or changes");
  } else if (value.name == "limit") {
    if (!ParseWithin<std::int64_t>(text, 0, 1'000'000'000, limit)) {
      return RefuseIn(value, "use a whole number from 0 to 1000000000");
    }
    schedule.limit = limit;
  } else if (value.name != "expression") {
    const std::vector<std::string> known(std::begin(kScheduleKeys), std::end(kScheduleKeys));
    return Fail(ErrorCode::kInvalid, "{}: {} is nothing that a schedule has{}", value.source,
                ShowValue(value.name), DidYouMean(Lower(value.name), known));
  }
  return {};
}

Result<ScheduleSetting> ResolveSchedule(const GivenSchedule& given, const TimeZone& default_zone,
                                        const Settings& settings) {
  ScheduleSetting schedule{
      .name = "", .expression = ScheduleExpression::Every(std::chrono::minutes(1)), .source = given.source};
  TimeZone zone = default_zone;
  const GivenSetting* expression = nullptr;
  for (const GivenSetting& value : given.values) {
    TRY(TakeScheduleValue(value, schedule, zone));
    if (value.name == "expression") expression = &value;
  }
  if (schedule.name.empty())
    return Fail(ErrorCode::kInvalid, "{}: this schedule has no name: each needs one of its own",
                given.source);
  if (expression == nullptr) {
    return Fail(ErrorCode::kInvalid,
                "{}: the schedule {} has no expression: use rate(12 hours) or cron(0 6 * * ? *)",
                given.source, schedule.name);
  }
  const HarvestRequest request{.mode = schedule.mode,
                               .types = schedule.types.empty() ? settings.media_types : schedule.types,
                               .limit = schedule.limit};
  if (const std::string why = WhyImpossible(request, kMemberWords); !why.empty())
    return Fail(ErrorCode::kInvalid, "{}: the schedule {}: {}", given.source, schedule.name, why);
  auto parsed = ScheduleExpression::Parse(expression->text, std::move(zone));
  if (!parsed) return RefuseIn(*expression, parsed.error().message);
  schedule.expression = *std::move(parsed);
  return schedule;
}

// Of the settings alone.
Result<ScheduleSetting> DefaultSchedule(const Settings& settings, TimeZone zone) {
  constexpr const char* kName = "collection";
  if (settings.collection_schedule.empty())
    return ScheduleSetting{.name = kName,
                           .expression = ScheduleExpression::Every(settings.collection_interval),
                           .source = "COLLECTION_INTERVAL"};
  auto parsed = ScheduleExpression::Parse(settings.collection_schedule, std::move(zone));
  if (!parsed) {
    return Fail(ErrorCode::kInvalid, "COLLECTION_SCHEDULE is '{}': {}", settings.collection_schedule,
                parsed.error().message);
  }
  return ScheduleSetting{.name = kName, .expression = *std::move(parsed), .source = "COLLECTION_SCHEDULE"};
}

Result<void> ResolveSchedules(std::span<const GivenSchedule> given, Settings& settings) {
  TRY_ASSIGN(TimeZone zone, TimeZone::Load(settings.collection_timezone));
  if (given.empty()) {
    TRY_ASSIGN(ScheduleSetting schedule, DefaultSchedule(settings, std::move(zone)));
    settings.schedules.push_back(std::move(schedule));
    return {};
  }
  if (given.size() > kMaxSchedules) {
    return Fail(ErrorCode::kInvalid, "{}: more than {} schedules", given[kMaxSchedules].source,
                kMaxSchedules);
  }
  for (const GivenSchedule& one : given) {
    TRY_ASSIGN(ScheduleSetting schedule, ResolveSchedule(one, zone, settings));
    const auto twice = std::ranges::find(settings.schedules, schedule.name, &ScheduleSetting::name);
    if (twice != settings.schedules.end()) {
      return Fail(ErrorCode::kInvalid, "{}: a schedule {} is there already (at {})", one.source,
                  schedule.name, given[std::size_t(twice - settings.schedules.begin())].source);
    }
    settings.schedules.push_back(std::move(schedule));
  }
  return {};
}

std::vector<std::string> Warnings(const Settings& settings, bool has_schedules) {
  std::vector<std::string> warnings;
  const auto is_given = [&](std::string_view name) {
    return std::ranges::find(settings.given, name, &GivenSetting::name) != settings.given.end();
  };
  for (const std::string_view name : {"COLLECTION_INTERVAL", "COLLECTION_SCHEDULE"}) {
    const bool hidden =
        has_schedules || (name == "COLLECTION_INTERVAL" && !settings.collection_schedule.empty());
    if (is_given(name) && hidden) {
      warnings.push_back(fmt::format("{} does not say when to harvest: {} does", name,
                                     has_schedules ? "[[schedule]]" : "COLLECTION_SCHEDULE"));
    }
  }
  if (settings.rate_limit_requests > kPoliteRate) {
    warnings.push_back(
        fmt::format("RATE_LIMIT_REQUESTS is {}: TMDB asks for about 40 a second and answers more with 429",
                    settings.rate_limit_requests));
  }
  if (settings.collector_concurrency > 20) {
    warnings.push_back(
        fmt::format("COLLECTOR_CONCURRENCY is {}: TMDB allows 20 connections an address, so 20 are used",
                    settings.collector_concurrency));
  }
  return warnings;
}

// Empty when the file is absent.
Result<std::optional<std::string>> ReadConfigFile(const std::string& path) {
  auto text = ReadTextFile(path, kMaxConfigBytes);
  if (text) return *std::move(text);
  if (text.error().code == ErrorCode::kNotFound) return std::nullopt;
  return std::unexpected(std::move(text).error());
}

// The .env file may hold other programs' variables; only what is nearly one of ours is taken for a typo.
Result<void> CheckForeignName(const GivenSetting& given) {
  const Setting* near = NearestSetting(given.name);
  if (near == nullptr) return {};
  if (Lower(given.name) == Lower(near->name)) {
    return Fail(ErrorCode::kInvalid, "{} is not a setting (from {}): in capitals, {}, it is one", given.name,
                given.source, near->name);
  }
  return Fail(ErrorCode::kInvalid, "{} is not a setting (from {}), did you mean {}?", ShowValue(given.name),
              given.source, near->name);
}

}  // namespace

std::span<const Setting> SettingsTable() {
  return kTable;
}

const Setting* FindSetting(std::string_view name) {
  const auto found = std::ranges::find(kTable, name, &Setting::name);
  return found == std::end(kTable) ? nullptr : found;
}

const Setting* NearestSetting(std::string_view name) {
  constexpr int kNear = 2;
  constexpr std::string_view kOfOthers[] = {"LANGUAGE"};  // GNU gettext's
  if (name.size() > 100 || std::ranges::find(kOfOthers, name) != std::end(kOfOthers)) return nullptr;
  const std::string lower = Lower(name);
  const Setting* nearest = nullptr;
  int distance = kNear + 1;
  for (const Setting& setting : kTable) {
    const int to_this = EditDistance(lower, Lower(setting.name));
    if (to_this >= distance) continue;
    distance = to_this;
    nearest = &setting;
  }
  return nearest;
}

std::string FlagOf(const Setting& setting) {
  std::string flag = "--" + Lower(setting.name);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string TomlKeyOf(const Setting& setting) {
  return Lower(setting.name);
}

bool IsSection(std::string_view name) {
  return std::ranges::find(kTable, name, &Setting::section) != std::end(kTable);
}

std::string FallbackOf(const Setting& setting) {
  constexpr std::string_view kSuffix = "_APPEND_TO_RESPONSE";
  if (!setting.name.ends_with(kSuffix)) return std::string(setting.fallback);
  const auto type = ParseMediaType(Lower(setting.name.substr(0, setting.name.size() - kSuffix.size())));
  const auto found = type ? DefaultNamespaces().find(*type) : DefaultNamespaces().end();
  if (found == DefaultNamespaces().end() || found->second.empty()) return "none";
  return fmt::format("{}", fmt::join(found->second, ","));
}

Result<Settings> ResolveSettings(std::span<const GivenSetting> given,
                                 std::span<const GivenSchedule> schedules) {
  Settings settings;
  settings.namespaces = DefaultNamespaces();
  for (const Setting& setting : kTable) {
    if (!setting.fallback.empty() && !setting.apply(setting.fallback, settings)) {
      return Fail(ErrorCode::kInternal, "the default of {} is not allowed", setting.name);
    }
  }
  for (const GivenSetting& value : given) {
    const Setting* setting = FindSetting(value.name);
    if (setting == nullptr)
      return Fail(ErrorCode::kInvalid, "{} is not a setting (from {})", value.name, value.source);
    if (IsQuoted(Trim(value.text))) return RefuseQuoted(*setting, value.text, value.source);
    if (!setting->apply(Trim(value.text), settings)) return Refuse(*setting, value.text, value.source);
  }
  for (const Setting& setting : kTable) {
    const auto last = std::ranges::find(given.rbegin(), given.rend(), setting.name, &GivenSetting::name);
    settings.texts.emplace_back(last == given.rend() ? FallbackOf(setting) : Trim(last->text));
    if (last == given.rend()) continue;
    settings.given.push_back({last->name, ShowText(setting, last->text), last->source});
  }
  TRY(ResolveSchedules(schedules, settings));
  settings.warnings = Warnings(settings, !schedules.empty());
  return settings;
}

Result<Settings> LoadSettings(const SettingSources& sources) {
  std::vector<GivenSetting> given;
  std::vector<GivenSchedule> schedules;
  std::map<std::string, std::string> aws_variables;
  const std::string config_path = sources.config_path.value_or("tmdb-collector.toml");
  TRY_ASSIGN(const auto config, ReadConfigFile(config_path));
  if (!config && sources.config_path)
    return Fail(ErrorCode::kInvalid, "read {}: no such file (from --config)", config_path);
  if (config) {
    TRY_ASSIGN(given, ParseTomlSettings(*config, config_path, &schedules));
  }
  TRY_ASSIGN(const auto env_file, ReadConfigFile(sources.env_path));
  if (env_file) {
    TRY_ASSIGN(auto lines, ParseEnvFile(*env_file, sources.env_path));
    for (GivenSetting& line : lines) {
      if (FindSetting(line.name) == nullptr) {
        TRY(CheckForeignName(line));
        if (line.name.starts_with("AWS_")) aws_variables.insert_or_assign(line.name, std::string(Trim(line.text)));
      } else if (!Trim(line.text).empty()) {
        given.push_back(std::move(line));
      }
    }
  }
  for (const Setting& setting : kTable) {
    const char* value =
        sources.environment ? sources.environment(std::string(setting.name).c_str()) : nullptr;
    if (value && !Trim(value).empty()) given.push_back({std::string(setting.name), value, "the environment"});
  }
  given.insert(given.end(), sources.flags.begin(), sources.flags.end());
  auto settings = ResolveSettings(given, schedules);
  if (settings) {
    settings->sources = sources;
    settings->aws_variables = std::move(aws_variables);
  }
  return settings;
}

Result<std::vector<std::string>> ReloadSettings(Settings& settings) {
  TRY_ASSIGN(Settings fresh, LoadSettings(settings.sources));
  std::vector<std::string> later;
  for (std::size_t i = 0; i < std::size(kTable); ++i) {
    const Setting& setting = kTable[i];
    if (setting.reloads || fresh.texts[i] == settings.texts[i]) continue;
    later.push_back(fmt::format("{} has changed{}: that needs a restart", setting.name,
                                setting.secret ? "" : fmt::format(" to '{}'", ShowValue(fresh.texts[i]))));
    fresh.texts[i] = settings.texts[i];
    // What is in force was allowed; only an empty text, which is not a value, is not.
    (void)setting.apply(fresh.texts[i], fresh);
  }
  settings = std::move(fresh);
  return later;
}

Result<void> RequireKey(const Settings& settings) {
  if (!settings.tmdb_api_key.empty()) return {};
  return Fail(ErrorCode::kInvalid,
              "TMDB_API_KEY is not set: get a key at https://www.themoviedb.org/settings/api and put "
              "TMDB_API_KEY=... in .env or the "
              "environment (./dev run needs none: it uses the simulated TMDB)");
}

ApiAccess ApiAccessOf(const Settings& settings) {
  ApiAccess access{.base_url = settings.tmdb_api_base_url,
                   .secret_query = "",
                   .bearer = "",
                   .user_agent = std::string(kUserAgent)};
  if (IsV3Key(settings.tmdb_api_key)) {
    access.secret_query = "api_key=" + settings.tmdb_api_key;
  } else {
    access.bearer = settings.tmdb_api_key;
  }
  return access;
}

}  // namespace tmdbc
