// SPDX-License-Identifier: MIT
// The built program fetches from the simulated TMDB what is asked of it and not stored: once, within the rate, for
// good.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/percent.h"
#include "http/server_test_client.h"
#include "program.h"
#include "serving.h"

namespace tmdbc {
namespace {

using namespace testing;
using Clock = std::chrono::steady_clock;

constexpr auto kKey = "0123456789abcdef0123456789abcdef";

class ServeUpstreamTest : public ::testing::Test {
 protected:
  void Begin(std::vector<std::string> flags, int movies = 60) {
    flags.insert(flags.end(),
                 {"--movies=" + std::to_string(movies), "--shows=6", "--people=20", "--gone=0", "--id-gaps=0"});
    sim.emplace(std::move(flags));
    settings = sim->Settings(folder.path() / "data");
    settings["RATE_LIMIT_REQUESTS"] = "40";
    settings["LOG_LEVEL"] = "debug";
    settings["SERVE_LOG"] = "all";
    settings["TMDB_API_KEY"] = kKey;
  }
  // From another address, so that asking is not counted.
  std::string Sim(const std::string& path) const {
    return http::TestConnection(std::uint16_t(sim->port()), "127.0.0.2").Get(path).body;
  }
  std::int64_t Counter(const std::string& name) const {
    const std::string text = Sim("/sim/counters");
    std::smatch match;
    EXPECT_TRUE(std::regex_search(text, match, std::regex('"' + name + "\":([0-9]+)"))) << text;
    return std::stoll(match[1]);
  }
  std::string Truth(const std::string& query) const { return Sim("/sim/truth?" + query); }
  Finished RunCommand(std::vector<std::string> words) const {
    words.insert(words.begin(), CollectorPath());
    return RunToEnd(words, settings, folder.path());
  }
  // Status by status, of that many clients at once.
  static std::vector<int> AtOnce(const Serving& serve, int clients, const std::string& target) {
    std::vector<http::TestConnection> connections;
    std::vector<int> statuses;
    for (int i = 0; i < clients; ++i) {
      connections.emplace_back(serve.port());
      connections.back().Send("GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    for (http::TestConnection& connection : connections) statuses.push_back(connection.Read().status);
    return statuses;
  }
  static void ExpectNoKey(Serving& serve) {
    EXPECT_FALSE(serve.program().err().contains(kKey)) << serve.program().err();
    EXPECT_FALSE(serve.program().out().contains(kKey));
  }

  const TempDir folder;
  std::optional<class Sim> sim;
  Environment settings;
};

TEST_F(ServeUpstreamTest, BeginsWithNothingAndKeepsWhatWasAskedFor) {
  Begin({"--latency=150..200"});
  Serving serve({"serve", "--upstream", "--listen=127.0.0.1:0"}, settings, folder.path());
  const auto statuses = AtOnce(serve, 50, "/3/movie/7");
  EXPECT_EQ(std::ranges::count(statuses, 200), 50);
  EXPECT_EQ(Counter("api_requests"), 1) << "for all of them";

  // As TMDB says it, and from the store from now on.
  const auto film = serve.Get("/3/movie/7");
  EXPECT_EQ(film.headers.at("mirror-answer"), "exact");
  EXPECT_TRUE(film.headers.contains("mirror-fetched-at"));
  http::TestConnection tmdb(std::uint16_t(sim->port()));
  EXPECT_EQ(film.body, tmdb.Get("/3/movie/7?api_key=" + std::string(kKey)).body);
  EXPECT_EQ(serve.Get("/3/movie/7?append_to_response=credits,images").status, 200);
  EXPECT_EQ(Counter("api_requests"), 2) << "ours and the test's own";

  // Within a second the search finds it.
  constexpr std::string_view kTitle = "\"original_title\":\"";
  const auto begin = film.body.find(kTitle) + kTitle.size();
  std::string word;
  AppendPercentEncoded(word, film.body.substr(begin, film.body.find_first_of("\" \\", begin) - begin));
  const auto deadline = Clock::now() + std::chrono::seconds(10);  // of a busy machine
  http::SeenAnswer found;
  while (Clock::now() < deadline && !found.body.contains("\"id\":7,"))
    found = serve.Get("/3/search/movie?query=" + word);
  EXPECT_TRUE(found.body.contains("\"id\":7,")) << found.body;

  // What is gone is asked for once.
  EXPECT_EQ(serve.Get("/3/movie/999999").status, 404);
  const auto before = Counter("api_requests");
  EXPECT_EQ(serve.Get("/3/movie/999999").status, 404);
  EXPECT_EQ(serve.Get("/3/movie/999999/images").status, 404);
  EXPECT_EQ(Counter("api_requests"), before);

  // A season brings its show, a part of a season is TMDB's own answer.
  EXPECT_EQ(serve.Get("/3/tv/2/season/1").status, 200);
  const auto credits = serve.Get("/3/tv/2/season/1/credits");
  EXPECT_EQ(credits.status, 200);
  EXPECT_EQ(credits.headers.at("mirror-answer"), "exact");
  const auto asked = Counter("api_requests");
  EXPECT_EQ(serve.Get("/3/tv/2/season/1/credits").body, credits.body);
  EXPECT_EQ(Counter("api_requests"), asked) << "it is kept";
  EXPECT_EQ(serve.Stop(), 0);
  ExpectNoKey(serve);

  const Finished changes = RunCommand({"changes", "--since=0"});
  EXPECT_TRUE(changes.out.contains("\"id\":7,")) << changes.out << changes.err;
  EXPECT_EQ(RunCommand({"verify", "--deep"}).code, 0);
  EXPECT_EQ(RunCommand({"query", "--type=movie", "--id=7"}).out, Truth("type=movie&id=7") + "\n");
}

TEST_F(ServeUpstreamTest, CountsWhatItAsksForUnderNamesThatTheDocumentationHas) {
  Begin({});
  settings["METRICS_LISTEN"] = "127.0.0.1:0";
  Serving serve({"serve", "--upstream", "--listen=127.0.0.1:0"}, settings, folder.path());
  EXPECT_EQ(serve.Get("/3/tv/2/season/1").status, 200);
  EXPECT_EQ(serve.Get("/3/movie/999999").status, 404);
  EXPECT_EQ(serve.Get("/3/tv/2/season/1/credits").status, 200);
  const std::string metrics = serve.Metrics();
  for (const std::string line :
       {"demands_total{outcome=\"stored\"} 1\n", "demands_total{outcome=\"absent\"} 1\n",
        "demands_total{outcome=\"answer\"} 1\n", "pending 0\n", "waited_total 3\n", "waiting 0\n"})
    EXPECT_TRUE(metrics.contains("\ntmdbc_serve_upstream_" + line)) << line << metrics;
  EXPECT_EQ(ServeNamesIn(metrics, "# TYPE "), ServeNamesIn(ReadFile(SourceDir() / "docs/serving.md")));
  EXPECT_EQ(serve.Stop(), 0);
}

TEST_F(ServeUpstreamTest, RunSharesItsRateWithWhatIsAskedFor) {
  Begin({"--latency=20..60"}, 400);
  settings["SERVE_LISTEN"] = "127.0.0.1:0";
  settings["RATE_LIMIT_REQUESTS"] = "40";
  Serving run({"run", "--upstream"}, settings, folder.path());
  std::vector<int> statuses;
  // People are asked for while films are being collected.
  std::vector<std::thread> clients;
  std::mutex mutex;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&, client] {
      for (int id = 1 + client; id <= 20; id += 4) {
        const int status = run.Get("/3/person/" + std::to_string(id)).status;
        const std::lock_guard lock(mutex);
        statuses.push_back(status);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(std::ranges::count(statuses, 200), 20) << run.program().err();
  EXPECT_LE(Counter("most_in_a_second"), 40);
  EXPECT_EQ(Counter("rate"), 0) << "no 429";
  const int code = run.Stop();
  EXPECT_TRUE(code == 0 || code == 1) << code;
  ExpectNoKey(run);
}

TEST_F(ServeUpstreamTest, AnUpstreamThatRefusesTheKeyIsNoTruthForClients) {
  Begin({"--deny=0"});
  Serving serve({"serve", "--upstream", "--listen=127.0.0.1:0"}, settings, folder.path());
  for (int id = 1; id <= 5; ++id) {
    const auto answer = serve.Get("/3/movie/" + std::to_string(id));
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.headers.contains("retry-after"));
  }
  EXPECT_EQ(Counter("api_requests"), 1) << "once a minute";
  EXPECT_TRUE(serve.program().err().contains("refuses the API key")) << serve.program().err();
  EXPECT_EQ(serve.Stop(), 0);
  ExpectNoKey(serve);
}

TEST_F(ServeUpstreamTest, AnUpstreamThatIsDownEndsNothing) {
  Begin({});
  {
    Serving serve({"serve", "--upstream", "--listen=127.0.0.1:0"}, settings, folder.path());
    EXPECT_EQ(serve.Get("/3/movie/3").status, 200);
    EXPECT_EQ(serve.Stop(), 0);
  }
  settings["TMDB_API_BASE_URL"] = sim->url() + "/3";
  sim.reset();
  Serving serve({"serve", "--upstream", "--listen=127.0.0.1:0"}, settings, folder.path());
  const auto begin = Clock::now();
  EXPECT_EQ(serve.Get("/3/movie/3").status, 200);
  EXPECT_EQ(serve.Get("/3/movie/4").status, 503);
  EXPECT_EQ(serve.Get("/3/movie/3/reviews?page=2").status, 200);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ(serve.Stop(), 0);
}

TEST_F(ServeUpstreamTest, AKillInTheMidstLosesNothingThatWasAnswered) {
  Begin({"--latency=5..20"});
  std::vector<int> answered;
  for (int round = 0; round < 3; ++round) {
    Serving serve({"serve", "--upstream", "--listen=127.0.0.1:0"}, settings, folder.path());
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(400));
      serve.program().Signal(SIGKILL);
    });
    for (int id = 1 + round * 20; id <= 20 + round * 20; ++id) {
      if (serve.Get("/3/movie/" + std::to_string(id)).status == 200) answered.push_back(id);
    }
    killer.join();
    serve.program().Wait(std::chrono::seconds(10));
  }
  EXPECT_FALSE(answered.empty());
  Serving serve({"serve", "--listen=127.0.0.1:0"}, settings, folder.path());
  for (const int id : answered) EXPECT_EQ(serve.Get("/3/movie/" + std::to_string(id)).status, 200) << id;
  EXPECT_EQ(serve.Stop(), 0);
  EXPECT_EQ(RunCommand({"verify"}).code, 0);
}

TEST_F(ServeUpstreamTest, SaysWhatToDoWhereAnotherProcessWrites) {
  Begin({});
  Serving first({"serve", "--upstream", "--listen=127.0.0.1:0"}, settings, folder.path());
  const Finished second = RunCommand({"serve", "--upstream", "--listen=127.0.0.1:0"});
  EXPECT_EQ(second.code, 2) << second.err;
  EXPECT_TRUE(second.err.contains("run --serve --upstream")) << second.err;
  Serving beside({"serve", "--listen=127.0.0.1:0"}, settings, folder.path());
  EXPECT_EQ(first.Get("/3/movie/5").status, 200);
  EXPECT_EQ(beside.Get("/3/movie/5").status, 200) << "reads what the first one stored";
  EXPECT_EQ(beside.Stop(), 0);
  EXPECT_EQ(first.Stop(), 0);
}

}  // namespace
}  // namespace tmdbc
