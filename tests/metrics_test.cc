// SPDX-License-Identifier: MIT
// What a running collector tells Prometheus, and whether the rules and the dashboard in deploy/ speak of the
// same things. promtool comes from Debian's prometheus package; `./dev test` fetches it into build/tools.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <regex>
#include <set>
#include <string>
#include <thread>

#include "base/clock.h"
#include "http/server.h"
#include "http/server_test_client.h"
#include "program.h"

namespace tmdbc {
namespace {

using namespace testing;

// Empty when it is nowhere.
std::filesystem::path FindPromtool() {
  std::stringstream folders(std::getenv("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (std::filesystem::exists(folder + "/promtool")) return folder + "/promtool";
  }
  const auto fetched = SourceDir() / "build/tools/promtool";
  return std::filesystem::exists(fetched) ? fetched : std::filesystem::path();
}

// Runs it where it can be run; says why where it cannot.
void ExpectPromtoolAgrees(const std::string& arguments, const std::filesystem::path& folder) {
  const auto promtool = FindPromtool();
  if (promtool.empty()) {
    std::cout << "promtool is not in PATH nor in build/tools (./dev test fetches it): 'promtool " << arguments
              << "' was not run\n";
    return;
  }
  const Finished result = RunToEnd({"/bin/sh", "-c", promtool.string() + " " + arguments}, {}, folder);
  EXPECT_EQ(result.code, 0) << arguments << "\n" << result.out << result.err;
}

// The families of a text: of "# TYPE name kind", with the kind.
std::map<std::string, std::string> FamiliesOf(const std::string& text) {
  std::map<std::string, std::string> families;
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    const auto name_end = line.find(' ', 7);
    families[line.substr(7, name_end - 7)] = line.substr(name_end + 1);
  }
  return families;
}

std::set<std::string> NamesIn(const std::filesystem::path& file) {
  const std::string text = ReadFile(file);
  const std::regex name("tmdbc_[a-z0-9_]+");
  std::set<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it) names.insert(it->str());
  return names;
}

bool Serves(const std::map<std::string, std::string>& families, const std::string& name) {
  if (families.contains(name)) return true;
  for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(suffix)) continue;
    const auto family = families.find(name.substr(0, name.size() - suffix.size()));
    return family != families.end() && family->second == "histogram";
  }
  return false;
}

// A collector that mirrored a small world and waits for its next time.
class RunningCollector {
 public:
  RunningCollector() : sim_({"--movies=40", "--shows=5", "--people=20", "--gone=1"}) {
    Environment settings = sim_.Settings(folder_.path() / "data");
    settings["METRICS_LISTEN"] = "127.0.0.1:0";
    settings["LOG_FORMAT"] = "json";
    settings["RATE_LIMIT_REQUESTS"] = "200";
    settings["COLLECTOR_CONCURRENCY"] = "20";
    program_.emplace(std::vector<std::string>{CollectorPath(), "run"}, settings, folder_.path());
  }

  // Asks until `enough` of it is true; the last answer. A minute at most.
  http::SeenAnswer GetUntil(const std::string& path,
                            const std::function<bool(const http::SeenAnswer&)>& enough) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    http::SeenAnswer answer;
    do {
      if (port_ == 0) port_ = PortFromLog();
      if (port_ != 0) answer = http::TestConnection(port_).Get(path);
      if (enough(answer)) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    } while (!program_->Finished() && std::chrono::steady_clock::now() < deadline);
    return answer;
  }
  std::string log() const { return program_->err(); }
  const std::filesystem::path& folder() const { return folder_.path(); }
  int Stop() {
    program_->Signal(SIGTERM);
    return program_->Wait(std::chrono::seconds(30)).value_or(-1);
  }

 private:
  std::uint16_t PortFromLog() const {
    const std::string text = log();
    std::smatch match;
    if (!std::regex_search(text, match, std::regex("http://127\\.0\\.0\\.1:([0-9]+)/metrics"))) return 0;
    return std::uint16_t(std::stoi(match[1]));
  }

  const TempDir folder_;
  Sim sim_;
  std::optional<Program> program_;
  std::uint16_t port_ = 0;
};

TEST(Metrics, OfARunningCollectorAreWhatTheRulesAndTheDashboardSpeakOf) {
  RunningCollector collector;
  const auto answer = collector.GetUntil("/metrics", [](const http::SeenAnswer& seen) {
    return seen.body.find("tmdbc_live_records{type=\"season\"}") != std::string::npos &&
           seen.body.find("tmdbc_last_run_exit_code{") != std::string::npos;
  });
  ASSERT_EQ(answer.status, 200) << collector.log();
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const std::string& text = answer.body;

  for (const char* line :
       {"tmdbc_requests_total{endpoint=\"movie\",status_class=\"2xx\"} ",
        "tmdbc_requests_total{endpoint=\"export\",status_class=\"2xx\"} ",
        "tmdbc_request_seconds_count{endpoint=\"person\"} ",
        "tmdbc_records_total{type=\"tv\",change=\"insert\"} 5\n",
        "tmdbc_records_total{type=\"movie\",change=\"insert\"} ", "tmdbc_live_records{type=\"tv\"} 5\n",
        "tmdbc_freshness_ratio{type=\"movie\"} 1\n", "tmdbc_watermark_timestamp_seconds{type=\"person\"} ",
        "tmdbc_store_bytes{type=\"movie\"} ", "tmdbc_build_info{version=\"", "tmdbc_throttled_total ",
        "tmdbc_last_run_exit_code{schedule=\"collection\"} 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }

  const auto families = FamiliesOf(text);
  for (const char* file : {"prometheus/tmdb-collector.rules.yml", "prometheus/tmdb-collector.rules.test.yml",
                           "grafana/tmdb-collector.json"}) {
    const auto names = NamesIn(SourceDir() / "deploy" / file);
    EXPECT_GT(names.size(), 8U) << file;
    for (const std::string& name : names) {
      EXPECT_TRUE(Serves(families, name)) << file << " speaks of " << name << ", which is not served";
    }
  }

  const auto documented = NamesIn(SourceDir() / "docs/metrics.md");
  for (const auto& [name, kind] : families) EXPECT_TRUE(documented.contains(name)) << name;
  for (const std::string& name : documented) EXPECT_TRUE(families.contains(name)) << name;

  EXPECT_EQ(collector.GetUntil("/healthz", [](const auto& seen) { return seen.status == 200; }).body, "ok\n");
  EXPECT_EQ(collector.GetUntil("/readyz", [](const auto& seen) { return seen.status == 200; }).body,
            "ready\n");
  EXPECT_EQ(text.find("0123456789abcdef"), std::string::npos) << "the key";

  std::ofstream(collector.folder() / "metrics.txt") << text;
  ExpectPromtoolAgrees("check metrics <metrics.txt", collector.folder());
  EXPECT_EQ(collector.Stop(), 0) << collector.log();

  // The lines of the run carry its id, the same one from the harvest to the end of the drain.
  std::set<std::string> runs;
  std::stringstream lines(collector.log());
  simdjson::dom::parser parser;
  for (std::string line; std::getline(lines, line);) {
    const simdjson::dom::object object = parser.parse(line);
    std::string_view run;
    ASSERT_EQ(object["run"].get(run), simdjson::SUCCESS) << line;
    runs.emplace(run);
  }
  EXPECT_GE(runs.size(), 1U);
  EXPECT_LE(runs.size(), 2U) << "the start, and the one harvest";
}

TEST(AlertRules, AreRightAndFireWhenTheyShould) {
  const auto folder = SourceDir() / "deploy/prometheus";
  ExpectPromtoolAgrees("check rules tmdb-collector.rules.yml", folder);
  ExpectPromtoolAgrees("test rules tmdb-collector.rules.test.yml", folder);
  ExpectPromtoolAgrees("check config prometheus.yml", folder);
}

TEST(AlertRules, EachHasARowThatSaysWhatToDoFirst) {
  const std::string rules = ReadFile(SourceDir() / "deploy/prometheus/tmdb-collector.rules.yml");
  const std::string page = ReadFile(SourceDir() / "docs/metrics.md");
  const std::regex alert("alert: (\\w+)");
  int alerts = 0;
  for (std::sregex_iterator at(rules.begin(), rules.end(), alert), end; at != end; ++at, ++alerts) {
    const std::regex row("\n\\|[^|\n]*\\b" + at->str(1) + "\\b");
    EXPECT_TRUE(std::regex_search(page, row)) << at->str(1) << " has no row in docs/metrics.md";
  }
  EXPECT_GT(alerts, 10);
}

TEST(Dashboard, IsJsonOfPanelsThatDoNotOverlap) {
  simdjson::dom::parser parser;
  const simdjson::dom::element dashboard =
      parser.load((SourceDir() / "deploy/grafana/tmdb-collector.json").string());
  std::set<std::pair<std::int64_t, std::int64_t>> taken;
  std::set<std::int64_t> ids;
  for (const simdjson::dom::element panel : dashboard["panels"].get_array()) {
    const std::string_view title = panel["title"];
    EXPECT_TRUE(ids.insert(std::int64_t(panel["id"])).second) << title;
    EXPECT_GT(panel["targets"].get_array().size(), 0U) << title;
    const auto place = panel["gridPos"];
    const std::int64_t x = place["x"], y = place["y"], w = place["w"], h = place["h"];
    EXPECT_LE(x + w, 24) << title;
    for (std::int64_t column = x; column < x + w; ++column) {
      for (std::int64_t row = y; row < y + h; ++row) EXPECT_TRUE(taken.insert({column, row}).second) << title;
    }
  }
}

TEST(MetricsListen, ThatIsNoAddressIsRefusedInASentence) {
  const TempDir folder;
  for (const char* value : {"localhost", "metrics.example.org:9464", "127.0.0.1:99999"}) {
    const Finished result = RunToEnd(
        {CollectorPath(), "run", "--once"},
        {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef"}, {"METRICS_LISTEN", value}}, folder.path());
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_NE(result.err.find("METRICS_LISTEN"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find(value), std::string::npos) << result.err;
  }
}

TEST(MetricsListen, AnAddressThatIsNotOursIsExitCode2AndAPortInUseExitCode3) {
  const SystemClock clock;
  const auto taken =
      http::Server::Listen({}, clock, [](const http::ServerRequest&) { return http::Answer{}; });
  ASSERT_TRUE(taken);
  const std::string port = std::to_string((*taken)->port());
  const struct {
    std::string value;
    int code;
    std::string says;
  } cases[] = {
      // Of the network that is kept for documents (RFC 5737): no machine's.
      {"192.0.2.1:9464", 2, "METRICS_LISTEN: listen on 192.0.2.1:9464: not an address of this machine"},
      {"127.0.0.1:" + port, 3, "METRICS_LISTEN: listen on 127.0.0.1:" + port + ": the port is in use"},
      {port, 3, "METRICS_LISTEN: listen on 127.0.0.1:" + port + ": the port is in use"},
  };
  const TempDir folder;
  for (const auto& c : cases) {
    const Finished result = RunToEnd({CollectorPath(), "run", "--once", "--metrics-listen=" + c.value},
                                     {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef"}}, folder.path());
    EXPECT_EQ(result.code, c.code) << result.err;
    EXPECT_TRUE(result.err.starts_with("tmdb-collector: " + c.says)) << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
}

}  // namespace
}  // namespace tmdbc
