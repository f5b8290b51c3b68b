// SPDX-License-Identifier: MIT
#include "settings/env_file.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

// The variables as "NAME=value@line" for comparison.
std::vector<std::string> Parsed(std::string_view text) {
  const auto parsed = ParseEnvFile(text, ".env");
  if (!parsed) return {"error: " + parsed.error().message};
  std::vector<std::string> lines;
  for (const GivenSetting& given : *parsed)
    lines.push_back(fmt::format("{}={}@{}", given.name, given.text, given.source));
  return lines;
}

using Lines = std::vector<std::string>;

TEST(EnvFile, KnowsPlainLinesCommentsAndExport) {
  EXPECT_EQ(Parsed("# the key\nTMDB_API_KEY=abc\n\n  export LOG_LEVEL = debug  \r\nDATA_DIR=./my data # "
                  "here\nURL=http://host/#top\nEMPTY=\n"),
            (Lines{"TMDB_API_KEY=abc@.env:2", "LOG_LEVEL=debug@.env:4", "DATA_DIR=./my data@.env:5",
                   "URL=http://host/#top@.env:6", "EMPTY=@.env:7"}));
}

TEST(EnvFile, TakesTheLastLineWithoutALineBreakAndSkipsAByteOrderMark) {
  EXPECT_EQ(Parsed("\xef\xbb\xbf"
                  "A=1\nB=2"),
            (Lines{"A=1@.env:1", "B=2@.env:2"}));
}

TEST(EnvFile, QuotesKeepBlanksAndComments) {
  EXPECT_EQ(Parsed("A=' a # b \\n'\nB=\"x \\\"y\\\" \\\\ $HOME\" # said\nC=\"one\ntwo\"\nD=4\n"),
            (Lines{"A= a # b \\n@.env:1", "B=x \"y\" \\ $HOME@.env:2", "C=one\ntwo@.env:3", "D=4@.env:5"}));
}

TEST(EnvFile, AVariableCalledExportIsStillAVariable) {
  EXPECT_EQ(Parsed("export=1\n"), (Lines{"export=1@.env:1"}));
}

TEST(EnvFile, NamesTheLineOfAMistakeAndNeverItsText) {
  for (const std::string_view text : {"A=1\nTMDB_API_KEY canary\n", "A=1\nTMDB_API_KEY: canary\n",
                                      "A=1\nTMDB_API_KEY='canary\n", "A=1\ntmdb_api_key=\"canary\" canary\n",
                                      "A=1\nexport TMDB_API_KEY\n", "A=1\nTMDB-API-KEY canary\n"}) {
    const auto parsed = ParseEnvFile(text, "conf/.env");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(parsed.error().message.starts_with("conf/.env:2: ")) << parsed.error().message;
    EXPECT_EQ(parsed.error().message.find("canary"), std::string::npos) << parsed.error().message;
  }
}

// Compose files, npm, Spring and shells have grammars of their own.
TEST(EnvFile, LinesOfOtherProgramsArePassedOver) {
  EXPECT_EQ(Parsed("FOO.BAR=1\nnpm_config_x-y=1\nJUST_PASSED_ON\n=odd\n1st=x\nexport OTHER\n"
                  "QUOTE='open\nAFTER=\"a\" b\nspring.datasource.url: jdbc:x\nLOG_LEVEL=debug\n"),
            (Lines{"FOO.BAR=1@.env:1", "npm_config_x-y=1@.env:2", "=odd@.env:4", "1st=x@.env:5",
                   "LOG_LEVEL=debug@.env:10"}));
}

TEST(EnvFile, RefusesNulBytes) {
  EXPECT_FALSE(ParseEnvFile(std::string_view("A=\0b\n", 5), ".env"));
  EXPECT_FALSE(ParseEnvFile(std::string_view("\0\0\0", 3), ".env"));
}

}  // namespace
}  // namespace tmdbc
