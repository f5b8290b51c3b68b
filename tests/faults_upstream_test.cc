// SPDX-License-Identifier: MIT
// The real program against a TMDB that answers strangely: another day than the machine's, shows without their seasons,
// bodies that parsers refuse, answers too heavy to come, connections that are found closed, keys refused in the midst,
// exports in the wrong wrapping.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/clock.h"
#include "mirror.h"

namespace tmdbc {
namespace {

using namespace testing;
using std::chrono::days;

// The machine's day and `by` more, at noon.
std::string Noon(days by) {
  return FormatDate(std::chrono::floor<days>(SystemClock().Now()) + by) + "T12:00:00Z";
}

std::map<Key, std::string> TruthNow(const World& world) {
  const auto file = world.folder.path() / "truth-now.jsonl";
  std::ofstream(file) << world.Ask("/sim/truth");
  return ReadTruth(file, kTypes);
}

// The last body of each record.
std::map<Key, std::string> Mirror(const World& world) {
  std::map<Key, std::string> stored;
  for (const Line& line : ReadStore(world.data_dir)) {
    if (line.data != "null") stored[KeyOf(line)] = Sha256Hex(line.data);
  }
  return stored;
}

void ExpectEqual(const World& world) {
  const auto stored = Mirror(world);
  int wrong = 0;
  for (const auto& [key, sha] : TruthNow(world)) {
    const auto found = stored.find(key);
    if (found != stored.end() && found->second == sha) continue;
    if (++wrong <= 5)
      ADD_FAILURE() << key.first << " " << key.second << (found == stored.end() ? " is missing" : " differs");
  }
}

std::int64_t AnId(const World& world, const std::string& type) {
  for (const auto& [key, sha] : ReadTruth(world.truth_file, {type})) return key.second;
  return 0;
}

// A machine that is a month ahead reads feeds of days that have not been: they are read again when they have.
TEST(FaultsUpstream, AClockAMonthAheadOfTmdbLosesNoChange) {
  const World world(
      {"--movies=60", "--shows=0", "--people=0", "--gone=0", "--rate=0", "--epoch=" + Noon(days(-31))});
  const Environment films = {{"MEDIA_TYPES", "movie"}};
  const auto first = world.Run({"run", "--once"}, films);
  ASSERT_LE(first.code, 1) << first.out << first.err;
  ASSERT_EQ(Mirror(world).size(), 60u) << first.out << first.err;
  world.Ask("/sim/advance?hours=72");
  world.Ask(fmt::format("/sim/edit?kind=movie&id={}&what=title", AnId(world, "movie")));
  world.Ask("/sim/advance?hours=672");  // and now both clocks say the same
  const auto second = world.Run({"run", "--once"}, films);
  EXPECT_EQ(second.code, 0) << second.out << second.err;
  ExpectEqual(world);
}

// A machine whose clock was lost: a first run mirrors all the same, and walks through no decades of feeds.
TEST(FaultsUpstream, AClockDecadesBehindTmdbIsSaidAndTheFirstMirrorIsWhole) {
  const World world(
      {"--movies=40", "--shows=0", "--people=0", "--gone=0", "--rate=0", "--epoch=2082-05-04T12:00:00Z"});
  const auto run = world.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}});
  EXPECT_LE(run.code, 1) << run.out << run.err;
  EXPECT_EQ(Mirror(world).size(), 40u) << run.out << run.err;
  EXPECT_NE(run.err.find("clock"), std::string::npos) << run.err;
  EXPECT_LT(Counter(world.sim, "/api_requests"), 200);
}

// A server, or a proxy before it, whose clock is wrong: what is published shows what day it is.
TEST(FaultsUpstream, ADateOfTheFarFutureKeepsNobodyFromAFirstMirror) {
  for (const char* ahead : {"--date-ahead=2900000", "--date-ahead=27000"}) {  // the years 9966 and 2100
    SCOPED_TRACE(ahead);
    const World world({"--movies=30", "--shows=0", "--people=0", "--gone=0", "--rate=0", ahead});
    const auto run = world.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}});
    EXPECT_EQ(run.code, 0) << run.out << run.err;
    EXPECT_EQ(Mirror(world).size(), 30u) << run.out << run.err;
    const std::string lines = world.Run({"changes", "--since=0"}).out;
    for (const char* wrong : {"\"fetched_at\":\"99", "\"fetched_at\":\"2100"})
      EXPECT_EQ(lines.find(wrong), std::string::npos) << lines.substr(0, 500);
    EXPECT_LT(Counter(world.sim, "/api_requests"), 100);
  }
}

// Shows that answer without their seasons for a day: no more of them go than the guard lets go, and all come back.
TEST(FaultsUpstream, EmptyListsOfSeasonsAreHeldAsDeletionsAre) {
  const World world({"--movies=0", "--shows=12", "--people=0", "--gone=0", "--rate=0"});
  const Environment shows = {{"MEDIA_TYPES", "tv"}};
  ASSERT_EQ(world.Run({"run", "--once"}, shows).code, 0);
  const auto before = Mirror(world);
  std::string ids;
  for (const auto& [key, sha] : ReadTruth(world.truth_file, {"tv"}))
    ids += fmt::format("{}{}", ids.empty() ? "" : ",", key.second);
  world.Ask("/sim/odd?what=empty-seasons&kind=tv");
  ASSERT_EQ(world.Run({"harvest", "--mode=ids", "--types=tv", "--ids=" + ids}, shows).code, 0);
  const auto collected = world.Run({"collect"}, shows);
  EXPECT_EQ(collected.code, 1) << collected.out << "held deletions wait for a person";
  int deleted = 0;
  for (const Line& line : ReadStore(world.data_dir)) deleted += line.change == "delete";
  EXPECT_LE(deleted, 20);
  EXPECT_LT(deleted * 2, static_cast<int>(before.size()));
  world.Ask("/sim/odd?what=empty-seasons&kind=tv&on=0");
  ASSERT_EQ(world.Run({"harvest", "--mode=ids", "--types=tv", "--ids=" + ids}, shows).code, 0);
  EXPECT_EQ(world.Run({"collect"}, shows).code, 0);
  EXPECT_EQ(Mirror(world), before);
}

TEST(FaultsUpstream, ASeasonWithoutItsNumberIsNotGone) {
  const World world({"--movies=0", "--shows=12", "--people=0", "--gone=0", "--rate=0"});
  const Environment shows = {{"MEDIA_TYPES", "tv"}};
  ASSERT_EQ(world.Run({"run", "--once"}, shows).code, 0);
  const std::int64_t show = AnId(world, "tv");
  world.Ask(fmt::format("/sim/odd?what=null-season-number&kind=tv&id={}", show));
  ASSERT_EQ(world.Run({"harvest", "--mode=ids", "--types=tv", "--ids=" + std::to_string(show)}, shows).code,
            0);
  const auto collected = world.Run({"collect"}, shows);
  EXPECT_EQ(collected.code, 0) << collected.out << collected.err;
  for (const Line& line : ReadStore(world.data_dir))
    EXPECT_NE(line.change, "delete") << line.type << " " << line.id;
}

TEST(FaultsUpstream, ValidJsonThatParsersRefuseIsStoredAsItWasSent) {
  std::vector<std::string> arguments = {"--movies=30", "--shows=8", "--people=10", "--gone=0", "--rate=0"};
  for (const char* what : {"lone-surrogate=movie", "huge-integer=tv", "huge-real=person",
                           "byte-order-mark=movie", "deep=person"})
    arguments.push_back(std::string("--odd=") + what);
  const World world(arguments);
  const auto run = world.Run({"run", "--once"});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  ExpectEqual(world);
  const auto verify = world.Run({"verify", "--deep"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
}

TEST(FaultsUpstream, AnswersTooHeavyToComeAreAskedForInParts) {
  for (const char* heavy : {"heavy-504", "heavy-500"}) {
    const World world({"--movies=0", "--shows=10", "--people=0", "--gone=0", "--rate=0",
                       std::string("--odd=") + heavy + "=tv"});
    const auto run = world.Run({"run", "--once"}, {{"MEDIA_TYPES", "tv"}}, std::chrono::seconds(240));
    EXPECT_EQ(run.code, 0) << heavy << run.out << run.err;
    ExpectMirrors(world.data_dir, ReadTruth(world.truth_file, {"tv", "season"}));
  }
}

TEST(FaultsUpstream, ConnectionsThatAreFoundClosedAreNoFailureOfTheIds) {
  const World world(
      {"--movies=300", "--shows=0", "--people=0", "--gone=0", "--rate=0", "--drop-after-requests=7"});
  const auto run = world.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  ExpectMirrors(world.data_dir, ReadTruth(world.truth_file, {"movie"}));
  EXPECT_GT(Counter(world.sim, "/connections/dropped"), 0);
}

TEST(FaultsUpstream, OneRefusalOfAKeyThatWorkedIsAskedAboutAgain) {
  const World world({"--movies=120", "--shows=0", "--people=0", "--gone=0", "--rate=0", "--deny=40+1"});
  const auto run = world.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  ExpectMirrors(world.data_dir, ReadTruth(world.truth_file, {"movie"}));
}

TEST(FaultsUpstream, ExportsInTheWrongWrappingAreRead) {
  for (const char* wrapping : {"inflated", "padded", "marked"}) {
    std::vector<std::string> arguments = {"--movies=50", "--shows=0", "--people=0", "--gone=0", "--rate=0"};
    for (int back = 0; back < 2; ++back)
      arguments.push_back(fmt::format("--export-fault={}={}", Noon(days(-back)).substr(0, 10), wrapping));
    const World world(arguments);
    const auto run = world.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}});
    EXPECT_EQ(run.code, 0) << wrapping << run.out << run.err;
    ExpectMirrors(world.data_dir, ReadTruth(world.truth_file, {"movie"}));
  }
}

TEST(FaultsUpstream, AProxysPageInPlaceOfAnExportIsNamed) {
  std::vector<std::string> arguments = {"--movies=50", "--shows=0", "--people=0", "--rate=0"};
  for (int back = 0; back < 9; ++back)
    arguments.push_back(fmt::format("--export-fault={}=html", Noon(days(-back)).substr(0, 10)));
  const World world(arguments);
  const auto run = world.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}});
  EXPECT_NE(run.code, 0) << run.out << run.err;
  EXPECT_NE((run.out + run.err).find("HTML"), std::string::npos) << run.out << run.err;
}

}  // namespace
}  // namespace tmdbc
