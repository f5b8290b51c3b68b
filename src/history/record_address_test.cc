// SPDX-License-Identifier: MIT
#include "history/record_address.h"

#include <gtest/gtest.h>

#include "tmdb/detail_fetch.h"

namespace tmdbc {
namespace {

TEST(RecordAddress, IsAnIdOfEveryType) {
  for (const std::string_view type :
       {"movie", "tv", "season", "episode", "person", "collection", "company", "network", "keyword"}) {
    const auto address = ParseRecordAddress(type, "550");
    ASSERT_TRUE(address) << address.error().message;
    EXPECT_EQ(Name(address->type), type);
    EXPECT_EQ(address->id, 550);
    EXPECT_FALSE(address->by_place);
  }
}

TEST(RecordAddress, OfASeasonOrAnEpisodeIsAlsoItsPlaceInTheShow) {
  const auto season = ParseRecordAddress("season", "1399/season/0");
  ASSERT_TRUE(season);
  EXPECT_TRUE(season->by_place);
  EXPECT_EQ(season->tv_id, 1399);
  EXPECT_EQ(season->season_number, 0);
  const auto episode = ParseRecordAddress("episode", "1399/season/1/episode/2");
  ASSERT_TRUE(episode);
  EXPECT_EQ(episode->season_number, 1);
  EXPECT_EQ(episode->episode_number, 2);
}

TEST(RecordAddress, OfAConfigurationListIsItsPathOrItsNumber) {
  const auto path = ParseRecordAddress("configuration", ConfigurationPaths()[2]);
  ASSERT_TRUE(path);
  EXPECT_EQ(path->id, 3);
  EXPECT_EQ(ParseRecordAddress("configuration", "3")->id, 3);
}

struct Mistake {
  const char* type;
  const char* id;
};
class RecordAddressMistake : public ::testing::TestWithParam<Mistake> {};
TEST_P(RecordAddressMistake, IsRefusedInOneSentence) {
  const auto address = ParseRecordAddress(GetParam().type, GetParam().id);
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(address.error().message.starts_with("'")) << address.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    Table, RecordAddressMistake,
    ::testing::Values(Mistake{"film", "550"}, Mistake{"movie", "0"}, Mistake{"movie", "-1"},
                    Mistake{"movie", "550x"}, Mistake{"movie", "9007199254740993"},
                    Mistake{"movie", "99999999999999999999"}, Mistake{"movie", "1399/season/1"},
                    Mistake{"season", "1399/season"}, Mistake{"season", "1399/season/"},
                    Mistake{"season", "1399/season/1/episode/2"}, Mistake{"season", "1399/saison/1"},
                    Mistake{"season", "1399/season/-1"}, Mistake{"episode", "1399/season/1"},
                    Mistake{"episode", "1399/season/1/episode/2/"},
                    Mistake{"episode", "1399/season/1/episode/2/3"}, Mistake{"configuration", "0"},
                    Mistake{"configuration", "999"}, Mistake{"configuration", "genre/film/list"}));

}  // namespace
}  // namespace tmdbc
