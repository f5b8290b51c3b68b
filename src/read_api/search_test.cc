// SPDX-License-Identifier: MIT
#include "read_api/search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "read_api/read_api_world_test.h"

namespace tmdbc::read_api {
namespace {

// "2,1 of 2": the ids of the rows, and the total.
std::string FoundIn(const Answer& answer) {
  const auto json = ParsedJson::ParseString(answer.body);
  if (answer.status != 200 || !json) return fmt::format("{} {}", answer.status, answer.body);
  std::string text;
  for (const auto row : json->root()["results"].get_array())
    text += fmt::format("{}{}", text.empty() ? "" : ",", row["id"].get_int64().value());
  return fmt::format("{} of {}", text, json->root()["total_results"].get_int64().value());
}

struct SearchWorld : ReadApiWorld {
  void Film(std::int64_t id, std::string_view title, double popularity = 1, std::string_view more = "") {
    Put({MediaType::kMovie, id},
        fmt::format(R"({{"adult":false,"id":{},"title":"{}","original_title":"{}","popularity":{},"vote_count":1{}}})", id,
                    title, title, popularity, more));
  }
  std::string Films(std::string_view query) { return FoundIn(Get(fmt::format("/3/search/movie?query={}", query))); }
};

TEST(Search, FindsAFilmByTheBeginningsOfTheWordsOfOneOfItsNames) {
  SearchWorld world;
  world.Film(1, "Apocalypse 0079");
  world.Film(2, "The Bad Guys: Breaking In", 3);
  world.Film(3, "2.007");
  world.Film(4, "Le fabuleux destin d'Am\xC3\xA9lie Poulain", 2);
  world.Film(5, "\xE5\x8A\x87\xE5\xA0\xB4\xE7\x89\x88\xE3\x80\x8C\xE9\x80\xB2\xE6\x92\x83\xE3\x81\xAE\xE5\xB7\xA8\xE4\xBA\xBA\xE3\x80\x8D");
  EXPECT_EQ(world.Films("007"), "1,3 of 2");
  EXPECT_EQ(world.Films("Breaking+Bad"), "2 of 1");
  EXPECT_EQ(world.Films("AMELIE+poul"), "4 of 1");
  EXPECT_EQ(world.Films("%E9%80%B2%E6%92%83"), "5 of 1");
  EXPECT_EQ(world.Films("%E6%92%83%E9%80%B2"), " of 0");
  EXPECT_EQ(world.Films("eaking"), " of 0");
}

}  // namespace
}  // namespace tmdbc::read_api
