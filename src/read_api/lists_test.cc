// SPDX-License-Identifier: MIT
// What rests on the title index: find, discover, lists, trending, changes; search beyond its matching.
#include "read_api/lists.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "base/json.h"
#include "read_api/read_api_world_test.h"
#include "tmdb/configuration_lists.h"

namespace tmdbc::read_api {
namespace {

// "2,1 of 2": the ids of the rows, and the total; another status and its body.
std::string Listed(const Answer& answer) {
  const auto json = ParsedJson::ParseString(answer.body);
  if (answer.status != 200 || !json) return fmt::format("{} {}", answer.status, answer.body);
  std::string text;
  for (const auto row : json->root()["results"].get_array())
    text += fmt::format("{}{}", text.empty() ? "" : ",", row["id"].get_int64().value());
  return fmt::format("{} of {}", text, json->root()["total_results"].get_int64().value());
}

struct ListWorld : ReadApiWorld {
  void Film(std::int64_t id, double popularity, std::string_view more = "") {
    Put({MediaType::kMovie, id},
        fmt::format(R"({{"adult":false,"genres":[],"id":{},"title":"Film {}","popularity":{}{}}})", id, id, popularity, more));
  }
  void Show(std::int64_t id, double popularity, std::string_view more = "") {
    Put({MediaType::kTv, id},
        fmt::format(R"({{"adult":false,"genres":[],"id":{},"name":"Show {}","popularity":{}{}}})", id, id, popularity, more));
  }
  std::string List(std::string_view target) { return Listed(Get(fmt::format("/3/{}", target))); }
};

std::string ReleasedOn(std::string_view country, std::string_view day, int type, std::string_view certification = "") {
  return fmt::format(
      R"(,"release_dates":{{"results":[{{"iso_3166_1":"{}","release_dates":[{{"certification":"{}","release_date":"{}T00:00:00.000Z","type":{}}}]}}]}})",
      country, certification, day, type);
}

TEST(Lists, HaveTwentyRowsAPageAndTheSameTotalsOnAll) {
  ListWorld world;
  for (int id = 1; id <= 25; ++id) world.Film(id, 100 - id);
  EXPECT_EQ(world.List("movie/popular"), "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20 of 25");
  EXPECT_EQ(world.List("movie/popular?page=2"), "21,22,23,24,25 of 25");
  EXPECT_EQ(world.List("movie/popular?page=3"), " of 25");
  EXPECT_EQ(world.List("search/movie?query=film&page=2"), "21,22,23,24,25 of 25");
  EXPECT_EQ(world.List("search/movie?query=film&page=9"), " of 25");
  EXPECT_EQ(world.Get("/3/search/movie?query=nothing").body, R"({"page":1,"results":[],"total_pages":1,"total_results":0})");
  for (const std::string_view page : {"0", "501", "x", "-1", "1.5"})
    EXPECT_EQ(world.Get(fmt::format("/3/movie/popular?page={}", page)).status, 400) << page;
  EXPECT_EQ(world.Get("/3/search/movie").body, R"({"errors":["query must be provided"]})");
  EXPECT_EQ(world.Get("/3/search/movie?query=").status, 422);
  EXPECT_EQ(world.Get("/3/search/nonsense?query=x").status, 404);
}

// The index hears of a deletion a moment later than the store.
TEST(Lists, AreAppendedToACompany) {
  ListWorld world;
  constexpr auto kCompany = R"({"id":25,"name":"Fox")";
  constexpr auto kAppended = "/3/company/25?append_to_response=movies";
  world.Put({MediaType::kCompany, 25}, std::string(kCompany) + "}");
  for (int id = 1; id <= 22; ++id) world.Film(id, id, R"(,"production_companies":[{"id":25}])");
  std::string page = world.Get("/3/company/25/movies").body;
  constexpr std::string_view kId = "\"id\":25,";
  page.erase(page.find(kId), kId.size());
  EXPECT_EQ(world.Get(kAppended).body, std::string(kCompany) + ",\"movies\":" + page + "}");
  EXPECT_EQ(world.Get(kAppended).fidelity, Fidelity::kDerived);
  // Where the settings ask for it, TMDB's page is there.
  constexpr auto kStored = R"({"page":1,"results":[],"total_pages":84,"total_results":1671})";
  world.Put({MediaType::kCompany, 25}, std::string(kCompany) + ",\"movies\":" + kStored + "}");
  EXPECT_EQ(world.Get(kAppended).body, std::string(kCompany) + ",\"movies\":" + kStored + "}");
}

TEST(Lists, FillUpAndCountWithoutWhatWasDeletedAMomentAgo) {
  ListWorld world;
  for (int id = 1; id <= 25; ++id) world.Film(id, 100 - id);
  world.records.all.erase({MediaType::kMovie, 2});
  world.records.all.erase({MediaType::kMovie, 5});
  EXPECT_EQ(world.List("movie/popular"), "1,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22 of 23");
  EXPECT_EQ(world.List("search/movie?query=film&page=2"), "21,22,23,24,25 of 25");
}

TEST(Lists, ShowEachRecordAsItIsNowAndInTheWayThatIsAskedFor) {
  ListWorld world;
  const auto film = [&](std::string_view german) {
    world.Film(1, 5, fmt::format(R"(,"original_title":"O","release_date":"2000-01-01","translations":{{"translations":[)"
                                 R"({{"iso_3166_1":"DE","iso_639_1":"de","data":{{"title":"{}"}}}}]}}{})",
                                 german, ReleasedOn("FR", "2001-02-03", 3)));
  };
  const auto has = [&](std::string_view target, std::string_view text) {
    const std::string body = world.Get(fmt::format("/3/{}", target)).body;
    EXPECT_TRUE(body.contains(text)) << target << body;
  };
  film("Eins");
  for (int twice = 0; twice < 2; ++twice) {
    has("movie/popular", R"("title":"Film 1")");
    has("movie/popular?language=de", R"("title":"Eins")");
    has("movie/popular?language=it", R"("title":"O")");
    has("movie/popular?region=FR", R"("release_date":"2001-02-03")");
    has("movie/popular?page=1", R"("release_date":"2000-01-01")");
    has("trending/movie/day", R"("media_type":"movie")");
  }
  film("Zwei");
  has("movie/popular?language=de", R"("title":"Zwei")");
  EXPECT_EQ(world.Get("/3/movie/popular?language=de").sources.size(), 1u);
}

TEST(Lists, PrintThePopularityThatTheyAreSortedBy) {
  ListWorld world;
  world.Film(1, 5);
  world.Film(2, 9);
  world.titles.SetPopularity({MediaType::kMovie, 1}, 61.416f);
  const Answer answer = world.Get("/3/movie/popular");
  EXPECT_EQ(Listed(answer), "1,2 of 2");
  EXPECT_TRUE(answer.body.contains(R"("popularity":61.416})")) << answer.body;
  EXPECT_EQ(answer.fidelity, Fidelity::kDerived);
  EXPECT_NE(answer.index_state, 0u);
}

TEST(Lists, AreOfflineWhileTheIndexIsBuilt) {
  ListWorld world;
  world.Film(1, 1);
  titles::PublishedTitles none;
  ReadApi api(world.records, world.clock, &none);
  for (const std::string_view target : {"/3/search/movie?query=film", "/3/movie/popular", "/3/find/tt1?external_source=imdb_id",
                                        "/3/movie/changes", "/3/trending/all/day", "/3/movie/latest", "/3/movie/tt0000001"}) {
    EXPECT_EQ(api.Get(*ApiRequest::Parse(target)).status, 503) << target;
  }
  EXPECT_EQ(api.Get(*ApiRequest::Parse("/3/movie/1")).status, 200);
}

TEST(Find, GivesFiveArraysAndComparesTvdbIdsAsNumbers) {
  ListWorld world;
  world.Film(1, 1, R"(,"imdb_id":"tt0137523","external_ids":{"wikidata_id":"Q1"})");
  world.Show(2, 1, R"(,"external_ids":{"imdb_id":"tt0903747","tvdb_id":81189,"facebook_id":"BreakingBad"})");
  const auto found = [&](std::string_view target) {
    const Answer answer = world.Get(fmt::format("/3/find/{}", target));
    const auto json = ParsedJson::ParseString(answer.body);
    std::string text;
    for (const char* name : {"movie_results", "person_results", "tv_results", "tv_episode_results", "tv_season_results"}) {
      simdjson::dom::array rows;
      if (!json || json->root()[name].get(rows) != simdjson::SUCCESS) return answer.body;
      for (const auto row : rows) text += fmt::format("{}{} ", row["media_type"].get_c_str().value(), row["id"].get_int64().value());
    }
    return text;
  };
  EXPECT_EQ(found("tt0137523?external_source=imdb_id"), "movie1 ");
  EXPECT_EQ(found("0081189?external_source=tvdb_id"), "tv2 ");
  EXPECT_EQ(found("81189?external_source=imdb_id"), "");
  EXPECT_EQ(found("breakingbad?external_source=facebook_id"), "");
  EXPECT_EQ(found("BreakingBad?external_source=facebook_id"), "tv2 ");
  EXPECT_EQ(world.Get("/3/find/x?external_source=imdb_id").body,
            R"({"movie_results":[],"person_results":[],"tv_results":[],"tv_episode_results":[],"tv_season_results":[]})");
  EXPECT_EQ(world.Get("/3/find/x?external_source=myspace_id").status, 422);
  EXPECT_EQ(world.Get("/3/movie/tt0137523").body, world.Get("/3/movie/1").body);
  EXPECT_EQ(world.Get("/3/movie/tt0000009").status, 404);
}

TEST(Review, IsFoundByItsIdOnTheStoredPageOfItsShow) {
  ListWorld world;
  world.Film(1, 1, R"(,"reviews":{"page":1,"results":[{"author":"A","id":"640b2aeecaaca20079decdcc","url":"u"}]})");
  world.Show(2, 1,
             R"(,"reviews":{"page":1,"results":[{"author":"B","author_details":{"rating":9.0},"content":"\"C\"",)"
             R"("created_at":"c","id":"5488c29bc3a3686f4a00004a","updated_at":"d","url":"u"}]})");
  const Answer answer = world.Get("/3/review/5488c29bc3a3686f4a00004a");
  EXPECT_EQ(answer.body,
            R"({"id":"5488c29bc3a3686f4a00004a","author":"B","author_details":{"rating":9.0},"content":"\"C\"",)"
            R"("created_at":"c","iso_639_1":"en","media_id":2,"media_title":"Show 2","media_type":"tv",)"
            R"("updated_at":"d","url":"u"})");
  EXPECT_EQ(answer.fidelity, Fidelity::kDerived);
  EXPECT_TRUE(world.Get("/3/review/640b2aeecaaca20079decdcc").body.contains(R"("media_title":"Film 1","media_type":"movie")"));
  EXPECT_EQ(world.Get("/3/review/5488c29bc3a3686f4a00004b").status, 404);
  EXPECT_EQ(world.Get("/3/find/5488c29bc3a3686f4a00004a?external_source=review_id").status, 422);
}

TEST(Discover, TakesAPipeForOrAndACommaForAnd) {
  ListWorld world;
  world.Film(1, 3, R"(,"keywords":{"keywords":[{"id":7},{"id":8}]})");
  world.Film(2, 2, R"(,"keywords":{"keywords":[{"id":7}]},"video":true)");
  world.Film(3, 1, R"(,"keywords":{"keywords":[{"id":8}]},"original_language":"fr")");
  EXPECT_EQ(world.List("discover/movie?with_keywords=7,8"), "1 of 1");
  EXPECT_EQ(world.List("discover/movie?with_keywords=7|8"), "1,3 of 2");
  EXPECT_EQ(world.List("discover/movie?with_keywords=7%7C8&include_video=true&sort_by=popularity.asc"), "3,2,1 of 3");
  EXPECT_EQ(world.List("discover/movie?without_keywords=7"), "3 of 1");
  EXPECT_EQ(world.List("discover/movie?with_original_language=en|fr"), "3 of 1");
  EXPECT_EQ(world.List("discover/movie?with_keywords=&sort_by=nonsense&with_genres=x"), "1,3 of 2");
  EXPECT_EQ(world.List("keyword/8/movies"), "1,3 of 2");
  EXPECT_TRUE(world.Get("/3/keyword/8/movies").body.starts_with(R"({"id":8,"page":1,)"));
}

TEST(Discover, FiltersByReleasesAndCertifications) {
  ListWorld world;
  world.Put({MediaType::kConfiguration, *ConfigurationId("certification/movie/list")},
            R"({"certifications":{"US":[{"certification":"","meaning":"","order":0},{"certification":"G","meaning":"","order":1},{"certification":"PG","meaning":"","order":2},)"
            R"({"certification":"R","meaning":"","order":4}]}})");
  world.Film(1, 3, R"(,"release_date":"1999-10-15")" + ReleasedOn("US", "2026-11-20", 3, "R"));
  world.Film(2, 2, R"(,"release_date":"2026-01-01")" + ReleasedOn("US", "2026-11-25", 4, "PG"));
  world.Film(3, 1, ReleasedOn("DE", "2026-11-21", 3, "12"));
  EXPECT_EQ(world.List("discover/movie?release_date.gte=2026-11-19&release_date.lte=2026-11-30"), "1,2,3 of 3");
  EXPECT_EQ(world.List("discover/movie?release_date.gte=2026-11-19&with_release_type=2|3"), "1,3 of 2");
  EXPECT_EQ(world.List("discover/movie?release_date.gte=2026-11-19&region=US"), "1,2 of 2");
  EXPECT_EQ(world.List("discover/movie?with_release_type=4"), "1,2,3 of 3");
  EXPECT_EQ(world.List("discover/movie?region=DE"), "1,2,3 of 3");
  EXPECT_EQ(world.List("discover/movie?region=US&with_release_type=4"), "2 of 1");
  EXPECT_EQ(world.List("discover/movie?year=2026"), "1,2,3 of 3");
  EXPECT_EQ(world.List("discover/movie?primary_release_year=2026"), "2 of 1");
  EXPECT_EQ(world.List("discover/movie?primary_release_date.lte=2000-01-01"), "1 of 1");
  EXPECT_EQ(world.List("discover/movie?certification_country=US&certification=G|PG"), "2 of 1");
  EXPECT_EQ(world.List("discover/movie?certification_country=US&certification.lte=PG"), "2 of 1");
  EXPECT_EQ(world.List("discover/movie?certification_country=US&certification.gte=PG"), "1,2 of 2");
  EXPECT_EQ(world.List("discover/movie?certification=PG"), "1,2,3 of 3");
  EXPECT_EQ(world.List("discover/movie?sort_by=primary_release_date.desc"), "2,1,3 of 3");
  EXPECT_EQ(world.List("discover/movie?sort_by=release_date.asc"), "1,2,3 of 3");
}

TEST(Discover, KnowsWhereATitleCanBeWatched) {
  ListWorld world;
  world.Film(1, 2, R"(,"watch/providers":{"results":{"US":{"link":"","flatrate":[{"provider_id":8}],"rent":[{"provider_id":2}]}}})");
  world.Film(2, 1, R"(,"watch/providers":{"results":{"US":{"link":"","free":[{"provider_id":9}]},"DE":{"link":"","buy":[{"provider_id":8}]}}})");
  EXPECT_EQ(world.List("discover/movie?watch_region=US&with_watch_providers=8"), "1 of 1");
  EXPECT_EQ(world.List("discover/movie?watch_region=US&with_watch_providers=8|9"), "1,2 of 2");
  EXPECT_EQ(world.List("discover/movie?watch_region=US&with_watch_monetization_types=flatrate"), "1 of 1");
  EXPECT_EQ(world.List("discover/movie?watch_region=US&with_watch_monetization_types=flatrate|free"), "1,2 of 2");
  EXPECT_EQ(world.List("discover/movie?watch_region=US&with_watch_providers=2&with_watch_monetization_types=flatrate"), " of 0");
  EXPECT_EQ(world.List("discover/movie?watch_region=US&without_watch_providers=2"), "2 of 1");
  EXPECT_EQ(world.List("discover/movie?with_watch_providers=8"), "1,2 of 2");
}

TEST(Lists, OfCinemasBeginOnAWednesday) {
  const auto day = [](std::string_view text) { return std::int32_t(ParseDate(text)->time_since_epoch().count()); };
  // 2026-11-25 is a Wednesday.
  for (const std::string_view today : {"2026-11-25", "2026-11-29", "2026-12-01"}) {
    const CinemaWindows windows = WindowsOn(day(today));
    EXPECT_EQ(windows.playing, (titles::Span<std::int32_t>{day("2026-10-21"), day("2026-12-02")})) << today;
    EXPECT_EQ(windows.upcoming, (titles::Span<std::int32_t>{day("2026-12-02"), day("2026-12-23")})) << today;
  }
  EXPECT_EQ(*WindowsOn(day("2026-12-02")).playing.to, day("2026-12-09"));
  EXPECT_EQ(*WindowsOn(day("1969-12-31")).playing.to, day("1970-01-07"));

  ListWorld world;
  const auto today = std::chrono::floor<std::chrono::days>(world.clock.Now());
  world.Film(1, 2, ReleasedOn("US", FormatDate(today), 3));
  world.Film(2, 1, ReleasedOn("US", FormatDate(today), 4));
  world.Film(3, 1, ReleasedOn("DE", FormatDate(today), 2));
  world.Film(4, 1, ReleasedOn("DE", FormatDate(today + std::chrono::days(16)), 3));
  EXPECT_EQ(world.List("movie/now_playing"), "1,3 of 2");
  EXPECT_EQ(world.List("movie/now_playing?region=DE"), "3 of 1");
  EXPECT_EQ(world.List("movie/upcoming"), "4 of 1");
  EXPECT_TRUE(world.Get("/3/movie/now_playing").body.starts_with(R"({"dates":{"maximum":")"));
}

TEST(Lists, AreNotKeptBeyondTheDay) {
  ListWorld world;
  world.Film(1, 2, "");
  EXPECT_EQ(world.Get("/3/movie/now_playing").max_age, std::chrono::hours(8));
  world.clock.Advance(std::chrono::hours(23) + std::chrono::minutes(59));
  EXPECT_EQ(world.Get("/3/movie/now_playing").max_age, std::chrono::minutes(1));
}

TEST(Discover, TakesAWholeNumberAsClientsWriteIt) {
  ListWorld world;
  world.Film(1, 2, R"(,"runtime":100,"vote_count":5)");
  world.Film(2, 1, R"(,"runtime":80,"vote_count":50)");
  for (const char* text : {"90", "90.0", "90.", "90.00"})
    EXPECT_EQ(world.List(std::string("discover/movie?with_runtime.gte=") + text), "1 of 1") << text;
  // What is not a number asks for nothing.
  for (const char* text : {"90.5.1", "x", "nan", "90min", "-"})
    EXPECT_EQ(world.List(std::string("discover/movie?with_runtime.gte=") + text), "1,2 of 2") << text;
  for (const char* text : {"nan", "inf"})
    EXPECT_EQ(world.List(std::string("discover/movie?vote_average.gte=") + text), "1,2 of 2") << text;
}

TEST(Lists, KnowWhatIsOnTheAir) {
  ListWorld world;
  const auto today = std::chrono::floor<std::chrono::days>(world.clock.Now());
  const auto season = [&](std::int64_t id, std::int64_t show, std::chrono::sys_days day) {
    world.Put({MediaType::kSeason, id}, fmt::format(R"({{"id":{},"episodes":[{{"air_date":"{}"}}]}})", id, FormatDate(day)), show, 1);
  };
  world.Show(1, 1);
  world.Show(2, 2);
  world.Show(3, 3);
  season(10, 1, today);
  season(20, 2, today + std::chrono::days(3));
  season(30, 3, today - std::chrono::days(3));
  EXPECT_EQ(world.List("tv/airing_today"), "1 of 1");
  EXPECT_EQ(world.List("tv/on_the_air"), "2,1 of 2");
  EXPECT_EQ(world.List("discover/tv?air_date.lte=" + FormatDate(today - std::chrono::days(1))), "3 of 1");
  EXPECT_EQ(world.List("tv/popular"), "3,2,1 of 3");
}

TEST(Lists, RankTheRatedByTheirVotes) {
  ListWorld world;
  world.Film(1, 1, R"(,"vote_average":9.5,"vote_count":10)");
  world.Film(2, 1, R"(,"vote_average":8.5,"vote_count":1000)");
  world.Film(3, 1, R"(,"vote_average":8.7,"vote_count":300)");
  EXPECT_EQ(world.List("movie/top_rated"), "3,2 of 2");
  EXPECT_EQ(world.List("discover/movie?sort_by=vote_average.desc&vote_count.lte=500"), "1,3 of 2");
  EXPECT_TRUE(world.Get("/3/movie/latest").body.starts_with(R"({"adult":false,"genres":[],"id":3,)"));
}

TEST(Similar, ShareTheRarerKeywords) {
  ListWorld world;
  world.Film(1, 1, R"(,"keywords":{"keywords":[{"id":7},{"id":8}]})");
  world.Film(2, 9, R"(,"keywords":{"keywords":[{"id":7}]})");
  world.Film(3, 1, R"(,"keywords":{"keywords":[{"id":8}]})");
  world.Film(4, 5, R"(,"keywords":{"keywords":[{"id":7}]})");
  EXPECT_EQ(world.List("movie/1/similar"), "3,2,4 of 3");
  EXPECT_EQ(world.List("movie/1/recommendations?page=2"), " of 3");
  EXPECT_EQ(world.Get("/3/movie/1/similar").fidelity, Fidelity::kApproximate);
  EXPECT_TRUE(world.Get("/3/movie/1/recommendations").body.contains("\"media_type\":\"movie\""));
  EXPECT_FALSE(world.Get("/3/movie/1/similar").body.contains("media_type"));
}

TEST(Trending, MixesTypes) {
  ListWorld world;
  world.Film(1, 1);
  world.Show(2, 3);
  EXPECT_EQ(world.List("trending/all/day"), "2,1 of 2");
  EXPECT_EQ(world.List("trending/movie/week"), "1 of 1");
  EXPECT_EQ(world.Get("/3/trending/movie/month").status, 404);
}

TEST(Changes, TakeDaysOfAtMostTwoWeeks) {
  ListWorld world;
  EXPECT_EQ(world.List("movie/changes?start_date=2026-11-01&end_date=2026-11-14"), " of 0");
  EXPECT_EQ(world.Get("/3/movie/changes?start_date=2026-11-01&end_date=2026-11-30").status, 422);
  EXPECT_EQ(world.Get("/3/movie/changes?start_date=2026-11-01").status, 200);
  EXPECT_EQ(world.Get("/3/movie/changes?end_date=2026-11-01").status, 200);
  EXPECT_EQ(world.Get("/3/movie/changes?start_date=2026-11-02&end_date=2026-11-01").status, 422);
  EXPECT_EQ(world.Get("/3/movie/changes?start_date=yesterday").status, 400);
  EXPECT_EQ(world.Get("/3/tv/changes?page=501").status, 400);
}

}  // namespace
}  // namespace tmdbc::read_api
