// SPDX-License-Identifier: MIT
#include "read_api/rows.h"

#include <gtest/gtest.h>

#include "read_api/read_api_world_test.h"

namespace tmdbc::read_api {
namespace {

constexpr auto kFilmRowBody =
    R"({"adult":false,"backdrop_path":"/b.jpg","budget":92000000,"genres":[{"id":28,"name":"Action"},)"
    R"({"id":53,"name":"Thriller"}],)"
    R"("homepage":"","id":47964,"original_language":"en","original_title":"A Good Day to Die Hard",)"
    R"("overview":"Iconoclastic",)"
    R"("popularity":6.2441,"poster_path":"/en.jpg","release_date":"2013-02-06","revenue":304654182,)"
    R"("runtime":98,"softcore":false,)"
    R"("title":"A Good Day to Die Hard","video":false,"vote_average":5.0,"vote_count":5800,)"
    R"("translations":{"translations":[{"iso_3166_1":"IT","iso_639_1":"it","data":{"homepage":"",)"
    R"("overview":"McClane arriva",)"
    R"("runtime":97,"tagline":"","title":"Die Hard - Un buon giorno per morire"}}]},)"
    R"("images":{"posters":[{"iso_639_1":null,"file_path":"/none.jpg"},{"iso_639_1":"en","file_path":"/en.jpg"},)"
    R"({"iso_639_1":"it","file_path":"/it.jpg"}]},)"
    R"("release_dates":{"results":[{"iso_3166_1":"DE",)"
    R"("release_dates":[{"release_date":"2013-01-01T00:00:00.000Z","type":4},)"
    R"({"release_date":"2013-02-14T00:00:00.000Z","type":3}]}]}})";

struct RowsWorld : ReadApiWorld {
  std::string Row(MediaId id, const RowStyle& style) {
    const ApiRequest request;
    Mirror mirror{.records = records};
    Call call(request, mirror, clock.Now());
    std::string row = RowOf(call, **records.Get(id), style);
    fidelity = std::move(call).Finished({}).fidelity;
    return row;
  }
  Fidelity fidelity = Fidelity::kExact;
};

constexpr MediaId kDieHard{MediaType::kMovie, 47964};

TEST(Rows, CutTheRowOfAListOutOfAFilm) {
  RowsWorld world;
  world.Put(kDieHard, kFilmRowBody);
  EXPECT_EQ(
      world.Row(kDieHard, {}),
      R"({"adult":false,"backdrop_path":"/b.jpg","genre_ids":[28,53],"id":47964,"title":"A Good Day to Die Hard",)"
      R"("original_language":"en","original_title":"A Good Day to Die Hard","overview":"Iconoclastic",)"
      R"("popularity":6.2441,)"
      R"("poster_path":"/en.jpg","release_date":"2013-02-06","softcore":false,"video":false,"vote_average":5.0,)"
      R"("vote_count":5800})");
}

TEST(Rows, SayTheirTypeWhereListsAreMixed) {
  RowsWorld world;
  world.Put(kDieHard, kFilmRowBody);
  EXPECT_EQ(
      world.Row(kDieHard, {.form = RowForm::kMixed, .popularity = "7.1"}),
      R"({"adult":false,"backdrop_path":"/b.jpg","id":47964,"title":"A Good Day to Die Hard",)"
      R"("original_title":"A Good Day to Die Hard","overview":"Iconoclastic","poster_path":"/en.jpg",)"
      R"("media_type":"movie",)"
      R"("original_language":"en","genre_ids":[28,53],"popularity":7.1,"release_date":"2013-02-06","softcore":false,)"
      R"("video":false,"vote_average":5.0,"vote_count":5800})");
}

TEST(Rows, SpeakTheLanguageThatIsAskedFor) {
  RowsWorld world;
  world.Put(kDieHard, kFilmRowBody);
  const std::string row = world.Row(kDieHard, {.language = Language::Parse("it-IT")});
  EXPECT_NE(row.find(R"("title":"Die Hard - Un buon giorno per morire")"), std::string::npos);
  EXPECT_NE(row.find(R"("overview":"McClane arriva")"), std::string::npos);
  EXPECT_NE(row.find(R"("poster_path":"/it.jpg")"), std::string::npos);
  const std::string german = world.Row(kDieHard, {.language = Language::Parse("de")});
  EXPECT_NE(german.find(R"("title":"A Good Day to Die Hard")"), std::string::npos);
  EXPECT_NE(german.find(R"("overview":"")"), std::string::npos);
  EXPECT_NE(german.find(R"("poster_path":"/en.jpg")"), std::string::npos);
}

TEST(Rows, GiveTheDateOfTheRegion) {
  RowsWorld world;
  world.Put(kDieHard, kFilmRowBody);
  EXPECT_NE(world.Row(kDieHard, {.region = "DE"}).find(R"("release_date":"2013-02-14")"), std::string::npos);
  EXPECT_NE(world.Row(kDieHard, {.region = "FR"}).find(R"("release_date":"2013-02-06")"), std::string::npos);
}

TEST(Rows, TakeAWholeNumberForOneHoweverItIsSpelled) {
  RowsWorld world;
  world.Put(kDieHard,
            R"({"id":47964,"release_date":"2013-02-06","title":"Die Hard","release_dates":{"results":[)"
            R"({"iso_3166_1":"DE","release_dates":[{"release_date":"2013-01-01T00:00:00.000Z","type":4.0},)"
            R"({"release_date":"2013-02-14T00:00:00.000Z","type":3.0}]}]}})");
  EXPECT_EQ(world.Row(kDieHard, {.region = "DE"}),
            R"({"adult":false,"genre_ids":[],"id":47964,"title":"Die Hard","release_date":"2013-02-14"})");
}

TEST(Rows, TellWhatAnActorIsKnownFor) {
  RowsWorld world;
  constexpr MediaId kWillis{MediaType::kPerson, 62};
  world.Put(
      kWillis,
      R"({"adult":false,"gender":2,"id":62,"known_for_department":"Acting","name":"Bruce Willis",)"
      R"("popularity":5.1,"profile_path":"/w.jpg",)"
      R"("combined_credits":{"cast":[)"
      R"({"id":1,"title":"Extra","vote_count":9000,"order":99,"media_type":"movie"},)"
      R"({"id":47964,"title":"A Good Day to Die Hard","overview":"Iconoclastic","vote_count":5800,)"
      R"("character":"John","order":0,"media_type":"movie"},)"
      R"({"id":3,"name":"Moonlighting","vote_count":300,"media_type":"tv"},)"
      R"({"id":47964,"title":"A Good Day to Die Hard","vote_count":5800,"order":3,"media_type":"movie"},)"
      R"({"id":4,"title":"Unseen","vote_count":1,"order":0,"media_type":"movie"}],"crew":[]}})");
  EXPECT_EQ(world.Row(kWillis, {}),
            R"({"adult":false,"gender":2,"id":62,"known_for_department":"Acting","name":"Bruce Willis",)"
            R"("original_name":"Bruce Willis","popularity":5.1,"profile_path":"/w.jpg","known_for":[)"
            R"({"id":47964,"title":"A Good Day to Die Hard","overview":"Iconoclastic","media_type":"movie",)"
            R"("vote_count":5800},)"
            R"({"id":3,"name":"Moonlighting","media_type":"tv","vote_count":300},)"
            R"({"id":1,"title":"Extra","media_type":"movie","vote_count":9000}]})");
  EXPECT_EQ(world.fidelity, Fidelity::kExact);
  world.Put(kDieHard, kFilmRowBody);
  const std::string italian = world.Row(kWillis, {.language = Language::Parse("it")});
  EXPECT_NE(italian.find("Un buon giorno per morire"), std::string::npos);
  EXPECT_EQ(world.fidelity, Fidelity::kApproximate);  // two of the three are not stored
}

}  // namespace
}  // namespace tmdbc::read_api
