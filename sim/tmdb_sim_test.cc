// SPDX-License-Identifier: MIT
// The program itself, through plain connections.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/compression.h"
#include "http/server_test_client.h"
#include "json.h"

namespace tmdbc::sim {
namespace {

using http::SeenAnswer;
using http::TestConnection;

constexpr const char* kKey = "api_key=0123456789abcdef0123456789abcdef";

// tmdb-sim as a child process; ready when the constructor returns.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int out[2];
    if (::pipe(out) != 0) return;
    arguments.insert(arguments.begin(), TMDB_SIM_BINARY);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], 1);
      ::close(out[0]);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(out[1]);
    out_ = out[0];
    char c;
    while (::read(out_, &c, 1) == 1 && c != '\n') ready_line_ += c;
    const auto at = ready_line_.find("127.0.0.1:");
    if (at != std::string::npos) port_ = static_cast<std::uint16_t>(std::stoi(ready_line_.substr(at + 10)));
  }
  ~Program() {
    if (pid_ > 0) End(SIGKILL);
    if (out_ >= 0) ::close(out_);
  }
  // The exit status, or -1 when a signal ended it.
  int End(int signal) {
    if (signal != 0) ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::uint16_t port() const { return port_; }
  const std::string& ready_line() const { return ready_line_; }
  std::string Counters() { return TestConnection(port_, "127.0.0.9").Get("/sim/counters").body; }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::uint16_t port_ = 0;
  std::string ready_line_;
};

std::string Api(const std::string& path) {
  return "/3/" + path + (path.find('?') == std::string::npos ? "?" : "&") + kKey;
}

TEST(TmdbSim, SaysWhereItIsAndEndsOnSigterm) {
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("tmdb-sim-" + std::to_string(::getpid()))).string();
  std::filesystem::create_directories(folder);
  Program sim({"--port-file", folder + "/port", "--truth", folder + "/truth.jsonl", "--movies", "20",
               "--shows", "3", "--people", "5", "--huge-show", "10"});
  const std::string host = "http://127.0.0.1:" + std::to_string(sim.port());
  EXPECT_EQ(sim.ready_line(),
            "tmdb-sim ready: TMDB_API_BASE_URL=" + host + "/3 TMDB_EXPORT_BASE_URL=" + host + "/p/exports");
  EXPECT_EQ(TestConnection(sim.port()).Get(Api("configuration")).status, 200);
  EXPECT_EQ(sim.End(SIGTERM), 0);
  int port = 0;
  std::ifstream(folder + "/port") >> port;
  EXPECT_EQ(port, sim.port());
  int lines = 0;
  std::ifstream truth(folder + "/truth.jsonl");
  for (std::string line; std::getline(truth, line);) ++lines;
  EXPECT_GT(lines, 20 + 3 + 5);
  std::filesystem::remove_all(folder);
}

TEST(TmdbSim, RefusesFlagsThatMakeNoSense) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"--nonsense"},
                                                                     {"--faults", "101"},
                                                                     {"--fault", "nonsense=5"},
                                                                     {"--fault", "stall"},
                                                                     {"--latency", "5..x"},
                                                                     {"--latency", "9..3"},
                                                                     {"--bind", "nowhere"},
                                                                     {"--daily", "movie.fly=3"},
                                                                     {"--daily", "movie.season=3"},
                                                                     {"--export-fault", "2026-11-22=bad"},
                                                                     {"--feed-flood", "today=1"},
                                                                     {"--epoch", "soon"},
                                                                     {"--speed", "0.5"},
                                                                     {"--movies", "-1"}}) {
    Program sim(arguments);
    EXPECT_EQ(sim.End(0), 2) << arguments[0] << " " << arguments.back();
  }
  Program help({"--help"});
  EXPECT_EQ(help.End(0), 0);
}

TEST(TmdbSim, EvolvesWhenItIsAskedToAndWritesDownWhatHappens) {
  const std::string log =
      (std::filesystem::temp_directory_path() / ("tmdb-sim-log-" + std::to_string(::getpid()))).string();
  Program sim({"--movies", "30", "--shows", "8", "--people", "20", "--huge-show", "0", "--daily",
               "movie.edit=50", "--epoch", "2026-01-01", "--log-events", log});
  TestConnection connection(sim.port(), "127.0.0.9");
  EXPECT_TRUE(connection.Get("/sim/advance?hours=48").body.starts_with(R"({"now":"2026-01-03T00:00)"));
  const std::string feed =
      connection.Get(Api("movie/changes?start_date=2026-01-02&end_date=2026-01-02")).body;
  EXPECT_GT(ElementsOf(*PartOf(feed, "results")).size(), 10u);
  int lines = 0;
  std::ifstream events(log);
  for (std::string line; std::getline(events, line); ++lines) {
    EXPECT_EQ(PartOf(line, "kind"), "\"movie\"") << line;
    EXPECT_EQ(PartOf(line, "listed"), "true") << line;
  }
  EXPECT_NEAR(lines, 100, 40);
  std::filesystem::remove(log);
}

TEST(TmdbSim, ServesTheSameBytesForTheSameSeed) {
  const auto bodies = [](const char* seed) {
    Program sim({"--seed", seed, "--movies", "30", "--shows", "8", "--people", "20", "--huge-show", "30",
                 "--id-gaps", "0", "--rate", "0"});
    TestConnection client(sim.port());
    std::string all;
    for (int id = 1; id <= 30; ++id)
      all += client.Get(Api("movie/" + std::to_string(id) + "?append_to_response=credits,images")).body;
    for (int id = 1; id <= 8; ++id)
      all += client.Get(Api("tv/" + std::to_string(id) + "?append_to_response=season/1,season/0")).body;
    return all;
  };
  const std::string first = bodies("5");
  EXPECT_GT(first.size(), 100'000u);
  EXPECT_EQ(first, bodies("5"));
  EXPECT_NE(first, bodies("6"));
}

TEST(TmdbSim, ServesTheSameBytesWhenItWasWarmedUp) {
  const auto body = [](const char* flag) {
    Program sim(
        {"--movies", "20", "--shows", "2", "--people", "5", "--huge-show", "9", "--id-gaps", "0", flag});
    return TestConnection(sim.port()).Get(Api("movie/7?append_to_response=credits")).body;
  };
  EXPECT_EQ(body("--warm"), body("--close-excess"));
}

TEST(TmdbSim, AnswersTheTwentyFirstConnectionWith429) {
  Program sim({"--rate", "0"});
  std::vector<TestConnection> open;
  for (int i = 0; i < 20; ++i) {
    open.emplace_back(sim.port());
    EXPECT_EQ(open.back().Get(Api("configuration")).status, 200);
  }
  TestConnection excess(sim.port());
  EXPECT_EQ(excess.Get(Api("configuration")).status, 429);
  EXPECT_TRUE(excess.AtEnd());
  EXPECT_EQ(TestConnection(sim.port(), "127.0.0.2").Get(Api("configuration")).status, 200);
  const std::string counters = sim.Counters();
  EXPECT_EQ(PartOf(*PartOf(counters, "refused"), "connections"), "1");
  EXPECT_EQ(PartOf(*PartOf(counters, "connections"), "peak_per_address"), "21");
}

TEST(TmdbSim, ClosesTheTwentyFirstConnectionWhenToldTo) {
  Program sim({"--rate", "0", "--connections", "1", "--close-excess"});
  TestConnection first(sim.port());
  EXPECT_EQ(first.Get(Api("configuration")).status, 200);
  EXPECT_EQ(TestConnection(sim.port()).Get(Api("configuration")).status, 0);
}

TEST(TmdbSim, RefusesWhatIsAboveTheRateOnTheWire) {
  Program sim({"--rate", "10", "--latency", "1..5"});
  TestConnection client(sim.port());
  // Sent at once, so they arrive within one second however slow this machine is at reading the answers.
  std::string all;
  for (int i = 0; i < 30; ++i) all += "GET " + Api("configuration") + " HTTP/1.1\r\nHost: t\r\n\r\n";
  client.Send(all);
  std::map<int, int> statuses;
  for (int i = 0; i < 30; ++i) ++statuses[client.Read().status];
  EXPECT_EQ(statuses[200], 10);
  EXPECT_EQ(statuses[429], 20);
  EXPECT_EQ(PartOf(sim.Counters(), "most_in_a_second"), "30");
}

TEST(TmdbSim, SpoilsAnswersOnTheWire) {
  const auto spoiled = [](const char* fault) {
    Program sim({"--rate", "0", "--fault", std::string(fault) + "=100", "--stall-seconds", "0.05",
                 "--trickle-seconds", "0.05"});
    return TestConnection(sim.port()).Get(Api("watch/providers/movie"), "Accept-Encoding: gzip\r\n");
  };
  EXPECT_TRUE(spoiled("reset-before").reset);
  EXPECT_EQ(spoiled("reset-before").status, 0);
  EXPECT_TRUE(spoiled("reset-mid").reset);
  EXPECT_FALSE(spoiled("reset-mid").whole);
  EXPECT_FALSE(spoiled("wrong-length").whole);
  EXPECT_TRUE(spoiled("cut").whole);
  EXPECT_FALSE(GunzipWhole(spoiled("cut").body, 1 << 20).has_value());
  EXPECT_EQ(spoiled("stall").status, 0);
  EXPECT_FALSE(spoiled("stall").reset);
  EXPECT_TRUE(spoiled("trickle").whole);
  EXPECT_TRUE(GunzipWhole(spoiled("trickle").body, 1 << 20).has_value());
  EXPECT_TRUE(spoiled("empty-200").whole);
  EXPECT_EQ(spoiled("empty-200").body, "");
}

TEST(TmdbSim, ServesWholeExportsAndTheirHeads) {
  Program sim({"--movies", "5000", "--publish-delay", "-8"});
  const auto today =
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now() - std::chrono::days(1));
  const std::chrono::year_month_day date(today);
  char name[64];
  std::snprintf(name, sizeof name, "/p/exports/movie_ids_%02u_%02u_%04d.json.gz", unsigned(date.month()),
                unsigned(date.day()), int(date.year()));
  TestConnection client(sim.port());
  const SeenAnswer head = client.Get(name, "", "HEAD"), whole = client.Get(name);
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(whole.body.size()));
  EXPECT_EQ(head.headers.at("etag"), whole.headers.at("etag"));
  const auto lines = GunzipWhole(whole.body, 1 << 24);
  ASSERT_TRUE(lines.has_value());
  EXPECT_EQ(std::count(lines->begin(), lines->end(), '\n'), 5000);
}

}  // namespace
}  // namespace tmdbc::sim
