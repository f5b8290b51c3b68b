// SPDX-License-Identifier: MIT
#include "app/metrics_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/sqlite.h"
#include "harvester/watermarks.h"
#include "http/server_test_client.h"
#include "scheduler/scheduler.h"
#include "testing/fake_clock.h"
#include "queue/memory_queue.h"

namespace tmdbc {
namespace {

constexpr char kApi[] = "https://api.themoviedb.org/3";

http::Outcome Answered(int status, std::chrono::milliseconds took = std::chrono::milliseconds(120)) {
  http::Outcome outcome;
  outcome.response.emplace().status = status;
  outcome.bytes_received = 1000;
  outcome.finished = outcome.started + took;
  return outcome;
}
http::Outcome Failed(http::TransportFailure failure) {
  http::Outcome outcome;
  outcome.failure = failure;
  return outcome;
}

http::Answer Get(const MirrorMetrics& metrics, std::string target, std::string method = "GET") {
  http::ServerRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  return AnswerMetricsRequest(request, metrics);
}

TEST(EndpointOf, NamesEveryRequestWithOneOfAFewWords) {
  const struct {
    std::string path;
    const char* endpoint;
  } cases[] = {
      {"/movie/550?append_to_response=credits", "movie"},
      {"/movie/changes?start_date=2026-11-21&page=3", "movie_changes"},
      {"/tv/1399?append_to_response=season/0,season/1", "tv"},
      {"/tv/1399/season/3", "season"},
      {"/tv/changes?page=1", "tv_changes"},
      {"/person/287", "person"},
      {"/person/changes", "person_changes"},
      {"/collection/10", "collection"},
      {"/company/1", "company"},
      {"/network/49", "network"},
      {"/configuration/languages", "configuration"},
      {"/genre/movie/list", "configuration"},
      {"/certification/tv/list", "configuration"},
      {"/watch/providers/regions", "configuration"},
      {"/trending/movie/day", "other"},
      {"/", "other"},
  };
  for (const auto& c : cases) EXPECT_EQ(EndpointOf(kApi + c.path, kApi), c.endpoint) << c.path;
  EXPECT_EQ(EndpointOf("https://files.tmdb.org/p/exports/movie_ids_11_22_2026.json.gz", kApi), "export");
  EXPECT_EQ(EndpointOf("https://api.themoviedb.org/30/movie/550", kApi), "export") << "another host's path";
}

class MirrorMetricsTest : public ::testing::Test {
 protected:
  // Whether the text has that line.
  bool Has(const std::string& line) const {
    return metrics_.Text().find("\n" + line + "\n") != std::string::npos;
  }

  testing::FakeClock clock_;
  MirrorMetrics metrics_{clock_, kApi};
};

TEST_F(MirrorMetricsTest, CountRequestsByEndpointAndKindOfAnswer) {
  metrics_.Requested("movie", Answered(200));
  metrics_.Requested("movie", Answered(404));
  metrics_.Requested("movie", Answered(429));
  metrics_.Requested("tv", Failed(http::TransportFailure::kReset));
  metrics_.Requested("tv", Failed(http::TransportFailure::kAborted));
  EXPECT_TRUE(Has(R"(tmdbc_requests_total{endpoint="movie",status_class="2xx"} 1)"));
  EXPECT_TRUE(Has(R"(tmdbc_requests_total{endpoint="movie",status_class="4xx"} 2)"));
  EXPECT_TRUE(Has(R"(tmdbc_requests_total{endpoint="tv",status_class="failed"} 1)"));
  EXPECT_TRUE(Has(R"(tmdbc_requests_total{endpoint="tv",status_class="cancelled"} 1)"));
  EXPECT_TRUE(Has("tmdbc_throttled_total 1"));
  EXPECT_TRUE(Has("tmdbc_received_bytes_total 3000"));
  EXPECT_TRUE(Has(R"(tmdbc_request_seconds_bucket{endpoint="movie",le="0.2"} 3)"));
}

TEST_F(MirrorMetricsTest, CountRecordsOverSeveralCollectors) {
  CollectorStats first;
  first.changes_by_type = {{{MediaType::kMovie, Change::kInsert}, 2}};
  metrics_.Collected(first, false);
  first.changes_by_type = {{{MediaType::kMovie, Change::kInsert}, 5}, {{MediaType::kTv, Change::kUpdate}, 1}};
  metrics_.Collected(first, true);
  CollectorStats second;
  second.changes_by_type = {{{MediaType::kMovie, Change::kInsert}, 1}};
  metrics_.Collected(second, true);
  EXPECT_TRUE(Has(R"(tmdbc_records_total{type="movie",change="insert"} 6)"));
  EXPECT_TRUE(Has(R"(tmdbc_records_total{type="tv",change="update"} 1)"));
  EXPECT_FALSE(Has("tmdbc_last_stored_timestamp_seconds 0"));
}

TEST_F(MirrorMetricsTest, ShowTheQueueAndTheWatermarks) {
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite);
  ASSERT_TRUE(catalog);
  ASSERT_TRUE(
      catalog->Execute("CREATE TABLE harvest_watermarks(type INTEGER PRIMARY KEY, day TEXT NOT NULL);"
                       "INSERT INTO harvest_watermarks VALUES(1,'2026-11-21')"));
  MemoryIdQueue queue(clock_);
  const QueueItem items[] = {
      {{MediaType::kMovie, 550}, 1}, {{MediaType::kMovie, 551}, 1}, {{MediaType::kTv, 1}, 1}};
  ASSERT_TRUE(queue.Send(items));
  ASSERT_TRUE(queue.Receive(1, std::chrono::seconds(60)));
  metrics_.Harvests({MediaType::kMovie});
  ASSERT_TRUE(metrics_.ReadQueue(*catalog, queue));
  EXPECT_TRUE(Has(R"(tmdbc_queue_messages{state="waiting",type="movie"} 1)"));
  EXPECT_TRUE(Has(R"(tmdbc_queue_messages{state="in_flight",type="movie"} 1)"));
  EXPECT_TRUE(Has(R"(tmdbc_queue_messages{state="waiting",type="tv"} 1)"));
  EXPECT_TRUE(Has(R"(tmdbc_watermark_timestamp_seconds{type="movie"} 1795219200)"));
  // A type that was taken out of the settings: its watermark stays where it is, and nobody waits for it.
  metrics_.Harvests({MediaType::kTv});
  ASSERT_TRUE(metrics_.ReadQueue(*catalog, queue));
  EXPECT_FALSE(Has(R"(tmdbc_watermark_timestamp_seconds{type="movie"})"));
}

TEST_F(MirrorMetricsTest, ShowTheLastRunsOfTheSchedulesThatThereAre) {
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite);
  ASSERT_TRUE(catalog);
  MemoryIdQueue queue(clock_);
  ASSERT_TRUE(CreateWatermarks(*catalog));
  const auto parse = [](const char* text) { return ScheduleExpression::Parse(text).value(); };
  auto scheduler =
      Scheduler::Open(*catalog, clock_, {{"old", parse("rate(1 day)")}, {"daily", parse("rate(1 day)")}});
  ASSERT_TRUE(scheduler);
  for (const char* name : {"old", "daily"}) {
    ASSERT_TRUE(scheduler->Begin(name));
    ASSERT_TRUE(scheduler->End(name, 1));
  }
  ASSERT_TRUE(metrics_.ReadQueue(*catalog, queue));
  EXPECT_TRUE(Has(R"(tmdbc_last_run_exit_code{schedule="old"} 1)"));
  ASSERT_TRUE(scheduler->Replace({{"daily", parse("rate(1 day)")}, {"new", parse("rate(1 day)")}}));
  ASSERT_TRUE(metrics_.ReadQueue(*catalog, queue));
  EXPECT_TRUE(Has(R"(tmdbc_last_run_exit_code{schedule="daily"} 1)"));
  EXPECT_EQ(metrics_.Text().find("schedule=\"old\""), std::string::npos) << metrics_.Text();
  EXPECT_EQ(metrics_.Text().find("schedule=\"new\""), std::string::npos) << "it has not run";
}

TEST_F(MirrorMetricsTest, AreAliveWhileTheLoopGoesOn) {
  EXPECT_EQ(Get(metrics_, "/healthz").status, 200);
  clock_.Advance(std::chrono::seconds(119));
  metrics_.Ticked(39.6);
  clock_.Advance(std::chrono::seconds(119));
  EXPECT_EQ(Get(metrics_, "/healthz").status, 200);
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_EQ(Get(metrics_, "/healthz").status, 503);
  metrics_.Ticked(39.6);
  EXPECT_EQ(Get(metrics_, "/healthz").status, 200);
  EXPECT_TRUE(Has("tmdbc_rate_limit_pace 39.6"));
}

TEST_F(MirrorMetricsTest, AreReadyOnceTheKeyIsAcceptedAndNotWhenItIsRefused) {
  EXPECT_EQ(Get(metrics_, "/readyz").status, 503);
  metrics_.Requested("export", Answered(200));
  EXPECT_EQ(Get(metrics_, "/readyz").status, 503) << "exports need no key";
  metrics_.Requested("movie", Answered(503));
  EXPECT_EQ(Get(metrics_, "/readyz").status, 503);
  metrics_.Requested("movie", Answered(200));
  EXPECT_EQ(Get(metrics_, "/readyz").status, 200);
  metrics_.Requested("movie", Answered(503));
  EXPECT_EQ(Get(metrics_, "/readyz").status, 200) << "an outage says nothing about the key";
  metrics_.Requested("movie", Answered(401));
  EXPECT_EQ(Get(metrics_, "/readyz").status, 503);
}

TEST_F(MirrorMetricsTest, AreAnsweredAtThreePathsAndToReadersOnly) {
  const http::Answer text = Get(metrics_, "/metrics?x=1");
  EXPECT_EQ(text.status, 200);
  EXPECT_EQ(*text.body, metrics_.Text());
  EXPECT_EQ(text.headers.at(0).second, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(Get(metrics_, "/metrics", "HEAD").status, 200);
  EXPECT_EQ(Get(metrics_, "/").status, 404);
  EXPECT_EQ(Get(metrics_, "/metricsx").status, 404);
  EXPECT_EQ(Get(metrics_, "/metrics", "POST").status, 405);
}

TEST(ParseListenAddress, TakesHostAndPort) {
  const struct {
    const char* text;
    const char* address;  // null: refused
    int port;
  } cases[] = {
      {"127.0.0.1:9464", "127.0.0.1", 9464},
      {"localhost:0", "127.0.0.1", 0},
      {"0.0.0.0:65535", "0.0.0.0", 65535},
      {"[::1]:9464", "::1", 9464},
      {"9464", "127.0.0.1", 9464},
      {"", nullptr, 0},
      {":9464", nullptr, 0},
      {"99999", nullptr, 0},
      {"localhost", nullptr, 0},
      {"127.0.0.1:", nullptr, 0},
      {"127.0.0.1:65536", nullptr, 0},
      {"127.0.0.1:-1", nullptr, 0},
      {"127.0.0.1:94x", nullptr, 0},
      {"::1:9464", nullptr, 0},
      {"[localhost]:9464", nullptr, 0},
      {"metrics.example.org:9464", nullptr, 0},
      {"http://127.0.0.1:9464", nullptr, 0},
  };
  for (const auto& c : cases) {
    const auto at = ParseListenAddress(c.text);
    ASSERT_EQ(at.has_value(), c.address != nullptr) << c.text;
    if (!at) {
      EXPECT_NE(at.error().message.find(c.text), std::string::npos);
    } else {
      EXPECT_EQ(at->address, c.address);
      EXPECT_EQ(at->port, c.port);
    }
  }
}

std::uint16_t PortOf(const MetricsServer& server) {
  const std::string url = server.url();
  return std::uint16_t(std::stoi(url.substr(url.rfind(':') + 1)));
}

TEST(MetricsServer, AnswersWhileTheLoopIsBusyAndEndsWithIt) {
  const SystemClock clock;
  MirrorMetrics metrics(clock, kApi);
  std::uint16_t port = 0;
  {
    auto server = MetricsServer::Start({.address = "127.0.0.1", .port = 0}, clock, metrics);
    ASSERT_TRUE(server) << server.error().message;
    port = PortOf(**server);
    EXPECT_EQ((*server)->url(), "http://127.0.0.1:" + std::to_string(port) + "/metrics");
    http::TestConnection connection(port);
    EXPECT_EQ(connection.Get("/readyz").status, 503);
    metrics.Requested("movie", Answered(200));
    EXPECT_EQ(connection.Get("/readyz").status, 200);
    const auto text = connection.Get("/metrics");
    EXPECT_EQ(text.status, 200);
    EXPECT_NE(text.body.find("tmdbc_requests_total{endpoint=\"movie\",status_class=\"2xx\"} 1\n"),
              std::string::npos);
    EXPECT_EQ(connection.Get("/metrics", "", "HEAD").body, "");
  }
  EXPECT_FALSE(http::TestConnection(port).connected());
}

TEST(MetricsServer, AnswersAProbeWhileOthersHoldEveryConnectionOpen) {
  const SystemClock clock;
  const MirrorMetrics metrics(clock, kApi);
  const auto server = MetricsServer::Start({.address = "127.0.0.1", .port = 0}, clock, metrics);
  ASSERT_TRUE(server) << server.error().message;
  std::vector<http::TestConnection> held;
  for (int i = 0; i < 50; ++i) {
    held.emplace_back(PortOf(**server));
    held.back().Send("GET /healthz HTTP/1.1\r\nX-Slow: ");
  }
  EXPECT_EQ(http::TestConnection(PortOf(**server)).Get("/healthz").status, 200);
}

TEST(MetricsServer, SaysWhichSettingNamesATakenPort) {
  const SystemClock clock;
  const MirrorMetrics metrics(clock, kApi);
  auto first = MetricsServer::Start({.address = "127.0.0.1", .port = 0}, clock, metrics);
  ASSERT_TRUE(first);
  const auto second = MetricsServer::Start({.address = "127.0.0.1", .port = PortOf(**first)}, clock, metrics);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(second.error().message, "METRICS_LISTEN: listen on 127.0.0.1:" + std::to_string(PortOf(**first)) +
                                        ": the port is in use: set METRICS_LISTEN to another one, or end the program "
                                        "that has it");
}

// Also one that is not a loopback address: what 0.0.0.0 stands for is reached at each of them.
TEST(MetricsServer, ListensAtEveryAddressOfThisMachineAndNoOther) {
  const SystemClock clock;
  const MirrorMetrics metrics(clock, kApi);
  const auto all = MetricsServer::Start({.address = "0.0.0.0", .port = 0}, clock, metrics);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(http::TestConnection(PortOf(**all)).Get("/healthz").status, 200);
  const auto foreign = MetricsServer::Start({.address = "192.0.2.1", .port = 9464}, clock, metrics);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(foreign.error().message,
            "METRICS_LISTEN: listen on 192.0.2.1:9464: not an address of this machine");
}

}  // namespace
}  // namespace tmdbc
