// SPDX-License-Identifier: MIT
#include "serve/api_handler.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "base/compression.h"
#include "read_api/read_api_world_test.h"

namespace tmdbc::serve {
namespace {

class MemoryMark : public StoreMark {
 public:
  Result<std::uint64_t> Now(std::uint64_t) override {
    if (failure) return std::unexpected(*failure);
    return mark;
  }
  std::uint64_t IndexState() override { return 0; }

  std::uint64_t mark = 1;
  std::optional<Error> failure;
};

// Counts what is asked of the mirror.
class CountingRecords : public read_api::Records {
 public:
  explicit CountingRecords(read_api::Records& behind) : behind_(behind) {}
  Result<std::shared_ptr<const read_api::Record>> Get(MediaId id) override {
    ++reads;
    return behind_.Get(id);
  }
  Result<std::shared_ptr<const read_api::Record>> GetSeason(std::int64_t tv_id,
                                                            std::int64_t number) override {
    ++reads;
    return behind_.GetSeason(tv_id, number);
  }
  Result<read_api::Source> SourceOf(MediaId id) override {
    ++looks;
    return behind_.SourceOf(id);
  }
  Result<bool> IsAwaited(MediaId id) override { return behind_.IsAwaited(id); }

  int reads = 0, looks = 0;

 private:
  read_api::Records& behind_;
};

struct Seen {
  int status = 0;
  std::map<std::string, std::string> headers = {};
  std::string body = {};
};

class ApiHandlerTest : public ::testing::Test {
 protected:
  Seen Ask(std::string_view target, std::vector<http::Header> headers = {}, std::string_view method = "GET") {
    note = {};
    const http::Answer answer = handler->Handle(
        {.method = std::string(method), .target = std::string(target), .headers = std::move(headers)}, note);
    Seen seen{.status = answer.status, .body = answer.body ? *answer.body : ""};
    std::string_view lines = answer.lines ? std::string_view(*answer.lines) : "";
    while (!lines.empty()) {
      const auto end = lines.find("\r\n");
      const auto colon = lines.find(": ");
      EXPECT_TRUE(
          seen.headers.emplace(lines.substr(0, colon), lines.substr(colon + 2, end - colon - 2)).second);
      lines.remove_prefix(end + 2);
    }
    return seen;
  }
  void Put(std::int64_t id, std::string body) {
    world.Put({MediaType::kMovie, id}, std::move(body));
    ++mark.mark;
  }
  void Use(ApiKeys keys, std::size_t cache_bytes = 1 << 20) {
    handler.emplace(api, records, mark, world.clock, cache_bytes, std::move(keys));
  }

  read_api::ReadApiWorld world;
  CountingRecords records{world.records};
  read_api::ReadApi api{records, world.clock};
  MemoryMark mark;
  std::optional<ApiHandler> handler{std::in_place, api, records, mark, world.clock, std::size_t(1) << 20};
  ApiNote note;
};

const std::string kFightClub = R"({"id":550,"title":"Fight Club"})";

TEST_F(ApiHandlerTest, SaysHowExactAnAnswerIsAndHowOld) {
  Put(550, kFightClub);
  const Seen seen = Ask("/3/movie/550");
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(seen.body, kFightClub);
  EXPECT_EQ(seen.headers.at("Mirror-Answer"), "exact");
  EXPECT_EQ(seen.headers.at("Mirror-Fetched-At"), "2026-11-22T00:00:00.000Z");
  EXPECT_EQ(seen.headers.at("Content-Type"), "application/json;charset=utf-8");
  EXPECT_EQ(seen.headers.at("Cache-Control"), "public, max-age=28800");
  EXPECT_EQ(seen.headers.at("Vary"), "accept-encoding, Origin");
  EXPECT_EQ(seen.headers.at("Access-Control-Allow-Origin"), "*");
  for (const auto& [name, value] : seen.headers) EXPECT_FALSE(name.starts_with("X-RateLimit")) << name;
}

TEST_F(ApiHandlerTest, RefusesToWriteAndSaysWhatItAllows) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"}) {
    const Seen seen = Ask("/3/movie/550/rating", {}, method);
    EXPECT_EQ(seen.status, 405);
    EXPECT_EQ(seen.headers.at("Allow"), "GET, HEAD, OPTIONS");
    EXPECT_TRUE(seen.body.contains(R"("status_code":42)"));
  }
}

TEST_F(ApiHandlerTest, SendsNothingAgainThatTheClientHas) {
  Put(550, kFightClub);
  const std::string etag = Ask("/3/movie/550").headers.at("ETag");
  EXPECT_TRUE(etag.starts_with("W/\""));
  for (const std::string& known : {etag, etag.substr(2), std::string("*"), "\"other\", " + etag}) {
    const Seen seen = Ask("/3/movie/550", {{"If-None-Match", known}});
    EXPECT_EQ(seen.status, 304) << known;
    EXPECT_EQ(seen.body, "");
    EXPECT_EQ(seen.headers.at("ETag"), etag);
    EXPECT_FALSE(seen.headers.contains("Content-Type"));
  }
  EXPECT_EQ(Ask("/3/movie/550", {{"If-None-Match", "\"other\""}}).status, 200);
  EXPECT_EQ(Ask("/3/movie/551", {{"If-None-Match", "*"}}).status, 404);
  Put(550, R"({"id":550,"title":"Fight Club 2"})");
  EXPECT_EQ(Ask("/3/movie/550", {{"If-None-Match", etag}}).status, 200);
}

TEST_F(ApiHandlerTest, CompressesWhatIsWorthIt) {
  const std::string large = R"({"id":1,"overview":")" + std::string(5000, 'x') + R"("})";
  Put(1, large);
  Put(2, R"({"id":2})");
  for (int turn = 0; turn < 2; ++turn) {  // made, then kept
    const Seen seen = Ask("/3/movie/1", {{"Accept-Encoding", "gzip, deflate"}});
    EXPECT_EQ(seen.headers.at("Content-Encoding"), "gzip");
    EXPECT_LT(seen.body.size(), 500u);
    EXPECT_EQ(GunzipWhole(seen.body, 1 << 20).value(), large);
  }
  EXPECT_EQ(Ask("/3/movie/1").body, large);
  EXPECT_FALSE(Ask("/3/movie/1", {{"Accept-Encoding", "gzip;q=0"}}).headers.contains("Content-Encoding"));
  EXPECT_FALSE(Ask("/3/movie/2", {{"Accept-Encoding", "gzip"}}).headers.contains("Content-Encoding"));
}

TEST_F(ApiHandlerTest, LetsEveryOriginAskWithAKey) {
  const Seen seen = Ask("/3/movie/550", {{"Origin", "https://x.example"}}, "OPTIONS");
  EXPECT_EQ(seen.status, 204);
  EXPECT_EQ(seen.headers.at("Access-Control-Allow-Origin"), "*");
  EXPECT_TRUE(seen.headers.at("Access-Control-Allow-Headers").contains("Authorization"));
  EXPECT_EQ(seen.headers.at("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
}

TEST_F(ApiHandlerTest, WrapsAnAnswerForAScript) {
  Put(550, kFightClub);
  const Seen seen = Ask("/3/movie/550?callback=jQuery1.cb&_=1");
  EXPECT_EQ(seen.body, "/**/jQuery1.cb(" + kFightClub + ");");
  EXPECT_EQ(seen.headers.at("Content-Type"), "application/javascript;charset=utf-8");
  EXPECT_FALSE(seen.headers.contains("ETag"));
  EXPECT_EQ(Ask("/3/movie/550?callback=alert(1)").body, kFightClub);
  // It does not answer a request without one, and the other way about.
  EXPECT_EQ(Ask("/3/movie/550").body, kFightClub);
  EXPECT_EQ(Ask("/3/movie/550?callback=b").body, "/**/b(" + kFightClub + ");");
}

TEST_F(ApiHandlerTest, LetsNobodyInWithoutAKeyWhereThereAreSome) {
  Put(550, kFightClub);
  Use(ApiKeys({"first-key", "second-key"}));
  for (const char* target : {"/3/movie/550", "/3/movie/550?api_key=", "/3/movie/550?api_key=first-ke",
                             "/3/movie/550?api_key=first-keyy", "/3/movie/550?api_key=First-key"}) {
    const Seen seen = Ask(target);
    EXPECT_EQ(seen.status, 401) << target;
    EXPECT_TRUE(seen.body.contains(R"("status_code":7)"));
  }
  EXPECT_EQ(Ask("/3/movie/550?api_key=first-key").status, 200);
  EXPECT_EQ(Ask("/3/movie/550?api_key=first%2Dkey").status, 200);
  EXPECT_EQ(Ask("/3/movie/550?api_key=first-key").headers.at("Cache-Control"), "private, max-age=28800");
  EXPECT_EQ(Ask("/3/movie/550", {{"Authorization", "Bearer second-key"}}).status, 200);
  EXPECT_EQ(Ask("/3/movie/550", {{"Authorization", "Bearer x"}}).status, 401);
  // Browsers send none when they ask whether they may.
  EXPECT_EQ(Ask("/3/movie/550", {}, "OPTIONS").status, 204);
}

TEST_F(ApiHandlerTest, MakesAnAnswerOnceAndAgainWhenARecordOfItChanges) {
  Put(550, kFightClub);
  EXPECT_EQ(Ask("/3/movie/550").body, kFightClub);
  EXPECT_FALSE(note.kept);
  EXPECT_EQ(records.reads, 1);
  // However it is asked for.
  for (const char* target :
       {"/3/movie/550", "/3/movie/550?api_key=k", "/3//movie/550?&&region=", "/3/movie/%3550"}) {
    EXPECT_EQ(Ask(target).body, kFightClub) << target;
    EXPECT_TRUE(note.kept) << target;
  }
  EXPECT_EQ(records.reads, 1);
  EXPECT_EQ(records.looks, 0);
  Put(551, R"({"id":551})");  // another record: looked at once
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask("/3/movie/550").body, kFightClub);
  EXPECT_EQ(records.reads, 1);
  EXPECT_EQ(records.looks, 1);
  Put(550, R"({"id":550,"title":"New"})");
  EXPECT_EQ(Ask("/3/movie/550?api_key=k").body, R"({"id":550,"title":"New"})");
  EXPECT_FALSE(note.kept);
}

TEST_F(ApiHandlerTest, ShowsARecordThatCameAndOneThatLeft) {
  EXPECT_EQ(Ask("/3/movie/550").status, 404);
  EXPECT_EQ(Ask("/3/movie/550").status, 404);
  EXPECT_EQ(records.reads, 1);
  Put(550, kFightClub);
  EXPECT_EQ(Ask("/3/movie/550").status, 200);
  world.records.all.clear();
  ++mark.mark;
  EXPECT_EQ(Ask("/3/movie/550").status, 404);
}

TEST_F(ApiHandlerTest, MakesAnAnswerAgainWhenItsTimeIsOver) {
  Put(550, kFightClub);
  (void)Ask("/3/movie/550");
  world.clock.Advance(std::chrono::hours(9));
  EXPECT_EQ(Ask("/3/movie/550").status, 200);
  EXPECT_FALSE(note.kept);
}

TEST_F(ApiHandlerTest, IsOfflineWhileTheStoreCannotBeRead) {
  Put(550, kFightClub);
  (void)Ask("/3/movie/550");
  mark.failure = Error{ErrorCode::kUnreadable, "read catalog.db: gone"};
  const Seen seen = Ask("/3/movie/550");
  EXPECT_EQ(seen.status, 503);
  EXPECT_TRUE(seen.body.contains(R"("status_code":9)"));
  EXPECT_EQ(seen.headers.at("Cache-Control"), "no-store");
  mark.failure.reset();
  EXPECT_EQ(Ask("/3/movie/550").status, 200);
}

TEST_F(ApiHandlerTest, NeverGivesA200ThatLooksLikeAnError) {
  Put(550, R"({"success":false,"id":550})");
  EXPECT_EQ(Ask("/3/movie/550").status, 500);
}

TEST_F(ApiHandlerTest, FindsNothingUnderAPathThatIsNoText) {
  for (const char* target : {"/3/movie/%00", "/3/movie/550%00", "/3/%ff%fe", "/3/movie/%c0%af",
                             "/3/movie/a%0d%0ab", "/3/%ed%a0%80", "/5/movie/550", "/", "", "3/movie/550"}) {
    EXPECT_EQ(Ask(target).status, 404) << target;
  }
}

TEST_F(ApiHandlerTest, RefusesAQueryOfVeryManyPairs) {
  Put(550, kFightClub);
  std::string target = "/3/movie/550?a=1";
  for (std::size_t i = 1; i < kMaxQueryPairs; ++i) target += "&a=1";
  EXPECT_EQ(Ask(target).status, 200);
  const Seen seen = Ask(target + "&a=1");
  EXPECT_EQ(seen.status, 422);
  EXPECT_TRUE(seen.body.contains(R"("status_code":5)"));
}

// --- with an upstream ---

using What = DemandReply::What;

class UpstreamTest : public ApiHandlerTest {
 protected:
  UpstreamTest() {
    handler->FetchFrom(upstream, [this](std::uint64_t ticket, http::Answer answer, const ApiNote& late) {
      later[ticket] = {std::move(answer), late};
    });
  }
  // The ticket of a request that waits; 0 when it is answered at once.
  std::uint64_t Wait(std::string_view target) {
    note = {};
    const http::Answer answer =
        handler->Handle({.method = "GET", .target = std::string(target), .ticket = ++tickets}, note);
    EXPECT_EQ(note.waits, answer.delay == ApiHandler::kPatience);
    return note.waits ? tickets : 0;
  }
  void Reply(const Demand& demand, const DemandReply& reply) { upstream.Arrived(demand, reply); }
  static std::string Lines(const http::Answer& answer) { return answer.lines ? *answer.lines : ""; }
  static Demand Film(std::int64_t id) { return {.record = MediaId{MediaType::kMovie, id}}; }

  std::vector<Demand> sent;
  ServeMetrics metrics;
  Upstream upstream{world.clock, metrics, [this](const Demand& demand) { sent.push_back(demand); }};
  std::uint64_t tickets = 0;
  std::map<std::uint64_t, std::pair<http::Answer, ApiNote>> later;
};

TEST_F(UpstreamTest, ARecordIsDemandedOnceHoweverManyAskForItAndHoweverTheyDo) {
  for (int i = 0; i < 25; ++i) {
    EXPECT_NE(Wait("/3/movie/550"), 0u);
    EXPECT_NE(Wait("/3/movie/550?language=en-US&append_to_response=nonsense"), 0u);
  }
  EXPECT_EQ(sent, std::vector{Film(550)});
  Put(550, kFightClub);
  Reply(Film(550), {.what = What::kStored});
  ASSERT_EQ(later.size(), 50u);
  for (const auto& [ticket, answered] : later) {
    EXPECT_EQ(answered.first.status, 200);
    EXPECT_EQ(*answered.first.body, kFightClub);
    EXPECT_TRUE(Lines(answered.first).contains("Mirror-Answer: exact\r\n"));
    EXPECT_TRUE(Lines(answered.first).contains("Mirror-Fetched-At: "));
  }
  EXPECT_EQ(Wait("/3/movie/550"), 0u) << "it is stored";
  EXPECT_EQ(sent.size(), 1u);
}

TEST_F(UpstreamTest, WhatTmdbDoesNotHaveIsAskedForOnceAnHour) {
  const auto ticket = Wait("/3/movie/7");
  Reply(Film(7), {.what = What::kAbsent});
  EXPECT_EQ(later.at(ticket).first.status, 404);
  for (int minute = 0; minute < 59; ++minute) {
    EXPECT_EQ(Ask("/3/movie/7?language=de").status, 404);
    EXPECT_FALSE(note.waits);
    world.clock.Advance(std::chrono::minutes(1));
  }
  EXPECT_EQ(sent.size(), 1u);
  world.clock.Advance(std::chrono::minutes(1));
  EXPECT_NE(Wait("/3/movie/7"), 0u);
  EXPECT_EQ(sent.size(), 2u);
}

TEST_F(UpstreamTest, AnswersThatAreNoRecordAreTmdbsOwnAndKept) {
  Put(550, R"({"id":550,"title":"Fight Club","credits":{"cast":[]}})");
  const std::string reviews = R"({"id":550,"page":2,"results":[{"id":"a"}],"total_pages":2,"total_results":21})";
  const auto ticket = Wait("/3/movie/550/reviews?page=2&api_key=0123456789&utm=x");
  const Demand demand{.target = "movie/550/reviews?page=2"};
  ASSERT_EQ(sent, std::vector{demand}) << "without what says who asks, and what TMDB does not know";
  Reply(demand, {.what = What::kAnswer, .status = 200, .body = reviews, .at = world.clock.Now()});
  const auto& [answer, late] = later.at(ticket);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(*answer.body, reviews);
  EXPECT_TRUE(Lines(answer).contains("Mirror-Answer: exact\r\n"));
  EXPECT_TRUE(Lines(answer).contains("Mirror-Fetched-At: " + FormatTime(world.clock.Now()) + "\r\n"));
  // A commit changes nothing of it, and time does.
  ++mark.mark;
  EXPECT_EQ(Ask("/3/movie/550/reviews?page=2&utm=x").body, reviews);
  EXPECT_TRUE(note.kept);
  world.clock.Advance(std::chrono::hours(9));
  EXPECT_NE(Wait("/3/movie/550/reviews?page=2"), 0u);
}

TEST_F(UpstreamTest, ARecordThatIsNotKeptIsAnsweredByTmdbItself) {
  const auto ticket = Wait("/3/movie/9?language=de");
  Reply(Film(9), {.what = What::kUnstored});
  EXPECT_TRUE(later.empty());
  const Demand demand{.target = "movie/9?language=de"};
  ASSERT_EQ(sent.back(), demand);
  Reply(demand, {.what = What::kAnswer, .status = 200, .body = R"({"id":9})", .at = world.clock.Now()});
  EXPECT_EQ(*later.at(ticket).first.body, R"({"id":9})");
  // For some minutes it is known that it is not kept.
  EXPECT_NE(Wait("/3/movie/9?language=fr"), 0u);
  EXPECT_EQ(sent.back(), Demand{.target = "movie/9?language=fr"});
}

TEST_F(UpstreamTest, WithoutTmdbWhatIsThereIsGivenAndWhatIsNotIsNoTruth) {
  Put(550, R"({"id":550,"title":"Fight Club"})");
  const auto reviews = Wait("/3/movie/550/reviews");
  Reply(sent.back(), {.what = What::kDown});
  EXPECT_EQ(later.at(reviews).first.status, 200);
  EXPECT_TRUE(Lines(later.at(reviews).first).contains("Mirror-Answer: empty\r\n"));
  EXPECT_TRUE(Lines(later.at(reviews).first).contains("max-age=60\r\n"));
  const auto film = Wait("/3/movie/8");
  Reply(Film(8), {.what = What::kDown});
  EXPECT_EQ(later.at(film).first.status, 503);
  EXPECT_TRUE(later.at(film).first.body->contains("\"status_code\":9"));
  EXPECT_TRUE(Lines(later.at(film).first).contains("Retry-After: "));
  const auto slow = Wait("/3/movie/8");
  EXPECT_NE(slow, 0u) << "an outage is not remembered";
  Reply(Film(8), {.what = What::kSlow});
  EXPECT_EQ(later.at(slow).first.status, 504);
  EXPECT_TRUE(Lines(later.at(slow).first).contains("Retry-After: "));
}

TEST_F(UpstreamTest, WhatIsThereStaysWhereTmdbHasNothingMore) {
  Put(550, R"({"id":550,"title":"Fight Club"})");
  const auto lists = Wait("/3/movie/550/lists");
  Reply(sent.back(), {.what = What::kAbsent});
  EXPECT_EQ(later.at(lists).first.status, 200) << "an application reads its results";
  EXPECT_EQ(Ask("/3/movie/550/lists").headers.at("Mirror-Answer"), "empty");
  EXPECT_EQ(sent.size(), 1u);
}

TEST_F(UpstreamTest, ASeasonThatIsAppendedAndListedIsFetchedWithItsShow) {
  const MediaId show{MediaType::kTv, 5};
  world.Put(show, R"({"id":5,"name":"S","seasons":[{"id":51,"season_number":1}]})");
  EXPECT_EQ(Wait("/3/tv/5?append_to_response=season/0,season/2,season/99"), 0u) << "TMDB has no such seasons";
  const auto ticket = Wait("/3/tv/5?append_to_response=season/1,season/2");
  EXPECT_NE(ticket, 0u);
  EXPECT_EQ(sent, std::vector{Demand{.record = show}});
  world.Put({MediaType::kSeason, 51}, R"({"id":51,"season_number":1,"name":"One"})", 5, 1);
  Reply(Demand{.record = show}, {.what = What::kStored});
  EXPECT_TRUE(later.at(ticket).first.body->ends_with(R"("season/1":{"season_number":1,"name":"One"}})"))
      << *later.at(ticket).first.body;
}

TEST_F(UpstreamTest, AListOfTheConfigurationIsARecord) {
  EXPECT_NE(Wait("/3/genre/movie/list"), 0u);
  ASSERT_TRUE(sent.back().record);
  EXPECT_EQ(sent.back().record->type, MediaType::kConfiguration);
}

TEST_F(UpstreamTest, NobodyWaitsForEver) {
  const auto ticket = Wait("/3/movie/8");
  world.clock.Advance(ApiHandler::kPatience - std::chrono::milliseconds(1));
  handler->EndWaiting();
  EXPECT_TRUE(later.empty());
  world.clock.Advance(std::chrono::milliseconds(1));
  handler->EndWaiting();
  EXPECT_EQ(later.at(ticket).first.status, 504);
  later.clear();
  Reply(Film(8), {.what = What::kAbsent});
  EXPECT_TRUE(later.empty()) << "once";
}

TEST_F(UpstreamTest, SoManyMayWaitAndTheNextIsToldSo) {
  for (std::size_t i = 1; i <= ApiHandler::kMostWaiting; ++i) EXPECT_NE(Wait("/3/movie/" + std::to_string(i)), 0u);
  const Seen seen = Ask("/3/movie/9999");
  EXPECT_EQ(seen.status, 503);
  EXPECT_TRUE(seen.headers.contains("Retry-After"));
  EXPECT_FALSE(note.waits);
  EXPECT_EQ(sent.size(), ApiHandler::kMostWaiting);
}

TEST_F(UpstreamTest, IsCounted) {
  EXPECT_NE(Wait("/3/movie/1"), 0u);
  EXPECT_NE(Wait("/3/movie/1"), 0u);
  EXPECT_NE(Wait("/3/movie/2"), 0u);
  EXPECT_NE(Wait("/3/movie/3"), 0u);
  const auto expect = [&](const std::vector<std::string_view>& lines) {
    const std::string text = metrics.Text();
    for (const auto line : lines)
      EXPECT_TRUE(text.contains("\ntmdbc_serve_upstream_" + std::string(line) + "\n")) << text;
  };
  expect({"pending 3", "waiting 4", "waited_total 4", "expired_total 0", "demands_total{outcome=\"absent\"} 0"});
  Reply(Film(1), {.what = What::kAbsent});
  Reply(Film(2), {.what = What::kUnstored});  // and TMDB itself is asked
  expect({"pending 2", "waiting 2", "waited_total 4", "demands_total{outcome=\"absent\"} 1",
          "demands_total{outcome=\"unstored\"} 1"});
  world.clock.Advance(ApiHandler::kPatience);
  handler->EndWaiting();
  expect({"pending 2", "waiting 0", "expired_total 2"});
  for (std::size_t i = 1; i <= ApiHandler::kMostWaiting; ++i) Wait("/3/person/" + std::to_string(i));
  Ask("/3/person/9999");
  expect({"waiting 254", "refused_total 3"});
}

TEST_F(UpstreamTest, WhatFollowsFromTheRequestAloneAsksNobody) {
  Put(550, R"({"id":550,"title":"Fight Club"})");
  for (const auto target :
       {"/3/movie/0", "/3/movie/x", "/3/nonsense", "/3/movie/550/nonsense", "/3/movie/550", "/3/account/1",
        "/3/movie/550/reviews?page=501", "/3/search/movie?query=x", "/3/movie/99999999999", "/3/movie/popular"}) {
    EXPECT_EQ(Wait(target), 0u) << target;
  }
  EXPECT_TRUE(sent.empty());
}

TEST_F(UpstreamTest, ListsOfUsersAreTmdbsToTell) {
  // And while there is no title index, what is found by it.
  EXPECT_NE(Wait("/3/find/tt0137523?external_source=imdb_id"), 0u);
  EXPECT_NE(Wait("/3/movie/tt0137523"), 0u);
  EXPECT_EQ(sent.size(), 2u);
  for (const auto* path : {"list/5", "tv/episode_group/5acf93e60e0a26346d0000ce", "review/5488c29bc3a3686f4a00004a",
                           "credit/52542282760ee313280017f9"}) {
    EXPECT_NE(Wait("/3/" + std::string(path)), 0u) << path;
    EXPECT_EQ(sent.back(), Demand{.target = path});
  }
}

TEST(Upstream, RemembersNoMoreThanItMay) {
  testing::FakeClock clock;
  ServeMetrics metrics;
  Upstream upstream(clock, metrics, [](const Demand&) {});
  for (std::int64_t id = 1; id <= std::int64_t(Upstream::kMostRemembered) + 100; ++id)
    upstream.Arrived({.record = MediaId{MediaType::kMovie, id}}, {.what = What::kAbsent});
  EXPECT_EQ(upstream.remembered(), Upstream::kMostRemembered);
  EXPECT_FALSE(upstream.Known({.record = MediaId{MediaType::kMovie, 100}}));
  EXPECT_TRUE(upstream.Known({.record = MediaId{MediaType::kMovie, 101}}));
}

}  // namespace
}  // namespace tmdbc::serve
