// SPDX-License-Identifier: MIT
// Recorded answers of TMDB, asked of a mirror that was made from others of the same day: a record is the plain body
// with the sub-resources appended, as the collector stores it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "read_api/read_api_world_test.h"
#include "read_api/rows.h"
#include "testing/corpus.h"
#include "tmdb/configuration_lists.h"
#include "tmdb/document.h"

namespace tmdbc::read_api {
namespace {

// A recorded body on one line, with every member in its place: recordings are laid out for people.
std::string Recorded(std::string_view name) {
  std::ifstream file(testing::CorpusFolder() / name);
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  const auto line = OneLine(text.str());
  EXPECT_TRUE(line) << name;
  return line ? *line : std::string();
}

// `body` with `part`, as appended: without the id that its own path gives it.
void Append(std::string& body, std::string_view name, std::string_view part) {
  const JsonObject object(part);
  JsonSplice without_id = JsonSplice::Object();
  for (const JsonMember& member : object.members()) {
    if (member.name != "id") without_id.Add(member.whole);
  }
  body.pop_back();
  body += ",\"" + std::string(name) + "\":" + std::move(without_id).Take() + "}";
}

// The same JSON: names, order, values, and numbers to the byte. Says where the first difference is.
void ExpectSame(std::string_view got, std::string_view want, const std::string& where) {
  if (got == want) return;
  if (IsObject(got) && IsObject(want)) {
    const JsonObject a(got), b(want);
    for (std::size_t i = 0; i < std::max(a.members().size(), b.members().size()); ++i) {
      ASSERT_LT(i, a.members().size()) << where << " lacks " << b.members()[i].name;
      ASSERT_LT(i, b.members().size()) << where << " has too much: " << a.members()[i].whole.substr(0, 200);
      ASSERT_EQ(a.members()[i].name, b.members()[i].name) << where << ": member " << i;
      ExpectSame(a.members()[i].value, b.members()[i].value, where + "/" + std::string(a.members()[i].name));
    }
    return;
  }
  if (IsArray(got) && IsArray(want)) {
    const auto a = ElementsOf(got), b = ElementsOf(want);
    ASSERT_EQ(a.size(), b.size()) << where;
    for (std::size_t i = 0; i < a.size(); ++i) ExpectSame(a[i], b[i], where + "/" + std::to_string(i));
    return;
  }
  if (IsText(got) && IsText(want)) {
    EXPECT_EQ(TextOf(got), TextOf(want)) << where;
    return;
  }
  EXPECT_EQ(got, want) << where;
}

// `object` with the votes in its lists taken away.
std::string WithoutVotes(std::string_view object) {
  std::string out;
  for (const std::string_view list : {"cast", "crew"}) {
    for (const JsonSlice row : ElementsOf(JsonObject(object)[list])) {
      const NewValue votes[] = {{"vote_average", "0"}, {"vote_count", "0"}};
      out += (out.empty() ? "[" : ",") + WithValues(JsonObject(row), votes);
    }
  }
  return out + "]";
}

class Replay : public ::testing::Test {
 protected:
  void ExpectAnswer(const std::string& target, const std::string& recorded,
                    Fidelity fidelity = Fidelity::kExact) {
    const Answer answer = world.Get(target);
    ASSERT_EQ(answer.status, 200) << target;
    ExpectSame(answer.body, Recorded(recorded), target);
    EXPECT_EQ(Name(answer.fidelity), Name(fidelity)) << target;
  }
  // The film 47964 of June 2026 with all that was recorded of it.
  void PutDieHard() {
    std::string body = Recorded("movie/47964__tmdblib2606.json");
    for (const std::string_view name :
         {"credits", "images", "keywords", "release_dates", "reviews", "translations", "videos"})
      Append(body, name, Recorded("movie_sub/47964_" + std::string(name) + "__tmdblib2606.json"));
    Append(body, "watch/providers", Recorded("movie_sub/47964_watch_providers__tmdblib2606.json"));
    // All that was recorded of its titles is by country.
    std::string titles;
    for (const std::string_view country : {"CA", "FR", "US"}) {
      const std::string one = Recorded("movie_sub/47964_alternative_titles__country=" + std::string(country) +
                                       "__tmdblib2606.json");
      for (const JsonSlice title : ElementsOf(JsonObject(one)["titles"]))
        titles += (titles.empty() ? "" : ",") + std::string(title);
    }
    Append(body, "alternative_titles", "{\"titles\":[" + titles + "]}");
    world.Put({MediaType::kMovie, 47964}, body);
  }
  void PutLists() {
    const std::pair<std::string_view, std::string_view> kLists[] = {
        {"configuration", "configuration"},
        {"configuration/countries", "configuration_countries"},
        {"configuration/jobs", "configuration_jobs"},
        {"configuration/languages", "configuration_languages"},
        {"configuration/primary_translations", "configuration_primary_translations"},
        {"configuration/timezones", "configuration_timezones"},
        {"genre/movie/list", "genre_movie_list"},
        {"genre/tv/list", "genre_tv_list"},
        {"genre/movie/list?language=da-DK", "genre_movie_list__language=da"},
        {"genre/tv/list?language=da-DK", "genre_tv_list__language=da"},
        {"certification/movie/list", "certification_movie_list"},
        {"certification/tv/list", "certification_tv_list"},
        {"watch/providers/regions", "watch_providers_regions"},
        {"watch/providers/movie", "watch_providers_movie"},
        {"watch/providers/tv", "watch_providers_tv"},
    };
    for (const auto& [path, file] : kLists)
      world.Put({MediaType::kConfiguration, *ConfigurationId(path)},
                Recorded("config/" + std::string(file) + "__tmdblib2606.json"));
  }

  ReadApiWorld world;
};

TEST_F(Replay, AnswersAFilmAndWhatIsBelowIt) {
  TMDBC_NEEDS_CORPUS("movie");
  PutDieHard();
  ExpectAnswer("/3/movie/47964", "movie/47964__tmdblib2606.json");
  for (const std::string name :
       {"credits", "images", "keywords", "release_dates", "reviews", "translations", "videos"})
    ExpectAnswer("/3/movie/47964/" + name, "movie_sub/47964_" + name + "__tmdblib2606.json");
  ExpectAnswer("/3/movie/47964/watch/providers", "movie_sub/47964_watch_providers__tmdblib2606.json");
  for (const std::string country : {"CA", "FR", "US"})
    ExpectAnswer("/3/movie/47964/alternative_titles?country=" + country,
                 "movie_sub/47964_alternative_titles__country=" + country + "__tmdblib2606.json");
  ExpectAnswer("/3/movie/47964/images?language=en-US&include_image_language=en",
               "movie_sub/47964_images__include_image_language=en__language=en-US__tmdblib2606.json");
}

// TMDB puts the United States first in its old list, and what follows in no order that is known.
TEST_F(Replay, AnswersAFilmsReleasesAsASet) {
  TMDBC_NEEDS_CORPUS("movie");
  PutDieHard();
  const std::string recorded = Recorded("movie_sub/47964_releases__tmdblib2606.json");
  const Answer answer = world.Get("/3/movie/47964/releases");
  const auto sorted = [](std::string_view body) {
    auto rows = ElementsOf(JsonObject(body)["countries"]);
    std::ranges::sort(rows);
    return rows;
  };
  EXPECT_EQ(sorted(answer.body), sorted(recorded));
  EXPECT_EQ(answer.fidelity, Fidelity::kDerived);
}

TEST_F(Replay, AnswersAFilmInItalian) {
  TMDBC_NEEDS_CORPUS("movie");
  PutDieHard();
  const std::string recorded = Recorded("movie/47964__language=it__tmdblib2606.json");
  const std::string answer = world.Get("/3/movie/47964?language=it").body;
  const JsonObject got(answer), want(recorded);
  for (const JsonMember& member : want.members()) {
    // Their lists and records were not recorded.
    if (member.name == "genres" || member.name == "belongs_to_collection") continue;
    ExpectSame(got[member.name], member.value, std::string(member.name));
  }
  ASSERT_EQ(got.members().size(), want.members().size());
}

TEST_F(Replay, AnswersAFilmsImagesInGerman) {
  TMDBC_NEEDS_CORPUS("movie");
  const std::string recorded =
      Recorded("movie/19995__append=images__include_image_language=de__language=de-DE__tmdblib2606.json");
  // The record was not recorded. Its German half stands in for it, with a poster in front that is not to be chosen.
  world.Put({MediaType::kMovie, 19995}, recorded);
  const std::string answer =
      world.Get("/3/movie/19995?language=de-DE&include_image_language=de&append_to_response=images").body;
  ExpectSame(JsonObject(answer)["images"], JsonObject(recorded)["images"], "images");
  ExpectSame(JsonObject(answer)["poster_path"], JsonObject(recorded)["poster_path"], "poster_path");
}

TEST_F(Replay, AnswersAShowAndWhatIsBelowIt) {
  TMDBC_NEEDS_CORPUS("tv");
  std::string body = Recorded("tv/1396__tmdblib2606.json");
  for (const std::string name : {"alternative_titles", "content_ratings", "images", "keywords", "reviews",
                                 "translations", "videos", "lists"})
    Append(body, name, Recorded("tv_sub/1396_" + name + "__tmdblib2606.json"));
  Append(body, "watch/providers", Recorded("tv_sub/1396_watch_providers__tmdblib2606.json"));
  Append(body, "external_ids", Recorded("tv_sub/1399_external_ids__tmdblib2606.json"));
  Append(body, "screened_theatrically", Recorded("tv_sub/1399_screened_theatrically__tmdblib2606.json"));
  world.Put({MediaType::kTv, 1396}, body);
  ExpectAnswer("/3/tv/1396", "tv/1396__tmdblib2606.json");
  for (const std::string name : {"alternative_titles", "content_ratings", "images", "keywords", "reviews",
                                 "translations", "videos", "lists"})
    ExpectAnswer("/3/tv/1396/" + name, "tv_sub/1396_" + name + "__tmdblib2606.json");
  ExpectAnswer("/3/tv/1396/watch/providers", "tv_sub/1396_watch_providers__tmdblib2606.json");
  ExpectAnswer("/3/tv/1396/reviews?page=2", "tv_sub/1396_reviews__page=2__tmdblib2606.json");
  ExpectAnswer("/3/tv/1396/images?language=en-US&include_image_language=en",
               "tv_sub/1396_images__include_image_language=en__language=en-US__tmdblib2606.json");
  ExpectAnswer("/3/tv/1396?append_to_response=images&include_image_language=pt",
               "tv/1396__append=images__include_image_language=pt__tmdblib2606.json");
  const std::string ids = world.Get("/3/tv/1396/external_ids").body;
  EXPECT_TRUE(ids.starts_with(R"({"id":1396,"imdb_id")")) << ids;
  EXPECT_TRUE(world.Get("/3/tv/1396/screened_theatrically").body.starts_with(R"({"id":1396,"results":)"));
}

class ReplaySeason : public Replay {
 protected:
  // As the show's answer brings it, without an id; `credits` as SEASON_APPEND_TO_RESPONSE adds them.
  void Put(bool with_extras) {
    std::string show = Recorded("tv/1396__tmdblib2606.json");
    Append(show, "aggregate_credits", Recorded("tv_season_sub/1396_s1_aggregate_credits__tmdblib2606.json"));
    world.Put({MediaType::kTv, 1396}, show);
    const std::string recorded = Recorded("tv_season/1396_s1__tmdblib2606.json");
    const JsonObject object(recorded);
    JsonSplice season = JsonSplice::Object();
    for (const JsonMember& member : object.members()) {
      if (member.name != "id") season.Add(member.whole);
    }
    std::string body = std::move(season).Take();
    if (with_extras) {
      for (const std::string name : {"credits", "external_ids", "images"})
        Append(body, name, Recorded("tv_season_sub/1396_s1_" + name + "__tmdblib2606.json"));
      Append(body, "videos", Recorded("tv_season_sub/1399_s1_videos__tmdblib2606.json"));
    }
    world.Put({MediaType::kSeason, 3572}, body, 1396, 1);
  }
};

TEST_F(ReplaySeason, AnswersASeasonAndItsEpisodes) {
  TMDBC_NEEDS_CORPUS("tv_season");
  Put(true);
  ExpectAnswer("/3/tv/1396/season/1", "tv_season/1396_s1__tmdblib2606.json");
  ExpectAnswer(
      "/3/tv/1396/season/1?append_to_response=images&include_image_language=en&language=en-US",
      "tv_season/1396_s1__append=images__include_image_language=en__language=en-US__tmdblib2606.json");
  for (const std::string name : {"credits", "external_ids", "images"})
    ExpectAnswer("/3/tv/1396/season/1/" + name, "tv_season_sub/1396_s1_" + name + "__tmdblib2606.json");
  ExpectAnswer("/3/tv/1396/season/1/episode/1", "tv_episode/1396_s1_e1__tmdblib2606.json");
  ExpectAnswer("/3/tv/1396/season/1/episode/1/credits", "tv_episode_sub/1396_s1_e1_credits__tmdblib2606.json",
               Fidelity::kDerived);
  ExpectAnswer(
      "/3/tv/1396/season/1/episode/1?append_to_response=images&include_image_language=en&language=en-US",
      "tv_episode/1396_s1_e1__append=images__include_image_language=en__language=en-US__tmdblib2606.json",
      Fidelity::kEmpty);
}

// Of 116 credits of guests TMDB's own list, made earlier, lacks two; their persons and counts are the same else.
TEST_F(ReplaySeason, CountsTheCreditsOfASeason) {
  TMDBC_NEEDS_CORPUS("tv_season");
  Put(true);
  const Answer answer = world.Get("/3/tv/1396/season/1/aggregate_credits");
  EXPECT_EQ(answer.fidelity, Fidelity::kDerived);
  const std::string recorded = Recorded("tv_season_sub/1396_s1_aggregate_credits__tmdblib2606.json");
  for (const std::string_view list : {"cast", "crew"}) {
    std::map<std::string, JsonSlice> got;
    for (const JsonSlice row : ElementsOf(JsonObject(answer.body)[list])) {
      const JsonObject object(row);
      got[std::string(object["id"]) + std::string(object["department"])] = row;
    }
    std::size_t wanted = 0, same = 0;
    for (const JsonSlice row : ElementsOf(JsonObject(recorded)[list])) {
      const JsonObject object(row);
      const auto found = got.find(std::string(object["id"]) + std::string(object["department"]));
      ASSERT_NE(found, got.end()) << list << " lacks " << object["name"];
      const JsonObject mine(found->second);
      ++wanted;
      same += mine["total_episode_count"] == object["total_episode_count"];
      ASSERT_EQ(mine.members().size(), object.members().size());
      for (std::size_t i = 0; i < object.members().size(); ++i)
        EXPECT_EQ(mine.members()[i].name, object.members()[i].name);
    }
    EXPECT_EQ(same, wanted) << list;
    EXPECT_LE(got.size(), wanted + 2) << list;
  }
}

TEST_F(ReplaySeason, AnswersRegularsWhereNoSeasonHasCredits) {
  TMDBC_NEEDS_CORPUS("tv_season");
  Put(false);
  const Answer answer = world.Get("/3/tv/1396/season/1/credits");
  EXPECT_EQ(answer.fidelity, Fidelity::kApproximate);
  const std::string recorded = Recorded("tv_season_sub/1396_s1_credits__tmdblib2606.json");
  const auto ids = [](JsonSlice list) {
    std::set<std::string_view> all;
    for (const JsonSlice row : ElementsOf(list)) all.insert(JsonObject(row)["credit_id"]);
    return all;
  };
  for (const std::string_view list : {"cast", "crew"})
    EXPECT_EQ(ids(JsonObject(answer.body)[list]), ids(JsonObject(recorded)[list])) << list;
  // Of a show of one stored season the same.
  EXPECT_EQ(ids(JsonObject(world.Get("/3/tv/1396/credits").body)["cast"]), ids(JsonObject(recorded)["cast"]));
}

TEST_F(Replay, AnswersAPersonAndItsCredits) {
  TMDBC_NEEDS_CORPUS("person");
  std::string body = Recorded("person/62__tmdblib2606.json");
  for (const std::string name : {"combined_credits", "external_ids", "images", "tagged_images"}) {
    const std::string page = name == "tagged_images" ? "__page=1" : "";
    Append(body, name, Recorded("person_sub/62_" + name + page + "__tmdblib2606.json"));
  }
  world.Put({MediaType::kPerson, 62}, body);
  ExpectAnswer("/3/person/62", "person/62__tmdblib2606.json");
  for (const std::string name : {"combined_credits", "external_ids", "images"}) {
    ExpectAnswer("/3/person/62/" + name, "person_sub/62_" + name + "__tmdblib2606.json");
    ExpectAnswer("/3/person/62?append_to_response=" + name,
                 "person/62__append=" + name + "__tmdblib2606.json");
  }
  ExpectAnswer("/3/person/62?append_to_response=tagged_images",
               "person/62__append=tagged_images__tmdblib2606.json");
  EXPECT_EQ(world.Get("/3/person/62/tv_credits").fidelity, Fidelity::kDerived);
  // The recordings are some minutes apart: votes moved.
  ExpectSame(WithoutVotes(world.Get("/3/person/62/tv_credits").body),
             WithoutVotes(Recorded("person_sub/62_tv_credits__tmdblib2606.json")), "tv_credits");
  // The same films; TMDB orders them differently for each request.
  const std::string recorded = Recorded("person_sub/62_movie_credits__tmdblib2606.json");
  const std::string answer = world.Get("/3/person/62/movie_credits").body;
  for (const std::string_view list : {"cast", "crew"}) {
    const auto sorted = [&](std::string_view credits) {
      std::vector<std::string_view> ids;
      for (const JsonSlice row : ElementsOf(JsonObject(credits)[list]))
        ids.push_back(JsonObject(row)["credit_id"]);
      std::ranges::sort(ids);
      return ids;
    };
    EXPECT_EQ(sorted(answer), sorted(recorded));
  }
}

TEST_F(Replay, AnswersCompaniesNetworksKeywords) {
  TMDBC_NEEDS_CORPUS("company");
  std::string company = Recorded("company/25__tmdblib2606.json");
  Append(company, "alternative_names", Recorded("company/25_alternative_names__tmdblib2606.json"));
  Append(company, "images", Recorded("company/25_images__tmdblib2606.json"));
  world.Put({MediaType::kCompany, 25}, company);
  std::string network = Recorded("network/213__tmdblib2606.json");
  Append(network, "images", Recorded("network/213_images__tmdblib2606.json"));
  world.Put({MediaType::kNetwork, 213}, network);
  world.Put({MediaType::kKeyword, 33705}, Recorded("keyword/33705__tmdblib2606.json"));
  ExpectAnswer("/3/company/25", "company/25__tmdblib2606.json");
  for (const std::string name : {"alternative_names", "images"}) {
    ExpectAnswer("/3/company/25/" + name, "company/25_" + name + "__tmdblib2606.json");
    ExpectAnswer("/3/company/25?append_to_response=" + name,
                 "company/25__append=" + name + "__tmdblib2606.json");
  }
  ExpectAnswer("/3/network/213", "network/213__tmdblib2606.json");
  ExpectAnswer("/3/network/213/images", "network/213_images__tmdblib2606.json");
  ExpectAnswer("/3/keyword/33705", "keyword/33705__tmdblib2606.json");
}

TEST_F(Replay, AnswersACollection) {
  TMDBC_NEEDS_CORPUS("collection");
  std::string body = Recorded("collection/10__language=en__m18.json");
  Append(body, "images", Recorded("collection/10_images__language=en__m18.json"));
  world.Put({MediaType::kCollection, 10}, body);
  ExpectAnswer("/3/collection/10?language=en", "collection/10__language=en__m18.json");
  ExpectAnswer("/3/collection/10/images?language=en", "collection/10_images__language=en__m18.json");
}

TEST_F(Replay, AnswersTheLists) {
  TMDBC_NEEDS_CORPUS("config");
  PutLists();
  const std::pair<std::string, std::string> kAsked[] = {
      {"configuration", "configuration"},
      {"configuration/countries", "configuration_countries"},
      {"configuration/jobs", "configuration_jobs"},
      {"configuration/languages", "configuration_languages"},
      {"configuration/primary_translations", "configuration_primary_translations"},
      {"configuration/timezones", "configuration_timezones"},
      {"genre/movie/list", "genre_movie_list"},
      {"genre/tv/list?language=en", "genre_tv_list"},
      {"genre/movie/list?language=da", "genre_movie_list__language=da"},
      {"genre/tv/list?language=da-DK", "genre_tv_list__language=da"},
      {"certification/movie/list", "certification_movie_list"},
      {"certification/tv/list", "certification_tv_list"},
      {"watch/providers/regions", "watch_providers_regions"},
      {"watch/providers/movie", "watch_providers_movie"},
      {"watch/providers/tv", "watch_providers_tv"},
  };
  for (const auto& [path, file] : kAsked) ExpectAnswer("/3/" + path, "config/" + file + "__tmdblib2606.json");
  const std::string all = world.Get("/3/configuration?append_to_response=countries,timezones,nonsense").body;
  const JsonObject object(all);
  ASSERT_GE(object.members().size(), 4u);
  EXPECT_EQ(object.members()[object.members().size() - 2].name, "countries");
  EXPECT_EQ(object.members().back().name, "timezones");
  ExpectSame(object["timezones"], Recorded("config/configuration_timezones__tmdblib2606.json"), "timezones");
}

// Bruce Willis in Danish: there is a biography, and nothing else changes.
TEST_F(Replay, AnswersAPersonInDanish) {
  TMDBC_NEEDS_CORPUS("person");
  const std::string danish = Recorded("person/62__language=da__tmdblib2606.json");
  std::string body = Recorded("person/62__tmdblib2606.json");
  Append(body, "translations",
         R"({"translations":[{"iso_3166_1":"DK","iso_639_1":"da","data":{"biography":)" +
             std::string(JsonObject(danish)["biography"]) + R"(}}]})");
  world.Put({MediaType::kPerson, 62}, body);
  ExpectAnswer("/3/person/62?language=da", "person/62__language=da__tmdblib2606.json", Fidelity::kDerived);
}

// The row of a list is that of the same day's details.
TEST_F(Replay, CutsTheRowThatFindGave) {
  TMDBC_NEEDS_CORPUS("find");
  world.Put({MediaType::kTv, 1396}, Recorded("tv/1396__tmdblib2606.json"));
  const std::string found = Recorded("find/81189__external_source=tvdb_id__tmdblib2606.json");
  const JsonSlice wanted = ElementsOf(JsonObject(found)["tv_results"]).at(0);
  const ApiRequest request;
  Mirror mirror{.records = world.records};
  Call call(request, mirror, world.clock.Now());
  const std::string row = RowOf(call, *world.records.all.begin()->second, {.form = RowForm::kMixed});
  ExpectSame(row, wanted, "tv_results/0");
}

}  // namespace
}  // namespace tmdbc::read_api
