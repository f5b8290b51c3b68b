// SPDX-License-Identifier: MIT
// The built program serves a mirror: beside nothing, beside `run` and within it, from its start to its end.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "http/server.h"
#include "http/server_test_client.h"
#include "program.h"
#include "serving.h"

namespace tmdbc {
namespace {

using namespace testing;

class ServeTest : public ::testing::Test {
 protected:
  ServeTest()
      : sim({"--movies=40", "--shows=5", "--people=20", "--gone=1"}),
        settings(sim.Settings(folder.path() / "data")) {
    settings["RATE_LIMIT_REQUESTS"] = "200";
    settings["COLLECTOR_CONCURRENCY"] = "20";
  }
  void Mirror() {
    const Finished run = RunToEnd({CollectorPath(), "run", "--once"}, settings, folder.path());
    ASSERT_EQ(run.code, 0) << run.err;
  }
  // The first film that is stored.
  std::string AFilm() const {
    const Finished changes = RunToEnd({CollectorPath(), "changes", "--since=0", "--type=movie", "--limit=1"},
                                      settings, folder.path());
    std::smatch match;
    EXPECT_TRUE(std::regex_search(changes.out, match, std::regex("\"id\":([0-9]+)")))
        << changes.out << changes.err;
    return match[1];
  }

  // Waits for it: from then on nothing is written but what follows a commit.
  static bool HasItsIndex(const Serving& serve) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (serve.Get("/3/search/movie?query=a").status != 200) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  const TempDir folder;
  Sim sim;
  Environment settings;
};

TEST_F(ServeTest, AnswersFromTheMirrorUntilItIsStopped) {
  Mirror();
  const std::string film = "/3/movie/" + AFilm();
  settings["SERVE_LOG"] = "all";
  Serving serve({"serve", "--listen=127.0.0.1:0"}, settings, folder.path());
  const auto answer = serve.Get(film + "?api_key=abcdefgh12345678");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("mirror-answer"), "exact");
  EXPECT_EQ(serve.Get("/healthz").status, 200);
  http::TestConnection page(serve.port());
  page.Send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(page.Read().status, 200);
  EXPECT_EQ(serve.Get("/", "Host: evil.example\r\n").status, 400);  // two of them
  http::TestConnection rebound(serve.port());
  rebound.Send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(rebound.Read().status, 421);
  http::TestConnection open(serve.port());
  open.Send("GET " + film + " HTTP/1.1\r\nHost: api.themoviedb.org\r\nOrigin: https://x.example\r\n\r\n");
  EXPECT_EQ(open.Read().status, 200);
  EXPECT_EQ(serve.Stop(), 0);
  EXPECT_TRUE(serve.program().err().contains(film)) << serve.program().err();
  EXPECT_FALSE(serve.program().err().contains("abcdefgh12345678"));
  EXPECT_TRUE(serve.program().err().contains("/3/configuration is not in this mirror")) << serve.program().err();
}

// Its threads take no signals, but this one they cause themselves.
TEST_F(ServeTest, SurvivesAnIndexThatIsCutOff) {
  Mirror();
  Serving serve({"serve", "--listen=127.0.0.1:0"}, settings, folder.path());
  ASSERT_TRUE(HasItsIndex(serve));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "data" / "serve")) {
    if (entry.path().extension() == ".idx") std::filesystem::resize_file(entry.path(), 0);
  }
  (void)serve.Get("/3/search/movie?query=b");
  EXPECT_TRUE(HasItsIndex(serve)) << serve.program().err();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!serve.program().err().contains("is built again") && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(HasItsIndex(serve)) << serve.program().err();
}

TEST_F(ServeTest, AsksForAKeyWhereThereAreSome) {
  Mirror();
  const std::string film = "/3/movie/" + AFilm();
  settings["SERVE_API_KEYS"] = "one-of-my-keys, another-key";
  Serving serve({"serve", "--listen=127.0.0.1:0"}, settings, folder.path());
  EXPECT_EQ(serve.Get(film).status, 401);
  EXPECT_EQ(serve.Get(film + "?api_key=another-key").status, 200);
  EXPECT_EQ(serve.Get(film, "Authorization: Bearer one-of-my-keys\r\n").status, 200);
  EXPECT_EQ(serve.Stop(), 0);
}

TEST_F(ServeTest, RunServesWhatItFetchesWhileItDoes) {
  settings["METRICS_LISTEN"] = "127.0.0.1:0";
  settings["SERVE_LISTEN"] = "127.0.0.1:0";
  settings["RATE_LIMIT_REQUESTS"] = "20";
  Serving run({"run"}, settings, folder.path());
  // The first film that it stores is there a moment later.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::string film;
  while (film.empty() && std::chrono::steady_clock::now() < deadline) {
    const Finished changes = RunToEnd({CollectorPath(), "changes", "--since=0", "--type=movie", "--limit=1"},
                                      settings, folder.path());
    std::smatch match;
    if (std::regex_search(changes.out, match, std::regex("\"id\":([0-9]+)"))) film = match[1];
  }
  EXPECT_EQ(run.Get("/3/movie/" + film).status, 200) << run.program().err();
  const std::string metrics = run.Metrics();
  EXPECT_TRUE(metrics.contains("tmdbc_serve_requests_total{endpoint=\"movie\",status=\"200\"} 1\n"))
      << metrics;
  EXPECT_TRUE(metrics.contains("tmdbc_queue_messages")) << metrics;
  const int code = run.Stop();
  EXPECT_TRUE(code == 0 || code == 1) << code;
}

TEST_F(ServeTest, IsOfflineWhenTheStoreIsTakenAway) {
  Mirror();
  const std::string film = "/3/movie/" + AFilm();
  Serving serve({"serve", "--listen=127.0.0.1:0"}, settings, folder.path());
  EXPECT_EQ(serve.Get(film).status, 200);
  EXPECT_TRUE(HasItsIndex(serve));
  std::filesystem::rename(folder.path() / "data", folder.path() / "elsewhere");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  auto answer = serve.Get(film);
  while (answer.status == 200 && std::chrono::steady_clock::now() < deadline) answer = serve.Get(film);
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.body.contains("\"status_code\":9")) << answer.body;
  EXPECT_EQ(serve.Get("/healthz").status, 503);
  std::filesystem::rename(folder.path() / "elsewhere", folder.path() / "data");
  while (answer.status != 200 && std::chrono::steady_clock::now() < deadline) answer = serve.Get(film);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(serve.Stop(), 0);
}

// As after a repair that made the catalog again, or a backup that was put back.
TEST_F(ServeTest, TakesTheStoreThatWasPutInThePlaceOfItsOwn) {
  Mirror();
  const std::string film = "/3/movie/" + AFilm();
  const SystemClock clock;
  const auto port = http::Server::Listen({}, clock, [](const http::ServerRequest&) { return http::Answer{}; }).value()->port();
  Serving serve({"serve", "--listen=127.0.0.1:" + std::to_string(port)}, settings, folder.path());
  EXPECT_EQ(serve.Get(film).status, 200);
  EXPECT_TRUE(HasItsIndex(serve));
  std::filesystem::rename(folder.path() / "data", folder.path() / "elsewhere");
  std::filesystem::copy(folder.path() / "elsewhere", folder.path() / "data", std::filesystem::copy_options::recursive);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!serve.program().err().contains("serving again") && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(serve.Get(film).status, 200) << serve.program().err();
  EXPECT_EQ(serve.Get("/healthz").status, 200);
  EXPECT_EQ(serve.Stop(), 0);
}

TEST_F(ServeTest, SaysInASentenceWhyItCannot) {
  const SystemClock clock;
  const auto taken =
      http::Server::Listen({}, clock, [](const http::ServerRequest&) { return http::Answer{}; });
  const std::string port = std::to_string((*taken)->port());
  const auto serve = [&](std::vector<std::string> flags, Environment more = {}) {
    Environment all = settings;
    for (const auto& [name, value] : more) all[name] = value;
    flags.insert(flags.begin(), {CollectorPath(), "serve"});
    return RunToEnd(flags, all, folder.path());
  };
  const Finished nothing = serve({});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_TRUE(nothing.err.contains("does not exist: run `tmdb-collector run --once` first")) << nothing.err;
  Mirror();
  const struct {
    std::string listen;
    Environment more;
    int code;
    std::string says;
  } cases[] = {
      {"127.0.0.1:" + port, {}, 3, "SERVE_LISTEN: listen on 127.0.0.1:" + port + ": the port is in use"},
      {"192.0.2.1:80", {}, 2, "SERVE_LISTEN: listen on 192.0.2.1:80: not an address of this machine"},
      {"nowhere", {}, 2, "nowhere"},
      {"127.0.0.1:0",
       {{"SERVE_TLS_CERT", "c.pem"}},
       2,
       "SERVE_TLS_CERT is set and SERVE_TLS_KEY is not: TLS needs both"},
      {"127.0.0.1:0",
       {{"SERVE_TLS_CERT", "c.pem"}, {"SERVE_TLS_KEY", "k.pem"}},
       2,
       "read the certificate c.pem: "},
      {"127.0.0.1:0", {{"SERVE_API_KEYS", "short"}}, 2, "SERVE_API_KEYS is '***"},
      {"127.0.0.1:0", {{"SERVE_LOG", "loud"}}, 2, "SERVE_LOG is 'loud'"},
  };
  for (const auto& c : cases) {
    const Finished refused = serve({"--listen=" + c.listen}, c.more);
    EXPECT_EQ(refused.code, c.code) << refused.err;
    EXPECT_TRUE(refused.err.contains(c.says)) << refused.err;
  }
}

}  // namespace
}  // namespace tmdbc
