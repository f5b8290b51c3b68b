// SPDX-License-Identifier: MIT
#include "tmdb/configuration_lists.h"

#include <gtest/gtest.h>

#include "tmdb/detail_plan.h"

namespace tmdbc {
namespace {

TEST(ConfigurationLists, EveryIdHasItsPathAndBack) {
  for (std::size_t i = 0; i < ConfigurationPaths().size(); ++i) {
    EXPECT_EQ(ConfigurationPath(std::int64_t(i + 1)), ConfigurationPaths()[i]);
    EXPECT_EQ(ConfigurationId(ConfigurationPaths()[i]), std::int64_t(i + 1));
  }
  for (const char* path : {"genre/movie/list?language=aa-AA", "genre/tv/list?language=aa-AA",
                           "genre/movie/list?language=de-DE", "genre/tv/list?language=zz-ZZ"}) {
    const auto id = ConfigurationId(path);
    ASSERT_TRUE(id) << path;
    EXPECT_GT(*id, std::int64_t(ConfigurationPaths().size()));
    EXPECT_EQ(ConfigurationPath(*id), path);
    const std::vector<Call> calls = PlanCalls({MediaType::kConfiguration, *id}, {}, DefaultNamespaces());
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls[0].path, path);
  }
  for (const char* path :
       {"", "genre", "genre/movie/list?language=", "genre/movie/list?language=de",
        "genre/movie/list?language=DE-de", "genre/movie/list?language=de_DE",
        "genre/movie/list?language=de-DE&api_key=x", "configuration/languages?language=de-DE"}) {
    EXPECT_EQ(ConfigurationId(path), std::nullopt) << path;
  }
  for (const std::int64_t id : {-1, 0, 14, 999, 1000 + 2 * 26 * 26 * 26 * 26}) {
    EXPECT_EQ(ConfigurationPath(id), std::nullopt) << id;
    EXPECT_TRUE(PlanCalls({MediaType::kConfiguration, id}, {}, DefaultNamespaces()).empty());
  }
}

// They are the ids of stored records.
TEST(ConfigurationLists, GenreListsKeepTheirIds) {
  EXPECT_EQ(ConfigurationId("genre/movie/list?language=de-DE"), 112'028);
  EXPECT_EQ(ConfigurationId("genre/tv/list?language=de-DE"), 112'029);
}

TEST(ConfigurationLists, APrimaryTranslationIsAGenreListOfMoviesAndOneOfShows) {
  const auto ids = GenreListIds(R"(["de-DE","af-ZA","de-DE","sr",7,null,"zh-Hans"])");
  ASSERT_TRUE(ids) << ids.error().message;
  std::string paths;
  for (const std::int64_t id : *ids) paths += ConfigurationPath(id).value() + " ";
  EXPECT_EQ(paths,
            "genre/movie/list?language=af-ZA genre/tv/list?language=af-ZA "
            "genre/movie/list?language=de-DE genre/tv/list?language=de-DE ");
  EXPECT_FALSE(GenreListIds("{}"));
  EXPECT_FALSE(GenreListIds("[\"de-DE\""));
}

}  // namespace
}  // namespace tmdbc
