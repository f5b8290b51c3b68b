// SPDX-License-Identifier: MIT
#include "app/command_line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/version.h"

namespace tmdbc {
namespace {

Result<std::variant<Invocation, HelpText>> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "tmdb-collector");
  return ParseCommandLine(int(words.size()), words.data());
}

Invocation Invoke(std::vector<const char*> words) {
  auto parsed = Parse(std::move(words));
  if (!parsed) {
    ADD_FAILURE() << parsed.error().message;
    return {};
  }
  return std::get<Invocation>(*parsed);
}

std::string Help(std::vector<const char*> words) {
  const auto parsed = Parse(std::move(words));
  return parsed && std::holds_alternative<HelpText>(*parsed) ? std::get<HelpText>(*parsed).text : "no help";
}

std::string ErrorOf(std::vector<const char*> words) {
  const auto parsed = Parse(std::move(words));
  if (parsed) return "no error";
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
  return parsed.error().message;
}

TEST(CommandLine, FindsTheCommandAndItsFlags) {
  const Invocation query = Invoke({"query", "--type=season", "--id", "1399/season/1", "--envelope"});
  EXPECT_EQ(query.command->name, "query");
  EXPECT_EQ(query.arguments.Get("--type"), "season");
  EXPECT_EQ(query.arguments.Get("--id"), "1399/season/1");
  EXPECT_TRUE(query.arguments.Has("--envelope"));
  EXPECT_EQ(Invoke({"queue", "dead", "--json"}).command->name, "queue dead");
}

TEST(CommandLine, TakesSettingsAsFlagsBeforeAndAfterTheCommand) {
  for (const auto& words : std::vector<std::vector<const char*>>{
           {"--rate-limit-requests=40", "run", "--once"}, {"run", "--once", "--rate-limit-requests", "40"}}) {
    const Invocation run = Invoke(words);
    ASSERT_EQ(run.flags.size(), 1u);
    EXPECT_EQ(run.flags[0].name, "RATE_LIMIT_REQUESTS");
    EXPECT_EQ(run.flags[0].text, "40");
    EXPECT_EQ(run.flags[0].source, "--rate-limit-requests");
    EXPECT_TRUE(run.arguments.Has("--once"));
  }
  EXPECT_EQ(Invoke({"queue", "list", "--data-dir=x"}).flags.at(0).name, "DATA_DIR");
}

TEST(CommandLine, EverySettingButTheKeyIsAFlag) {
  for (const Setting& setting : SettingsTable()) {
    const std::string flag = FlagOf(setting) + "=x";
    const auto parsed = Parse({"run", flag.c_str()});
    EXPECT_EQ(parsed.has_value(), !setting.secret) << flag;
  }
}

TEST(CommandLine, TypesAreTheMediaTypesOfOneRun) {
  const Invocation harvest = Invoke({"harvest", "--types=movie,tv"});
  ASSERT_EQ(harvest.flags.size(), 1u);
  EXPECT_EQ(harvest.flags[0].name, "MEDIA_TYPES");
  EXPECT_EQ(harvest.flags[0].source, "--types");
}

TEST(CommandLine, TheLastOfAFlagGivenTwiceCounts) {
  EXPECT_EQ(Invoke({"run", "--data-dir=a", "--data-dir=b"}).flags.at(0).text, "b");
  EXPECT_EQ(Invoke({"query", "--id=1", "--id=2"}).arguments.Get("--id"), "2");
}

TEST(CommandLine, ConfigAndDebugGoEverywhere) {
  EXPECT_EQ(Invoke({"--config=a.toml", "status"}).config_path, "a.toml");
  EXPECT_EQ(Invoke({"status", "--config", "a.toml"}).config_path, "a.toml");
  const Invocation debug = Invoke({"queue", "list", "--debug"});
  ASSERT_EQ(debug.flags.size(), 1u);
  EXPECT_EQ(debug.flags[0].text, "debug");
}

struct BadLine {
  std::vector<const char*> words;
  const char* message;
};

class CommandLineMistake : public ::testing::TestWithParam<BadLine> {};
TEST_P(CommandLineMistake, IsOneSentenceWithAHint) {
  EXPECT_EQ(ErrorOf(GetParam().words), GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(
    Table, CommandLineMistake,
    ::testing::Values(
        BadLine{{"harvst"}, "'harvst' is not a command, did you mean harvest?"},
        BadLine{{"triger", "x.json"}, "'triger' is not a command, did you mean trigger?"},
        BadLine{{"change", "--since=0"}, "'change' is not a command, did you mean changes?"},
        BadLine{{"ask"}, "'ask' is not a command; see --help"},
        BadLine{{"queue"}, "queue what: list, dead, redrive or purge?"},
        BadLine{{"queue", "lst"}, "'lst' is not a command of queue, did you mean list?"},
        BadLine{{"run", "--onec"}, "--onec is not a flag of run, did you mean --once?"},
        BadLine{{"run", "--rate-limit-request=3"},
                "--rate-limit-request is not a flag of run, did you mean --rate-limit-requests?"},
        BadLine{{"query", "--tpye=movie", "--id=550"}, "--tpye is not a flag of query, did you mean --type?"},
        BadLine{{"query", "--type=movie", "--id=550", "--histroy"},
                "--histroy is not a flag of query, did you mean --history?"},
        BadLine{{"help", "rnu"}, "'rnu' is not a command, did you mean run?"},
        BadLine{{"--debug"}, "which command? tmdb-collector --help lists them"},
        BadLine{{"--config", "status"}, "which command? tmdb-collector --help lists them"},
        BadLine{{"run", "--data-dir", "--once"}, "--data-dir needs a value; see --help"},
        BadLine{{"query", "--type", "--id=1"}, "--type needs a value; see --help"},
        BadLine{{"--config", "--debug", "status"}, "--config needs a value; see --help"},
        BadLine{{"trigger", ""}, "FILE is empty; see --help"},
        BadLine{{"status", "--", "--json"}, "'--json' is one word too many; see --help"},
        BadLine{{"query", "--id"}, "--id needs a value; see --help"},
        BadLine{{"run", "--once=maybe"}, "--once takes no value; see --help"},
        BadLine{{"run", "now"}, "'now' is one word too many; see --help"},
        BadLine{{"--frobnicate"}, "--frobnicate is not a flag; see --help"},
        BadLine{{"run", "-x"}, "-x is not a flag of run; see --help"}));

TEST(CommandLine, TheKeyIsRefusedAsAFlagAndNeverRepeated) {
  const std::string error = ErrorOf({"run", "--tmdb-api-key=canary"});
  EXPECT_NE(error.find("TMDB_API_KEY"), std::string::npos) << error;
  EXPECT_EQ(error.find("canary"), std::string::npos) << error;
  EXPECT_EQ(ErrorOf({"run", "0123456789abcdef0123456789abcdef"}).find("0123"), std::string::npos);
  EXPECT_EQ(ErrorOf({"run", "--key=0123456789abcdef0123456789abcdef"}).find("0123"), std::string::npos);
}

TEST(CommandLine, PrintsItsVersion) {
  EXPECT_EQ(Help({"--version"}), "tmdb-collector " + std::string(kVersion) + "\n");
}

TEST(CommandLine, HelpAndVersionAreCommandsToo) {
  EXPECT_EQ(Help({"version"}), Help({"--version"}));
  EXPECT_EQ(Help({"help"}), Help({"--help"}));
  EXPECT_EQ(Help({"help", "run"}), Help({"run", "--help"}));
  EXPECT_EQ(Help({"help", "queue", "list"}), Help({"queue", "list", "--help"}));
}

TEST(CommandLine, TheVersionIsThatOfTheBuildFile) {
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  std::ifstream file(std::string(source) + "/CMakeLists.txt");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_NE(text.find(fmt::format("VERSION {} ", kVersion)), std::string::npos);
  EXPECT_TRUE(kUserAgent.ends_with(kVersion));
}

// All help texts as people see them. To renew the file after a change: TMDBC_RENEW=1
// app_test --gtest_filter='*HelpTexts*'.
TEST(CommandLine, HelpTextsAreAsRecorded) {
  std::string all = "$ tmdb-collector --help\n" + Help({"--help"}) + "$ tmdb-collector queue --help\n" +
                    Help({"queue", "--help"});
  for (const Command& command : CommandTable()) {
    const std::string name(command.name);
    const auto blank = name.find(' ');
    const std::string first = name.substr(0, blank);
    const std::string second = blank == std::string::npos ? "" : name.substr(blank + 1);
    all += "$ tmdb-collector " + name + " --help\n";
    all += second.empty() ? Help({first.c_str(), "--help"}) : Help({first.c_str(), second.c_str(), "--help"});
  }
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  const std::string path = std::string(source) + "/src/app/testdata/help.txt";
  if (std::getenv("TMDBC_RENEW")) std::ofstream(path) << all;
  std::ifstream file(path);
  EXPECT_EQ(all, std::string((std::istreambuf_iterator<char>(file)), {}));
}

}  // namespace
}  // namespace tmdbc
