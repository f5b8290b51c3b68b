// SPDX-License-Identifier: MIT
#include "settings/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tmdbc {
namespace {

constexpr const char* kKey = "0123456789abcdef0123456789ABCDEF";
constexpr const char* kToken =
    "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiIwMTIzIiwic2NvcGVzIjpbImFwaV9yZWFkIl19.3Zr-XaDN_S2VVZ";

Result<Settings> Resolve(std::string name, std::string text) {
  const std::vector<GivenSetting> given = {{std::move(name), std::move(text), ".env:3"}};
  return ResolveSettings(given);
}

TEST(Settings, WithoutAnythingGivenAreTheDocumentedDefaults) {
  const auto settings = ResolveSettings({});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->tmdb_api_key, "");
  EXPECT_EQ(settings->tmdb_api_base_url, "https://api.themoviedb.org/3");
  EXPECT_EQ(settings->tmdb_export_base_url, "https://files.tmdb.org/p/exports");
  EXPECT_EQ(settings->rate_limit_requests, 3);
  EXPECT_EQ(settings->collector_concurrency, 5);
  EXPECT_EQ(settings->collection_interval, std::chrono::minutes(1440));
  EXPECT_EQ(settings->media_types, (std::vector{MediaType::kMovie, MediaType::kTv, MediaType::kPerson}));
  EXPECT_FALSE(settings->include_adult);
  EXPECT_EQ(settings->data_dir, "./data");
  EXPECT_EQ(settings->s3_bucket_name, "");
  EXPECT_EQ(settings->log_level, LogLevel::kInfo);
  EXPECT_EQ(settings->log_format, LogFormat::kText);
  EXPECT_EQ(settings->namespaces, DefaultNamespaces());
  EXPECT_TRUE(settings->warnings.empty());
}

struct Case {
  const char* name;
  const char* text;
};

class AllowedSetting : public ::testing::TestWithParam<Case> {};
TEST_P(AllowedSetting, IsTaken) {
  const auto settings = Resolve(GetParam().name, GetParam().text);
  EXPECT_TRUE(settings) << settings.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    Table, AllowedSetting,
    ::testing::Values(
        Case{"TMDB_API_KEY", kKey}, Case{"TMDB_API_KEY", kToken},
        Case{"TMDB_API_BASE_URL", "http://127.0.0.1:8080/3"}, Case{"TMDB_API_BASE_URL", "https://[::1]:8443"},
        Case{"TMDB_API_BASE_URL", "https://api.tmdb.org/3/"},
        Case{"TMDB_EXPORT_BASE_URL", "http://files.tmdb.org/p/exports"}, Case{"RATE_LIMIT_REQUESTS", "0.1"},
        Case{"RATE_LIMIT_REQUESTS", "1000"}, Case{"RATE_LIMIT_REQUESTS", " 40 "},
        Case{"RATE_LIMIT_REQUESTS", "1e2"}, Case{"COLLECTOR_CONCURRENCY", "1"},
        Case{"COLLECTOR_CONCURRENCY", "1000"}, Case{"COLLECTION_INTERVAL", "1"},
        Case{"COLLECTION_INTERVAL", "525600"}, Case{"MEDIA_TYPES", "movie"},
        Case{"MEDIA_TYPES", "Movie, tv ,person,collection,company,network,keyword,configuration"},
        Case{"INCLUDE_ADULT", "true"}, Case{"INCLUDE_ADULT", "FALSE"},
        Case{"DATA_DIR", "/var/lib/tmdb data/"}, Case{"DATA_DIR", "/"}, Case{"DATA_DIR", "/srv/5$/a~b"}, Case{"S3_BUCKET_NAME", "my-bucket.2"}, Case{"S3_ENDPOINT", "http://127.0.0.1:7480"}, Case{"S3_ENDPOINT", "https://x.r2.cloudflarestorage.com/"},
        Case{"LOG_LEVEL", "trace"}, Case{"LOG_LEVEL", "WARN"}, Case{"LOG_FORMAT", "json"},
        Case{"MOVIE_APPEND_TO_RESPONSE", "credits, watch/providers"},
        Case{"MOVIE_APPEND_TO_RESPONSE", "none"}, Case{"TV_APPEND_TO_RESPONSE", "aggregate_credits"},
        Case{"NETWORK_APPEND_TO_RESPONSE", "images"}, Case{"SEASON_APPEND_TO_RESPONSE", "credits,images"},
        Case{"LANGUAGES", "de,pt-BR"}));

// docker run --env-file keeps them: DATA_DIR would be a folder with quotes in its name.
TEST(Settings, QuotesAroundAValueAreSaidToBePartOfIt) {
  for (const Case& c : {Case{"TMDB_API_KEY", "\"0123456789abcdef0123456789ABCDEF\""},
                        Case{"TMDB_API_KEY", "0123456789abcdef0123456789ABCDEF'"}, Case{"TMDB_API_KEY", "\"\""},
                        Case{"DATA_DIR", "'./data'"}, Case{"MEDIA_TYPES", " \"movie,tv\" "},
                        Case{"SERVE_API_KEYS", "\u201c0123456789\u201d"}}) {
    const auto settings = Resolve(c.name, c.text);
    ASSERT_FALSE(settings) << c.text;
    EXPECT_EQ(settings.error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(settings.error().message.starts_with(std::string(c.name) + " is '")) << settings.error().message;
    EXPECT_NE(settings.error().message.find("(from .env:3): the quotes are part of the value"), std::string::npos)
        << settings.error().message;
    EXPECT_EQ(settings.error().message.find("0123456789"), std::string::npos) << settings.error().message;
  }
}

TEST(Settings, ATokenThatWasCopiedWithBearerIsToBeWrittenWithout) {
  const auto settings = Resolve("TMDB_API_KEY", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiIwIn0.c2lnbmF0dXJl");
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().message.find("write it without 'Bearer'"), std::string::npos) << settings.error().message;
  EXPECT_EQ(settings.error().message.find("eyJ"), std::string::npos) << settings.error().message;
}

class RefusedSetting : public ::testing::TestWithParam<Case> {};
TEST_P(RefusedSetting, IsNamedWithItsValueItsSourceAndWhatIsAllowed) {
  const auto& [name, text] = GetParam();
  const auto settings = Resolve(name, text);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(settings.error().message.starts_with(std::string(name) + " is '")) << settings.error().message;
  EXPECT_NE(settings.error().message.find("(from .env:3): use "), std::string::npos)
      << settings.error().message;
  EXPECT_NE(settings.error().message.find(FindSetting(name)->allowed), std::string::npos)
      << settings.error().message;
  EXPECT_EQ(settings.error().message.find('\n'), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(
    Table, RefusedSetting,
    ::testing::Values(
        Case{"TMDB_API_KEY", "0123456789abcdef0123456789abcde"},
        Case{"TMDB_API_KEY", "0123456789abcdef0123456789abcdeg"}, Case{"TMDB_API_KEY", "eyJhbGci.eyJh"},
        Case{"TMDB_API_KEY", "eyJhbGci.eyJh."}, Case{"TMDB_API_KEY", "your_api_key_here"},
        Case{"TMDB_API_BASE_URL", "api.themoviedb.org/3"},
        Case{"TMDB_API_BASE_URL", "ftp://api.themoviedb.org"}, Case{"TMDB_API_BASE_URL", "https://"},
        Case{"TMDB_API_BASE_URL", "https:///3"}, Case{"TMDB_API_BASE_URL", "http://host:0"},
        Case{"TMDB_API_BASE_URL", "http://host:65536"}, Case{"TMDB_API_BASE_URL", "http://host:80x/3"},
        Case{"TMDB_API_BASE_URL", "http://ho st/3"}, Case{"TMDB_API_BASE_URL", "http://host/3?language=de"},
        Case{"TMDB_API_BASE_URL", "http://user:word@host/3"}, Case{"TMDB_API_BASE_URL", "http://host/3#top"},
        Case{"TMDB_API_BASE_URL", "http://host/\n3"}, Case{"TMDB_API_BASE_URL", "http://[]/3"},
        Case{"TMDB_EXPORT_BASE_URL", "file:///exports"}, Case{"RATE_LIMIT_REQUESTS", "0"},
        Case{"RATE_LIMIT_REQUESTS", "0.09"}, Case{"RATE_LIMIT_REQUESTS", "1000.1"},
        Case{"RATE_LIMIT_REQUESTS", "-3"}, Case{"RATE_LIMIT_REQUESTS", "nan"},
        Case{"RATE_LIMIT_REQUESTS", "inf"}, Case{"RATE_LIMIT_REQUESTS", "3/s"},
        Case{"RATE_LIMIT_REQUESTS", "3,5"}, Case{"RATE_LIMIT_REQUESTS", "fast"},
        Case{"COLLECTOR_CONCURRENCY", "0"}, Case{"COLLECTOR_CONCURRENCY", "1001"},
        Case{"COLLECTOR_CONCURRENCY", "5.5"}, Case{"COLLECTOR_CONCURRENCY", "99999999999999999999"},
        Case{"COLLECTION_INTERVAL", "0"}, Case{"COLLECTION_INTERVAL", "525601"},
        Case{"COLLECTION_INTERVAL", "24h"}, Case{"MEDIA_TYPES", "movies"}, Case{"MEDIA_TYPES", "movie,"},
        Case{"MEDIA_TYPES", "movie tv"}, Case{"MEDIA_TYPES", "season"}, Case{"MEDIA_TYPES", "episode"},
        Case{"MEDIA_TYPES", "none"}, Case{"INCLUDE_ADULT", "yes"}, Case{"INCLUDE_ADULT", "2"},
        Case{"DATA_DIR", ""}, Case{"DATA_DIR", "~tmdb/data"}, Case{"DATA_DIR", "$HOME/data"}, Case{"DATA_DIR", "/srv/${USER}"}, Case{"S3_BUCKET_NAME", "My_Bucket"}, Case{"S3_BUCKET_NAME", "ab"}, Case{"S3_ENDPOINT", "localhost:9000"}, Case{"S3_ENDPOINT", "s3://bucket"},
        Case{"S3_BUCKET_NAME", "a..b"}, Case{"S3_BUCKET_NAME", "-bucket"}, Case{"LOG_LEVEL", "verbose"},
        Case{"LOG_LEVEL", "warning"}, Case{"LOG_FORMAT", "xml"}, Case{"MOVIE_APPEND_TO_RESPONSE", "credit"},
        Case{"MOVIE_APPEND_TO_RESPONSE", "credits,credits"}, Case{"TV_APPEND_TO_RESPONSE", "season/1"},
        Case{"PERSON_APPEND_TO_RESPONSE", "credits"}, Case{"SEASON_APPEND_TO_RESPONSE", "reviews"},
        Case{"LANGUAGES", "german"}, Case{"LANGUAGES", "en"}, Case{"LANGUAGES", "de,de"}));

TEST(Settings, ARefusedKeyIsNeverShown) {
  for (const char* key : {"0123456789abcdef0123456789abcdeX", "canarykey", "eyJhbGciOiJIUzI1NiJ9.canary"}) {
    const auto settings = Resolve("TMDB_API_KEY", key);
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().message.find(std::string(key).substr(0, 8)), std::string::npos)
        << settings.error().message;
    EXPECT_NE(settings.error().message.find("***"), std::string::npos) << settings.error().message;
  }
}

TEST(Settings, AKeyWithinAnotherRefusedValueIsNotShownEither) {
  for (const std::string& url : {std::string("https://host/3?api_key=") + kKey,
                                 std::string("https://") + kKey + "@host/3", std::string("host/") + kToken}) {
    const auto settings = Resolve("TMDB_API_BASE_URL", url);
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().message.find("0123456789abc"), std::string::npos) << settings.error().message;
    EXPECT_EQ(settings.error().message.find("eyJhbGci"), std::string::npos) << settings.error().message;
  }
}

TEST(Settings, ARefusedListSaysWhatIsWrongWithIt) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"TV_APPEND_TO_RESPONSE", "images,season/1", "seasons are fetched with every show anyway"},
      {"MOVIE_APPEND_TO_RESPONSE", "credits,credits", "'credits' is named twice"},
      {"SEASON_APPEND_TO_RESPONSE", "reviews", "; 'reviews' is not a namespace of season"},
      {"MOVIE_APPEND_TO_RESPONSE", "", "use "},
      {"LANGUAGES", "de,en", "every record is in English already"},
      {"LANGUAGES", "", "use none, or language tags"},
  };
  for (const auto& [name, text, words] : cases) {
    const auto settings = Resolve(name, text);
    if (settings && std::string_view(text).empty()) continue;  // as if it was not set
    ASSERT_FALSE(settings) << name;
    EXPECT_NE(settings.error().message.find(words), std::string::npos) << settings.error().message;
  }
  const auto key = Resolve("MOVIE_APPEND_TO_RESPONSE", std::string("credits,") + kKey);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message.find("0123456789abc"), std::string::npos) << key.error().message;
}

TEST(Settings, TheListOfWhatWasGivenHidesTheKey) {
  const auto settings = Resolve("TMDB_API_KEY", kKey);
  ASSERT_TRUE(settings);
  ASSERT_EQ(settings->given.size(), 1u);
  EXPECT_EQ(settings->given[0].text, "***");
  EXPECT_EQ(settings->given[0].source, ".env:3");
}

TEST(Settings, AV3KeyGoesIntoTheQueryAndAV4TokenIntoTheHeader) {
  const ApiAccess v3 = ApiAccessOf(*Resolve("TMDB_API_KEY", kKey));
  EXPECT_EQ(v3.secret_query, std::string("api_key=") + kKey);
  EXPECT_EQ(v3.bearer, "");
  const ApiAccess v4 = ApiAccessOf(*Resolve("TMDB_API_KEY", kToken));
  EXPECT_EQ(v4.secret_query, "");
  EXPECT_EQ(v4.bearer, kToken);
}

TEST(Settings, WithoutAKeyTheErrorSaysWhereToGetOne) {
  const auto required = RequireKey(*ResolveSettings({}));
  ASSERT_FALSE(required);
  EXPECT_EQ(required.error().code, ErrorCode::kInvalid);
  EXPECT_NE(required.error().message.find("https://www.themoviedb.org/settings/api"), std::string::npos);
}

TEST(Settings, ARateAbove50OrMoreThan20WorkersIsWarnedOf) {
  EXPECT_TRUE(Resolve("RATE_LIMIT_REQUESTS", "50")->warnings.empty());
  EXPECT_EQ(Resolve("RATE_LIMIT_REQUESTS", "50.5")->warnings.size(), 1u);
  EXPECT_TRUE(Resolve("COLLECTOR_CONCURRENCY", "20")->warnings.empty());
  EXPECT_EQ(Resolve("COLLECTOR_CONCURRENCY", "21")->warnings.size(), 1u);
}

TEST(Settings, ValuesAreKeptInTheFormInWhichTheyAreUsed) {
  EXPECT_EQ(Resolve("TMDB_API_BASE_URL", "https://api.tmdb.org/3//")->tmdb_api_base_url,
            "https://api.tmdb.org/3");
  EXPECT_EQ(Resolve("DATA_DIR", "/srv/tmdb/")->data_dir, "/srv/tmdb");
  EXPECT_EQ(Resolve("DATA_DIR", "/")->data_dir, "/");
  EXPECT_EQ(Resolve("MEDIA_TYPES", "tv, movie,tv")->media_types,
            (std::vector{MediaType::kTv, MediaType::kMovie}));
  EXPECT_TRUE(Resolve("MOVIE_APPEND_TO_RESPONSE", "none")->namespaces.at(MediaType::kMovie).empty());
}

// A folder with the two files, and an environment.
class SettingSourcesTest : public ::testing::Test {
 protected:
  SettingSourcesTest()
      : folder_(std::filesystem::path(::testing::TempDir()) / fmt::format("settings-{}", ::getpid())) {
    std::filesystem::create_directories(folder_);
    environment_.clear();
  }
  ~SettingSourcesTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  static const char* Environment(const char* name) {
    const auto found = environment_.find(name);
    return found == environment_.end() ? nullptr : found->second.c_str();
  }

  Result<Settings> Load() {
    SettingSources sources{
        .config_path = config_, .env_path = folder_ / ".env", .environment = Environment, .flags = flags_};
    return LoadSettings(sources);
  }

  const std::filesystem::path folder_;
  static inline std::map<std::string, std::string> environment_;
  std::optional<std::string> config_;
  std::vector<GivenSetting> flags_;
};

TEST_F(SettingSourcesTest, EachSourceWinsOverTheOneBefore) {
  config_ = Write("settings.toml", "[collector]\nrate_limit_requests = 10\n");
  EXPECT_EQ(Load()->rate_limit_requests, 10);
  Write(".env", "RATE_LIMIT_REQUESTS=20\n");
  EXPECT_EQ(Load()->rate_limit_requests, 20);
  environment_["RATE_LIMIT_REQUESTS"] = "30";
  EXPECT_EQ(Load()->rate_limit_requests, 30);
  flags_ = {{"RATE_LIMIT_REQUESTS", "40", "--rate-limit-requests"}};
  EXPECT_EQ(Load()->rate_limit_requests, 40);
  EXPECT_EQ(Load()->given.at(0).source, "--rate-limit-requests");
}

TEST_F(SettingSourcesTest, AWeakerSourceIsCheckedToo) {
  Write(".env", "\nRATE_LIMIT_REQUESTS=fast\n");
  flags_ = {{"RATE_LIMIT_REQUESTS", "40", "--rate-limit-requests"}};
  const auto settings = Load();
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().message.find(".env:2"), std::string::npos) << settings.error().message;
}

TEST_F(SettingSourcesTest, AnEmptyValueInAFileOrTheEnvironmentCountsAsNotGiven) {
  Write(".env", "TMDB_API_KEY=\nRATE_LIMIT_REQUESTS=20\n");
  environment_["RATE_LIMIT_REQUESTS"] = "";
  environment_["S3_BUCKET_NAME"] = " ";
  const auto settings = Load();
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->rate_limit_requests, 20);
}

TEST_F(SettingSourcesTest, AnEmptyFlagIsRefused) {
  flags_ = {{"RATE_LIMIT_REQUESTS", "", "--rate-limit-requests"}};
  EXPECT_FALSE(Load());
}

TEST_F(SettingSourcesTest, VariablesOfOtherProgramsInEnvAreLeftAlone) {
  Write(".env", "POSTGRES_PASSWORD=secret\nNODE_ENV=production\nPATH=/bin\n");
  EXPECT_TRUE(Load());
}

TEST_F(SettingSourcesTest, AwsVariablesInEnvAreKeptForWhoSpeaksToAws) {
  Write(".env", "AWS_PROFILE=work\nAWS_SECRET_ACCESS_KEY='a b#c'\nAWS_REGION=\nOTHER=x\n");
  const auto settings = Load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->aws_variables, (std::map<std::string, std::string>{
                                         {"AWS_PROFILE", "work"}, {"AWS_REGION", ""}, {"AWS_SECRET_ACCESS_KEY", "a b#c"}}));
  EXPECT_TRUE(settings->given.empty()) << "they are no settings: nothing prints them";
}

TEST_F(SettingSourcesTest, ATypoInEnvIsNotLeftAlone) {
  Write(".env", "RATE_LIMIT_REQUEST=40\n");
  const auto settings = Load();
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().message.find("did you mean RATE_LIMIT_REQUESTS?"), std::string::npos)
      << settings.error().message;
}

TEST_F(SettingSourcesTest, AConfigFileThatIsNamedMustBeThere) {
  config_ = folder_ / "absent.toml";
  const auto settings = Load();
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, ErrorCode::kInvalid);
  EXPECT_NE(settings.error().message.find("absent.toml"), std::string::npos);
}

TEST_F(SettingSourcesTest, AFolderInPlaceOfAFileIsOneClearSentence) {
  std::filesystem::create_directory(folder_ / ".env");
  const auto settings = Load();
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, ErrorCode::kInvalid);
  EXPECT_NE(settings.error().message.find("it is a folder"), std::string::npos) << settings.error().message;
}

// "name: expression", and what else is not as usual.
std::vector<std::string> SchedulesOf(const Result<Settings>& settings) {
  if (!settings) return {settings.error().message};
  std::vector<std::string> lines;
  for (const ScheduleSetting& schedule : settings->schedules) {
    std::string line = schedule.name + ": " + schedule.expression.ToString();
    if (schedule.mode == HarvestMode::kExport) line += " export";
    if (schedule.mode == HarvestMode::kChanges) line += " changes";
    for (const MediaType type : schedule.types) line += fmt::format(" {}", Name(type));
    if (schedule.limit) line += fmt::format(" {}", *schedule.limit);
    lines.push_back(line);
  }
  return lines;
}
using Schedules = std::vector<std::string>;

TEST_F(SettingSourcesTest, WithoutSchedulesTheIntervalIsOne) {
  EXPECT_EQ(SchedulesOf(Load()), Schedules{"collection: rate(1440 minutes)"});
  environment_["COLLECTION_INTERVAL"] = "60";
  EXPECT_EQ(SchedulesOf(Load()), Schedules{"collection: rate(60 minutes)"});
  EXPECT_TRUE(Load()->warnings.empty());
}

TEST_F(SettingSourcesTest, AScheduleTakesThePlaceOfTheIntervalAndSaysSo) {
  environment_["COLLECTION_INTERVAL"] = "60";
  environment_["COLLECTION_SCHEDULE"] = "cron(30 9 * * ? *)";
  environment_["COLLECTION_TIMEZONE"] = "Europe/Berlin";
  EXPECT_EQ(SchedulesOf(Load()), Schedules{"collection: cron(30 9 * * ? *) Europe/Berlin"});
  EXPECT_EQ(
      Load()->warnings,
      std::vector<std::string>{"COLLECTION_INTERVAL does not say when to harvest: COLLECTION_SCHEDULE does"});
}

TEST_F(SettingSourcesTest, TablesTakeThePlaceOfBoth) {
  environment_["COLLECTION_SCHEDULE"] = "cron(30 9 * * ? *)";
  environment_["COLLECTION_TIMEZONE"] = "Europe/Berlin";
  config_ = Write(
      "c.toml",
      "rate_limit_requests = 4\n[[schedule]]\nname = 'exports'\nexpression = 'cron(30 9 * * ? *)'\nlimit = "
      "100\nmode = "
      "'export'\n[[schedule]]\nname = 'changes'\nexpression = 'rate(2 hours)'\ntypes = ['movie', 'tv']\nmode "
      "= 'changes'\n[[schedule]]\nname = 'there'\nexpression = 'cron(0 6 ? * MON *)'\ntimezone "
      "= 'America/New_York'\n");
  EXPECT_EQ(SchedulesOf(Load()), (Schedules{"exports: cron(30 9 * * ? *) Europe/Berlin export 100",
                                            "changes: rate(2 hours) changes movie tv",
                                            "there: cron(0 6 ? * MON *) America/New_York"}));
  EXPECT_EQ(Load()->rate_limit_requests, 4);
  EXPECT_EQ(Load()->warnings,
            std::vector<std::string>{"COLLECTION_SCHEDULE does not say when to harvest: [[schedule]] does"});
}

TEST_F(SettingSourcesTest, AMistakeInAScheduleIsNamedWithItsPlace) {
  const auto message = [&](std::string_view toml) {
    config_ = Write("c.toml", toml);
    const auto settings = Load();
    if (settings) return std::string("none");
    const std::string path = folder_ / "c.toml";
    std::string text = settings.error().message;
    for (auto at = text.find(path); at != std::string::npos; at = text.find(path))
      text.replace(at, path.size(), "c.toml");
    return text;
  };
  const std::string named = "[[schedule]]\nname = 'n'\n";
  EXPECT_EQ(message(named + "expression = 'cron(0 25 * * ? *)'\n"),
            "expression of a schedule is 'cron(0 25 * * ? *)' (from c.toml:3): its hours field is '25': use "
            "0-23, with , "
            "- * /");
  EXPECT_EQ(
      message(named + "expression = 'rate(1 hour)'\ntimezone = 'Mars/Olympus'\n"),
      "timezone of a schedule is 'Mars/Olympus' (from c.toml:4): there is no time zone 'Mars/Olympus' in "
      "/usr/share/zoneinfo: use an IANA name as Europe/Berlin, or UTC");
  EXPECT_EQ(
      message(named + "expression = 'at(2027-03-28T02:30:00)'\ntimezone = 'Europe/Berlin'\n"),
      "expression of a schedule is 'at(2027-03-28T02:30:00)' (from c.toml:3): it never happens: clocks in "
      "Europe/Berlin are put forward over it");
  EXPECT_EQ(message(named + "expression = 'rate(1 hour)'\ntypes = ['movie', 'episode']\n"),
            "types of a schedule is 'movie,episode' (from c.toml:4): use a list of movie, tv, person, "
            "collection, company, "
            "network, keyword, configuration");
  EXPECT_EQ(message(named + "expression = 'rate(1 hour)'\nmode = 'full'\n"),
            "mode of a schedule is 'full' (from c.toml:4): use auto, export or changes");
  EXPECT_EQ(message(named + "expression = 'rate(1 hour)'\nlimit = -1\n"),
            "limit of a schedule is '-1' (from c.toml:4): use a whole number from 0 to 1000000000");
  EXPECT_EQ(message(named + "expression = 'rate(1 hour)'\nmode = 'changes'\nlimit = 1\n"),
            "c.toml:1: the schedule n: limit goes with the exports, not with mode changes");
  // It would end with the same error for ever.
  EXPECT_EQ(
      message(named + "expression = 'rate(1 hour)'\nmode = 'changes'\ntypes = 'collection'\n"),
      "c.toml:1: the schedule n: only movie, tv and person have a change feed: with these types use mode "
      "export");
  EXPECT_EQ(message(named + "expresion = 'rate(1 hour)'\n"),
            "c.toml:3: expresion is nothing that a schedule has, did you mean expression?");
  EXPECT_EQ(message(named),
            "c.toml:1: the schedule n has no expression: use rate(12 hours) or cron(0 6 * * ? *)");
  EXPECT_EQ(message("[[schedule]]\nexpression = 'rate(1 hour)'\n"),
            "c.toml:1: this schedule has no name: each needs one of its own");
  EXPECT_EQ(message("[[schedule]]\nname = 'a b'\n"),
            "name of a schedule is 'a b' (from c.toml:2): use 1 to 64 letters, digits, hyphens, underscores "
            "and dots");
  EXPECT_EQ(message(named + "expression = 'rate(1 hour)'\n" + named + "expression = 'rate(2 hours)'\n"),
            "c.toml:4: a schedule n is there already (at c.toml:1)");
}

TEST_F(SettingSourcesTest, AMistakeInTheScheduleOfTheEnvironmentIsNamedToo) {
  environment_["COLLECTION_SCHEDULE"] = "cron(0 6 * * * *)";
  EXPECT_EQ(SchedulesOf(Load()),
            Schedules{"COLLECTION_SCHEDULE is 'cron(0 6 * * * *)' (from the environment): exactly one of its "
                      "day-of-month "
                      "field ('*') and its day-of-week field ('*') must be ?, as in cron(0 6 * * ? *)"});
  environment_["COLLECTION_SCHEDULE"] = "0 6 * * *";
  EXPECT_EQ(SchedulesOf(Load()), Schedules{"COLLECTION_SCHEDULE is '0 6 * * *' (from the environment): use "
                                           "rate(12 hours), cron(0 6 * * ? *) or "
                                           "at(2026-12-01T06:00:00), in EventBridge's grammar"});
}

TEST_F(SettingSourcesTest, AReloadTakesWhatARunningProcessCanTake) {
  config_ = Write("c.toml", "rate_limit_requests = 4\n");
  auto settings = Load();
  ASSERT_TRUE(settings);
  Write("c.toml",
        "rate_limit_requests = 8\nlog_level = 'debug'\nmedia_types = 'movie'\ncollector_concurrency = 9\n"
        "[[schedule]]\nname = 'n'\nexpression = 'rate(1 hour)'\n");
  const auto later = ReloadSettings(*settings);
  ASSERT_TRUE(later) << later.error().message;
  EXPECT_TRUE(later->empty());
  EXPECT_EQ(settings->rate_limit_requests, 8);
  EXPECT_EQ(settings->log_level, LogLevel::kDebug);
  EXPECT_EQ(settings->media_types, std::vector{MediaType::kMovie});
  EXPECT_EQ(settings->collector_concurrency, 9);
  EXPECT_EQ(SchedulesOf(*settings), Schedules{"n: rate(1 hour)"});
  // What is taken out is at its default again.
  Write("c.toml", "");
  ASSERT_TRUE(ReloadSettings(*settings));
  EXPECT_EQ(settings->rate_limit_requests, 3);
  EXPECT_EQ(SchedulesOf(*settings), Schedules{"collection: rate(1440 minutes)"});
}

TEST_F(SettingSourcesTest, AReloadNamesWhatNeedsARestartAndLeavesItAsItWas) {
  Write(".env", "DATA_DIR=/here\n");
  auto settings = Load();
  ASSERT_TRUE(settings);
  Write(".env", std::string("DATA_DIR=/there\nLOG_FORMAT=json\nRATE_LIMIT_REQUESTS=5\nS3_BUCKET_NAME=bucket\n"
                            "MOVIE_APPEND_TO_RESPONSE=images\nTMDB_API_KEY=") +
                    kKey + "\n");
  const auto later = ReloadSettings(*settings);
  ASSERT_TRUE(later) << later.error().message;
  EXPECT_EQ(*later, (std::vector<std::string>{
                        "TMDB_API_KEY has changed: that needs a restart",
                        "MOVIE_APPEND_TO_RESPONSE has changed to 'images': that needs a restart",
                        "DATA_DIR has changed to '/there': that needs a restart",
                        "S3_BUCKET_NAME has changed to 'bucket': that needs a restart",
                        "LOG_FORMAT has changed to 'json': that needs a restart"}));
  EXPECT_EQ(settings->tmdb_api_key, "");
  EXPECT_EQ(settings->data_dir, "/here");
  EXPECT_EQ(settings->s3_bucket_name, "");
  EXPECT_EQ(settings->log_format, LogFormat::kText);
  EXPECT_EQ(settings->namespaces, DefaultNamespaces());
  EXPECT_EQ(settings->rate_limit_requests, 5);
}

TEST_F(SettingSourcesTest, AReloadOfABadFileChangesNothing) {
  Write(".env", "RATE_LIMIT_REQUESTS=5\n");
  auto settings = Load();
  ASSERT_TRUE(settings);
  Write(".env", "LOG_LEVEL=debug\nRATE_LIMIT_REQUESTS=fast\n");
  const auto later = ReloadSettings(*settings);
  ASSERT_FALSE(later);
  EXPECT_NE(later.error().message.find("RATE_LIMIT_REQUESTS is 'fast'"), std::string::npos)
      << later.error().message;
  EXPECT_EQ(settings->rate_limit_requests, 5);
  EXPECT_EQ(settings->log_level, LogLevel::kInfo);
}

TEST_F(SettingSourcesTest, AFileAboveOneMebibyteIsRefused) {
  Write(".env", std::string((1 << 20) + 1, '#'));
  EXPECT_FALSE(Load());
  Write(".env", std::string(1 << 20, '#'));
  EXPECT_TRUE(Load());
}

}  // namespace
}  // namespace tmdbc
