// SPDX-License-Identifier: MIT
#include "settings/env_file.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

// The variables as "NAME=value@line" for comparison.
std::vector<std::string> Parse(std::string_view text) {
  const auto parsed = ParseEnvFile(text, ".env");
  if (!parsed) return {"error: " + parsed.error().message};
  std::vector<std::string> lines;
  for (const GivenSetting& given : *parsed)
    lines.push_back(fmt::format("{}={}@{}", given.name, given.text, given.source));
  return lines;
}

using Lines = std::vector<std::string>;

TEST(EnvFile, KnowsPlainLinesCommentsAndExport) {
  EXPECT_EQ(Parse("# the key\nTMDB_API_KEY=abc\n\n  export LOG_LEVEL = debug  \r\nDATA_DIR=./my data # "
                  "here\nURL=http://host/#top\nEMPTY=\n"),
            (Lines{"TMDB_API_KEY=abc@.env:2", "LOG_LEVEL=debug@.env:4", "DATA_DIR=./my data@.env:5",
                   "URL=http://host/#top@.env:6", "EMPTY=@.env:7"}));
}

TEST(EnvFile, TakesTheLastLineWithoutALineBreakAndSkipsAByteOrderMark) {
  EXPECT_EQ(Parse("\xef\xbb\xbf"
                  "A=1\nB=2"),
            (Lines{"A=1@.env:1", "B=2@.env:2"}));
}

TEST(EnvFile, QuotesKeepBlanksAndComments) {
  EXPECT_EQ(Parse("A=' a # b \\n'\nB=\"x \\\"y\\\" \\\\ $HOME\" # said\nC=\"one\ntwo\"\nD=4\n"),
            (Lines{"A= a # b \\n@.env:1", "B=x \"y\" \\ $HOME@.env:2", "C=one\ntwo@.env:3", "D=4@.env:5"}));
}

TEST(EnvFile, AVariableCalledExportIsStillAVariable) {
  EXPECT_EQ(Parse("export=1\n"), (Lines{"export=1@.env:1"}));
}

TEST(EnvFile, NamesTheLineOfAMistakeAndNeverItsText) {
  for (const std::string_view text :
       {"A=1\ncanary\n", "A=1\n=canary\n", "A=1\n1canary=2\n", "A=1\nB='canary\n",
        "A=1\nB=\"canary\" canary\n", "A=1\ncan-ary=1\n", "A=1\nexport canary\n"}) {
    const auto parsed = ParseEnvFile(text, "conf/.env");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(parsed.error().message.starts_with("conf/.env:2: ")) << parsed.error().message;
    EXPECT_EQ(parsed.error().message.find("canary"), std::string::npos) << parsed.error().message;
  }
}

TEST(EnvFile, RefusesNulBytes) {
  EXPECT_FALSE(ParseEnvFile(std::string_view("A=\0b\n", 5), ".env"));
  EXPECT_FALSE(ParseEnvFile(std::string_view("\0\0\0", 3), ".env"));
}

}  // namespace
}  // namespace tmdbc
