// SPDX-License-Identifier: MIT
#include "serve/api_handler.h"

#include <gtest/gtest.h>

#include <map>

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
  // It is no answer for who asks without one, and the other way about.
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
                             "/3/movie/a%0d%0ab", "/3/%ed%a0%80", "/4/movie/550", "/", "", "3/movie/550"}) {
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

}  // namespace
}  // namespace tmdbc::serve
