// SPDX-License-Identifier: MIT
#include "images/selection.h"

#include <gtest/gtest.h>

namespace tmdbc::images {
namespace {

using Names = std::vector<ImageName>;

constexpr std::string_view kFilm = R"({"id":550,"poster_path":"/shown.jpg","images":{
  "posters":[{"file_path":"/de1.jpg","iso_639_1":"de"},{"file_path":"/en1.jpg","iso_639_1":"en"},
             {"file_path":"/none.jpg","iso_639_1":null},{"file_path":"/en2.jpg","iso_639_1":"en"},
             {"file_path":"/../etc/passwd","iso_639_1":"en"}],
  "backdrops":[{"file_path":"/wide.jpg","iso_639_1":null}],
  "logos":[{"file_path":"/logo.svg","iso_639_1":"en"}]}})";

TEST(SelectImages, TakesTheFirstOfEachKindInEachSize) {
  const auto chosen =
      SelectImages(kFilm, {.kinds = {Kind::kPoster, Kind::kBackdrop}, .sizes = {"w342", "original"}, .languages = {}});
  EXPECT_EQ(chosen, (Names{{"w342", "de1.jpg"}, {"original", "de1.jpg"}, {"w342", "wide.jpg"}, {"original", "wide.jpg"}}));
}

TEST(SelectImages, PrefersTheEarlierLanguageAndKeepsTmdbsOrderWithinOne) {
  const auto chosen = SelectImages(
      kFilm, {.kinds = {Kind::kPoster}, .sizes = {"w92"}, .languages = {"en", "null"}, .per_title = 3});
  EXPECT_EQ(chosen, (Names{{"w92", "en1.jpg"}, {"w92", "en2.jpg"}, {"w92", "none.jpg"}}));
}

TEST(SelectImages, TakesNothingInALanguageThatWasNotAskedFor) {
  EXPECT_EQ(SelectImages(kFilm, {.kinds = {Kind::kPoster, Kind::kLogo}, .sizes = {"w92"}, .languages = {"it"}}), Names{});
}

TEST(SelectImages, TakesTheOneThatIsShownWhereTheListsWereNotAppended) {
  EXPECT_EQ(SelectImages(R"({"id":1,"poster_path":"/a.jpg","backdrop_path":null})",
                         {.kinds = {Kind::kPoster, Kind::kBackdrop}, .sizes = {"w92"}, .languages = {"de"}}),
            (Names{{"w92", "a.jpg"}}));
}

TEST(SelectImages, TakesTheStillOfEveryEpisodeOfASeasonAndFacesInNoLanguage) {
  EXPECT_EQ(SelectImages(R"({"episodes":[{"still_path":"/e1.jpg"},{"still_path":null},{"still_path":"/e3.jpg"}]})",
                         {.kinds = {Kind::kStill}, .sizes = {"w300"}, .languages = {"en"}}),
            (Names{{"w300", "e1.jpg"}, {"w300", "e3.jpg"}}));
  EXPECT_EQ(SelectImages(R"({"images":{"profiles":[{"file_path":"/p.jpg","iso_639_1":null}]}})",
                         {.kinds = {Kind::kProfile}, .sizes = {"h632"}, .languages = {"en"}}),
            (Names{{"h632", "p.jpg"}}));
}

TEST(SelectImages, RefusesWhatIsNoBody) {
  EXPECT_EQ(SelectImages("[]", {.kinds = {Kind::kPoster}, .sizes = {"w92"}, .languages = {}}).error().code, ErrorCode::kCorrupt);
}

TEST(ImageLanguage, IsTwoLettersOrNull) {
  EXPECT_EQ(ParseImageLanguage("en"), "en");
  EXPECT_EQ(ParseImageLanguage("null"), "null");
  for (const char* text : {"", "EN", "en,", "eng", "e n", "en-US"}) EXPECT_FALSE(ParseImageLanguage(text)) << text;
}

}  // namespace
}  // namespace tmdbc::images
