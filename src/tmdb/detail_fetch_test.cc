// SPDX-License-Identifier: MIT
#include "tmdb/detail_fetch.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>

#include "base/json.h"

namespace tmdbc {
namespace {

constexpr Time kFetched{std::chrono::sys_days{std::chrono::November / 22 / 2026}};
constexpr MediaId kShow{MediaType::kTv, 1399};

std::string SeasonBody(std::int64_t number) {
  return fmt::format(
      R"({{"_id":"5256c89f19c2956ff6046d47","air_date":"2011-04-17","episodes":[{{"episode_number":1,"id":{1},"name":"One"}},)"
      R"({{"episode_number":2,"id":{2},"name":"Two"}}],"name":"Season {0}","season_number":{0},"vote_average":8.3}})",
      number, number * 100 + 1, number * 100 + 2);
}

// TMDB's answers for one show: it has the seasons of `bodies`, lists those of `list`, drops the rest
// silently, counts the requests and refuses a call with more than 20 appends, as the real one does.
struct ShowServer {
  std::string list = "[]";                          // the text of its seasons[]
  std::map<std::int64_t, std::string> bodies = {};  // by season number
  int requests = 0;

  static ShowServer WithSeasons(std::int64_t first, std::int64_t count) {
    ShowServer server;
    server.list = "[";
    for (std::int64_t number = first; number < first + count; ++number) {
      server.list += fmt::format(R"({}{{"air_date":null,"id":{},"season_number":{}}})",
                                 number == first ? "" : ",", 3600 + number, number);
      server.bodies[number] = SeasonBody(number);
    }
    server.list += "]";
    return server;
  }

  std::string Base() const {
    return R"({"adult":false,"id":1399,"name":"Game of Thrones","seasons":)" + list +
           R"(,"vote_count":21390)";
  }

  std::string Answer(const Call& call) {
    ++requests;
    EXPECT_EQ(call.path, "tv/1399");
    EXPECT_LE(call.appends.size(), 20U);
    std::string body = Base();
    for (const std::string& append : call.appends) {
      if (!append.starts_with("season/")) {
        body += fmt::format(R"(,"{}":{{"results":[]}})", append);
        continue;
      }
      std::int64_t number = 0;
      std::from_chars(append.data() + 7, append.data() + append.size(), number);
      if (const auto found = bodies.find(number); found != bodies.end()) {
        body += fmt::format(R"(,"season/{}":{})", number, found->second);
      }
    }
    return body + "}";
  }
};

// Carries a fetch through against `server`; answers the calls of a batch last first when `backwards`.
std::vector<Document> FetchAll(DetailFetch& fetch, ShowServer& server, bool backwards = false) {
  while (!fetch.done()) {
    std::vector<DetailFetch::NumberedCall> calls = fetch.TakeCalls();
    if (calls.empty()) {
      ADD_FAILURE() << "not done, but nothing to ask";
      return {};
    }
    if (backwards) std::reverse(calls.begin(), calls.end());
    for (const auto& numbered : calls) {
      const auto accepted =
          fetch.Accept(numbered.index, server.Answer(numbered.call), fmt::format("W/\"{}\"", numbered.index),
                       kFetched + Duration(numbered.index));
      EXPECT_TRUE(accepted.has_value()) << accepted.error().message;
    }
  }
  return fetch.TakeDocuments();
}

std::vector<std::int64_t> SeasonNumbers(const std::vector<Document>& documents) {
  std::vector<std::int64_t> numbers;
  for (const Document& document : documents) {
    if (document.id.type == MediaType::kSeason) numbers.push_back(document.season_number);
  }
  return numbers;
}

std::vector<std::int64_t> Numbers(std::int64_t from, std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), from);
  return numbers;
}

// --- one body, one document ---

TEST(DetailFetch, GivesTheBytesThatCameAsTheDocument) {
  const std::string body =
      R"({"adult":false, "id":550,"title":"Fight Club \u2013 \/ \"x\"","vote_average":8.438,"images":{}})";
  DetailFetch fetch({MediaType::kMovie, 550}, {}, DefaultNamespaces());
  EXPECT_FALSE(fetch.done());
  const auto calls = fetch.TakeCalls();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_TRUE(fetch.TakeCalls().empty());
  ASSERT_TRUE(fetch.Accept(calls[0].index, body, "W/\"ab\"", kFetched).has_value());
  ASSERT_TRUE(fetch.done());
  const std::vector<Document> documents = fetch.TakeDocuments();
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_EQ(documents[0].id, (MediaId{MediaType::kMovie, 550}));
  EXPECT_EQ(documents[0].data, body);
  EXPECT_EQ(documents[0].etag, "W/\"ab\"");
  EXPECT_EQ(documents[0].fetched_at, kFetched);
  EXPECT_EQ(documents[0].hash, HashContent(body).value());
  EXPECT_TRUE(fetch.listed_seasons().empty());
}

TEST(DetailFetch, PutsAPrettyPrintedBodyOnOneLine) {
  DetailFetch fetch({MediaType::kPerson, 62}, {}, DefaultNamespaces());
  const int index = fetch.TakeCalls()[0].index;
  ASSERT_TRUE(fetch.Accept(index, "{\r\n  \"id\": 62,\r\n  \"name\": \"Bruce  Willis\"\r\n}\r\n", {}, kFetched)
                  .has_value());
  EXPECT_EQ(fetch.TakeDocuments()[0].data, R"({"id":62,"name":"Bruce  Willis"})");
}

TEST(DetailFetch, DoesNotBelieveABodyThatIsNotWhatWasAskedFor) {
  struct Row {
    MediaId id;
    std::string body;
    const char* says;
  };
  const MediaId movie{MediaType::kMovie, 550};
  const MediaId languages{MediaType::kConfiguration, 8};
  const Row rows[] = {
      {movie, "", "get movie/550: not whole JSON"},
      {movie, R"({"id":550,"title":"Fi)", "get movie/550: not whole JSON"},
      {movie, R"({"id":550}{"id":550})", "get movie/550: not whole JSON"},
      {movie, "<html><body>502 Bad Gateway</body></html>", "not whole JSON"},
      {movie, "{\"id\":550,\"title\":\"\xff\xfe\"}", "not whole JSON"},
      {movie, "{\"id\":550,\"title\":\"a\nb\"}", "not whole JSON"},
      {movie, R"({"id":551,"title":"Poolhall Junkies"})", "the body of id 551"},
      {movie, R"({"id":"550"})", "without an id"},
      {movie, R"({"id":null})", "without an id"},
      {movie, R"({"id":550.5})", "without an id"},
      {movie, R"({"title":"Fight Club"})", "without an id"},
      {movie, R"([{"id":550}])", "not an object"},
      {movie, "null", "not an object"},
      {movie,
       R"({"success":false,"status_code":34,"status_message":"The resource you requested could not be found."})",
       "an error body with status 200 (code 34)"},
      {movie, R"({"status_code":11,"status_message":"Internal error: Something went wrong, contact TMDB."})",
       "an error body with status 200 (code 11)"},
      {kShow, R"({"id":1396,"seasons":[]})", "get tv/1399: the body of id 1396"},
      {languages, "17", "get configuration/languages: neither an object nor a list"},
      {languages, R"({"success":false,"status_code":9,"status_message":"Service offline."})",
       "an error body with status 200 (code 9)"},
      {movie,
       R"({"status_code":7,"status_message":"GET /3/movie/550?api_key=0123456789abcdef0123456789abcdef"})",
       "status 200 (code 7)"},
      {languages, R"([{"iso_639_1":"xx")", "not whole JSON"},
  };
  for (const Row& row : rows) {
    DetailFetch fetch(row.id, {}, DefaultNamespaces());
    const int index = fetch.TakeCalls()[0].index;
    const auto accepted = fetch.Accept(index, row.body, {}, kFetched);
    ASSERT_FALSE(accepted.has_value()) << row.body;
    EXPECT_EQ(accepted.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(accepted.error().message.find(row.says), std::string::npos) << accepted.error().message;
    EXPECT_EQ(accepted.error().message.find("api_key"), std::string::npos) << "what the server says is kept";
    EXPECT_FALSE(fetch.done());
  }
}

TEST(DetailFetch, TakesAGoodAnswerAfterABadOne) {
  DetailFetch fetch({MediaType::kMovie, 550}, {}, DefaultNamespaces());
  const int index = fetch.TakeCalls()[0].index;
  EXPECT_FALSE(fetch.Accept(index, R"({"id":550,)", {}, kFetched).has_value());
  EXPECT_FALSE(fetch.done());
  EXPECT_TRUE(fetch.Accept(index, R"({"id":550})", {}, kFetched).has_value());
  EXPECT_TRUE(fetch.done());
}

TEST(DetailFetch, RefusesAnAnswerToACallThatIsNotOpen) {
  DetailFetch fetch({MediaType::kMovie, 550}, {}, DefaultNamespaces());
  EXPECT_EQ(fetch.Accept(0, R"({"id":550})", {}, kFetched).error().code, ErrorCode::kInternal);
  (void)fetch.TakeCalls();
  EXPECT_EQ(fetch.Accept(1, R"({"id":550})", {}, kFetched).error().code, ErrorCode::kInternal);
  EXPECT_EQ(fetch.Accept(-1, R"({"id":550})", {}, kFetched).error().code, ErrorCode::kInternal);
  EXPECT_TRUE(fetch.Accept(0, R"({"id":550})", {}, kFetched).has_value());
  EXPECT_EQ(fetch.Accept(0, R"({"id":550})", {}, kFetched).error().code, ErrorCode::kInternal);
}

TEST(DetailFetch, TakesConfigurationListsThatHaveNoId) {
  for (const std::string body :
       {R"([{"iso_639_1":"xx","english_name":"No Language","name":""}])", "[]",
        R"({"genres":[{"id":28,"name":"Action"}]})", R"({"images":{},"change_keys":["adult"]})"}) {
    DetailFetch fetch({MediaType::kConfiguration, 8}, {}, DefaultNamespaces());
    const int index = fetch.TakeCalls()[0].index;
    ASSERT_TRUE(fetch.Accept(index, body, {}, kFetched).has_value()) << body;
    EXPECT_EQ(fetch.TakeDocuments()[0].data, body);
  }
}

TEST(DetailFetch, IsDoneAtOnceWithWhatIsNeverFetched) {
  DetailFetch fetch({MediaType::kConfiguration, 99}, {}, DefaultNamespaces());
  EXPECT_TRUE(fetch.TakeCalls().empty());
  EXPECT_TRUE(fetch.done());
  EXPECT_TRUE(fetch.TakeDocuments().empty());
}

TEST(DetailFetch, StoresValidJsonThatOtherReadersRefuseByteForByte) {
  const std::string body =
      R"({"id":550,"title":"\ud83d","budget":123456789012345678901234567890,"popularity":1e400,"x":)" +
      std::string(900, '[') + std::string(900, ']') + "}";
  DetailFetch fetch({MediaType::kMovie, 550}, {}, DefaultNamespaces());
  const int index = fetch.TakeCalls()[0].index;
  const auto accepted = fetch.Accept(index, kByteOrderMark.data() + body, {}, kFetched);
  ASSERT_TRUE(accepted.has_value()) << accepted.error().message;
  const std::vector<Document> documents = fetch.TakeDocuments();
  EXPECT_EQ(documents[0].data, body);
  EXPECT_EQ(documents[0].hash, HashContent(body).value());

  ShowServer server = ShowServer::WithSeasons(1, 2);
  server.bodies[1].insert(1, R"("name":"\udfff","budget":1e400,)");
  DetailFetch show(kShow, {}, DefaultNamespaces());
  EXPECT_EQ(FetchAll(show, server)[1].data, server.bodies[1]);
}

// --- shows and their seasons ---

TEST(DetailFetch, CutsTheSeasonsOutOfTheShowAndKeepsBothByteForByte) {
  ShowServer server = ShowServer::WithSeasons(0, 3);
  DetailFetch fetch(kShow, {}, DefaultNamespaces());
  const std::vector<Document> documents = FetchAll(fetch, server);
  EXPECT_EQ(server.requests, 1);
  ASSERT_EQ(documents.size(), 4U);

  const Call namespaces_only{.path = "tv/1399", .appends = DefaultNamespaces().at(MediaType::kTv)};
  EXPECT_EQ(documents[0].id, kShow);
  EXPECT_EQ(documents[0].data, server.Answer(namespaces_only));
  EXPECT_EQ(documents[0].etag, "W/\"0\"");
  EXPECT_EQ(documents[0].hash, HashContent(documents[0].data).value());
  for (std::int64_t number = 0; number < 3; ++number) {
    const Document& season = documents[static_cast<std::size_t>(number + 1)];
    EXPECT_EQ(season.id, (MediaId{MediaType::kSeason, 3600 + number}));
    EXPECT_EQ(season.tv_id, 1399);
    EXPECT_EQ(season.season_number, number);
    EXPECT_EQ(season.data, SeasonBody(number));
    EXPECT_EQ(season.hash, HashContent(season.data).value());
    EXPECT_EQ(season.etag, std::nullopt);
    EXPECT_EQ(season.fetched_at, kFetched);
    ASSERT_EQ(season.episodes.size(), 2U);
    EXPECT_EQ(season.episodes[1].id, number * 100 + 2);
    EXPECT_EQ(season.episodes[1].number, 2);
  }
  EXPECT_EQ(fetch.listed_seasons(), Numbers(0, 3));
  EXPECT_TRUE(fetch.absent_seasons().empty());
}

// docs/decisions/seasons.md: nothing known: 8 seasons in the first request, then 20 a request. Known: ceil((12 +
// seasons) / 20).
TEST(DetailFetch, TakesTheFewestRequestsForAnyNumberOfSeasons) {
  for (std::int64_t count = 0; count <= 100; ++count) {
    ShowServer unknown = ShowServer::WithSeasons(0, count);
    DetailFetch first(kShow, {}, DefaultNamespaces());
    EXPECT_EQ(SeasonNumbers(FetchAll(first, unknown)), Numbers(0, count));
    EXPECT_EQ(unknown.requests, (12 + count + 19) / 20) << count;

    ShowServer known = ShowServer::WithSeasons(1, count);
    DetailFetch again(kShow, Numbers(1, count), DefaultNamespaces());
    EXPECT_EQ(SeasonNumbers(FetchAll(again, known)), Numbers(1, count));
    EXPECT_EQ(known.requests, (12 + count + 19) / 20) << count;
  }
}

TEST(DetailFetch, FindsASeasonThatWasAddedWithoutAnotherRequest) {
  ShowServer server = ShowServer::WithSeasons(0, 6);
  DetailFetch fetch(kShow, Numbers(0, 5), DefaultNamespaces());
  EXPECT_EQ(SeasonNumbers(FetchAll(fetch, server)), Numbers(0, 6));
  EXPECT_EQ(server.requests, 1);
}

TEST(DetailFetch, AsksForSeasonsAddedBeyondTheGuess) {
  ShowServer server = ShowServer::WithSeasons(0, 30);
  DetailFetch fetch(kShow, Numbers(0, 8), DefaultNamespaces());
  EXPECT_EQ(SeasonNumbers(FetchAll(fetch, server)), Numbers(0, 30));
  EXPECT_EQ(server.requests, 3);  // 12 + 8, then 20, then 2
}

TEST(DetailFetch, TakesTheAnswersOfSeveralCallsInAnyOrder) {
  ShowServer server = ShowServer::WithSeasons(0, 60);
  DetailFetch fetch(kShow, Numbers(0, 60), DefaultNamespaces());
  const std::vector<Document> documents = FetchAll(fetch, server, /*backwards=*/true);
  EXPECT_EQ(server.requests, 4);
  EXPECT_EQ(SeasonNumbers(documents), Numbers(0, 60));
  EXPECT_EQ(documents[0].etag, "W/\"0\"");  // of the first call, although it was answered last
  EXPECT_EQ(documents[0].fetched_at, kFetched);
  EXPECT_EQ(documents.back().fetched_at, kFetched + Duration(3));
}

TEST(DetailFetch, LeavesOutASeasonThatIsListedButCannotBeHad) {
  ShowServer server = ShowServer::WithSeasons(0, 4);
  server.bodies.erase(2);
  DetailFetch fetch(kShow, {}, DefaultNamespaces());
  EXPECT_EQ(SeasonNumbers(FetchAll(fetch, server)), (std::vector<std::int64_t>{0, 1, 3}));
  EXPECT_EQ(server.requests, 2);  // asked for once more, and then let be
  EXPECT_EQ(fetch.listed_seasons(), Numbers(0, 4));
  EXPECT_EQ(fetch.absent_seasons(), std::vector<std::int64_t>{2});
}

TEST(DetailFetch, TakesANullSeasonAsOneThatDidNotCome) {
  ShowServer server = ShowServer::WithSeasons(0, 2);
  server.bodies[1] = "null";
  DetailFetch fetch(kShow, {}, DefaultNamespaces());
  const std::vector<Document> documents = FetchAll(fetch, server);
  EXPECT_EQ(SeasonNumbers(documents), std::vector<std::int64_t>{0});
  EXPECT_EQ(fetch.absent_seasons(), std::vector<std::int64_t>{1});
  EXPECT_EQ(documents[0].data.find("season/"), std::string::npos);
}

TEST(DetailFetch, DoesNotMissASeasonThatIsNoLongerListed) {
  ShowServer server = ShowServer::WithSeasons(0, 3);
  DetailFetch fetch(kShow, Numbers(0, 5), DefaultNamespaces());
  EXPECT_EQ(SeasonNumbers(FetchAll(fetch, server)), Numbers(0, 3));
  EXPECT_EQ(server.requests, 1);
  EXPECT_EQ(fetch.listed_seasons(), Numbers(0, 3));
  EXPECT_TRUE(fetch.absent_seasons().empty());
}

TEST(DetailFetch, SkipsASeasonThatCameButIsNotListed) {
  ShowServer server = ShowServer::WithSeasons(0, 3);
  server.list = R"([{"id":3600,"season_number":0},{"id":3602,"season_number":2}])";
  DetailFetch fetch(kShow, {}, DefaultNamespaces());
  EXPECT_EQ(SeasonNumbers(FetchAll(fetch, server)), (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(server.requests, 1);
  // It is not gone either: the answer that does not list it brought it.
  EXPECT_FALSE(fetch.season_list().readable) << "it came without an id: any may be meant";
}

TEST(DetailFetch, ASeasonThatCameIsNotGoneThoughTheListIsEmpty) {
  DetailFetch fetch(kShow, Numbers(1, 2), DefaultNamespaces());
  const auto calls = fetch.TakeCalls();
  ASSERT_TRUE(fetch.Accept(calls[0].index, R"({"id":1399,"seasons":[],"season/1":{"id":8,"season_number":1,"episodes":[]}})",
                           {}, kFetched));
  EXPECT_TRUE(fetch.listed_seasons().empty());
  EXPECT_EQ(fetch.season_list().ids, std::vector<std::int64_t>{8});
  EXPECT_TRUE(fetch.season_list().readable);
}

TEST(DetailFetch, SurvivesEveryOddityOfTheSeasonList) {
  ShowServer server;
  server.list =
      R"([{"id":1,"season_number":null},{"id":2},{"id":3,"season_number":-1},{"id":4,"season_number":"4"},)"
      R"({"id":5,"season_number":1.5},7,null,[],{"id":10,"season_number":1},{"id":11,"season_number":1},)"
      R"({"id":20,"season_number":185472180051},{"id":null,"season_number":2},{"season_number":3},)"
      R"({"id":40,"season_number":4},{"id":40,"season_number":5},{"id":99999999999999999999999,"season_number":6}])";
  for (const std::int64_t number : {1, 2, 3, 4, 5, 6}) server.bodies[number] = SeasonBody(number);
  server.bodies[3].replace(0, 1, R"({"id":3003,)");  // its own id stands in for the one that the list lacks
  server.bodies[185472180051] = SeasonBody(185472180051);
  server.requests = 0;
  DetailFetch fetch(kShow, {}, DefaultNamespaces());
  const std::vector<Document> documents = FetchAll(fetch, server);
  EXPECT_EQ(server.requests, 2);  // the huge one took a second
  std::map<std::int64_t, std::int64_t> ids;
  for (const Document& document : documents) {
    if (document.id.type == MediaType::kSeason) ids[document.season_number] = document.id.id;
  }
  const std::map<std::int64_t, std::int64_t> expected = {{1, 10}, {3, 3003}, {4, 40}, {185472180051, 20}};
  EXPECT_EQ(ids, expected);
  EXPECT_EQ(fetch.listed_seasons(), (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 185472180051}));
}

TEST(DetailFetch, CutsSeasonsWhereverAndHoweverTheyAreWritten) {
  struct Row {
    const char* body;
    const char* show;
  };
  const Row rows[] = {
      {R"({"season/0":{"a":1},"id":1399,"seasons":[]})", R"({"id":1399,"seasons":[]})"},
      {R"({"id":1399,"season/0":{"a":"}\"],{"},"seasons":[]})", R"({"id":1399,"seasons":[]})"},
      {R"({"id":1399,"seasons":[],"season\/0":{}})", R"({"id":1399,"seasons":[]})"},
      {R"({"id":1399,"seasons":[],"\u0073eason/0":[1,{"b":[]}]})", R"({"id":1399,"seasons":[]})"},
      {R"({ "id" : 1399 , "season/0" : { } , "season/1":null , "seasons" : [ ] })",
       R"({ "id" : 1399 , "seasons" : [ ] })"},
      {R"({ "season/0" : 1 , "season/0" : "\\" , "id":1399, "seasons":[], "season/3":true })",
       R"({ "id":1399, "seasons":[] })"},
      // Names that only look like it are TMDB's own business.
      {R"({"id":1399,"seasons":[],"season/x":{},"season/":{},"season/-1":{},"season/1/images":{},"Season/1":{}})",
       R"({"id":1399,"seasons":[],"season/x":{},"season/":{},"season/-1":{},"season/1/images":{},"Season/1":{}})"},
      {R"({"id":1399,"seasons":[],"images":{"season/1":{}}})",
       R"({"id":1399,"seasons":[],"images":{"season/1":{}}})"},
  };
  for (const Row& row : rows) {
    DetailFetch fetch(kShow, {}, DefaultNamespaces());
    const int index = fetch.TakeCalls()[0].index;
    ASSERT_TRUE(fetch.Accept(index, row.body, {}, kFetched).has_value()) << row.body;
    const std::vector<Document> documents = fetch.TakeDocuments();
    ASSERT_EQ(documents.size(), 1U);
    EXPECT_EQ(documents[0].data, row.show);
    EXPECT_EQ(documents[0].hash, HashContent(row.show).value()) << row.body;
  }
}

TEST(DetailFetch, BelievesNothingAboutSeasonsOfABodyWithoutAList) {
  // Were it an empty list, all stored seasons would be deleted.
  for (const char* body :
       {R"({"id":1399})", R"({"id":1399,"seasons":null})", R"({"id":1399,"seasons":{}})"}) {
    DetailFetch fetch(kShow, Numbers(1, 3), DefaultNamespaces());
    const int index = fetch.TakeCalls()[0].index;
    std::string with_season = body;
    with_season.insert(with_season.size() - 1, R"(,"season/9":{"id":77,"episodes":[]})");
    ASSERT_TRUE(fetch.Accept(index, with_season, {}, kFetched).has_value());
    ASSERT_TRUE(fetch.done());
    EXPECT_EQ(fetch.listed_seasons(), (std::vector<std::int64_t>{1, 2, 3, 9}));
    const std::vector<Document> documents = fetch.TakeDocuments();
    ASSERT_EQ(documents.size(), 2U);
    EXPECT_EQ(documents[0].data, body);
    EXPECT_EQ(documents[1].id.id, 77);
  }
}

TEST(DetailFetch, TakesNoErrorBodyAndNoOtherSeasonForASeasonAndLeavesOutIdsThatCannotBe) {
  DetailFetch fetch(kShow, {}, DefaultNamespaces());
  fetch.TakeCalls();
  ASSERT_TRUE(
      fetch
          .Accept(
              0,
              R"({"id":1399,"seasons":[{"id":77,"season_number":1},{"id":78,"season_number":2},{"id":0,"season_number":3},)"
              R"({"id":79,"season_number":4}],"season/1":{"success":false,"status_code":34},"season/2":{"season_number":9,)"
              R"("episodes":[]},"season/3":{"season_number":3,"episodes":[]},"season/4":{"season_number":4,"episodes":[]}})",
              {}, kFetched)
          .has_value());
  const auto again = fetch.TakeCalls();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].call.appends, (std::vector<std::string>{"season/1", "season/2"}));
  ASSERT_TRUE(fetch.Accept(1, R"({"id":1399,"seasons":[]})", {}, kFetched).has_value());
  EXPECT_EQ(SeasonNumbers(fetch.TakeDocuments()), std::vector<std::int64_t>{4});
}

TEST(DetailFetch, RefusesALaterAnswerOfAnotherShowAndTakesTheRightOne) {
  ShowServer server = ShowServer::WithSeasons(0, 10);
  DetailFetch fetch(kShow, {}, DefaultNamespaces());
  const auto first = fetch.TakeCalls();
  ASSERT_TRUE(fetch.Accept(0, server.Answer(first[0].call), {}, kFetched).has_value());
  const auto second = fetch.TakeCalls();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].index, 1);
  EXPECT_EQ(second[0].call.appends, (std::vector<std::string>{"season/8", "season/9"}));
  EXPECT_FALSE(fetch.Accept(1, R"({"id":1,"seasons":[],"season/8":{},"season/9":{}})", {}, kFetched).has_value());
  EXPECT_FALSE(fetch.done());
  // What its base says by now is not looked at: the show is the first answer's.
  ASSERT_TRUE(
      fetch
          .Accept(1,
                  R"({"id":1399,"seasons":[],"season/8":{"season_number":8},"season/9":{"season_number":9}})",
                  "W/\"2\"", kFetched)
          .has_value());
  EXPECT_TRUE(fetch.done());
  EXPECT_EQ(SeasonNumbers(fetch.TakeDocuments()), Numbers(0, 10));
}

TEST(DetailFetch, RefusesAShowWithMoreSeasonsThanCanBeReal) {
  ShowServer server;
  server.list = "[" + std::string(2 * kMaxSeasons, ' ') + "0";
  for (std::size_t i = 0; i < kMaxSeasons; ++i) server.list += ",0";
  server.list += "]";
  DetailFetch fetch(kShow, {}, DefaultNamespaces());
  const auto call = fetch.TakeCalls()[0];
  const auto accepted = fetch.Accept(call.index, server.Answer(call.call), {}, kFetched);
  ASSERT_FALSE(accepted.has_value());
  EXPECT_EQ(accepted.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(accepted.error().message.find("more than 10000 seasons"), std::string::npos)
      << accepted.error().message;
}

// --- what is too heavy for TMDB is asked in parts ---

// Carries a fetch through against a server that cannot answer more than `most_seasons` seasons and `most_namespaces`
// namespaces in one call, nor ever what `never` says.
std::vector<Document> FetchFromAWeakServer(DetailFetch& fetch, ShowServer& server,
                                           std::ptrdiff_t most_seasons, std::ptrdiff_t most_namespaces,
                                           const std::string& never = "") {
  const auto is_season = [](const std::string& append) { return append.starts_with("season/"); };
  while (!fetch.done()) {
    const std::vector<DetailFetch::NumberedCall> calls = fetch.TakeCalls();
    if (calls.empty()) {
      ADD_FAILURE() << "not done, but nothing to ask";
      return {};
    }
    for (const auto& [index, call] : calls) {
      const auto seasons = std::ranges::count_if(call.appends, is_season);
      const auto namespaces = std::ssize(call.appends) - seasons;
      if (seasons > most_seasons || namespaces > most_namespaces ||
          std::ranges::count(call.appends, never) > 0) {
        ++server.requests;
        if (!fetch.Split(index) && !fetch.Forgo(index) && !fetch.ForgoNamespace(index)) return {};
      } else {
        EXPECT_TRUE(fetch.Accept(index, server.Answer(call), "W/\"0\"", kFetched).has_value());
      }
    }
  }
  return fetch.TakeDocuments();
}

void ExpectTheSame(const std::vector<Document>& parted, const std::vector<Document>& whole) {
  ASSERT_EQ(parted.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(parted[i].id, whole[i].id);
    EXPECT_EQ(parted[i].data, whole[i].data);
    EXPECT_EQ(parted[i].hash, whole[i].hash);
  }
}

TEST(DetailFetch, AShowTooHeavyForOneAnswerComesInPartsAndIsTheSame) {
  const struct {
    std::ptrdiff_t seasons, namespaces;
  } limits[] = {{8, 20}, {4, 20}, {1, 20}, {0, 20}, {4, 5}, {1, 1}, {1, 0}};
  for (const auto& limit : limits) {
    for (const bool known : {true, false}) {
      ShowServer server = ShowServer::WithSeasons(1, 49);
      DetailFetch whole(kShow, {}, DefaultNamespaces());
      const std::vector<Document> expected = FetchAll(whole, server);
      DetailFetch fetch(kShow, known ? Numbers(1, 49) : Numbers(1, 0), DefaultNamespaces());
      const std::vector<Document> documents =
          FetchFromAWeakServer(fetch, server, limit.seasons, limit.namespaces);
      if (limit.seasons > 0 && limit.namespaces > 0) {
        ExpectTheSame(documents, expected);
        EXPECT_TRUE(fetch.absent_seasons().empty());
      } else if (limit.namespaces > 0) {  // no season can be had: the show is there all the same
        ASSERT_EQ(documents.size(), 1U);
        EXPECT_EQ(documents[0].data, expected[0].data);
        EXPECT_EQ(fetch.absent_seasons(), Numbers(1, 49));
        EXPECT_EQ(fetch.listed_seasons(), Numbers(1, 49));
      } else {
        ASSERT_FALSE(documents.empty());
        EXPECT_EQ(documents[0].data.find("credits"), std::string::npos);
        EXPECT_EQ(documents[0].lacking, DefaultNamespaces().at(MediaType::kTv));
        EXPECT_EQ(documents[0].etag, std::nullopt);
      }
    }
  }
}

TEST(DetailFetch, AsksForFewSeasonsACallOnceMoreWereTooHeavy) {
  ShowServer server = ShowServer::WithSeasons(1, 49);
  DetailFetch fetch(kShow, {}, DefaultNamespaces());
  FetchFromAWeakServer(fetch, server, 4, 20);
  EXPECT_EQ(server.requests, 3 + 11);  // seasons 0..7 whole, 0..3 and 4..7; then 42 by fours
}

TEST(DetailFetch, OneSeasonThatCannotBeHadDoesNotKeepTheOthersOut) {
  ShowServer server = ShowServer::WithSeasons(1, 10);
  DetailFetch fetch(kShow, Numbers(1, 10), DefaultNamespaces());
  const std::vector<Document> documents = FetchFromAWeakServer(fetch, server, 20, 20, "season/4");
  EXPECT_EQ(SeasonNumbers(documents), (std::vector<std::int64_t>{1, 2, 3, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(fetch.absent_seasons(), std::vector<std::int64_t>{4});
}

TEST(DetailFetch, AHeavyMovieComesNamespaceByNamespace) {
  const Namespaces namespaces = {{MediaType::kMovie, {"credits", "images", "videos"}}};
  DetailFetch fetch({MediaType::kMovie, 550}, {}, namespaces);
  ASSERT_EQ(fetch.TakeCalls().size(), 1U);
  EXPECT_FALSE(fetch.Forgo(0));
  ASSERT_TRUE(fetch.Split(0));
  EXPECT_FALSE(fetch.Split(0));
  auto calls = fetch.TakeCalls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].call.appends, std::vector<std::string>{"credits"});
  EXPECT_EQ(calls[1].call.appends, (std::vector<std::string>{"images", "videos"}));
  // The part without the body may be answered first; what it was not asked for is not looked at.
  ASSERT_TRUE(fetch
                  .Accept(calls[1].index,
                          R"({"id":550,"vote_count":9,"videos":{"b":[1, 2]},"images":{"a":1}})", "W/\"2\"",
                          kFetched)
                  .has_value());
  ASSERT_TRUE(fetch.Split(calls[0].index));  // now the plain body and credits
  calls = fetch.TakeCalls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_TRUE(calls[0].call.appends.empty());
  EXPECT_FALSE(fetch.Split(calls[0].index));
  EXPECT_FALSE(fetch.Split(calls[1].index));
  ASSERT_TRUE(fetch.Accept(calls[1].index, R"({"id":550,"vote_count":8,"credits":{"cast":[]}})", {}, kFetched)
                  .has_value());
  ASSERT_TRUE(fetch.Accept(calls[0].index, R"({"id":550,"vote_count":8})", "W/\"1\"", kFetched).has_value());
  ASSERT_TRUE(fetch.done());
  const std::vector<Document> documents = fetch.TakeDocuments();
  EXPECT_EQ(documents[0].data,
            R"({"id":550,"vote_count":8,"credits":{"cast":[]},"images":{"a":1},"videos":{"b":[1, 2]}})");
  EXPECT_EQ(documents[0].hash, HashContent(documents[0].data).value());
  EXPECT_EQ(documents[0].etag, std::nullopt);
}

TEST(DetailFetch, TellsWhatTheShowSaysOfItsSeasons) {
  const auto list_of = [](const std::string& body) {
    DetailFetch fetch(kShow, Numbers(1, 2), DefaultNamespaces());
    EXPECT_TRUE(fetch.Accept(fetch.TakeCalls()[0].index, body, {}, kFetched).has_value()) << body;
    return fetch.season_list();
  };
  const SeasonList odd =
      list_of(R"({"id":1399,"seasons":[{"id":9,"season_number":2},{"id":8,"season_number":null},)"
              R"({"id":9,"season_number":-1}]})");
  EXPECT_TRUE(odd.given);
  EXPECT_TRUE(odd.readable);
  EXPECT_EQ(odd.numbers, std::vector<std::int64_t>{2});
  EXPECT_EQ(odd.ids, (std::vector<std::int64_t>{8, 9}));
  EXPECT_FALSE(list_of(R"({"id":1399,"seasons":[{"id":9,"season_number":2},{"name":"?"}]})").readable);
  EXPECT_TRUE(list_of(R"({"id":1399,"seasons":[]})").given);
  EXPECT_FALSE(list_of(R"({"id":1399})").given);
}

// --- seasons with more ---

// What a server with or without nested names answers to a call of a show with extras.
std::string AnswerWithExtras(ShowServer& server, const Call& call, bool nested) {
  const std::size_t season = call.path.find("/season/");
  if (season != std::string::npos) {
    ++server.requests;
    std::string body = R"({"id":9001,"season_number":)" + call.path.substr(season + 8) + R"(,"episodes":[])";
    for (const std::string& name : call.appends)
      body += fmt::format(R"(,"{}":{{"of":"{}"}})", name, call.path.substr(season + 1));
    return body + "}";
  }
  Call plain = call;
  std::erase_if(plain.appends, [](const std::string& name) { return std::ranges::count(name, '/') == 2; });
  std::string body = server.Answer(plain);
  if (!call.language.empty()) {
    for (std::size_t at = 0; (at = body.find(R"("name":"One")", at)) != std::string::npos;)
      body.replace(at, 12, R"("name":"Eins","overview":"\u00dc")");
  }
  body.pop_back();
  for (const std::string& name : call.appends) {
    if (nested && std::ranges::count(name, '/') == 2)
      body += fmt::format(R"(,"{}":{{"of":"{}"}})", name, name.substr(0, name.rfind('/')));
  }
  return body + "}";
}

std::vector<Document> FetchWithExtras(DetailFetch& fetch, ShowServer& server, bool nested) {
  for (int round = 0; !fetch.done() && round < 10; ++round) {
    for (const auto& [index, call] : fetch.TakeCalls()) {
      const auto accepted = fetch.Accept(index, AnswerWithExtras(server, call, nested), {}, kFetched);
      EXPECT_TRUE(accepted.has_value()) << accepted.error().message;
    }
  }
  return fetch.TakeDocuments();
}

TEST(DetailFetch, SeasonsComeWithTheirSubResourcesHoweverTmdbGivesThem) {
  const SeasonExtras extras{.namespaces = {"credits", "images"}, .languages = {}};
  std::vector<std::vector<Document>> came;
  for (const bool nested : {true, false}) {
    ShowServer server = ShowServer::WithSeasons(1, 8);
    DetailFetch fetch(kShow, {}, DefaultNamespaces(), extras);
    came.push_back(FetchWithExtras(fetch, server, nested));
    EXPECT_EQ(fetch.nested_names(), nested);
    EXPECT_EQ(server.requests, nested ? 2 + 2 : 2 + 2 + 8);
    std::string season = SeasonBody(3);
    season.insert(season.size() - 1, R"(,"credits":{"of":"season/3"},"images":{"of":"season/3"})");
    ASSERT_EQ(came.back().size(), 9U);
    EXPECT_EQ(came.back()[3].data, season);
    EXPECT_EQ(came.back()[3].hash, HashContent(season).value());
    EXPECT_EQ(came.back()[0].data.find("season/"), std::string::npos);
  }
  ExpectTheSame(came[0], came[1]);

  ShowServer server = ShowServer::WithSeasons(1, 1);
  DetailFetch remembered(kShow, {}, DefaultNamespaces(),
                         {.namespaces = {"credits"}, .languages = {}, .nested = false});
  FetchWithExtras(remembered, server, false);
  EXPECT_EQ(server.requests, 2);
  EXPECT_EQ(remembered.nested_names(), std::nullopt);
}

TEST(DetailFetch, SeasonsComeWithTheirTextsInOtherLanguages) {
  ShowServer server = ShowServer::WithSeasons(1, 2);
  DetailFetch fetch(kShow, {}, DefaultNamespaces(), {.namespaces = {}, .languages = {"de", "pt-BR"}});
  const std::vector<Document> documents = FetchWithExtras(fetch, server, true);
  EXPECT_EQ(server.requests, 1 + 2);
  std::string season = SeasonBody(2);
  const std::string texts =
      R"({"name":"Season 2","episodes":[{"id":201,"name":"Eins","overview":"\u00dc"},{"id":202,"name":"Two"}]})";
  season.insert(season.size() - 1, R"(,"language/de":)" + texts + R"(,"language/pt-BR":)" + texts);
  ASSERT_EQ(documents.size(), 3U);
  EXPECT_EQ(documents[2].data, season);
}

TEST(DetailFetch, AnExtraThatCannotBeHadLeavesItsSeasonOut) {
  ShowServer server = ShowServer::WithSeasons(1, 2);
  DetailFetch fetch(kShow, {}, DefaultNamespaces(), {.namespaces = {"credits"}, .languages = {}});
  int refused = 0;
  while (!fetch.done()) {
    for (const auto& [index, call] : fetch.TakeCalls()) {
      const bool heavy =
          call.path == "tv/1399/season/2" || std::ranges::count(call.appends, "season/2/credits") > 0;
      if (heavy) {
        ++refused;
        ASSERT_TRUE(fetch.Split(index) || fetch.Forgo(index));
      } else {
        ASSERT_TRUE(fetch.Accept(index, AnswerWithExtras(server, call, true), {}, kFetched).has_value());
      }
    }
  }
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(SeasonNumbers(fetch.TakeDocuments()), std::vector<std::int64_t>{1});
  EXPECT_EQ(fetch.absent_seasons(), std::vector<std::int64_t>{2});
}

}  // namespace
}  // namespace tmdbc
