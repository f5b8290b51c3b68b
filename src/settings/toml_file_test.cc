// SPDX-License-Identifier: MIT
#include "settings/toml_file.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

std::vector<std::string> Parse(std::string_view text) {
  const auto parsed = ParseTomlSettings(text, "c.toml");
  if (!parsed) return {"error: " + parsed.error().message};
  std::vector<std::string> lines;
  for (const GivenSetting& given : *parsed)
    lines.push_back(fmt::format("{}={}@{}", given.name, given.text, given.source));
  return lines;
}

using Lines = std::vector<std::string>;

TEST(TomlFile, TakesEveryKindOfValueUnderItsHeading) {
  EXPECT_EQ(
      Parse(
          "[tmdb]\ntmdb_api_key = 'abc'\n[collector]\nrate_limit_requests = 2.5\ncollector_concurrency = 20\n"
          "[harvester]\nmedia_types = [\"movie\", \"tv\"]\ninclude_adult = true\n"),
      (Lines{"TMDB_API_KEY=abc@c.toml:2", "RATE_LIMIT_REQUESTS=2.5@c.toml:4",
             "COLLECTOR_CONCURRENCY=20@c.toml:5", "MEDIA_TYPES=movie,tv@c.toml:7",
             "INCLUDE_ADULT=true@c.toml:8"}));
}

TEST(TomlFile, AKeyMeansTheSameUnderEachHeadingAndUnderNone) {
  EXPECT_EQ(Parse("data_dir = 'here'\n[storage]\nlog_level = 'warn'\n"),
            (Lines{"DATA_DIR=here@c.toml:1", "LOG_LEVEL=warn@c.toml:3"}));
}

TEST(TomlFile, AnEmptyTextCountsAsNotGiven) {
  EXPECT_EQ(Parse("s3_bucket_name = ''\n"), Lines{});
}

struct Mistake {
  const char* text;
  const char* message;
};

class TomlMistake : public ::testing::TestWithParam<Mistake> {};
TEST_P(TomlMistake, IsNamedWithItsPlace) {
  const auto parsed = ParseTomlSettings(GetParam().text, "c.toml");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(parsed.error().message, GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(
    Table, TomlMistake,
    ::testing::Values(
        Mistake{"[collector]\nrate_limit = 3\n", "c.toml:2: rate_limit is not a setting"},
        Mistake{"[collector]\nrate_limit_request = 3\n",
                "c.toml:2: rate_limit_request is not a setting, did you mean rate_limit_requests?"},
        Mistake{"RATE_LIMIT_REQUESTS = 3\n",
                "c.toml:1: RATE_LIMIT_REQUESTS is not a setting, did you mean rate_limit_requests?"},
        Mistake{"[colector]\nrate_limit_requests = 3\n",
                "c.toml:1: colector is not a section, did you mean collector?"},
        Mistake{"data_dir = 'a'\n[storage]\ndata_dir = 'b'\n",
                "c.toml:3: data_dir is given twice (also at c.toml:1)"},
        Mistake{"data_dir = 2026-11-22\n",
                "c.toml:1: data_dir must be a text, a number, true, false or a list of texts"},
        Mistake{"media_types = ['movie', 3]\n", "c.toml:1: media_types holds something that is not a text"},
        Mistake{"[schedule]\nname = 'n'\n",
                "c.toml:1: a schedule begins with [[schedule]] on a line of its own"},
        Mistake{"schedule = 'rate(1 hour)'\n",
                "c.toml:1: a schedule begins with [[schedule]] on a line of its own"},
        Mistake{"[[schedule]]\nname = 2026-11-22\n",
                "c.toml:2: name must be a text, a number, true, false or a list of texts"},
        Mistake{"[storage.data_dir]\nx = 1\n",
                "c.toml:1: data_dir must be a text, a number, true, false or a list of texts"}));

TEST(TomlFile, AMistakeInTheSyntaxIsNamedWithItsLine) {
  const auto parsed = ParseTomlSettings("[collector]\nrate_limit_requests = \n", "c.toml");
  ASSERT_FALSE(parsed);
  EXPECT_TRUE(parsed.error().message.starts_with("c.toml:2: not valid TOML")) << parsed.error().message;
}

TEST(TomlFile, AMistakeNearTheKeyDoesNotShowIt) {
  for (const std::string_view text :
       {"tmdb_api_key = canary0123\n", "tmdb_api_key = \"canary0123\n",
        "tmdb_api_key = \"canary0123\" canary0123", "canary0123\n[tmdb]\ntmdb_api_key = 1"}) {
    const auto parsed = ParseTomlSettings(text, "c.toml");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message.find("canary"), std::string::npos) << parsed.error().message;
  }
}

}  // namespace
}  // namespace tmdbc
