// SPDX-License-Identifier: MIT
#include "dashboard/record_card.h"

#include <gtest/gtest.h>

namespace tmdbc::dashboard {
namespace {

TEST(RecordCard, OfAFilm) {
  const auto card = CardOf(R"({"title":"Le Samouraï","original_title":"Le Samouraï","release_date":"1967-10-25",)"
      R"("overview":"Jef Costello.","genres":[{"id":80,"name":"Crime"},{"id":1},{"id":53,"name":"Thriller"}],)"
      R"("runtime":105,"status":"Released","original_language":"fr","vote_average":7.86,"vote_count":1200,)"
      R"("credits":{"cast":[{"name":"Alain Delon","character":"Jef"},{"name":"Cathy Rosier","character":""}]}})");
  EXPECT_EQ(
      CardJson(card),
      R"({"title":"Le Samouraï","original_title":"","date":"1967-10-25","text":"Jef Costello.",)"
      R"("genres":["Crime","Thriller"],"people":[{"name":"Alain Delon","role":"Jef"},{"name":"Cathy Rosier","role":""}],)"
      R"("facts":[["status","Released"],["runtime","105 min"],["language","fr"],["rated","7.9 by 1200"]]})");
}

TEST(RecordCard, OfAShowAndAPerson) {
  const auto show = CardOf(
                           R"({"name":"Dark","original_name":"Dunkel","first_air_date":"2017-12-01",)"
                           R"("number_of_seasons":3,"number_of_episodes":26,"aggregate_credits":{"cast":[)"
                           R"({"name":"Louis Hofmann","roles":[{"character":""},{"character":"Jonas"}]}]}})");
  EXPECT_EQ(show.title, "Dark");
  EXPECT_EQ(show.original_title, "Dunkel");
  ASSERT_EQ(show.people.size(), 1u);
  EXPECT_EQ(show.people[0].role, "Jonas");
  const auto person =
      CardOf(
             R"({"name":"Ann","biography":"Born.","birthday":"1970-01-02",)"
             R"("combined_credits":{"cast":[{"title":"A Film","character":"X"},{"name":"A Show"}]}})");
  EXPECT_EQ(person.date, "1970-01-02");
  ASSERT_EQ(person.people.size(), 2u);
  EXPECT_EQ(person.people[1].name, "A Show");
}

TEST(RecordCard, OddShapesAreLeftOut) {
  for (const char* body :
       {"null", "[]", "7", "", "{", R"({"title":7,"genres":{"name":"x"},"credits":[],"runtime":"long"})"}) {
    const auto card = CardOf(body);
    EXPECT_EQ(card.title, "") << body;
    EXPECT_TRUE(card.genres.empty() && card.people.empty() && card.facts.empty()) << body;
  }
}

TEST(RecordCard, IsBounded) {
  std::string cast;
  for (int i = 0; i < 100; ++i) cast += R"({"name":"N"},)";
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "é";
  const auto card = CardOf(R"({"title":"T","overview":")" + text +
                                                  R"(","credits":{"cast":[)" + cast + R"({"name":"N"}]}})");
  EXPECT_EQ(card.people.size(), RecordCard::kPeople);
  EXPECT_EQ(card.text.size(), RecordCard::kMaxText + std::string("…").size());
}

}  // namespace
}  // namespace tmdbc::dashboard
