// SPDX-License-Identifier: MIT
// The program from its command line to its exit code, in this process, without a network.
#include "app/program.h"

#include <gtest/gtest.h>

#include <fstream>

#include "app/program_world_test.h"
#include "testing/raw_server.h"

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

using testing::ExpectOneLine;
using testing::Outcome;

using ProgramTest = testing::ProgramWorld;

constexpr const char* kCanary = "c4a4a7e1c4a4a7e1c4a4a7e1c4a4a7e1";

TEST_F(ProgramTest, BadUsageAndConfigurationAreOneLineAndExitCode2) {
  const struct {
    std::vector<const char*> words;
    const char* says;
  } cases[] = {
      {{"status"}, "does not exist"},
      {{"query", "--type=movie", "--id=550"}, "does not exist"},
      {{"query", "--type=movie"}, "--id is needed"},
      {{"query", "--id=550"}, "--type is needed"},
      {{"query", "--type=film", "--id=550"}, "'film' is not a media type"},
      {{"query", "--type=", "--id=1"}, "--type has an empty value"},
      {{"query", "--type", "", "--id=1"}, "--type has an empty value"},
      {{"status", "--data-dir=", "--json"}, "--data-dir has an empty value"},
      {{"status", "--data-dir=file:///tmp/x"}, "DATA_DIR is 'file:///tmp/x'"},
      {{"run", "--once", "--data-dir=s3://bucket/x"}, "DATA_DIR is 's3://bucket/x'"},
      {{"status", "--data-dir=~/data"}, "DATA_DIR is '~/data'"},
      {{"completions", "tcsh"}, "'tcsh' is not a shell"},
      {{"query", "--type=movie", "--id=x"}, "--id: 'x' is not an id"},
      {{"run", "--once"}, "TMDB_API_KEY is not set"},
      {{"collect"}, "TMDB_API_KEY is not set"},
      {{"verify", "--key"}, "TMDB_API_KEY is not set"},
      {{"run", "--once", "--rate-limit-requests=0"},
       "RATE_LIMIT_REQUESTS is '0' (from --rate-limit-requests)"},
      {{"harvest", "--types=movies"}, "MEDIA_TYPES is 'movies' (from --types)"},
      {{"harvest", "--mode=changes"}, "TMDB_API_KEY is not set"},
      {{"harvest", "--since=2026-11-01"}, "--since goes with --mode=changes"},
      {{"harvest", "--mode=changes", "--since=yesterday"}, "--since is 'yesterday': use a day of the form"},
      {{"harvest", "--mode=changes", "--until=2012-10-04"}, "from 2012-10-05 on"},
      {{"harvest", "--mode=changes", "--limit=3"}, "--limit goes with the exports"},
      {{"harvest", "--mode=changes", "--types=collection"}, "only movie, tv and person have a change feed"},
      {{"harvest", "--mode=changes", "--since=2026-11-05", "--until=2026-11-01"},
       "--until is before --since"},
      {{"harvest", "--types=movie", "--ids=550", "--accept-gap"}, "--accept-gap goes with a harvest"},
      {{"harvest", "--mode=all"}, "--mode is 'all'"},
      {{"harvest", "--mode=ids", "--types=movie"}, "--ids is needed"},
      {{"harvest", "--ids=550"}, "name it with --types"},
      {{"harvest", "--types=movie", "--ids=550,,551"}, "--ids"},
      {{"harvest", "--types=movie", "--ids=550,abc"}, "'abc'"},
      {{"harvest", "--mode=export", "--ids=1"}, "--ids goes with"},
      {{"harvest", "--limit=-1"}, "--limit"},
      {{"harvest", "--data-dir=/dev/null"}, "is a file"},
      {{"queue", "purge"}, "--yes"},
      {{"queue", "list", "--limit=0"}, "--limit is '0'"},
      {{"queue", "list", "--type=film"}, "'film'"},
      {{"queue", "list", "--type=season"}, "--type is 'season': seasons and episodes are never queued"},
      {{"queue", "dead", "--type=episode"}, "--type is 'episode': seasons and episodes are never queued"},
      {{"queue", "redrive"}, "does not exist"},
      {{"run", "--once", "--upstream"}, "--upstream goes with --serve"},
      {{"verify", "--upgrade"}, "--upgrade goes with --rebuild"},
      {{"tables", "--rebuild", "--check"}, "one at a time"},
      {{"status", "--config=absent.toml"}, "absent.toml"},
      {{"trigger", "x.json"}, "read x.json"},
  };
  for (const auto& [words, says] : cases) ExpectOneLine(Run(words), 2, says);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(ProgramTest, AFolderOfSomebodyElseIsRefused) {
  fs::create_directory("data");
  std::ofstream("data/thesis.tex") << "x";
  ExpectOneLine(Run({"harvest"}), 2, "not empty");
  ExpectOneLine(Run({"status"}), 2, "not empty");
  ExpectOneLine(Run({"verify", "--rebuild"}), 2, "not empty");
}

TEST_F(ProgramTest, ACatalogThatIsNoDatabaseMakesTheStoreUnusable) {
  fs::create_directory("data");
  std::ofstream("data/catalog.db") << std::string(8192, 'x');
  for (const char* command : {"status", "harvest", "verify"}) ExpectOneLine(Run({command}), 3, "catalog.db");
}

TEST_F(ProgramTest, IdsOfACommandLineAreQueuedListedAndForgotten) {
  Outcome harvest = Run({"harvest", "--types=movie", "--ids=551,550,550", "--log-level=error"});
  EXPECT_EQ(harvest.code, 0) << harvest.err;
  EXPECT_EQ(Run({"queue", "list", "--json"}).out,
            "{\"type\":\"movie\",\"id\":550,\"popularity\":100000000000}\n{\"type\":\"movie\",\"id\":551,"
            "\"popularity\":100000000000}\n");
  EXPECT_EQ(Run({"queue", "list", "--limit=1"}).out, "movie:550                popularity 100000000000\n");
  EXPECT_EQ(Run({"queue", "list", "--type=tv"}).out, "nothing is waiting\n");
  EXPECT_EQ(Run({"queue", "dead"}).out, "no dead letters\n");
  const Outcome status = Run({"status", "--json"});
  EXPECT_EQ(status.code, 0);
  EXPECT_NE(status.out.find("\"queue\":{\"waiting\":2,"), std::string::npos) << status.out;
  EXPECT_EQ(Run({"queue", "purge", "--yes"}).out, "2 queued ids are forgotten\n");
  EXPECT_EQ(Run({"queue", "list"}).out, "nothing is waiting\n");
}

TEST_F(ProgramTest, AnUnknownIdIsExitCode1) {
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error"}).code, 0);
  ExpectOneLine(Run({"query", "--type=movie", "--id=550"}), 1, "movie:550 is not in the store");
  ExpectOneLine(Run({"query", "--type=episode", "--id=1399/season/1/episode/2", "--envelope"}), 1,
                "not in the store");
}

TEST_F(ProgramTest, AnEmptyStoreVerifies) {
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error"}).code, 0);
  for (const char* how : {"--json", "--deep", "--rebuild"}) EXPECT_EQ(Run({"verify", how}).code, 0) << how;
}

TEST_F(ProgramTest, AnUpstreamThatIsNotThereIsExitCode3) {
  ::setenv("TMDB_API_KEY", kCanary, 1);
  // Nothing listens on port 1.
  ExpectOneLine(Run({"verify", "--key", "--tmdb-api-base-url=http://127.0.0.1:1/3"}), 3,
                "try the key at http://127.0.0.1:1/3");
}

TEST_F(ProgramTest, OnlyTmdbCanSayThatAKeyIsGood) {
  ::setenv("TMDB_API_KEY", kCanary, 1);
  const struct {
    const char *body, *status;
    int code;
    const char* says;
  } cases[] = {
      {"<html>Please log in</html>", "200 OK", 3, "HTML or XML instead of JSON, which is nothing that TMDB answers"},
      {R"({"login":"https://hotel.example"})", "200 OK", 3, "check TMDB_API_BASE_URL"},
      {"<html>moved</html>", "302 Found", 3, "HTTP 302, which is nothing that TMDB answers"},
      {"<html>who are you?</html>", "401 Unauthorized", 3, "HTTP 401, which is nothing that TMDB answers"},
      {R"({"status_code":7,"status_message":"Invalid API key","success":false})", "401 Unauthorized", 4,
       "TMDB refuses it (HTTP 401 code 7)"},
      {R"({"status_code":31,"status_message":"Account disabled","success":false})", "401 Unauthorized", 4,
       "TMDB refuses it"},
      {R"({"status_code":9,"status_message":"Service offline","success":false})", "503 Unavailable", 3, "HTTP 503"},
  };
  for (const auto& [body, status, code, says] : cases) {
    testing::RawServer server([&](testing::RawServer::Connection& c) {
      if (c.ReadRequest()) c.Answer(body, "", status);
    });
    const std::string url = "--tmdb-api-base-url=" + server.url() + "/3";
    ExpectOneLine(Run({"verify", "--key", url.c_str()}), code, says);
  }
}

TEST_F(ProgramTest, AKeyCanBeTriedBeforeTheFirstRun) {
  ::setenv("TMDB_API_KEY", kCanary, 1);
  testing::RawServer server([](testing::RawServer::Connection& c) {
    if (c.ReadRequest()) c.Answer(R"({"images":{"base_url":"http://image.tmdb.org/t/p/"}})");
  });
  const std::string url = "--tmdb-api-base-url=" + server.url() + "/3";
  const Outcome tried = Run({"verify", "--key", url.c_str()});
  EXPECT_NE(tried.out.find("key       TMDB takes it\n"), std::string::npos) << tried.out;
  EXPECT_EQ(tried.code, 2);
  EXPECT_NE(tried.err.find("does not exist: run `tmdb-collector run --once` first"), std::string::npos) << tried.err;
}

TEST_F(ProgramTest, TheKeyIsInNoOutputAndNoFile) {
  ::setenv("TMDB_API_KEY", kCanary, 1);
  std::string all;
  const std::vector<std::vector<const char*>> commands = {
      {"settings"},
      {"settings", "--markdown"},
      {"harvest", "--types=movie", "--ids=550", "--debug"},
      {"harvest", "--types=movie", "--ids=551", "--debug", "--log-format=json"},
      {"status", "--json"},
      {"queue", "list"},
      {"verify", "--key", "--debug", "--tmdb-api-base-url=http://127.0.0.1:1/3"},
      {"run", kCanary},
      {"query", "--type=movie", "--id", kCanary},
      {"query", "--type", kCanary, "--id=1"},
      {"harvest", "--mode", kCanary},
      {"status", "--data-dir", kCanary},
      {"status", "--config", kCanary},
      {"status", "--log-level", kCanary},
      {"run", "--tmdb-api-key", kCanary},
  };
  for (const auto& words : commands) {
    const Outcome outcome = Run(words);
    all += outcome.out + outcome.err;
  }
  EXPECT_NE(all.find("***"), std::string::npos);
  EXPECT_EQ(all.find(kCanary), std::string::npos) << all;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(bytes.find(kCanary), std::string::npos) << entry.path();
  }
}

TEST_F(ProgramTest, SettingsSayWhereTheyCameFrom) {
  std::ofstream(".env") << "LOG_LEVEL=warn\n";
  std::ofstream("tmdb-collector.toml") << "[collector]\nrate_limit_requests = 20\n";
  const Outcome outcome = Run({"settings", "--data-dir=/srv/tmdb"});
  EXPECT_NE(outcome.out.find("LOG_LEVEL=warn (.env:1)\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("RATE_LIMIT_REQUESTS=20 (tmdb-collector.toml:2)\n"), std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("DATA_DIR=/srv/tmdb (--data-dir)\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("COLLECTION_INTERVAL=1440 (default)\n"), std::string::npos) << outcome.out;
  EXPECT_TRUE(
      outcome.out.ends_with("\nschedule collection=rate(1440 minutes), mode auto, types movie,tv,person "
                            "(COLLECTION_INTERVAL)\n"))
      << outcome.out;
}

TEST_F(ProgramTest, SettingsListTheSchedules) {
  std::ofstream("tmdb-collector.toml")
      << "media_types = ['movie', 'tv']\n\n[[schedule]]\nname = 'exports'\nexpression = 'cron(30 9 * * ? "
         "*)'\n"
         "timezone = 'Europe/Berlin'\nmode = 'export'\nlimit = 10000\n\n[[schedule]]\nname = 'changes'\n"
         "expression = 'rate(2 hours)'\nmode = 'changes'\ntypes = 'movie'\n";
  const Outcome text = Run({"settings"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_TRUE(text.out.ends_with(
      "\nschedule exports=cron(30 9 * * ? *) Europe/Berlin, mode export, types movie,tv, limit 10000 "
      "(tmdb-collector.toml:3)\n"
      "schedule changes=rate(2 hours), mode changes, types movie (tmdb-collector.toml:10)\n"))
      << text.out;
  const Outcome json = Run({"settings", "--json"});
  EXPECT_TRUE(json.out.starts_with(R"({"settings":[{"name":"TMDB_API_KEY","value":"","source":"default"},)"))
      << json.out;
  EXPECT_NE(json.out.find(R"({"name":"MEDIA_TYPES","value":"movie,tv","source":"tmdb-collector.toml:1"})"),
            std::string::npos)
      << json.out;
  EXPECT_TRUE(json.out.ends_with(
      R"j("schedules":[{"name":"exports","expression":"cron(30 9 * * ? *)","timezone":"Europe/Berlin",)j"
      R"j("mode":"export","types":["movie","tv"],"limit":10000,"source":"tmdb-collector.toml:3"},)j"
      R"j({"name":"changes","expression":"rate(2 hours)","timezone":"UTC","mode":"changes",)j"
      R"j("types":["movie"],"limit":null,"source":"tmdb-collector.toml:10"}]})j"
      "\n"))
      << json.out;
}

TEST_F(ProgramTest, SettingsTellASecretToNobodyInJsonEither) {
  ::setenv("TMDB_API_KEY", kCanary, 1);
  EXPECT_TRUE(Run({"settings", "--json"})
                  .out.starts_with(
                      R"({"settings":[{"name":"TMDB_API_KEY","value":"***","source":"the environment"},)"));
}

TEST_F(ProgramTest, AnErrorIsALineOfTheLogInItsForm) {
  ::setenv("LOG_FORMAT", "json", 1);
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error"}).code, 0);
  const struct {
    std::vector<const char*> words;
    int code;
    const char* message;
  } cases[] = {
      {{"query", "--type=movie", "--id=551"}, 1, "movie:551 is not in the store"},
      {{"query", "--type=film", "--id=551"}, 2, "--type: 'film' is not a media type"},
      {{"status", "--data-dir=absent"}, 2, "DATA_DIR absent does not exist"},
      {{"harvst"}, 2, "'harvst' is not a command"},
      {{"run", "--rate-limit-requests=0"}, 2, "RATE_LIMIT_REQUESTS is '0'"},
  };
  for (const auto& [words, code, message] : cases) {
    const Outcome outcome = Run(words);
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("{\"time\":\"")) << outcome.err;
    EXPECT_TRUE(outcome.err.ends_with("\"}\n")) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
    EXPECT_NE(outcome.err.find(fmt::format("\"level\":\"error\",\"message\":\"{}", message)),
              std::string::npos)
        << outcome.err;
  }
  ::unsetenv("LOG_FORMAT");
  EXPECT_TRUE(Run({"status", "--data-dir=absent", "--log-format=json"}).err.starts_with("{"));
  EXPECT_TRUE(Run({"harvst", "--log-format=json"}).err.starts_with("{"));
  EXPECT_TRUE(Run({"status", "--data-dir=absent", "--log-format=text"}).err.starts_with("tmdb-collector: "));
}

TEST_F(ProgramTest, DebugTellsEverySettingOfEveryCommand) {
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error"}).code, 0);
  for (const auto& words : std::vector<std::vector<const char*>>{
           {"status", "--debug"}, {"query", "--type=movie", "--id=550", "--debug"}, {"verify", "--debug"}}) {
    const Outcome outcome = Run(words);
    EXPECT_NE(outcome.err.find("LOG_LEVEL=debug (--debug)"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("RATE_LIMIT_REQUESTS=3 (default)"), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(Run({"status"}).err, "");
}

TEST_F(ProgramTest, ANameInSmallLettersInEnvIsRefusedWithAHint) {
  std::ofstream(".env") << "tmdb_api_key=" << kCanary << "\n";
  ExpectOneLine(Run({"settings"}), 2,
                "tmdb_api_key is not a setting (from .env:1): in capitals, TMDB_API_KEY, it is one");
}

TEST_F(ProgramTest, TheNextStepCanBePastedIntoAShell) {
  const Outcome harvest =
      Run({"harvest", "--types=movie", "--ids=550", "--data-dir=my data", "--log-level=error"});
  EXPECT_TRUE(harvest.out.ends_with(" collect --data-dir='my data'\n")) << harvest.out;
}

TEST_F(ProgramTest, VerifySaysWhetherTheKeyWasTried) {
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error"}).code, 0);
  EXPECT_NE(Run({"verify"}).out.find("not tried (--key tries it)"), std::string::npos);
  EXPECT_NE(Run({"verify", "--json"}).out.find("\"key\":\"not tried\""), std::string::npos);
}

TEST_F(ProgramTest, SettingsAreAmongTheCommandsOfTheHelp) {
  EXPECT_NE(Run({"--help"}).out.find("  settings "), std::string::npos);
}

TEST_F(ProgramTest, AloneItSaysWhichThreeCommandsOneNeedsFirst) {
  const Outcome alone = Run({});
  EXPECT_EQ(alone.code, 0);
  EXPECT_EQ(alone.err, "");
  const auto run = alone.out.find("tmdb-collector run --once"),
             query = alone.out.find("tmdb-collector query"), status = alone.out.find("tmdb-collector status"),
             others = alone.out.find("The others: ");
  EXPECT_TRUE(run < query && query < status && status < others) << alone.out;
}

// SQLite would take such a name for a URI, and put catalog.db elsewhere than the records.
TEST_F(ProgramTest, AFolderWhoseNameBeginsLikeAUriIsAFolder) {
  EXPECT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--data-dir=file-x:y"}).code, 0);
  EXPECT_TRUE(fs::exists("file-x:y/catalog.db"));
  ExpectOneLine(Run({"harvest", "--types=movie", "--ids=550", "--data-dir=file:x"}), 2,
                "DATA_DIR is 'file:x'");
  EXPECT_FALSE(fs::exists("x"));
}

TEST_F(ProgramTest, ItSaysWhetherThereIsAKeyWhereverItStands) {
  const std::string key = kCanary;
  EXPECT_EQ(Run({"settings", "--has-key"}).code, 1);
  const std::pair<const char*, std::string> files[] = {
      {".env", "\xef\xbb\xbfTMDB_API_KEY=" + key + "\n"},
      {".env", "TMDB_API_KEY=\"" + key + "\"\r\n"},
      {".env", "export TMDB_API_KEY='" + key + "'"},
      {"tmdb-collector.toml", "tmdb_api_key = \"" + key + "\"\n"}};
  for (const auto& [name, text] : files) {
    std::ofstream(name, std::ios::binary) << text;
    const Outcome has = Run({"settings", "--has-key"});
    EXPECT_EQ(has.code, 0) << text << has.err;
    EXPECT_EQ(has.out, "");
    fs::remove(name);
  }
  for (const char* text : {"TMDB_API_KEY=\n", "TMDB_API_KEY=\"\"\n", "OTHER=1\n"}) {
    std::ofstream(".env") << text;
    EXPECT_EQ(Run({"settings", "--has-key"}).code, 1) << text;
  }
}

TEST_F(ProgramTest, LinesOfOtherProgramsInEnvAreTheirs) {
  std::ofstream(".env") << "FOO.BAR=1\nnpm_config_x-y=1\nLANGUAGE=de\nCOMPOSE_PROFILES\nLOG_FORMAT=json\n";
  EXPECT_EQ(Run({"settings"}).code, 0);
  std::ofstream(".env") << "RATE_LIMIT_REQUEST=5\n";
  ExpectOneLine(Run({"settings"}), 2, "did you mean RATE_LIMIT_REQUESTS?");
}

TEST_F(ProgramTest, AFileInAForeignEncodingIsNamedSo) {
  std::ofstream(".env", std::ios::binary) << std::string_view("\xff\xfeL\0O\0", 6);
  ExpectOneLine(Run({"settings"}), 2, "UTF-16");
}

TEST_F(ProgramTest, WatchedWithoutATerminalItSendsNoEscapes) {
  std::ofstream(".env") << "";
  EXPECT_EQ(Run({"harvest", "--types=movie", "--ids=550"}).code, 0);
  EXPECT_EQ(Run({"status"}).out.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace tmdbc
