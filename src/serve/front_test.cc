// SPDX-License-Identifier: MIT
#include "serve/front.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "read_api/read_api_world_test.h"

namespace tmdbc::serve {
namespace {

class FixedMark : public StoreMark {
 public:
  Result<std::uint64_t> Now(std::uint64_t) override {
    if (failure) return std::unexpected(*failure);
    return 1;
  }
  std::uint64_t IndexState() override { return 0; }

  std::optional<Error> failure;
};

class FrontTest : public ::testing::Test {
 protected:
  FrontTest() { world.Put({MediaType::kMovie, 550}, R"({"id":550})"); }
  ~FrontTest() override { std::fclose(file); }
  int StatusOf(std::string_view target, std::string_view method = "GET") {
    return front({.method = std::string(method), .target = std::string(target), .peer_address = "127.0.0.9"})
        .status;
  }
  std::string Logged() {
    std::fflush(file);
    std::fseek(file, 0, SEEK_SET);
    std::string text(10'000, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    return text;
  }

  std::FILE* file = std::tmpfile();
  read_api::ReadApiWorld world;
  FixedMark mark;
  Log log{file, LogLevel::kInfo, LogFormat::kJson, world.clock};
  ServeMetrics metrics;
  ApiHandler api{world.api, world.records, mark, world.clock, 1 << 20};
  Front front{api, [](const http::ServerRequest&) { return http::Answer{.status = 299}; }, world.clock, log,
              RequestLog::kErrors, metrics};
};

TEST_F(FrontTest, SendsEachPathToWhoAnswersIt) {
  EXPECT_EQ(StatusOf("/3/movie/550"), 200);
  EXPECT_EQ(StatusOf("/3"), 404);
  EXPECT_EQ(StatusOf("/3?x"), 404);
  EXPECT_EQ(StatusOf("*", "OPTIONS"), 204);
  for (const char* of_users : {"/4/list/1", "/4/account/x/lists?page=1", "/4"})
    EXPECT_EQ(StatusOf(of_users), 401) << of_users;
  for (const char* page : {"/", "/app.js", "/t/p/w92/x.jpg", "/30", "/40", "/3x", "/dashboard/a?b", "/healthz/x"})
    EXPECT_EQ(StatusOf(page), 299) << page;
}

TEST_F(FrontTest, SaysWhetherItIsWell) {
  EXPECT_EQ(StatusOf("/healthz"), 200);
  mark.failure = Error{ErrorCode::kUnreadable, "read catalog.db: gone"};
  EXPECT_EQ(StatusOf("/healthz?x"), 503);
  mark.failure.reset();
  world.records.failure = Error{ErrorCode::kCorrupt, "read catalog.db: malformed"};
  EXPECT_EQ(StatusOf("/healthz"), 503);
  world.records.failure.reset();
  EXPECT_EQ(StatusOf("/healthz"), 200);
}

TEST_F(FrontTest, LogsWhatFailedWithoutItsKey) {
  (void)StatusOf("/3/movie/550?api_key=0123456789");
  (void)StatusOf("/3/movie/7?api_key=0123456789&language=de");
  front.Refused(400, "a line ends without CR", "127.0.0.8");
  const std::string logged = Logged();
  EXPECT_FALSE(logged.contains("0123456789")) << logged;
  EXPECT_FALSE(logged.contains("movie/550")) << logged;
  EXPECT_TRUE(logged.contains(R"("message":"answered","peer":"127.0.0.9","method":"GET",)"
                              R"("target":"/3/movie/7?api_key=***&language=de","status":404)"))
      << logged;
  EXPECT_TRUE(logged.contains("a line ends without CR")) << logged;
}

TEST_F(FrontTest, SaysOnceAnHourWhatCannotBeRead) {
  world.records.damaged = {{MediaType::kMovie, 550}};
  const auto said = [this] {
    constexpr std::string_view kReason = "movie:550: bad checksum";
    const std::string text = Logged();
    int lines = 0;
    for (auto at = text.find(kReason); at != std::string::npos; at = text.find(kReason, at + 1)) ++lines;
    return lines;
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(StatusOf("/3/movie/550"), 503);
  EXPECT_EQ(said(), 1);
  world.clock.Advance(std::chrono::hours(1));
  EXPECT_EQ(StatusOf("/3/movie/550"), 503);
  EXPECT_EQ(said(), 2);
  mark.failure = Error{ErrorCode::kUnreadable, "read catalog.db: gone"};
  EXPECT_EQ(StatusOf("/3/movie/550"), 503);
  EXPECT_TRUE(Logged().contains("read catalog.db: gone"));
}

TEST_F(FrontTest, CountsWhatItAnswers) {
  for (int i = 0; i < 3; ++i) (void)StatusOf("/3/movie/550");
  (void)StatusOf("/3/tv/1");
  (void)StatusOf("/3/nonsense");
  (void)StatusOf("/");
  front.Refused(400, "", "");
  metrics.SetConnections(7);
  const std::string text = metrics.Text();
  for (const char* line :
       {"tmdbc_serve_requests_total{endpoint=\"movie\",status=\"200\"} 3\n",
        "tmdbc_serve_requests_total{endpoint=\"tv\",status=\"404\"} 1\n",
        "tmdbc_serve_requests_total{endpoint=\"other\",status=\"404\"} 1\n",
        "tmdbc_serve_requests_total{endpoint=\"page\",status=\"other\"} 1\n", "tmdbc_serve_refused_total 1\n",
        "tmdbc_serve_kept_total 2\n", "tmdbc_serve_connections 7\n",
        "tmdbc_serve_seconds_bucket{le=\"+Inf\"} 6\n", "tmdbc_serve_seconds_count 6\n"}) {
    EXPECT_TRUE(text.contains(line)) << line << text;
  }
}

}  // namespace
}  // namespace tmdbc::serve
