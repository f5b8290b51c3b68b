// SPDX-License-Identifier: MIT
#include "tmdb/media_id.h"

#include <gtest/gtest.h>

#include <set>

namespace tmdbc {
namespace {

TEST(MediaId, EveryTypeHasANameThatReadsBack) {
  std::set<std::string_view> names;
  for (int number = 1; number <= 10; ++number) {
    const auto type = static_cast<MediaType>(number);
    const auto parsed = ParseMediaType(Name(type));
    ASSERT_TRUE(parsed.has_value()) << Name(type);
    EXPECT_EQ(*parsed, type);
    names.insert(Name(type));
  }
  EXPECT_EQ(names.size(), 10U);
}

// The numbers are in catalogs on people's disks.
TEST(MediaId, TypesKeepTheirNumbers) {
  EXPECT_EQ(static_cast<int>(MediaType::kMovie), 1);
  EXPECT_EQ(static_cast<int>(MediaType::kTv), 2);
  EXPECT_EQ(static_cast<int>(MediaType::kSeason), 3);
  EXPECT_EQ(static_cast<int>(MediaType::kPerson), 4);
  EXPECT_EQ(static_cast<int>(MediaType::kCollection), 5);
  EXPECT_EQ(static_cast<int>(MediaType::kCompany), 6);
  EXPECT_EQ(static_cast<int>(MediaType::kNetwork), 7);
  EXPECT_EQ(static_cast<int>(MediaType::kKeyword), 8);
  EXPECT_EQ(static_cast<int>(MediaType::kConfiguration), 9);
  EXPECT_EQ(static_cast<int>(MediaType::kEpisode), 10);
}

TEST(MediaId, AnUnknownTypeIsRefusedWithTheNamesThatAreAllowed) {
  for (const std::string_view name : {"", "film", "Movie", "movie ", "movies"}) {
    const auto parsed = ParseMediaType(name);
    ASSERT_FALSE(parsed.has_value()) << name;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
    EXPECT_NE(parsed.error().message.find("movie, tv, season, person"), std::string::npos)
        << parsed.error().message;
  }
}

TEST(MediaId, IsWrittenAsTypeAndNumber) {
  EXPECT_EQ(ToString({MediaType::kMovie, 550}), "movie:550");
  EXPECT_EQ(ToString({MediaType::kEpisode, 185472180051}), "episode:185472180051");
}

TEST(MediaId, SortsByTypeAndThenByNumber) {
  const std::set<MediaId> ids = {{MediaType::kTv, 1}, {MediaType::kMovie, 9}, {MediaType::kMovie, 2}};
  std::string order;
  for (const MediaId id : ids) order += ToString(id) + " ";
  EXPECT_EQ(order, "movie:2 movie:9 tv:1 ");
}

}  // namespace
}  // namespace tmdbc
