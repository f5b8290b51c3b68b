// SPDX-License-Identifier: MIT
#include "dashboard/dashboard_handler.h"

#include <gtest/gtest.h>

#include "base/compression.h"
#include "base/hash.h"
#include "base/json.h"
#include "dashboard/assets.h"
#include "dashboard/mirror_view_test.h"

namespace tmdbc::dashboard {
namespace {

struct Served {
  WatchedWorld world;
  Watcher watcher{world.opener(), world.clock};
  DashboardOptions options;
  std::unique_ptr<DashboardHandler> handler;

  http::Answer Ask(std::string target, std::vector<http::Header> headers = {}, std::string method = "GET") {
    if (!handler) handler = std::make_unique<DashboardHandler>(world.opener(), watcher, options);
    headers.emplace_back("Host", "127.0.0.1:8080");
    return (*handler)(
        {.method = std::move(method), .target = std::move(target), .headers = std::move(headers)});
  }
};

std::string HeaderOf(const http::Answer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers)
    if (key == name) return value;
  return "";
}

TEST(DashboardHandler, ThePageBringsItsFirstPictures) {
  Served served;
  served.options.facts = R"({"flags":" --data-dir=</script><script>x"})";
  const http::Answer answer = served.Ask("/");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(HeaderOf(answer, "Content-Type"), "text/html; charset=utf-8");
  const std::string& html = *answer.body;
  const std::string_view open = R"(<script type="application/json" id="first">)";
  const auto from = html.find(open) + open.size();
  const std::string first = html.substr(from, html.find("</script>", from) - from);
  const auto parsed = ParsedJson::ParseString(first);
  ASSERT_TRUE(parsed) << first;
  std::string_view flags;
  ASSERT_EQ(parsed->root()["facts"]["flags"].get(flags), simdjson::SUCCESS);
  EXPECT_EQ(flags, " --data-dir=</script><script>x");
  EXPECT_TRUE(parsed->root()["status"]["status"]["types"].is_object());
}

TEST(DashboardHandler, ThePageHasItsStylesInItAndNoOthersCount) {
  Served served;
  const http::Answer answer = served.Ask("/");
  const std::string_view open = "<style>";
  const auto from = answer.body->find(open) + open.size();
  const std::string style = answer.body->substr(from, answer.body->find("</style>") - from);
  EXPECT_GT(style.size(), 1000u);
  EXPECT_NE(HeaderOf(answer, "Content-Security-Policy").find("style-src 'sha256-" + Sha256Base64(style) + "';"),
            std::string::npos);
  EXPECT_NE(HeaderOf(served.Ask("/app.js"), "Content-Security-Policy").find("style-src 'none';"), std::string::npos);
}

TEST(DashboardHandler, EveryAnswerIsGuarded) {
  Served served;
  for (const char* target :
       {"/", "/app.js", "/dashboard/status.json", "/nowhere", "/dashboard/record.json"}) {
    const http::Answer answer = served.Ask(target);
    EXPECT_TRUE(HeaderOf(answer, "Content-Security-Policy")
                    .starts_with("default-src 'none'; script-src 'self'; style-src '"))
        << target;
    EXPECT_EQ(HeaderOf(answer, "X-Content-Type-Options"), "nosniff") << target;
    EXPECT_EQ(HeaderOf(answer, "Referrer-Policy"), "no-referrer") << target;
    EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Origin"), "") << target;
  }
}

TEST(DashboardHandler, RefusesWhatIsNotForItsPage) {
  Served served;
  EXPECT_EQ(served.Ask("/dashboard/status.json", {{"Sec-Fetch-Site", "cross-site"}}).status, 403);
  const http::Answer posted = served.Ask("/dashboard/status.json", {}, "POST");
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(HeaderOf(posted, "Allow"), "GET, HEAD");
  DashboardHandler handler(served.world.opener(), served.watcher);
  EXPECT_EQ(handler({.method = "GET", .target = "/", .headers = {{"Host", "evil.example"}}}).status, 421);
}

TEST(DashboardHandler, FilesComePlainOrCompressedAndNotTwice) {
  Served served;
  const http::Answer packed = served.Ask("/app.js", {{"Accept-Encoding", "gzip, deflate, br"}});
  const http::Answer plain = served.Ask("/app.js");
  EXPECT_EQ(HeaderOf(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(HeaderOf(plain, "Content-Encoding"), "");
  EXPECT_EQ(GunzipWhole(*packed.body, 1 << 20).value_or(""), *plain.body);
  EXPECT_EQ(HeaderOf(plain, "Content-Type"), "text/javascript; charset=utf-8");
  const http::Answer again = served.Ask("/app.js", {{"If-None-Match", HeaderOf(packed, "ETag")}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, nullptr);
  EXPECT_EQ(served.Ask("/index.html").status, 404);  // the page has one address
  EXPECT_EQ(served.Ask("/style.css").status, 404);   // and its styles in it
  EXPECT_EQ(served.Ask("/../CMakeLists.txt").status, 404);
}

TEST(DashboardHandler, NoFileReachesElsewhere) {
  for (const Asset& asset : Assets()) {
    const std::string text = GunzipWhole(asset.gzip, 1 << 20).value_or("");
    ASSERT_FALSE(text.empty()) << asset.path;
    for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 1)) {
      EXPECT_TRUE(text.substr(0, at).ends_with("http") &&
                  text.substr(at).starts_with("://www.w3.org/2000/svg"))
          << asset.path << ": " << text.substr(at - 8, 40);
    }
    EXPECT_EQ(text.find("innerHTML"), std::string::npos) << asset.path;
    EXPECT_EQ(text.find("style=\""), std::string::npos) << asset.path;  // the policy refuses it
  }
}

TEST(DashboardHandler, DataOfTheWholeAndOfARecord) {
  Served served;
  served.world.Put(testing::Movie(550, "Fight Club", 1, served.world.clock.Now()));
  served.world.Commit();
  served.watcher.Step();
  EXPECT_NE(served.Ask("/dashboard/changes.json?since=0").body->find("Fight Club"), std::string::npos);
  EXPECT_EQ(*served.Ask("/dashboard/changes.json?since=2").body, R"({"revision":2,"changes":[]})");
  EXPECT_NE(served.Ask("/dashboard/changes.json?since=99").body->find("Fight Club"),
            std::string::npos);  // another's
  EXPECT_NE(served.Ask("/dashboard/record.json?type=movie&id=550").body->find("Fight Club"),
            std::string::npos);
  EXPECT_EQ(served.Ask("/dashboard/record.json?type=movie&id=551").status, 404);
  EXPECT_EQ(served.Ask("/dashboard/record.json?type=film&id=1").status, 400);
  EXPECT_EQ(served.Ask("/dashboard/what.json").status, 404);
  EXPECT_EQ(served.Ask("/dashboard/freshness.json").status, 200);
  EXPECT_EQ(*served.Ask("/dashboard/dead.json").body, R"([{"type":"movie","id":3}])");
  EXPECT_EQ(HeaderOf(served.Ask("/dashboard/status.json"), "Cache-Control"), "no-store");
}

TEST(DashboardHandler, WhatManyOtherChangesFollowedIsStillTold) {
  Served served;
  for (int id = 1; id <= 100; ++id)
    served.world.Put(testing::Movie(id, fmt::format("Film {}.", id), 1, served.world.clock.Now()));
  served.world.clock.Advance(std::chrono::minutes(1));
  for (int id = 1; id <= 140; ++id)
    served.world.Put(testing::Show(id, fmt::format("Show {}.", id), served.world.clock.Now()));
  served.world.Commit();
  served.watcher.Step();
  const auto told = served.Ask("/dashboard/changes.json?since=0").body;
  std::size_t changes = 0;
  for (std::size_t at = told->find("\"number\""); at != std::string::npos; at = told->find("\"number\"", at + 1)) ++changes;
  EXPECT_EQ(changes, 240u);
}

TEST(DashboardHandler, SuggestsWhereThereIsAnIndex) {
  Served without;
  EXPECT_EQ(without.Ask("/dashboard/suggest.json?q=x").status, 404);
  Served served;
  served.world.Put(testing::Movie(550, "Fight Club", 1, served.world.clock.Now()));
  served.world.Commit();
  std::string asked;
  std::optional<Error> trouble;
  served.options.suggest = [&](std::string_view text) -> Result<std::vector<MediaId>> {
    asked = text;
    if (trouble) return std::unexpected(*trouble);
    return std::vector<MediaId>{{MediaType::kTv, 9}, {MediaType::kMovie, 550}};  // one has gone meanwhile
  };
  EXPECT_EQ(*served.Ask("/dashboard/suggest.json?q=Am%C3%A9lie+2%26").body,
            R"([{"type":"movie","id":550,"title":"Fight Club","year":""}])");
  EXPECT_EQ(asked, "Amélie 2&");
  served.Ask("/dashboard/suggest.json?q=" + std::string(5000, 'x'));
  EXPECT_EQ(asked.size(), 200u);
  trouble = Error{ErrorCode::kUnavailable, "the titles are being read"};
  EXPECT_EQ(served.Ask("/dashboard/suggest.json?q=x").status, 503);
}

TEST(QueryValue, DecodesAndForgives) {
  EXPECT_EQ(QueryValue("/x?id=1399%2Fseason%2F1&type=season", "id"), "1399/season/1");
  EXPECT_EQ(QueryValue("/x?id=1&type=season", "type"), "season");
  EXPECT_EQ(QueryValue("/x?idx=1", "id"), "");
  EXPECT_EQ(QueryValue("/x", "id"), "");
  EXPECT_EQ(QueryValue("/x?id", "id"), "");
  EXPECT_EQ(QueryValue("/x?id=%", "id"), "%");
  EXPECT_EQ(QueryValue("/x?id=%4", "id"), "%4");
  EXPECT_EQ(QueryValue("/x?id=%zz&", "id"), "%zz");
}

}  // namespace
}  // namespace tmdbc::dashboard
