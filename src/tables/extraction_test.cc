// SPDX-License-Identifier: MIT
#include "tables/extraction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/json.h"
#include "testing/corpus.h"

namespace tmdbc::tables {
namespace {

std::string Show(ColumnType type, const Cell& cell) {
  if (cell.null) return "NULL";
  if (type == ColumnType::kText) return std::string(cell.text);
  if (type == ColumnType::kReal) return fmt::format("{}", cell.real);
  if (type == ColumnType::kBool) return cell.number != 0 ? "true" : "false";
  return fmt::format("{}", cell.number);
}

using Row = std::map<std::string, std::string>;

class Kept final : public RowSink {
 public:
  Result<void> Row(std::size_t table, std::span<const Cell> cells) override {
    const Table& of = Tables()[table];
    EXPECT_EQ(cells.size(), of.columns.size());
    tables::Row row;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      EXPECT_FALSE(of.columns[i].required && cells[i].null) << of.name << "." << of.columns[i].name;
      row[of.columns[i].name] = Show(of.columns[i].type, cells[i]);
    }
    rows[of.name].push_back(row);
    return {};
  }
  Result<void> Reject(std::string_view path, std::string_view value, std::string_view reason) override {
    rejects.push_back(fmt::format("{} = {}: {}", path, value, reason));
    return {};
  }
  Result<void> Unknown(std::string_view path) override {
    unknown.emplace_back(path);
    return {};
  }

  // The values of the columns, in the order of the rows: "550 0 Fight Club; ...".
  std::string Of(std::string_view table, std::initializer_list<std::string_view> columns) {
    std::string text;
    for (const tables::Row& row : rows[std::string(table)]) {
      if (!text.empty()) text += "; ";
      std::string one;
      for (const std::string_view column : columns) {
        if (!one.empty()) one += ' ';
        one += row.contains(std::string(column)) ? row.at(std::string(column)) : "no such column";
      }
      text += one;
    }
    return text;
  }

  std::map<std::string, std::vector<tables::Row>> rows;
  std::vector<std::string> rejects;
  std::vector<std::string> unknown;
};

Kept Extracted(const ExtractionPlan& plan, const RecordFacts& facts, std::string_view data) {
  Kept kept;
  Extractor extractor(plan, kept);
  const auto done = extractor.Extract(facts, data);
  EXPECT_TRUE(done) << done.error().message;
  return kept;
}

Kept Film(std::string_view data) {
  return Extracted(ExtractionPlan::Of(MediaType::kMovie),
                   {.id = 550, .version = 3, .fetched_at = ParseTime("1970-01-01T00:00:01.5Z").value()},
                   data);
}
Kept Show(std::string_view data) {
  return Extracted(ExtractionPlan::Of(MediaType::kTv), {.id = 1399, .version = 1}, data);
}
Kept Season(std::string_view data) {
  return Extracted(ExtractionPlan::Of(MediaType::kSeason),
                   {.id = 3624, .version = 1, .tv_id = 1399, .season_number = 1}, data);
}

TEST(Extraction, MakesTheRowOfAFilmFromItsMembersAndTheLineAroundIt) {
  Kept film =
      Film(R"({"id":550,"title":"Fight Club","tagline":"","budget":63000000,"vote_average":8,"adult":false,
      "release_date":"1999-10-15","belongs_to_collection":{"id":9,"name":"C"},"imdb_id":"tt0137523",
      "external_ids":{"imdb_id":"tt0137523","wikidata_id":"Q190050"},"reviews":{"page":1,"total_results":8,"total_pages":1}})");
  EXPECT_EQ(
      film.Of("movies", {"movie_id", "title", "tagline", "budget", "vote_average", "adult", "release_date"}),
      "550 Fight Club NULL 63000000 8 false 10879");
  EXPECT_EQ(film.Of("movies", {"collection_id", "collection_name", "imdb_id", "wikidata_id", "reviews_total",
                               "runtime"}),
            "9 C tt0137523 Q190050 8 NULL");
  EXPECT_EQ(film.Of("movies", {"version", "fetched_at"}), "3 1500000");
  EXPECT_TRUE(film.rejects.empty());
  EXPECT_TRUE(film.unknown.empty());
}

TEST(Extraction, TakesTheFirstSourceThatIsNotEmptyWhateverTheOrder) {
  EXPECT_EQ(Film(R"({"external_ids":{"imdb_id":"tt1"},"imdb_id":""})").Of("movies", {"imdb_id"}), "tt1");
  EXPECT_EQ(Film(R"({"external_ids":{"imdb_id":"tt1"},"imdb_id":"tt2"})").Of("movies", {"imdb_id"}), "tt2");
  EXPECT_EQ(Film(R"({"imdb_id":null,"external_ids":{"imdb_id":"tt1"}})").Of("movies", {"imdb_id"}), "tt1");
}

TEST(Extraction, TellsWhatAnotherSourceSaysOtherwise) {
  using Rejects = std::vector<std::string>;
  EXPECT_EQ(Film(R"({"external_ids":{"imdb_id":"tt1"},"imdb_id":"tt2"})").rejects,
            Rejects{R"(external_ids.imdb_id = "tt1": another member says otherwise, and counts)"});
  EXPECT_EQ(Film(R"({"external_ids":{"imdb_id":"tt2"},"imdb_id":"tt2"})").rejects, Rejects{});
  Kept person = Extracted(ExtractionPlan::Of(MediaType::kPerson), {.id = 1}, R"({"combined_credits":{"cast":[
      {"title":"A"},{"name":"A","title":"B","first_air_date":"2001-01-31","release_date":"2001-02-01"}]}})");
  EXPECT_EQ(person.Of("person_cast", {"title", "release_date"}), "A NULL; B 11354");
  EXPECT_EQ(person.rejects,
            (Rejects{R"(combined_credits.cast[1].name = "A": another member says otherwise, and counts)",
                     R"(combined_credits.cast[1].first_air_date = "2001-01-31": )"
                     "another member says otherwise, and counts"}));
}

TEST(Extraction, TellsAKnownMemberWithoutAColumnWhoseShapeIsNew) {
  using Rejects = std::vector<std::string>;
  EXPECT_EQ(Film(R"({"id":{"x":1},"reviews":{"page":[{"new":1}],"total_pages":[]}})").rejects,
            (Rejects{R"(id = {"x":1}: an object)", R"(reviews.page = [{"new":1}]: a list)"}));
  Kept person = Extracted(ExtractionPlan::Of(MediaType::kPerson), {.id = 1}, R"({"combined_credits":{"cast":[
      {"genre_ids":[1,2],"origin_country":["US"]},{"overview":{"en":"x"},"genre_ids":[1,{"id":2}]}]}})");
  EXPECT_EQ(person.rejects, (Rejects{R"(combined_credits.cast[1].overview = {"en":"x"}: an object)",
                                     R"(combined_credits.cast[1].genre_ids[1] = {"id":2}: an object)"}));
}

TEST(Extraction, CountsPositionsThroughTheWholeRecord) {
  Kept film = Film(R"({"release_dates":{"results":[
      {"release_dates":[{"type":3,"release_date":"1970-01-01T00:00:00.000Z","descriptors":[]},{"type":4}],"iso_3166_1":"US"},
      {"iso_3166_1":"DE","release_dates":[{"type":5,"descriptors":["x", 1]}]},
      {"iso_3166_1":"FR","release_dates":[]}]}})");
  EXPECT_EQ(film.Of("movie_release_dates",
                    {"movie_id", "position", "country", "type", "release_at", "descriptors"}),
            R"(550 0 US 3 0 NULL; 550 1 US 4 NULL NULL; 550 2 DE 5 NULL ["x",1])");
}

TEST(Extraction, KeepsHowAListWithinACellIsWritten) {
  Kept film = Film(R"({"release_dates":{"results":[
      {"iso_3166_1":"US","release_dates":[{"descriptors": [ 1e400, 1e-3, "a  b", {"x" : 9007199254740993.0} ]}]}]}})");
  EXPECT_EQ(film.Of("movie_release_dates", {"descriptors"}),
            R"([1e400,1e-3,"a  b",{"x":9007199254740993.0}])");
}

TEST(Extraction, MakesColumnsOfTheNamesThatObjectsUseAsLists) {
  Kept film = Film(
      R"({"watch/providers":{"results":{"DE":{"link":"L","flatrate":[{"provider_id":8,"display_priority":1}],
      "rent":[{"provider_id":2},{"provider_id":3}]},"US":{"link":""},"FR":[]}},
      "images":{"backdrops":[{"file_path":"/b.jpg","iso_639_1":null,"aspect_ratio":1.778}],"posters":[],
      "logos":[{"file_path":"/l.svg","iso_639_1":"en"}]}})");
  EXPECT_EQ(
      film.Of("movie_watch_providers", {"position", "country", "kind", "provider_id", "display_priority"}),
      "0 DE flatrate 8 1; 1 DE rent 2 NULL; 2 DE rent 3 NULL");
  EXPECT_EQ(film.Of("movie_watch_links", {"position", "country", "link"}), "0 DE L; 1 US NULL");
  EXPECT_EQ(film.Of("movie_images", {"position", "kind", "file_path", "language", "aspect_ratio"}),
            "0 backdrops /b.jpg NULL 1.778; 1 logos /l.svg en NULL");
  EXPECT_TRUE(film.rejects.empty()) << film.rejects[0];
}

TEST(Extraction, GivesEachPartOfAnActorARowAndOneToWhoHasNone) {
  Kept show = Show(R"({"aggregate_credits":{"cast":[
      {"id":1,"name":"A","roles":[{"character":"x","episode_count":2},{"character":"y","episode_count":1}],
       "total_episode_count":3,"order":0},
      {"id":2,"name":"B","roles":[],"total_episode_count":5,"order":1},{"id":3,"name":"C"}],
      "crew":[{"jobs":[{"job":"Writer","episode_count":1}],"id":null,"department":"Writing"}]}})");
  EXPECT_EQ(show.Of("tv_cast", {"position", "person_id", "name", "character_name", "episode_count",
                                "total_episode_count", "cast_order"}),
            "0 1 A x 2 3 0; 1 1 A y 1 3 0; 2 2 B NULL NULL 5 1; 3 3 C NULL NULL NULL NULL");
  EXPECT_EQ(show.Of("tv_crew", {"person_id", "job", "department"}), "NULL Writer Writing");
}

TEST(Extraction, KnowsAnEpisodeOnTheAirAndPlainLists) {
  Kept show =
      Show(R"({"last_episode_to_air":{"id":7,"season_number":2,"show_id":1399},"next_episode_to_air":null,
      "languages":["en",""],"episode_run_time":[60,"45",null],"seasons":[{"id":3624,"season_number":1}]})");
  EXPECT_EQ(show.Of("tv_last_episode", {"tv_id", "episode_id", "season_number", "show_id"}), "1399 7 2 1399");
  EXPECT_EQ(show.Of("tv_next_episode", {"tv_id"}), "");
  EXPECT_EQ(show.Of("tv_languages", {"position", "language"}), "0 en; 1 NULL");
  EXPECT_EQ(show.Of("tv_episode_run_times", {"minutes"}), "60; 45; NULL");
  EXPECT_EQ(show.Of("tv_season_summaries", {"season_id", "season_number"}), "3624 1");
}

TEST(Extraction, TakesWhatIsASeasonsFromTheLineAroundIt) {
  Kept season = Season(R"({"_id":"5256","episodes":[
      {"id":63056,"season_number":1,"crew":[{"job":"Director","id":5}],"guest_stars":[{"order":0,"character":"K"}]},
      {"crew":[{"job":"Writer","id":6}],"id":63057,"season_number":2}],"season_number":1,"networks":[{"id":49}]})");
  EXPECT_EQ(season.Of("seasons", {"season_id", "tv_id", "season_number", "object_id", "episode_count"}),
            "3624 1399 1 5256 2");
  EXPECT_EQ(season.Of("episodes", {"season_id", "position", "tv_id", "episode_id", "season_number"}),
            "3624 0 1399 63056 1; 3624 1 1399 63057 1");
  EXPECT_EQ(
      season.Of("episode_crew", {"season_id", "position", "season_number", "episode_id", "person_id", "job"}),
      "3624 0 1 63056 5 Director; 3624 1 1 63057 6 Writer");
  EXPECT_EQ(season.Of("episode_guest_stars", {"position", "episode_id", "character_name"}), "0 63056 K");
  EXPECT_EQ(season.Of("season_networks", {"tv_id", "network_id"}), "1399 49");
  ASSERT_EQ(season.rejects.size(), 1u);
  EXPECT_EQ(season.rejects[0], "episodes[1].season_number = 2: differs from the 1 of the line around it");
  EXPECT_EQ(Season("{}").Of("seasons", {"season_id", "episode_count"}), "3624 0");
}

TEST(Extraction, KeepsTheTextOfAPartialBirthday) {
  Kept person = Extracted(ExtractionPlan::Of(MediaType::kPerson), {.id = 1},
                          R"({"birthday":"1945","deathday":"2001-09-11","also_known_as":["A","B"],
                              "combined_credits":{"cast":[{"id":5,"media_type":"tv","name":"N","overview":"no column",
                              "genre_ids":[1],"first_air_date":"2001-01-01"}]}})");
  EXPECT_EQ(person.Of("people", {"birthday", "birthday_text", "deathday", "deathday_text"}),
            "NULL 1945 11576 2001-09-11");
  EXPECT_EQ(person.Of("person_also_known_as", {"position", "name"}), "0 A; 1 B");
  EXPECT_EQ(person.Of("person_cast", {"media_id", "media_type", "title", "release_date"}), "5 tv N 11323");
  EXPECT_TRUE(person.rejects.empty());
  EXPECT_TRUE(person.unknown.empty()) << person.unknown[0];
}

TEST(Extraction, TellsEachUnknownMemberOnce) {
  Kept film = Film(R"({"new":{"a":1},"credits":{"cast":[{"id":1,"x":1},{"id":2,"x":[]}],"guests":[]},
      "images":{"stills":[{"file_path":"/s","rating":5}]}})");
  EXPECT_EQ(film.unknown,
            (std::vector<std::string>{"credits.cast[].x", "credits.guests", "images{}[].rating", "new"}));
  EXPECT_EQ(film.Of("movie_images", {"kind"}), "stills");
}

// Forty shapes that no body should have: each value is NULL and told, or harmless; no row is lost but those without
// what makes them one.
TEST(Extraction, TellsWhatDoesNotFitAndGoesOn) {
  struct Hostile {
    std::string_view data;
    std::string_view reject;  // its beginning; empty: there is none
  };
  constexpr Hostile kHostile[] = {
      {R"({"title":7})", "title = 7: a number"},
      {R"({"title":["a"]})", R"(title = ["a"]: a list)"},
      {R"({"title":{"a":1}})", R"(title = {"a":1}: an object)"},
      {R"({"title":true})", "title = true: true or false"},
      {R"({"title":null})", ""},
      {R"({"title":"a","title":"b"})", R"(title = "b": named twice)"},
      {R"({"budget":"much"})", R"(budget = "much": text)"},
      {R"({"budget":1.5})", "budget = 1.5: a number that is not whole"},
      {R"({"budget":1e400})", "budget = 1e400: a number beyond"},
      {R"({"budget":100000000000000000000})", "budget = 100000000000000000000: a number beyond"},
      {R"({"budget":-0})", ""},
      {R"({"budget":[]})", "budget = []: a list"},
      {R"({"popularity":"high"})", "popularity = \"high\": text"},
      {R"({"popularity":1e999})", "popularity = 1e999: a number beyond"},
      {R"({"adult":1})", "adult = 1: a number"},
      {R"({"adult":"no"})", "adult = \"no\": text"},
      {R"({"release_date":"1999-02-29"})", "release_date = \"1999-02-29\": no day"},
      {R"({"release_date":"1999"})", "release_date = \"1999\": no day"},
      {R"({"release_date":19990229})", "release_date = 19990229: a number"},
      {R"({"id":551})", "id = 551: differs from the 550"},
      {R"({"id":"550"})", ""},
      {R"({"id":"x"})", "id = \"x\": text"},
      {R"({"id":{}})", "id = {}: an object"},
      {R"({"belongs_to_collection":[]})", ""},
      {R"({"belongs_to_collection":[1]})", "belongs_to_collection = [1]: no object"},
      {R"({"belongs_to_collection":"x"})", "belongs_to_collection = \"x\": no object"},
      {R"({"belongs_to_collection":""})", ""},
      {R"({"genres":{}})", ""},
      {R"({"genres":{"0":{"id":1}}})", R"(genres = {"0":{"id":1}}: no list)"},
      {R"({"genres":[null]})", "genres[0] = null: no object"},
      {R"({"genres":[1]})", "genres[0] = 1: no object"},
      {R"({"genres":[[]]})", ""},
      {R"({"genres":[[1]]})", "genres[0] = [1]: no object"},
      {R"({"genres":[{"id":"x"}]})", R"(genres[0].id = "x": text)"},
      {R"({"origin_country":[1]})", "origin_country[0] = 1: a number"},
      {R"({"origin_country":"US"})", "origin_country = \"US\": no list"},
      {R"({"watch/providers":{"results":[]}})", ""},
      {R"({"watch/providers":{"results":{"DE":5}}})", "watch/providers.results.DE = 5: no object"},
      {R"({"watch/providers":{"results":{"DE":{"flatrate":{"a":1}}}}})",
       "watch/providers.results.DE.flatrate = "},
      {R"({"images":{"posters":[[]]}})", ""},
      {R"({"images":{"posters":"/p.jpg"}})", "images.posters = \"/p.jpg\": no list"},
      {R"([])", ""},
      {R"([1])", " = [1]: no object"},
      {R"("film")", " = \"film\": no object"},
      {R"(7)", " = 7: no object"},
  };
  for (const Hostile& one : kHostile) {
    Kept film = Film(one.data);
    EXPECT_EQ(film.rows["movies"].size(), 1u) << one.data;
    if (one.reject.empty()) {
      EXPECT_TRUE(film.rejects.empty()) << one.data << ": " << film.rejects[0];
    } else {
      ASSERT_EQ(film.rejects.size(), 1u) << one.data;
      EXPECT_TRUE(film.rejects[0].starts_with(one.reject)) << one.data << ": " << film.rejects[0];
    }
  }
}

TEST(Extraction, BoundsWhatItTellsOfOneRecord) {
  std::string list;
  for (int i = 0; i < 1000; ++i) list += fmt::format(R"(,{{"id":"x","new{}":1}})", i);
  Kept film = Film(R"({"genres":[)" + list.substr(1) + "]}");
  ASSERT_EQ(film.rejects.size(), kMaxRejects + 2);
  EXPECT_EQ(film.rejects[kMaxRejects], " = 1000: so many values do not fit: the first ones are listed");
  EXPECT_EQ(film.rows["movie_genres"].size(), 1000u);
}

TEST(Extraction, SaysHowManyUnknownMembersItDoesNotList) {
  std::string members;
  for (int i = 0; i < 300; ++i) members += fmt::format(R"(,"new{:03}":1)", i);
  Kept film = Film(R"({"genres":[{"x":1},{"x":2}])" + members + "}");
  EXPECT_EQ(film.unknown.size(), kMaxUnknown);
  ASSERT_EQ(film.rejects.size(), 1u);
  EXPECT_EQ(film.rejects[0], " = 102: so many more members are unknown: the first ones are listed");
}

TEST(Extraction, MakesOneRowOfAKeyThatTmdbGivesTwice) {
  const auto list = [](std::string_view path, std::string_view data) {
    return Extracted(ExtractionPlan::OfList(path), {.id = 1, .media_type = "movie"}, data);
  };
  Kept genres =
      list("genre/movie/list",
           R"({"genres":[{"id":28,"name":"Action"},{"id":"28","name":"Again"},{"id":12,"name":"A"}]})");
  EXPECT_EQ(genres.Of("genres", {"genre_id", "name"}), "28 Action; 12 A");
  ASSERT_EQ(genres.rejects.size(), 1u);
  EXPECT_EQ(genres.rejects[0],
            R"(genres[1] = {"id":"28","name":"Again"}: no row of genres: another one has the same key)");
  Kept jobs = list("configuration/jobs",
                   R"([{"department":"Art","jobs":["A"]},{"department":"Art","jobs":["B","C"]}])");
  EXPECT_EQ(jobs.Of("jobs", {"department", "position", "job"}), "Art 0 A; Art 1 C");
  Kept show = Show(R"({"last_episode_to_air":{"id":1},"last_episode_to_air":{"id":2}})");
  EXPECT_EQ(show.Of("tv_last_episode", {"tv_id", "episode_id"}), "1399 1");
  EXPECT_EQ(show.rejects.size(), 1u);
}

TEST(Extraction, CutsTheGenresOfEachLanguage) {
  Kept genres = Extracted(ExtractionPlan::OfList("genre/tv/list?language=de-DE"),
                          {.id = 1009, .media_type = "tv", .locale = "de-DE"},
                          R"({"genres":[{"id":16,"name":"Animation"},{"id":37,"name":null}]})");
  EXPECT_EQ(genres.Of("genre_translations", {"media_type", "locale", "genre_id", "name"}),
            "tv de-DE 16 Animation; tv de-DE 37 NULL");
  EXPECT_EQ(genres.Of("genres", {"genre_id"}), "");
}

TEST(Extraction, CutsALongValueBetweenCharacters) {
  std::string euros;
  for (int i = 0; i < 300; ++i) euros += "\xE2\x82\xAC";
  Kept film = Film(R"({"budget":")" + euros + "\"}");
  ASSERT_EQ(film.rejects.size(), 1u);
  const std::string expected = "budget = \"" + euros.substr(0, 66 * 3) + ": text";
  EXPECT_TRUE(film.rejects[0].starts_with(expected)) << film.rejects[0];
}

TEST(Extraction, RefusesWhatIsNoJson) {
  Kept kept;
  Extractor extractor(ExtractionPlan::Of(MediaType::kMovie), kept);
  const auto done = extractor.Extract({.id = 550}, "{");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(kept.rows.empty());
}

TEST(Extraction, CutsListsFromConfiguration) {
  const auto list = [](std::string_view path, std::string_view media_type, std::string_view data) {
    return Extracted(ExtractionPlan::OfList(path), {.id = 1, .media_type = media_type}, data);
  };
  EXPECT_EQ(list("genre/tv/list", "tv", R"({"genres":[{"id":16,"name":"Animation"},{"name":"x"}]})")
                .Of("genres", {"media_type", "genre_id", "name"}),
            "tv 16 Animation");
  EXPECT_EQ(
      list(
          "certification/movie/list", "movie",
          R"({"certifications":{"US":[{"certification":"G","order":1},{"certification":"PG"}],"DE":[{"order":2}]}})")
          .Of("certifications", {"media_type", "country", "position", "certification", "sort_order"}),
      "movie US 0 G 1; movie US 1 PG NULL; movie DE 0 NULL 2");
  EXPECT_EQ(list("configuration/jobs", "",
                 R"([{"department":"Art","jobs":["A","B"]},{"jobs":["C"],"department":"Sound"}])")
                .Of("jobs", {"department", "position", "job"}),
            "Art 0 A; Art 1 B; Sound 0 C");
  EXPECT_EQ(list("configuration/primary_translations", "", R"(["de-DE","en-US"])")
                .Of("primary_translations", {"position", "locale"}),
            "0 de-DE; 1 en-US");
  Kept providers =
      list("watch/providers/movie", "movie",
           R"({"results":[{"display_priorities":{"DE":1,"US":2},"display_priority":4,"provider_id":8}]})");
  EXPECT_EQ(providers.Of("watch_providers", {"media_type", "provider_id", "display_priority"}), "movie 8 4");
  EXPECT_EQ(
      providers.Of("watch_provider_priorities", {"media_type", "provider_id", "country", "display_priority"}),
      "movie 8 DE 1; movie 8 US 2");
  Kept sizes =
      list("configuration", "",
           R"({"images":{"poster_sizes":["w92","original"],"base_url":"B"},"change_keys":["adult"]})");
  EXPECT_EQ(sizes.Of("image_sizes", {"kind", "position", "size", "base_url"}),
            "poster_sizes 0 w92 B; poster_sizes 1 original B");
  EXPECT_EQ(sizes.Of("change_keys", {"position", "change_key"}), "0 adult");
}

// --- recorded bodies ---

// Namespaces and details that are off by default; each other unknown member is a fault of the spec.
bool IsOff(std::string_view path) {
  constexpr std::string_view kOff[] = {
      "recommendations",   "similar",         "lists",  "changes",      "tagged_images",
      "movie_credits",     "tv_credits",      "movies", "external_ids", "credits",
      "aggregate_credits", "watch/providers", "videos", "translations", "images",
      "account_states"};
  return std::ranges::any_of(kOff, [&](std::string_view name) { return path == name; });
}

TEST(Extraction, KnowsEveryMemberOfEveryRecordedBody) {
  TMDBC_NEEDS_CORPUS("movie");
  const std::pair<const char*, MediaType> kFolders[] = {
      {"movie", MediaType::kMovie},           {"tv", MediaType::kTv},
      {"tv_season", MediaType::kSeason},      {"person", MediaType::kPerson},
      {"collection", MediaType::kCollection}, {"company", MediaType::kCompany},
      {"network", MediaType::kNetwork}};
  int bodies = 0;
  for (const auto& [folder, type] : kFolders) {
    for (const auto& entry : std::filesystem::directory_iterator(tmdbc::testing::CorpusFolder() / folder)) {
      const std::string name = entry.path().filename().string();
      const auto end = name.find_first_not_of("0123456789");
      // 550_credits__...: the answer of a sub-resource is not a record.
      if (type != MediaType::kSeason && name.substr(end, 2) != "__") continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      RecordFacts facts{.id = std::stoll(name.substr(0, end))};
      if (type == MediaType::kSeason) {
        facts = {.id = 0, .tv_id = facts.id, .season_number = std::stoll(name.substr(end + 2))};
        const auto parsed = ParsedJson::Parse(text.str());
        ASSERT_TRUE(parsed) << name;
        ASSERT_EQ(parsed->root()["id"].get(facts.id), simdjson::SUCCESS) << name;
      }
      Kept kept = Extracted(ExtractionPlan::Of(type), facts, text.str());
      for (const std::string& path : kept.unknown) EXPECT_TRUE(IsOff(path)) << name << ": " << path;
      for (const std::string& reject : kept.rejects) {
        // The recorder of the body put it in, in place of a number.
        if (!reject.starts_with("external_ids.tvrage_id = \"tvrange id\""))
          ADD_FAILURE() << name << ": " << reject;
      }
      ++bodies;
    }
  }
  EXPECT_GT(bodies, 50);
}

// The sub-resources as they would be appended.
TEST(Extraction, KnowsEveryMemberOfEveryRecordedSubResource) {
  TMDBC_NEEDS_CORPUS("movie_sub");
  const std::pair<const char*, MediaType> kFolders[] = {
      {"movie_sub", MediaType::kMovie}, {"tv_sub", MediaType::kTv}, {"person_sub", MediaType::kPerson}};
  int bodies = 0;
  for (const auto& [folder, type] : kFolders) {
    for (const auto& entry : std::filesystem::directory_iterator(tmdbc::testing::CorpusFolder() / folder)) {
      const std::string name = entry.path().filename().string();
      const auto begin = name.find('_') + 1;
      std::string resource = name.substr(begin, name.find("__") - begin);
      if (resource == "watch_providers") resource = "watch/providers";
      const auto& traits = TraitsOf(type);
      if ((", " + std::string(traits.namespaces) + ",").find(" " + resource + ",") == std::string::npos)
        continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      Kept kept =
          Extracted(ExtractionPlan::Of(type), {.id = 1}, fmt::format("{{\"{}\":{}}}", resource, text.str()));
      for (const std::string& path : kept.unknown)
        EXPECT_TRUE(path == resource + ".id")
            << name << ": " << path;  // of the answer alone, not when appended
      for (const std::string& reject : kept.rejects)
        EXPECT_TRUE(reject.starts_with(resource + ".id ")) << name << ": " << reject;
      ++bodies;
    }
  }
  EXPECT_GT(bodies, 40);
}

TEST(Extraction, KnowsEveryMemberOfEveryRecordedList) {
  TMDBC_NEEDS_CORPUS("config");
  const std::pair<const char*, const char*> kLists[] = {
      {"certification_movie_list", "certification/movie/list"},
      {"certification_tv_list", "certification/tv/list"},
      {"configuration_countries", "configuration/countries"},
      {"configuration_jobs", "configuration/jobs"},
      {"configuration_languages", "configuration/languages"},
      {"configuration_timezones", "configuration/timezones"},
      {"configuration_primary_translations", "configuration/primary_translations"},
      {"configuration", "configuration"},
      {"genre_movie_list", "genre/movie/list"},
      {"genre_tv_list", "genre/tv/list"},
      {"watch_providers_movie", "watch/providers/movie"},
      {"watch_providers_tv", "watch/providers/tv"},
      {"watch_providers_regions", "watch/providers/regions"}};
  int bodies = 0;
  for (const auto& [file_name, path] : kLists) {
    for (const auto& entry : std::filesystem::directory_iterator(tmdbc::testing::CorpusFolder() / "config")) {
      if (!entry.path().filename().string().starts_with(std::string(file_name) + "__")) continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      Kept kept = Extracted(ExtractionPlan::OfList(path), {.id = 1, .media_type = "movie"}, text.str());
      EXPECT_FALSE(kept.rows.empty()) << entry.path();
      for (const std::string& unknown : kept.unknown) ADD_FAILURE() << entry.path() << ": " << unknown;
      for (const std::string& reject : kept.rejects) ADD_FAILURE() << entry.path() << ": " << reject;
      ++bodies;
    }
  }
  EXPECT_GT(bodies, 12);
}

// Where the plan leads for a path of FIELD_TYPES.tsv ("credits.cast[].order"): whether a column or the list of unused
// paths speaks of it.
bool IsKnown(const ExtractionPlan& plan, std::string_view path) {
  const ExtractionPlan::Node* node = &plan.at(ExtractionPlan::kRoot);
  while (!path.empty()) {
    if (node->unused) return true;
    ExtractionPlan::NodeId next = ExtractionPlan::kNone;
    if (path.starts_with("[]")) {
      next = node->element;
      path.remove_prefix(2);
    } else {
      if (path.starts_with('.')) path.remove_prefix(1);
      const std::string_view name = path.substr(0, path.find_first_of(".["));
      next = node->Find(name);
      if (next == ExtractionPlan::kNone) next = node->any;
      path.remove_prefix(name.size());
    }
    if (next == ExtractionPlan::kNone) return false;
    node = &plan.at(next);
  }
  return node->unused || !node->leaves.empty();
}

TEST(Extraction, HasAColumnOrAReasonForEveryScalarThatWasEverSeen) {
  TMDBC_NEEDS_CORPUS("FIELD_TYPES.tsv");
  const std::map<std::string, MediaType> groups = {
      {"movie", MediaType::kMovie},           {"tv", MediaType::kTv},
      {"tv_season", MediaType::kSeason},      {"person", MediaType::kPerson},
      {"collection", MediaType::kCollection}, {"company", MediaType::kCompany},
      {"network", MediaType::kNetwork}};
  std::ifstream file(tmdbc::testing::CorpusFolder() / "FIELD_TYPES.tsv");
  int scalars = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::string group, path, types;
    std::getline(cells, group, '\t');
    std::getline(cells, path, '\t');
    std::getline(cells, types, '\t');
    const auto type = groups.find(group);
    const bool scalar =
        types.find("object:") == std::string::npos && types.find("array:") == std::string::npos;
    const bool only_null = types.starts_with("null:") && types.find(',') == std::string::npos;
    if (type == groups.end() || !scalar || only_null) continue;
    // What is not asked for by default; a name of a namespace that this type has not is not part of a record either.
    const std::string first = path.substr(0, path.find_first_of(".["));
    const ExtractionPlan& plan = ExtractionPlan::Of(type->second);
    // Of the small types the answers of sub-resources are listed by themselves.
    constexpr std::string_view kAlone[] = {"backdrops", "posters",     "logos",        "results",
                                           "page",      "total_pages", "total_results"};
    if (std::ranges::find(kAlone, first) != std::end(kAlone)) continue;
    if (IsOff(first) && plan.at(ExtractionPlan::kRoot).Find(first) == ExtractionPlan::kNone) continue;
    EXPECT_TRUE(IsKnown(plan, path)) << group << " " << path << " " << types;
    ++scalars;
  }
  EXPECT_GT(scalars, 250);
}

}  // namespace
}  // namespace tmdbc::tables
