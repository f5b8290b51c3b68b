// SPDX-License-Identifier: MIT
// The real program with SEASON_APPEND_TO_RESPONSE and LANGUAGES, and videos in every language, against tmdb-sim.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "mirror.h"

namespace tmdbc {
namespace {

using namespace testing;

const Environment kShows = {{"MEDIA_TYPES", "tv"}};
const Environment kMore = {{"MEDIA_TYPES", "tv"},
                           {"SEASON_APPEND_TO_RESPONSE", "credits,images,videos"},
                           {"LANGUAGES", "de,fr"}};

std::map<Key, Line> Latest(const World& world) {
  std::map<Key, Line> latest;
  for (const Line& line : ReadStore(world.data_dir))
    if (line.type == "season" && line.data != "null") latest[KeyOf(line)] = line;
  return latest;
}

bool Has(const simdjson::dom::element& body, std::string_view name) {
  return body[name].error() == simdjson::SUCCESS;
}

TEST(SeasonExtras, ComeWithEverySeasonAndAfterItsOwnMembers) {
  const World world({"--movies=0", "--shows=12", "--people=0", "--gone=0", "--rate=0"});
  const auto run = world.Run({"run", "--once"}, kMore);
  ASSERT_EQ(run.code, 0) << run.out << run.err;
  const auto seasons = Latest(world);
  const auto truth = ReadTruth(world.truth_file, {"season"});
  ASSERT_EQ(seasons.size(), truth.size());
  simdjson::dom::parser parser;
  for (const auto& [key, line] : seasons) {
    SCOPED_TRACE(fmt::format("{} {}", key.first, key.second));
    const simdjson::dom::element body = parser.parse(line.data);
    for (const char* name : {"credits", "images", "videos", "language/de", "language/fr"}) EXPECT_TRUE(Has(body, name)) << name;
    EXPECT_FALSE(Has(body, "external_ids"));
    // What TMDB's own answer is begins the body, byte for byte.
    const auto own = line.data.find(",\"credits\":");
    ASSERT_NE(own, std::string::npos);
    EXPECT_EQ(Sha256Hex(line.data.substr(0, own) + "}"), truth.at(key));
    EXPECT_EQ(std::string(std::string_view(body["language/de"]["name"])).substr(0, 5), "[de] ");
  }
}

TEST(SeasonExtras, CostWhatTheDryRunSaysAndOneRequestMoreWhereTheyFit) {
  const World world({"--movies=0", "--shows=12", "--people=0", "--gone=0", "--rate=0"});
  ASSERT_EQ(world.Run({"run", "--once"}, kShows).code, 0);
  const auto plain = Counter(world.sim, "/api_requests");
  const World other({"--movies=0", "--shows=12", "--people=0", "--gone=0", "--rate=0"});
  Environment credits = kShows;
  credits["SEASON_APPEND_TO_RESPONSE"] = "credits";
  ASSERT_EQ(other.Run({"run", "--once"}, credits).code, 0);
  const auto seasons = std::int64_t(ReadTruth(other.truth_file, {"season"}).size());
  const auto more = Counter(other.sim, "/api_requests") - plain;
  EXPECT_GE(more, 12) << "one more a show at least";
  EXPECT_LT(more, 12 + seasons) << "not one a season: their names are appended, ten seasons a request";
}

// A later fetch without the settings takes them away again, as a version; with them nothing changes twice.
TEST(SeasonExtras, AskedForAgainAreUnchanged) {
  const World world({"--movies=0", "--shows=4", "--people=0", "--gone=0", "--rate=0"});
  ASSERT_EQ(world.Run({"run", "--once"}, kMore).code, 0);
  const auto before = ReadStore(world.data_dir).size();
  std::string ids;
  for (const auto& [key, sha] : ReadTruth(world.truth_file, {"tv"}))
    ids += fmt::format("{}{}", ids.empty() ? "" : ",", key.second);
  ASSERT_EQ(world.Run({"harvest", "--mode=ids", "--types=tv", "--ids=" + ids}, kMore).code, 0);
  ASSERT_EQ(world.Run({"collect"}, kMore).code, 0);
  EXPECT_EQ(ReadStore(world.data_dir).size(), before);
}

// TMDB gives English videos alone unless it is asked for others.
TEST(Videos, ComeInEveryLanguage) {
  const World world({"--movies=60", "--shows=0", "--people=0", "--gone=0", "--rate=0", "--foreign-videos=0.6"});
  ASSERT_EQ(world.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}}).code, 0);
  std::set<std::string> languages;
  simdjson::dom::parser parser;
  for (const Line& line : ReadStore(world.data_dir)) {
    for (const simdjson::dom::element video : parser.parse(line.data)["videos"]["results"].get_array()) {
      std::string_view language = "null";
      if (!video["iso_639_1"].is_null()) language = video["iso_639_1"];
      languages.emplace(language);
    }
  }
  EXPECT_GT(languages.size(), 5u);
  EXPECT_TRUE(languages.contains("en"));
}

}  // namespace
}  // namespace tmdbc
