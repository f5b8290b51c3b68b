// SPDX-License-Identifier: MIT
// The real program, killed with SIGKILL at random instants and started again with the same command, over and
// over: nothing that was acknowledged is lost, nothing is stored twice, and only what was not settled yet is
// requested again. TMDBC_KILLS says how often (100 by default), TMDBC_SEED from which seed.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

#include "mirror.h"
#include "testing/seeds.h"

namespace tmdbc {
namespace {

using namespace testing;
using std::chrono::milliseconds;

// How many requests the ids that are settled took: of a movie or a person one each, and so of an id that is
// gone. There are no shows in this world, so that the arithmetic is exact.
std::int64_t Settled(const std::filesystem::path& data_dir) {
  const auto status = RunToEnd({CollectorPath(), "status", "--json"}, {{"DATA_DIR", data_dir.string()}},
                               data_dir.parent_path());
  EXPECT_EQ(status.code, 0) << status.err;
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(status.out);
  std::int64_t settled = 0;
  const simdjson::dom::object types = root["types"];
  for (const auto type : types) {
    settled += std::int64_t(type.value["live"]) + std::int64_t(type.value["missing"]);
  }
  return settled;
}

// Requests for details: a run that finds the export taken in already reads the change feeds too.
std::int64_t DetailRequests(const Sim& sim) {
  const std::string text = HttpGet(sim.port(), "/sim/counters");
  const auto open = text.find('{'), close = text.rfind('}');  // the answer may be chunked
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(text.substr(open, close - open + 1));
  std::int64_t requests = root["api_requests"];
  simdjson::dom::object changes;
  if (root["by_class"]["changes"].get(changes) == simdjson::SUCCESS) {
    for (const auto status : changes) requests -= std::int64_t(status.value);
  }
  return requests;
}

TEST(Kill, LosesNothingAndRepeatsOnlyWhatWasNotSettled) {
  const int wanted = static_cast<int>(CountFromEnvironment("TMDBC_KILLS", 100));
  const int seed = static_cast<int>(CountFromEnvironment("TMDBC_SEED", 1));
  std::mt19937 random(static_cast<unsigned>(seed));
  const std::vector<std::string> world = {"--movies=2500", "--shows=0",       "--people=2000",
                                          "--rate=0",      "--latency=0..15", "--gone=3"};
  int kills = 0;
  for (int round = 1; kills < wanted; ++round) {
    SCOPED_TRACE("round " + std::to_string(round) + ", TMDBC_SEED=" + std::to_string(seed));
    const TempDir folder;
    const auto truth_file = folder.path() / "truth.jsonl";
    std::vector<std::string> arguments = world;
    arguments.push_back("--seed=" + std::to_string(seed * 1000 + round));
    arguments.push_back("--truth=" + truth_file.string());
    const Sim sim(arguments);
    const auto data_dir = folder.path() / "data";
    Environment settings = sim.Settings(data_dir);
    settings["RATE_LIMIT_REQUESTS"] = "1000";
    settings["COLLECTOR_CONCURRENCY"] = "20";
    settings["MEDIA_TYPES"] = "movie,person";

    std::int64_t unsettled =
        0;  // requests made by killed processes whose ids were not settled when they died
    std::int64_t requests_before = 0, settled_before = 0;
    bool done = false;
    while (!done) {
      Program program({CollectorPath(), "run", "--once"}, settings, folder.path());
      if (kills < wanted) {
        const auto life = milliseconds(std::uniform_int_distribution(1, 450)(random));
        done = program.Wait(life).has_value();
        if (!done) {
          program.Signal(SIGKILL);
          const auto code = program.Wait(std::chrono::seconds(10));
          if (code == 0) break;  // it ended by itself between the last look and the signal
          ASSERT_EQ(code, 128 + SIGKILL) << program.err();
          ++kills;
          if (std::filesystem::exists(data_dir / "catalog.db")) {
            const std::int64_t requests = DetailRequests(sim);
            const std::int64_t settled = Settled(data_dir);
            ASSERT_GE(settled, settled_before) << "what was acknowledged is gone after kill " << kills;
            unsettled += (requests - requests_before) - (settled - settled_before);
            requests_before = requests;
            settled_before = settled;
          }
          continue;
        }
      }
      ASSERT_EQ(program.Wait(std::chrono::seconds(120)), 0) << program.err();
      done = true;
    }
    const auto truth = ReadTruth(truth_file, {"movie", "person"});
    ExpectMirrors(data_dir, truth);
    const std::int64_t plan = Settled(data_dir);
    EXPECT_LE(DetailRequests(sim), plan + unsettled) << "requests repeated for ids that were settled";
    EXPECT_EQ(Counter(sim, "/connections/excess"), 0);
    const auto verify = RunToEnd({CollectorPath(), "verify", "--deep"}, settings, folder.path());
    EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  }
  std::printf("%d kills\n", kills);
}

}  // namespace
}  // namespace tmdbc
