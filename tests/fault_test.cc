// SPDX-License-Identifier: MIT
// The real program against tmdb-sim: a clean world at a strict limit, and worlds with faults of every kind.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <thread>

#include "mirror.h"

namespace tmdbc {
namespace {

using namespace testing;

// The requests that it takes at least (docs/api-reference.md): one a movie, person or dead id, for a show one and, for
// the seasons above 7, one more for each 20. `gone` are the ids of the exports that answer 404.
std::int64_t Floor(const std::map<Key, std::string>& truth, std::int64_t gone) {
  std::int64_t requests = gone;
  std::map<std::string, std::int64_t> late_seasons;
  for (const auto& [key, sha] : truth) {
    if (!key.first.starts_with("season ")) {
      ++requests;
    } else if (key.second > 7) {
      ++late_seasons[key.first];
    }
  }
  for (const auto& [show, seasons] : late_seasons) requests += (seasons + 19) / 20;
  return requests;
}

TEST(Faults, ACleanWorldIsMirroredAtTheFloorOfRequestsWithoutA429) {
  const World world({"--movies=200", "--shows=60", "--people=120", "--gone=2", "--rate=40",
                     "--connections=20", "--latency=5..150"});
  const auto run =
      RunToEnd({CollectorPath(), "run", "--once", "--json"}, world.Settings("40"), world.folder.path());
  ASSERT_EQ(run.code, 0) << run.out << run.err;
  const auto truth = ReadTruth(world.truth_file, kTypes);
  ExpectMirrors(world.data_dir, truth);
  simdjson::dom::parser parser;
  const std::int64_t gone = std::int64_t(parser.parse(run.out).at_pointer("/collect/gone"));
  const std::int64_t floor = Floor(truth, gone), requests = Counter(world.sim, "/api_requests");
  const std::int64_t throttled = Counter(world.sim, "/refused/rate");
  EXPECT_EQ(Counter(world.sim, "/connections/excess"), 0);
  EXPECT_LE(Counter(world.sim, "/connections/peak_per_address"), 20);
  // On a machine so busy that arrivals are late by more than 10 ms a 429 may come, and is then asked again:
  // no more than that.
  EXPECT_LE(requests, floor + floor / 50 + throttled) << "floor " << floor;
  std::printf("floor %ld, requests %ld, 429s %ld, most in a second %ld\n", long(floor), long(requests),
              long(throttled), long(Counter(world.sim, "/most_in_a_second")));
}

TEST(Faults, EightPercentOfEveryKindEndByThemselvesAndNothingCorruptIsStored) {
  const World world({"--movies=500", "--shows=60", "--people=400", "--gone=2", "--rate=0", "--faults=8",
                     "--latency=0..20", "--stall-seconds=3", "--trickle-seconds=2", "--burst-seconds=1",
                     "--seed=11"});
  const auto run = RunToEnd({CollectorPath(), "run", "--once"}, world.Settings("200"), world.folder.path(),
                            std::chrono::seconds(300));
  ASSERT_TRUE(run.code == 0 || run.code == 1) << run.code << run.out << run.err;
  const auto dead =
      RunToEnd({CollectorPath(), "queue", "dead", "--json"}, world.Settings("200"), world.folder.path());
  ASSERT_EQ(dead.code, 0) << dead.err;
  // Everything is stored or dead-lettered; nothing is stored but what was sent.
  auto truth = ReadTruth(world.truth_file, kTypes);
  std::map<Key, std::string> stored;
  for (const Line& line : ReadStore(world.data_dir)) stored[KeyOf(line)] = Sha256Hex(line.data);
  int left = 0;
  for (const auto& [key, sha] : truth) {
    const auto found = stored.find(key);
    if (found == stored.end()) {
      ++left;
    } else {
      EXPECT_EQ(found->second, sha) << key.first << " " << key.second;
    }
  }
  for (const auto& [key, sha] : stored)
    EXPECT_TRUE(truth.contains(key)) << key.first << " " << key.second << " does not exist";
  EXPECT_EQ(run.code, dead.out.find("\"id\"") == std::string::npos ? 0 : 1);
  if (run.code == 0) {
    EXPECT_EQ(left, 0);
  }
  EXPECT_EQ(Counter(world.sim, "/connections/excess"), 0);
  std::printf("%d records left after the first run, exit code %d\n", left, run.code);
}

TEST(Faults, AnUpstreamThatDoesNotAnswerIsExitCode3Within15Seconds) {
  const TempDir folder;
  const auto started = std::chrono::steady_clock::now();
  const auto run = RunToEnd({CollectorPath(), "run", "--once"},
                            {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef"},
                             {"TMDB_API_BASE_URL", "http://127.0.0.1:1/3"},
                             {"TMDB_EXPORT_BASE_URL", "http://127.0.0.1:1/p/exports"},
                             {"DATA_DIR", (folder.path() / "data").string()}},
                            folder.path());
  EXPECT_EQ(run.code, 3) << run.out << run.err;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(15));
}

TEST(Faults, AnAddressAtWhichSomethingElseAnswersIsNamedWithin15Seconds) {
  const World world({"--movies=50", "--shows=0", "--people=0", "--rate=0"});
  auto settings = world.Settings("100");
  // The exports' host answers XML to what it does not know.
  settings["TMDB_API_BASE_URL"] = settings["TMDB_EXPORT_BASE_URL"];
  const auto harvested =
      RunToEnd({CollectorPath(), "harvest", "--mode=export", "--types=movie"}, settings, world.folder.path());
  ASSERT_EQ(harvested.code, 0) << harvested.out << harvested.err;
  const auto started = std::chrono::steady_clock::now();
  const auto refused = RunToEnd({CollectorPath(), "collect"}, settings, world.folder.path());
  EXPECT_EQ(refused.code, 3) << refused.out << refused.err;
  EXPECT_NE((refused.out + refused.err).find("check TMDB_API_BASE_URL"), std::string::npos)
      << refused.out << refused.err;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(15));
}

TEST(Faults, ARefusedKeyIsExitCode4AtOnceAndLosesNothing) {
  const World world(
      {"--movies=50", "--shows=1", "--people=1", "--rate=0", "--api-key=ffffffffffffffffffffffffffffffff"});
  const auto refused =
      RunToEnd({CollectorPath(), "run", "--once"}, world.Settings("100"), world.folder.path());
  EXPECT_EQ(refused.code, 4) << refused.out << refused.err;
  EXPECT_EQ((refused.out + refused.err).find("0123456789abcdef"), std::string::npos) << "the key is shown";
  EXPECT_LE(Counter(world.sim, "/api_requests"), 20);
  auto settings = world.Settings("1000");
  settings["TMDB_API_KEY"] = "ffffffffffffffffffffffffffffffff";
  const auto accepted = RunToEnd({CollectorPath(), "run", "--once"}, settings, world.folder.path());
  EXPECT_EQ(accepted.code, 0) << accepted.out << accepted.err;
  ExpectMirrors(world.data_dir, ReadTruth(world.truth_file, kTypes));
}

TEST(Faults, ALostCatalogIsRebuiltFromTheSegmentsHoweverOftenItIsStartedBefore) {
  const World world({"--movies=300", "--shows=10", "--people=1", "--rate=0", "--latency=1..5"});
  Program program({CollectorPath(), "run", "--once"}, world.Settings("200"), world.folder.path());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto movies_are_stored = [&] {
    const auto committed = CommittedBytes(world.data_dir);
    const auto movies = committed.find("records/movie/000/000/001.jsonl.zst.open");
    return movies != committed.end() && movies->second > 0;
  };
  while (!movies_are_stored() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  program.Signal(SIGKILL);  // the segments stay open
  ASSERT_EQ(program.Wait(std::chrono::seconds(10)), 128 + SIGKILL);
  const auto before = ReadStore(world.data_dir);
  ASSERT_GT(before.size(), 10u);
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(world.data_dir / (std::string("catalog.db") + suffix));
  for (int i = 0; i < 2; ++i) {
    const auto refused = RunToEnd({CollectorPath(), "collect"}, world.Settings("200"), world.folder.path());
    EXPECT_EQ(refused.code, 3) << refused.out;
    EXPECT_NE(refused.err.find("verify --rebuild"), std::string::npos) << refused.err;
  }
  const auto rebuilt =
      RunToEnd({CollectorPath(), "verify", "--rebuild"}, world.Settings("200"), world.folder.path());
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.out << rebuilt.err;
  EXPECT_GE(ReadStore(world.data_dir).size(), before.size());
  const auto rest = RunToEnd({CollectorPath(), "run", "--once"}, world.Settings("1000"), world.folder.path());
  EXPECT_EQ(rest.code, 0) << rest.out << rest.err;
  ExpectMirrors(world.data_dir, ReadTruth(world.truth_file, kTypes));
}

TEST(Faults, SigtermGivesBackWhatIsInFlightAndTheNextRunFinishes) {
  const World world({"--movies=2000", "--shows=20", "--people=1", "--rate=0", "--latency=20..60"});
  Program program({CollectorPath(), "run", "--once"}, world.Settings("200"), world.folder.path());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (Counter(world.sim, "/api_requests") < 100 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(std::chrono::seconds(6)), 1) << program.err();
  const auto rest = RunToEnd({CollectorPath(), "run", "--once"}, world.Settings("1000"), world.folder.path());
  EXPECT_EQ(rest.code, 0) << rest.out << rest.err;
  ExpectMirrors(world.data_dir, ReadTruth(world.truth_file, kTypes));
}

// The work is what counts: a summary that nobody takes makes no store unusable, and is in no file of it.
TEST(Output, ThatNobodyTakesLosesNothing) {
  const struct {
    const char* script;
    int code;
  } cases[] = {{"exec \"$0\" run --once <&- >&- 2>&-", 0}, {"exec \"$0\" run --once >/dev/full", 1}};
  for (const auto& [script, code] : cases) {
    const World world({"--movies=20", "--shows=0", "--people=0", "--gone=0"});
    Environment settings = world.Settings("1000");
    settings["MEDIA_TYPES"] = "movie";
    const auto run = RunToEnd({"/bin/sh", "-c", script, CollectorPath()}, settings, world.folder.path());
    EXPECT_EQ(run.code, code) << script << run.out << run.err;
    ExpectMirrors(world.data_dir, ReadTruth(world.truth_file, {"movie"}));
    const auto verify = RunToEnd({CollectorPath(), "verify", "--deep"}, settings, world.folder.path());
    EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  }
}

}  // namespace
}  // namespace tmdbc
