// SPDX-License-Identifier: MIT
#include "read_api/details.h"

#include <gtest/gtest.h>

#include <string>

#include "read_api/json_slice.h"
#include "read_api/read_api_world_test.h"
#include "tmdb/configuration_lists.h"

namespace tmdbc::read_api {
namespace {

constexpr auto kNoResource =
    R"({"success":false,"status_code":34,"status_message":"The resource you requested could not be found."})";

// A film as the collector stores it: what TMDB says of it in English, and behind that what was appended.
constexpr auto kFilmBody =
    R"({"adult":false,"backdrop_path":"/b.jpg","belongs_to_collection":{"id":1570,"name":"Die Hard Collection",)"
    R"("poster_path":"/c.jpg","backdrop_path":"/cb.jpg"},"budget":92000000,"genres":[{"id":28,"name":"Action"},)"
    R"({"id":53,"name":"Thriller"}],"homepage":"https://studio.example","id":47964,"imdb_id":"tt1606378",)"
    R"("original_language":"en","original_title":"A Good Day to Die Hard","overview":"Iconoclastic",)"
    R"("popularity":6.2441,)"
    R"("poster_path":"/en.jpg","revenue":30465418200,"runtime":98,"softcore":false,"tagline":"Yippee",)"
    R"("title":"A Good Day to Die Hard","unheard_of":[1],"vote_average":5.0,"vote_count":5800)";
constexpr auto kFilmParts =
    R"(,"credits":{"cast":[{"id":62}],"crew":[]},"alternative_titles":{"titles":[{"iso_3166_1":"US",)"
    R"("title":"Die Hard 5"},)"
    R"({"iso_3166_1":"CA","title":"Die Hard V"}]},)"
    R"("images":{"backdrops":[{"iso_639_1":null,"file_path":"/b.jpg"},{"iso_639_1":"en","file_path":"/be.jpg"}],)"
    R"("logos":[{"iso_639_1":"de","file_path":"/l.png"}],)"
    R"("posters":[{"iso_639_1":null,"file_path":"/none.jpg"},{"iso_639_1":"en","file_path":"/en.jpg"},)"
    R"({"iso_639_1":"de","file_path":"/de1.jpg"},{"iso_639_1":"de","file_path":"/de2.jpg"}]},)"
    R"("keywords":{"keywords":[{"id":9,"name":"cop"}]},)"
    R"("release_dates":{"results":[{"iso_3166_1":"DE","release_dates":[{"certification":"16","descriptors":[],)"
    R"("iso_639_1":"","note":"","release_date":"2013-02-14T00:00:00.000Z","type":3}]}]},)"
    R"("reviews":{"page":1,"results":[{"id":"5"}],"total_pages":3,"total_results":41},)"
    R"("translations":{"translations":[)"
    R"({"iso_3166_1":"CH","iso_639_1":"de","data":{"homepage":"","overview":"Schweizer","runtime":0,"tagline":"",)"
    R"("title":""}},)"
    R"({"iso_3166_1":"DE","iso_639_1":"de","data":{"homepage":"https://de.example","overview":"John McClane",)"
    R"("runtime":97,)"
    R"("tagline":"Wie der Vater","title":"Stirb langsam"}},)"
    R"({"iso_3166_1":"US","iso_639_1":"en","data":{"homepage":"","overview":"Iconoclastic","runtime":98,)"
    R"("tagline":"Yippee","title":""}}]},)"
    R"("videos":{"results":[{"iso_639_1":"en","iso_3166_1":"US","name":"Trailer","key":"k1","site":"YouTube",)"
    R"("size":1080,"type":"Trailer"},)"
    R"({"iso_639_1":"de","iso_3166_1":"DE","name":"Clip","key":"k2","site":"YouTube","size":720,"type":"Clip"},)"
    R"({"iso_639_1":"de","iso_3166_1":"DE","name":"Teil 1","key":"k3","site":"YouTube","size":720,)"
    R"("type":"Trailer"}]},)"
    R"("watch\/providers":{"results":{"DE":{}}}})";

struct DetailsWorld : ReadApiWorld {
  void PutFilm() { Put({MediaType::kMovie, 47964}, std::string(kFilmBody) + kFilmParts); }
  void PutGenres() {
    Put({MediaType::kConfiguration, *ConfigurationId("genre/movie/list?language=de-DE")},
        R"({"genres":[{"id":28,"name":"Action!"},{"id":53,"name":null}]})");
  }
  void PutCollection() {
    Put({MediaType::kCollection, 1570},
        R"({"id":1570,"name":"Die Hard Collection","original_language":"en","original_name":"Die Hard Collection",)"
        R"("overview":"All of them","poster_path":"/c.jpg","backdrop_path":"/cb.jpg","parts":[{"id":47964,)"
        R"("title":"A Good Day to Die Hard","overview":"Iconoclastic","poster_path":"/en.jpg",)"
        R"("media_type":"movie"}],)"
        R"("images":{"posters":[{"iso_639_1":"de","file_path":"/cde.jpg"}]},)"
        R"("translations":{"translations":[{"iso_3166_1":"DE","iso_639_1":"de",)"
        R"("data":{"title":"Stirb langsam Filmreihe",)"
        R"("overview":"Alle","homepage":""}}]}})");
  }
  // One member of an answer.
  std::string Member(std::string_view target, std::string_view name) {
    const Answer answer = Get(target);
    return std::string(JsonObject(answer.body)[name]);
  }
};

// What the members of a 200 are called, in their order.
std::string Names(const Answer& answer) {
  std::string names;
  const JsonObject object(answer.body);
  for (const JsonMember& member : object.members()) {
    if (!names.empty()) names += ' ';
    names += member.name;
  }
  return names;
}

TEST(Details, KeepBytesAndMembersThatNobodyKnows) {
  DetailsWorld world;
  world.PutFilm();
  const Answer answer = world.Get("/3/movie/47964?api_key=k&&language=en-US&region=&page=1&page=2");
  EXPECT_EQ(answer.body, std::string(kFilmBody) + "}");
  EXPECT_EQ(answer.fidelity, Fidelity::kExact);
  EXPECT_EQ(answer.max_age, std::chrono::hours(8));
}

TEST(Details, AppendInTheOrderAskedForEachOnce) {
  DetailsWorld world;
  world.PutFilm();
  const Answer answer = world.Get(
      "/3/movie/47964?append_to_response=watch%2Fproviders,credits, keywords,credits,tv_credits,account_states");
  EXPECT_TRUE(Names(answer).ends_with("vote_count watch/providers credits keywords")) << Names(answer);
  EXPECT_EQ(JsonObject(answer.body)["credits"], R"({"cast":[{"id":62}],"crew":[]})");
  EXPECT_EQ(JsonObject(answer.body)["watch/providers"], R"({"results":{"DE":{}}})");
  EXPECT_EQ(answer.fidelity, Fidelity::kExact);
}

TEST(Details, TakeTwentyNamesAndNoMore) {
  DetailsWorld world;
  world.PutFilm();
  std::string names = "credits";
  for (int i = 2; i <= 20; ++i) names += ",n" + std::to_string(i);
  EXPECT_EQ(world.Get("/3/movie/47964?append_to_response=" + names).status, 200);
  const Answer answer = world.Get("/3/movie/47964?append_to_response=" + names + ",images");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(JsonObject(answer.body)["status_code"], "27");
  EXPECT_EQ(world.Get("/3/movie/47964?append_to_response=" + names + ",credits").status, 400);  // sent 21 times
}

TEST(Details, GiveEmptyPagesWhereNothingIsStored) {
  DetailsWorld world;
  world.PutFilm();
  const Answer answer =
      world.Get("/3/movie/47964?append_to_response=recommendations,similar,lists,reviews,changes");
  const JsonObject body(answer.body);
  constexpr auto kEmptyPage = R"({"page":1,"results":[],"total_pages":1,"total_results":0})";
  for (const auto name : {"recommendations", "similar", "lists"}) EXPECT_EQ(body[name], kEmptyPage) << name;
  EXPECT_EQ(body["reviews"], R"({"page":1,"results":[{"id":"5"}],"total_pages":3,"total_results":41})");
  EXPECT_EQ(body["changes"], R"({"changes":[]})");
  EXPECT_EQ(answer.fidelity, Fidelity::kEmpty);
}

TEST(Details, AnswerTheNamesOfOldClients) {
  DetailsWorld world;
  world.PutFilm();
  const Answer answer = world.Get(
      "/3/movie/47964?append_to_response=trailers,images,releases,casts,keywords&include_image_language=de,en,null");
  EXPECT_TRUE(Names(answer).ends_with("trailers images releases casts keywords")) << Names(answer);
  const JsonObject body(answer.body);
  EXPECT_EQ(body["trailers"],
            R"({"quicktime":[],"youtube":[{"name":"Trailer","size":"HD","source":"k1","type":"Trailer"}]})");
  EXPECT_EQ(body["releases"],
            R"({"countries":[{"certification":"16","descriptors":[],"iso_3166_1":"DE","primary":false,)"
            R"("release_date":"2013-02-14"}]})");
  EXPECT_EQ(body["casts"], R"({"cast":[{"id":62}],"crew":[]})");
  EXPECT_EQ(answer.fidelity, Fidelity::kDerived);
  EXPECT_TRUE(world.Get("/3/movie/47964/casts").body.starts_with(R"({"id":47964,"cast":)"));
  EXPECT_TRUE(world.Get("/3/movie/47964/trailers").body.starts_with(R"({"id":47964,"quicktime":)"));
  EXPECT_EQ(world.Get("/3/movie/47964/similar_movies").status, 200);
}

TEST(Details, SpeakGermanWhereTheRecordDoes) {
  DetailsWorld world;
  world.PutFilm();
  world.PutGenres();
  world.PutCollection();
  for (const auto language : {"de-DE", "de", "de_de", "DE-de", "de-AT"}) {
    const Answer answer = world.Get(std::string("/3/movie/47964?language=") + language);
    const JsonObject body(answer.body);
    EXPECT_EQ(body["title"], "\"Stirb langsam\"") << language;
    EXPECT_EQ(body["overview"], "\"John McClane\"");
    EXPECT_EQ(body["tagline"], "\"Wie der Vater\"");
    EXPECT_EQ(body["homepage"], "\"https://de.example\"");
    EXPECT_EQ(body["runtime"], "97");
    EXPECT_EQ(body["poster_path"], "\"/de1.jpg\"");
    EXPECT_EQ(body["backdrop_path"], "\"/b.jpg\"");
    EXPECT_EQ(body["genres"], R"([{"id":28,"name":"Action!"},{"id":53,"name":"Thriller"}])");
    EXPECT_EQ(
        body["belongs_to_collection"],
        R"({"id":1570,"name":"Stirb langsam Filmreihe","poster_path":"/cde.jpg","backdrop_path":"/cb.jpg"})");
    EXPECT_EQ(answer.fidelity, Fidelity::kDerived);
  }
  // The words of Switzerland alone: an empty title is the original one, an empty tagline is empty.
  const Answer swiss = world.Get("/3/movie/47964?language=de-CH");
  const JsonObject body(swiss.body);
  EXPECT_EQ(body["title"], "\"A Good Day to Die Hard\"");
  EXPECT_EQ(body["overview"], "\"Schweizer\"");
  EXPECT_EQ(body["tagline"], "\"\"");
  EXPECT_EQ(body["homepage"], "\"https://studio.example\"");
  EXPECT_EQ(body["runtime"], "98");
}

TEST(Details, GiveNoEnglishWhereALanguageIsMissing) {
  DetailsWorld world;
  world.PutFilm();
  world.PutCollection();
  const Answer answer = world.Get("/3/movie/47964?language=fr-CA");
  const JsonObject body(answer.body);
  EXPECT_EQ(body["title"], "\"A Good Day to Die Hard\"");
  EXPECT_EQ(body["overview"], "\"\"");
  EXPECT_EQ(body["tagline"], "\"\"");
  EXPECT_EQ(body["poster_path"], "\"/en.jpg\"");  // of the original language
  EXPECT_EQ(body["genres"], R"([{"id":28,"name":"Action"},{"id":53,"name":"Thriller"}])");
  EXPECT_EQ(answer.fidelity, Fidelity::kApproximate);  // the genre list is not stored
}

TEST(Details, LocaliseTheRowsOfACollection) {
  DetailsWorld world;
  world.PutFilm();
  world.PutCollection();
  const Answer answer = world.Get("/3/collection/1570?language=de");
  const JsonObject body(answer.body);
  EXPECT_EQ(body["name"], "\"Stirb langsam Filmreihe\"");
  EXPECT_EQ(body["original_name"], "\"Die Hard Collection\"");
  EXPECT_EQ(body["overview"], "\"Alle\"");
  EXPECT_EQ(body["poster_path"], "\"/cde.jpg\"");
  EXPECT_EQ(
      body["parts"],
      R"([{"id":47964,"title":"Stirb langsam","overview":"John McClane","poster_path":"/de1.jpg",)"
      R"("media_type":"movie"}])");
  EXPECT_EQ(answer.fidelity, Fidelity::kDerived);
  EXPECT_EQ(answer.sources.size(), 2u);
}

TEST(Details, FilterImagesAsTheQueryWants) {
  DetailsWorld world;
  world.PutFilm();
  const auto posters = [&](const std::string& query) {
    std::string paths;
    const std::string body = world.Get("/3/movie/47964/images" + query).body;
    for (const JsonSlice image : ElementsOf(JsonObject(body)["posters"]))
      paths += std::string(PlainText(JsonObject(image)["file_path"])) + " ";
    return paths;
  };
  EXPECT_EQ(posters(""), "/none.jpg /en.jpg /de1.jpg /de2.jpg ");
  EXPECT_EQ(posters("?language=de-DE"), "/de1.jpg /de2.jpg ");
  EXPECT_EQ(posters("?include_image_language=de,null"), "/none.jpg /de1.jpg /de2.jpg ");
  EXPECT_EQ(posters("?include_image_language=xx, en"), "/none.jpg /en.jpg ");
  EXPECT_EQ(posters("?include_image_language=en&language=de"), "/en.jpg /de1.jpg /de2.jpg ");
  EXPECT_EQ(posters("?include_image_language=de-AT"), "/de1.jpg /de2.jpg ");
  EXPECT_EQ(world.Get("/3/movie/47964/images?language=fr").body,
            R"({"backdrops":[],"id":47964,"logos":[],"posters":[]})");
}

TEST(Details, FilterVideosByTheirLanguage) {
  DetailsWorld world;
  world.PutFilm();
  const auto keys = [&](const std::string& query) {
    std::string all;
    const std::string body = world.Get("/3/movie/47964/videos" + query).body;
    for (const JsonSlice video : ElementsOf(JsonObject(body)["results"]))
      all += std::string(PlainText(JsonObject(video)["key"])) + " ";
    return all;
  };
  EXPECT_EQ(keys(""), "k1 ");
  EXPECT_EQ(keys("?language=de-DE"), "k2 k3 ");
  EXPECT_EQ(keys("?include_video_language=de, en"), "k1 k2 k3 ");
  EXPECT_EQ(keys("?language=de&include_video_language=en"), "k1 ");
}

TEST(Details, FilterTitlesByTheirCountry) {
  DetailsWorld world;
  world.PutFilm();
  EXPECT_EQ(world.Get("/3/movie/47964/alternative_titles?country=CA").body,
            R"({"id":47964,"titles":[{"iso_3166_1":"CA","title":"Die Hard V"}]})");
}

TEST(Details, TurnPagesOfWhichOneIsStored) {
  DetailsWorld world;
  world.PutFilm();
  EXPECT_EQ(world.Get("/3/movie/47964/reviews?page=2").body,
            R"({"id":47964,"page":2,"results":[],"total_pages":3,"total_results":41})");
  EXPECT_EQ(world.Get("/3/movie/47964/reviews?page=2").fidelity, Fidelity::kEmpty);
  EXPECT_EQ(world.Get("/3/movie/47964/reviews?page=4").fidelity, Fidelity::kExact);
  for (const auto page : {"0", "501", "x", "-1"}) {
    const Answer answer = world.Get(std::string("/3/movie/47964/reviews?page=") + page);
    EXPECT_EQ(answer.status, 400) << page;
    EXPECT_EQ(JsonObject(answer.body)["status_code"], "22");
  }
}

TEST(Details, SayWhatIsNotThereAsTmdbDoes) {
  DetailsWorld world;
  world.PutFilm();
  for (const auto target :
       {"/3/movie/1", "/3/movie/47964/nonsense", "/3/movie/tt0000001", "/3/tv/1/season/1", "/3/list/5",
        "/3/tv/episode_group/5acf93e60e0a26346d0000ce"})
    EXPECT_EQ(world.Get(target).body, kNoResource) << target;
  for (const auto target :
       {"/3/movie/0", "/3/movie/-5", "/3/movie/550a", "/3/movie/47964.0", "/3/tv/tt1606378", "/3/person/x/images"})
    EXPECT_EQ(JsonObject(world.Get(target).body)["status_code"], "6") << target;
  for (const auto target :
       {"/3/movie/47964/account_states", "/3/account/1/lists", "/3/guest_session/a/rated/movies"})
    EXPECT_EQ(world.Get(target).status, 401) << target;
  // Switched off in the settings: it has no path, and is left out where it is appended.
  EXPECT_EQ(world.Get("/3/movie/47964/external_ids").body, kNoResource);
  EXPECT_EQ(world.Get("/3/movie/47964/external_ids").fidelity, Fidelity::kMissing);
  EXPECT_EQ(Names(world.Get("/3/movie/47964?append_to_response=external_ids")).find("external_ids"),
            std::string::npos);
}

// TMDb Helper sends one list for every type.
constexpr auto kOneListForAll =
    "?append_to_response=credits,images,release_dates,content_ratings,external_ids,movie_credits,tv_credits,keywords,"
    "reviews,videos,watch/providers";

constexpr auto kSeasonBody =
    R"({"_id":"5256","air_date":"2011-04-17","episodes":[)"
    R"({"air_date":"2011-04-17","episode_number":1,"episode_type":"standard","id":63056,"name":"Winter Is Coming",)"
    R"("overview":"Jon Arryn","production_code":"101","runtime":62,"season_number":1,"show_id":1399,)"
    R"("still_path":"/s.jpg",)"
    R"("vote_average":8.1,"vote_count":400,"crew":[{"id":5,"credit_id":"c5","department":"Writing","job":"Writer"}],)"
    R"("guest_stars":[{"character":"Syrio","credit_id":"g1","order":7,"id":11,"name":"Miltos"}]},)"
    R"({"air_date":"2011-04-24","episode_number":2,"episode_type":"standard","id":63057,"name":"The Kingsroad",)"
    R"("overview":"Bran","production_code":"102","runtime":56,"season_number":1,"show_id":1399,)"
    R"("still_path":"/t.jpg",)"
    R"("vote_average":7.0,"vote_count":300,"crew":[],"guest_stars":[{"character":"Syrio","credit_id":"g1",)"
    R"("order":7,"id":11,)"
    R"("name":"Miltos"}]}],)"
    R"("name":"Season 1","networks":[],"overview":"Trouble is brewing","poster_path":"/s1.jpg","season_number":1,)"
    R"("vote_average":8.3)";

struct ShowWorld : DetailsWorld {
  ShowWorld() {
    Put({MediaType::kTv, 1399},
        R"({"adult":false,"genres":[],"homepage":"","id":1399,"last_episode_to_air":{"id":63057,)"
        R"("name":"The Kingsroad",)"
        R"("overview":"Bran","season_number":1,"episode_number":2},"name":"Game of Thrones",)"
        R"("next_episode_to_air":null,)"
        R"("original_language":"en","original_name":"Game of Thrones","overview":"Seven","poster_path":"/g.jpg",)"
        R"("seasons":[{"id":3624,"name":"Season 1","overview":"Trouble is brewing","poster_path":"/s1.jpg",)"
        R"("season_number":1}],)"
        R"("tagline":"",)"
        R"("aggregate_credits":{"cast":[{"adult":false,"id":1,"name":"Peter","roles":[{"credit_id":"r1",)"
        R"("character":"Tyrion",)"
        R"("episode_count":2}],"total_episode_count":2,"order":0},{"adult":false,"id":11,"name":"Miltos","roles":[)"
        R"({"credit_id":"g1","character":"Syrio","episode_count":2}],"total_episode_count":2,"order":7}],)"
        R"("crew":[{"id":5,"jobs":[{"credit_id":"c5","job":"Writer","episode_count":1}],"department":"Writing",)"
        R"("total_episode_count":1},{"id":6,"jobs":[{"credit_id":"p1","job":"Producer","episode_count":2}],)"
        R"("department":"Production","total_episode_count":2}]},)"
        R"("images":{"posters":[]},"keywords":{"results":[]},"reviews":{"page":1,"results":[],"total_pages":1,)"
        R"("total_results":0},)"
        R"("translations":{"translations":[{"iso_3166_1":"DE","iso_639_1":"de","data":{"name":"Game of Thrones",)"
        R"("overview":)"
        R"("Sieben","homepage":"","tagline":""}}]},"videos":{"results":[]},"content_ratings":{"results":[]},)"
        R"("external_ids":{"imdb_id":"tt0944947"},"watch/providers":{"results":{"DE":{"link":"x"}}}})");
  }
  void PutSeason(std::string_view extras = "") {
    Put({MediaType::kSeason, 3624}, std::string(kSeasonBody) + std::string(extras) + "}", 1399, 1);
  }
};

TEST(Details, DropNamesThatBelongToAnotherType) {
  ShowWorld world;
  world.PutFilm();
  world.PutSeason();
  world.Put(
      {MediaType::kPerson, 62},
      R"({"id":62,"name":"Bruce Willis","combined_credits":{"cast":[],"crew":[]},"images":{"profiles":[]},)"
      R"("external_ids":{}})");
  EXPECT_TRUE(
      Names(world.Get(std::string("/3/movie/47964") + kOneListForAll))
          .ends_with("vote_count credits images release_dates keywords reviews videos watch/providers"));
  EXPECT_TRUE(
      Names(world.Get(std::string("/3/tv/1399") + kOneListForAll))
          .ends_with(
              "tagline credits images content_ratings external_ids keywords reviews videos watch/providers"));
  EXPECT_TRUE(Names(world.Get(std::string("/3/tv/1399/season/1") + kOneListForAll))
                  .ends_with("vote_average credits images external_ids videos watch/providers"));
  EXPECT_TRUE(Names(world.Get(std::string("/3/tv/1399/season/1/episode/2") + kOneListForAll))
                  .ends_with("vote_count credits images external_ids videos"));
  EXPECT_EQ(Names(world.Get(std::string("/3/person/62") + kOneListForAll)),
            "id name images external_ids movie_credits tv_credits");
}

TEST(Details, AppendSeasonsWithoutTheirIds) {
  ShowWorld world;
  world.PutSeason();
  const Answer answer =
      world.Get("/3/tv/1399?append_to_response=season/0,season/1,season/99,season/1/credits,season/x");
  EXPECT_TRUE(Names(answer).ends_with("tagline season/1 season/1/credits")) << Names(answer);
  EXPECT_EQ(JsonObject(answer.body)["season/1"], std::string(kSeasonBody) + "}");
}

TEST(Details, GiveASeasonItsIdByItsOwnPath) {
  ShowWorld world;
  world.PutSeason(R"(,"credits":{"cast":[],"crew":[]},"language/de":{"name":"Staffel 1"})");
  const Answer answer = world.Get("/3/tv/1399/season/1");
  EXPECT_EQ(Names(answer),
            "_id air_date episodes name networks overview id poster_path season_number vote_average");
  EXPECT_EQ(JsonObject(answer.body)["id"], "3624");
  EXPECT_EQ(answer.fidelity, Fidelity::kExact);
  EXPECT_EQ(world.Get("/3/tv/1399/season/2").body, kNoResource);
  EXPECT_EQ(world.Get("/3/tv/1399/season/one").body, kNoResource);
  EXPECT_EQ(world.Get("/3/tv/1399/season/1.0").body, kNoResource);
  EXPECT_EQ(world.Get("/3/tv/1399/season/1/episode/9").body, kNoResource);
}

TEST(Details, CutAnEpisodeOutOfItsSeason) {
  ShowWorld world;
  world.PutSeason();
  EXPECT_EQ(
      world.Get("/3/tv/1399/season/1/episode/2").body,
      R"({"air_date":"2011-04-24","crew":[],"episode_number":2,"episode_type":"standard","guest_stars":[)"
      R"({"character":"Syrio","credit_id":"g1","order":7,"id":11,"name":"Miltos"}],"name":"The Kingsroad",)"
      R"("overview":"Bran","id":63057,"production_code":"102","runtime":56,"season_number":1,"still_path":"/t.jpg",)"
      R"("vote_average":7.0,"vote_count":300})");
  EXPECT_EQ(world.Get("/3/tv/1399/season/1/episode/2/images").body, R"({"id":63057,"stills":[]})");
  EXPECT_EQ(
      world.Get("/3/tv/1399/season/1/episode/2/external_ids").body,
      R"({"id":63057,"imdb_id":null,"freebase_mid":null,"freebase_id":null,"tvdb_id":null,"tvrage_id":null,)"
      R"("wikidata_id":null})");
}

TEST(Details, FindAnEpisodeWhoseNumberIsSpelledWithAFraction) {
  ShowWorld world;
  world.Put({MediaType::kSeason, 3625},
            R"({"episodes":[{"episode_number":3.0,"id":7e1,"name":"Odd"}],"overview":"","season_number":2.0})", 1399,
            2);
  EXPECT_EQ(world.Get("/3/tv/1399/season/2/episode/3").body, R"({"episode_number":3.0,"name":"Odd","id":7e1})");
}

TEST(Details, TellRegularsFromGuestsWhereNoCreditsAreStored) {
  ShowWorld world;
  world.PutSeason();
  constexpr auto kCast =
      R"([{"adult":false,"id":1,"name":"Peter","character":"Tyrion","credit_id":"r1","order":0}])";
  const Answer answer = world.Get("/3/tv/1399/credits");
  EXPECT_EQ(JsonObject(answer.body)["cast"], kCast);
  EXPECT_EQ(JsonObject(answer.body)["crew"],
            R"([{"id":6,"credit_id":"p1","department":"Production","job":"Producer"}])");
  EXPECT_TRUE(answer.body.ends_with(R"(,"id":1399})"));
  EXPECT_EQ(answer.fidelity, Fidelity::kApproximate);
  const Answer episode = world.Get("/3/tv/1399/season/1/episode/1/credits");
  EXPECT_EQ(Names(episode), "cast crew guest_stars id");
  EXPECT_EQ(JsonObject(episode.body)["cast"], kCast);
  EXPECT_EQ(world.Get("/3/tv/1399/season/1/watch/providers").body,
            R"({"id":3624,"results":{"DE":{"link":"x"}}})");
}

TEST(Details, TakeAShowsCreditsFromItsLatestSeason) {
  ShowWorld world;
  world.PutSeason(
      R"(,"credits":{"cast":[{"id":1,"credit_id":"r1","character":"Tyrion","order":0}],"crew":[]})");
  const Answer answer = world.Get("/3/tv/1399/credits");
  EXPECT_EQ(answer.body,
            R"({"cast":[{"id":1,"credit_id":"r1","character":"Tyrion","order":0}],"crew":[],"id":1399})");
  EXPECT_EQ(answer.fidelity, Fidelity::kDerived);
  const Answer counted = world.Get("/3/tv/1399/season/1/aggregate_credits");
  EXPECT_EQ(
      counted.body,
      R"({"cast":[{"id":1,"roles":[{"credit_id":"r1","character":"Tyrion","episode_count":2}],)"
      R"("total_episode_count":2,)"
      R"("order":0},{"id":11,"name":"Miltos","roles":[{"credit_id":"g1","character":"Syrio","episode_count":2}],)"
      R"("total_episode_count":2,"order":7}],"crew":[{"id":5,"jobs":[{"credit_id":"c5","job":"Writer",)"
      R"("episode_count":1}],"department":"Writing","total_episode_count":1}],"id":3624})");
}

TEST(Details, SpeakTheLanguageThatSeasonsWereCollectedIn) {
  ShowWorld world;
  world.PutSeason(
      R"(,"language/de":{"name":"Staffel 1","overview":"Es gibt Ärger","episodes":[)"
      R"({"id":63056,"name":"Der Winter naht","overview":"Jon"},{"id":63057,"name":"Der Königsweg",)"
      R"("overview":""}]})");
  const Answer season = world.Get("/3/tv/1399/season/1?language=de-DE");
  const JsonObject body(season.body);
  EXPECT_EQ(body["name"], "\"Staffel 1\"");
  EXPECT_EQ(body["overview"], "\"Es gibt Ärger\"");
  EXPECT_EQ(season.fidelity, Fidelity::kDerived);
  const JsonObject episode(ElementsOf(body["episodes"]).at(1));
  EXPECT_EQ(episode["name"], "\"Der Königsweg\"");
  EXPECT_EQ(episode["overview"], "\"\"");
  EXPECT_EQ(world.Member("/3/tv/1399/season/1/episode/1?language=de", "name"), "\"Der Winter naht\"");

  const Answer show = world.Get("/3/tv/1399?language=de-DE&append_to_response=season/1");
  const JsonObject of_show(show.body);
  EXPECT_EQ(show.fidelity, Fidelity::kDerived);
  EXPECT_EQ(of_show["overview"], "\"Sieben\"");
  EXPECT_EQ(
      of_show["seasons"],
      R"([{"id":3624,"name":"Staffel 1","overview":"Es gibt Ärger","poster_path":"/s1.jpg","season_number":1}])");
  EXPECT_EQ(JsonObject(of_show["last_episode_to_air"])["name"], "\"Der Königsweg\"");
  EXPECT_EQ(JsonObject(of_show["season/1"])["name"], "\"Staffel 1\"");
}

TEST(Details, KeepEnglishNamesOfSeasonsThatWereNot) {
  ShowWorld world;
  world.PutSeason();
  const Answer show = world.Get("/3/tv/1399?language=de-DE");
  EXPECT_EQ(JsonObject(show.body)["seasons"],
            R"([{"id":3624,"name":"Season 1","overview":"","poster_path":"/s1.jpg","season_number":1}])");
  EXPECT_EQ(show.fidelity, Fidelity::kApproximate);
  const Answer season = world.Get("/3/tv/1399/season/1?language=de-DE");
  EXPECT_EQ(JsonObject(season.body)["overview"], "\"\"");
  const JsonObject episode(ElementsOf(JsonObject(season.body)["episodes"]).at(0));
  EXPECT_EQ(episode["name"], "\"Winter Is Coming\"");
  EXPECT_EQ(episode["overview"], "\"\"");
}

TEST(Details, UseTheTranslationsThatASeasonHas) {
  ShowWorld world;
  world.PutSeason(
      R"(,"translations":{"translations":[{"iso_3166_1":"DE","iso_639_1":"de","data":{"name":"Staffel Eins",)"
      R"("overview":"Ärger"}}]},"images":{"posters":[{"iso_639_1":"de","file_path":"/sde.jpg"}]})");
  const Answer season = world.Get("/3/tv/1399/season/1?language=de");
  const JsonObject body(season.body);
  EXPECT_EQ(body["name"], "\"Staffel Eins\"");
  EXPECT_EQ(body["overview"], "\"Ärger\"");
  EXPECT_EQ(body["poster_path"], "\"/sde.jpg\"");
  EXPECT_EQ(season.fidelity, Fidelity::kApproximate);  // of the episodes there is nothing
}

TEST(Details, SplitAPersonsCredits) {
  DetailsWorld world;
  world.Put(
      {MediaType::kPerson, 62},
      R"({"biography":"American","id":62,"name":"Bruce Willis","combined_credits":{"cast":[)"
      R"({"id":47964,"title":"A Good Day to Die Hard","overview":"Iconoclastic","poster_path":"/en.jpg",)"
      R"("credit_id":"a","media_type":"movie"},)"
      R"({"id":3,"name":"Moonlighting","credit_id":"b","media_type":"tv"}],"crew":[]}})");
  world.PutFilm();
  EXPECT_EQ(world.Get("/3/person/62/tv_credits").body,
            R"({"cast":[{"id":3,"name":"Moonlighting","credit_id":"b"}],"crew":[],"id":62})");
  EXPECT_EQ(world.Get("/3/person/62/credits").body, world.Get("/3/person/62/movie_credits").body);
  EXPECT_EQ(world.Get("/3/person/62?append_to_response=movie_credits,tv_credits").fidelity,
            Fidelity::kDerived);
  EXPECT_EQ(
      world.Member("/3/person/62/movie_credits?language=de", "cast"),
      R"([{"id":47964,"title":"Stirb langsam","overview":"John McClane","poster_path":"/de1.jpg","credit_id":"a"}])");
  // Half of the rows cannot be told in German.
  EXPECT_EQ(world.Get("/3/person/62/combined_credits?language=de").fidelity, Fidelity::kApproximate);
  EXPECT_EQ(world.Member("/3/person/62?language=de", "biography"), "\"\"");
}

TEST(Details, TellAnIdThatIsAwaitedFromOneThatNobodyKnows) {
  DetailsWorld world;
  world.records.awaited.insert({MediaType::kMovie, 7});
  EXPECT_EQ(world.Get("/3/movie/7").fidelity, Fidelity::kMissing);
  EXPECT_EQ(world.Get("/3/movie/7/credits").body, kNoResource);
  EXPECT_EQ(world.Get("/3/movie/8").fidelity, Fidelity::kNone);
}

TEST(Lists, AreReadAgainWhenThereIsANewerOne) {
  DetailsWorld world;
  const MediaId genres{MediaType::kConfiguration, *ConfigurationId("genre/movie/list")};
  world.Put(genres, R"({"genres":[]})");
  EXPECT_EQ(world.Get("/3/genre/movie/list").body, R"({"genres":[]})");
  world.Put(genres, R"({"genres":[{"id":28,"name":"Action"}]})");
  EXPECT_EQ(world.Get("/3/genre/movie/list").body, R"({"genres":[{"id":28,"name":"Action"}]})");
  EXPECT_EQ(world.Get("/3/genre/movie/list?language=xx").fidelity, Fidelity::kApproximate);
  EXPECT_EQ(world.Get("/3/genre/tv/list").fidelity, Fidelity::kMissing);
}

TEST(Lists, TellTheProvidersOfARegion) {
  DetailsWorld world;
  world.Put(
      {MediaType::kConfiguration, *ConfigurationId("watch/providers/movie")},
      R"({"results":[{"display_priorities":{"DE":1},"provider_id":8},{"display_priorities":{"US":4},)"
      R"("provider_id":9}]})");
  EXPECT_EQ(world.Get("/3/watch/providers/movie?watch_region=DE").body,
            R"({"results":[{"display_priorities":{"DE":1},"provider_id":8}]})");
}

TEST(Configuration, NamesTheMirrorsOwnPicturesWhereThatIsAskedFor) {
  DetailsWorld world;
  world.Put({MediaType::kConfiguration, *ConfigurationId("configuration")},
            R"({"images":{"base_url":"http://image.tmdb.org/t/p/","secure_base_url":"https://image.tmdb.org/t/p/",)"
            R"("poster_sizes":["w92","original"]},"change_keys":["adult"]})");
  ReadApi api(world.records, world.clock, &world.titles, "http://media.lan:8080/t/p/");
  EXPECT_EQ(api.Get(*ApiRequest::Parse("/3/configuration")).body,
            R"({"images":{"base_url":"http://media.lan:8080/t/p/","secure_base_url":"http://media.lan:8080/t/p/",)"
            R"("poster_sizes":["w92","original"]},"change_keys":["adult"]})");
  EXPECT_NE(world.Get("/3/configuration").body.find("https://image.tmdb.org"), std::string::npos);
}

TEST(Account, LetsAClientBegin) {
  DetailsWorld world;
  EXPECT_EQ(world.Get("/3/authentication").body,
            R"({"success":true,"status_code":1,"status_message":"Success."})");
  const Answer token = world.Get("/3/authentication/token/new");
  const JsonObject body(token.body);
  EXPECT_EQ(body["success"], "true");
  EXPECT_EQ(PlainText(body["request_token"]).size(), 40u);
  EXPECT_TRUE(PlainText(body["expires_at"]).ends_with(" UTC")) << token.body;
  EXPECT_EQ(PlainText(body["expires_at"]).size(), 23u);
}

}  // namespace
}  // namespace tmdbc::read_api
