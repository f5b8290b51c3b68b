// SPDX-License-Identifier: MIT
#include "collector/upstream_health.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace tmdbc {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using enum UpstreamHealth::What;
using Turn = UpstreamHealth::Turn;
using Event = UpstreamHealth::What;

constexpr MonoTime kBegin{seconds(1'000)};

// A machine and its time, in seconds since the beginning.
struct World {
  explicit World(UpstreamHealth::Options options = {})
      : health([&] {
          options.server = "https://tmdb.test/3";
          return options;
        }()) {
    health.Begin();
  }

  MonoTime At(double second) const { return kBegin + Duration(static_cast<std::int64_t>(second * 1e6)); }
  UpstreamHealth::Sent Starts(double second, bool proof = false) { return health.Started(At(second), proof); }
  Turn Hears(double second, const UpstreamHealth::Sent& sent, Event what, bool foreign = false) {
    const bool answered = what != kGivenUp && what != kUntrusted && text != "timed out";
    return health.Heard(sent, {.what = what, .answered = answered, .foreign = foreign, .text = text},
                        At(second));
  }
  // One request from its start to what came of it, a tenth of a second later.
  Turn Asks(double second, Event what, bool proof = false, bool foreign = false) {
    return Hears(second + 0.1, Starts(second, proof), what, foreign);
  }
  // In seconds since the beginning; a billion for never, minus a billion for at once.
  double NextStart() const { return Seconds(health.next_start()); }
  double ProofAt() const { return Seconds(health.proof_at()); }
  static double Seconds(MonoTime time) {
    if (time == MonoTime::max()) return 1e9;
    if (time == MonoTime::min()) return -1e9;
    return std::chrono::duration<double>(time - kBegin).count();
  }
  DrainResult Ending(double second) const { return health.GiveUp(At(second)).value_or(DrainResult{}); }

  UpstreamHealth health;
  std::string text = "HTTP 503";
};
constexpr double kNever = 1e9, kAtOnce = -1e9;

TEST(UpstreamHealth, LetsEverythingGoWhileAllIsWell) {
  World world;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(world.Asks(i, kUseful), Turn::kNone);
  EXPECT_FALSE(world.health.one_at_a_time());
  EXPECT_EQ(world.NextStart(), kAtOnce);
  EXPECT_EQ(world.ProofAt(), kNever);
  EXPECT_EQ(world.health.second_opinion_at(), MonoTime::max());
  EXPECT_TRUE(world.health.key_proven());
  EXPECT_FALSE(world.health.GiveUp(world.At(100'000)));
}

// What one event does to a machine that has been answered usefully once. A second request is under way meanwhile.
TEST(UpstreamHealth, TurnsByWhatItHears) {
  struct Row {
    const char* what;
    Event heard;
    bool alone;       // afterwards
    double proof_at;  // it happens at second 10
    double next_start;
  };
  const Row table[] = {
      {"useful", kUseful, false, kNever, kAtOnce},
      {"429", kThrottled, true, kNever, kAtOnce},
      {"429 of one id", kOwnThrottle, false, 11, kAtOnce},
      {"a failure", kFailed, false, 11, kAtOnce},
      {"a failure of one id", kOwnFailure, false, 11, kAtOnce},
      {"the key is refused", kKeyRefused, true, kNever, 20},
      {"cancelled by us", kGivenUp, false, kNever, kAtOnce},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.what);
    World world;
    world.Asks(0, kUseful);
    const auto other = world.Starts(9);
    world.Hears(10, world.Starts(9), row.heard);
    EXPECT_EQ(world.health.one_at_a_time(), row.alone);
    EXPECT_EQ(world.ProofAt(), row.proof_at);
    EXPECT_EQ(world.NextStart(), row.next_start);
    EXPECT_FALSE(world.health.GiveUp(world.At(10)));
    // The other one brings no relief from a storm or a doubt: it was sent before.
    world.Hears(10.5, other, kUseful);
    EXPECT_EQ(world.health.one_at_a_time(), row.alone);
    EXPECT_EQ(world.ProofAt(), kNever) << "something useful came by itself";
  }
}

TEST(UpstreamHealth, SendsOneAfterAStormUntilItIsAnsweredOtherwise) {
  World world;
  world.Asks(0, kUseful);
  world.Asks(1, kThrottled);
  const auto first = world.Starts(2);
  EXPECT_TRUE(first.probe);
  EXPECT_EQ(world.NextStart(), kNever) << "while it is under way";
  world.Hears(3, first, kThrottled);
  EXPECT_TRUE(world.health.one_at_a_time());
  EXPECT_EQ(world.NextStart(), kAtOnce);
  world.Asks(4, kFailed);
  EXPECT_FALSE(world.health.one_at_a_time()) << "no 429: the storm is over, whatever it was instead";
}

TEST(UpstreamHealth, ProbesAnOutageUntilOneIsAnswered) {
  World world;
  world.Asks(0, kUseful);
  const auto before = world.Starts(0);
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(world.Asks(i, kFailed), Turn::kNone);
  EXPECT_TRUE(world.health.wary());
  for (int i = 0; i < 50; ++i) world.Asks(9, kOwnFailure);
  EXPECT_FALSE(world.health.outage()) << "bad ids are no outage";
  EXPECT_EQ(world.Asks(10, kFailed), Turn::kOutageBegan);
  EXPECT_TRUE(world.health.outage());
  EXPECT_DOUBLE_EQ(world.NextStart(), 11.1);
  world.Hears(10.5, before, kUseful);
  EXPECT_TRUE(world.health.outage()) << "what was under way tells of before";
  EXPECT_EQ(world.Asks(11.1, kOwnFailure), Turn::kNone);
  EXPECT_DOUBLE_EQ(world.NextStart(), 13.2) << "twice as far";
  world.Asks(13.2, kThrottled);
  EXPECT_DOUBLE_EQ(world.NextStart(), 13.2) << "which says nothing about the outage";
  EXPECT_EQ(world.Asks(14, kUseful), Turn::kOutageEnded);
  EXPECT_FALSE(world.health.one_at_a_time());
}

TEST(UpstreamHealth, KnowsWhatWasAskedBeforeAndAfter) {
  World world;
  const auto first = world.Starts(0);
  const auto second = world.Starts(0);
  world.Hears(1, first, kUseful);
  EXPECT_FALSE(world.health.UsefulSince(first.number));
  world.Hears(1, second, kUseful);
  EXPECT_TRUE(world.health.UsefulSince(first.number));
  EXPECT_FALSE(world.health.UsefulSince(world.health.last_number()));
}

TEST(UpstreamHealth, GivesUpAtOnceOnAKeyThatWasNeverAccepted) {
  World world;
  world.text = "HTTP 401 code 7";
  world.Asks(0, kKeyRefused);
  EXPECT_EQ(world.Ending(0.1).end, DrainEnd::kDenied);
  EXPECT_EQ(world.Ending(0.1).hint, Hint::kCheckKey);
  EXPECT_NE(world.Ending(0.1).reason.find("HTTP 401 code 7"), std::string::npos);
}

TEST(UpstreamHealth, DoubtsARefusalOfAKeyThatWasAccepted) {
  for (const bool earlier : {false, true}) {
    World world({.key_proven = earlier});
    if (!earlier) world.Asks(0, kUseful);
    const auto other = world.Starts(0.9);
    EXPECT_EQ(world.Hears(1, world.Starts(0.9), kKeyRefused), Turn::kKeyDoubted);
    EXPECT_EQ(world.NextStart(), 11);
    EXPECT_EQ(world.Hears(1.5, other, kKeyRefused), Turn::kNone) << "of the same refusal";
    EXPECT_EQ(world.NextStart(), 11);
    EXPECT_EQ(world.Hears(12, world.Starts(11), kKeyRefused), Turn::kKeyDoubted);
    EXPECT_EQ(world.NextStart(), 72) << "a minute";
    EXPECT_EQ(world.Hears(73, world.Starts(72), kUseful), Turn::kKeyAccepted);
    EXPECT_FALSE(world.health.one_at_a_time());
    // The next refusal is a new one.
    EXPECT_EQ(world.Hears(100, world.Starts(99), kKeyRefused), Turn::kKeyDoubted);
    EXPECT_EQ(world.NextStart(), 110);
  }
}

TEST(UpstreamHealth, GivesUpOnAKeyThatStaysRefused) {
  World world;
  world.text = "HTTP 401 code 7";
  world.Asks(0, kUseful);
  world.Hears(1, world.Starts(0), kKeyRefused);
  world.Hears(11, world.Starts(11), kKeyRefused);
  world.Hears(71, world.Starts(71), kKeyRefused);
  EXPECT_EQ(world.NextStart(), 971) << "a quarter of an hour";
  EXPECT_FALSE(world.health.GiveUp(world.At(970))) << "waiting for it is not an outage";
  world.Hears(971, world.Starts(971), kKeyRefused);
  const DrainResult ending = world.Ending(971);
  EXPECT_EQ(ending.end, DrainEnd::kKeyLost);
  EXPECT_EQ(ending.hint, Hint::kCheckKey);
  EXPECT_TRUE(ending.key_proven);
}

TEST(UpstreamHealth, GivesUpWhenNothingEverAnswers) {
  World world;
  world.text = "timed out";
  const auto hanging = world.Starts(0);
  EXPECT_FALSE(world.health.HangsAlone(world.At(5)));
  EXPECT_TRUE(world.health.HangsAlone(world.At(6)));
  EXPECT_EQ(World::Seconds(world.health.second_opinion_at()), 6);
  EXPECT_FALSE(world.health.GiveUp(world.At(12))) << "one request may hang";
  world.Hears(6, hanging, kFailed);
  world.Asks(6, kFailed, true);
  EXPECT_EQ(World::Seconds(world.health.second_opinion_at()), 9);
  EXPECT_FALSE(world.health.GiveUp(world.At(11.9)));
  const DrainResult ending = world.Ending(12);
  EXPECT_EQ(ending.end, DrainEnd::kUnreachable);
  EXPECT_FALSE(ending.answered);
  EXPECT_EQ(ending.reason, "https://tmdb.test/3 never answered: timed out");
}

TEST(UpstreamHealth, GivesUpOnWhatDoesNotSpeakAsTmdb) {
  World world;
  world.text = "HTTP 302";
  world.Asks(0, kFailed, false, true);
  EXPECT_FALSE(world.health.GiveUp(world.At(12))) << "one id may be answered strangely";
  world.Asks(6, kFailed, true, true);
  const DrainResult ending = world.Ending(12);
  EXPECT_EQ(ending.end, DrainEnd::kUnreachable);
  EXPECT_EQ(ending.hint, Hint::kCheckApiUrl);
  EXPECT_TRUE(ending.answered);
  world.Asks(12, kFailed, true, false);
  EXPECT_FALSE(world.health.GiveUp(world.At(13))) << "HTTP 503 in TMDB's words is an outage";
}

TEST(UpstreamHealth, GivesUpOnAnOutageThatDoesNotEnd) {
  World world;
  world.Asks(0, kUseful);
  for (int i = 1; i <= 10; ++i) world.Asks(i, kFailed);
  EXPECT_FALSE(world.health.GiveUp(world.At(600)));
  const DrainResult ending = world.Ending(602);
  EXPECT_EQ(ending.end, DrainEnd::kUnreachable);
  EXPECT_TRUE(ending.answered);
  EXPECT_NE(ending.reason.find("10 minutes, the last was: HTTP 503"), std::string::npos) << ending.reason;
}

TEST(UpstreamHealth, GivesUpAtOnceOnACertificateThatIsNotTrusted) {
  World world;
  world.text = "self-signed certificate";
  world.Asks(0, kUntrusted);
  EXPECT_EQ(world.Ending(0.1).end, DrainEnd::kUnreachable);
  EXPECT_EQ(world.Ending(0.1).hint, Hint::kCertificate);
  World later;
  later.Asks(0, kUseful);
  later.Asks(1, kUntrusted);
  EXPECT_FALSE(later.health.GiveUp(later.At(2))) << "it was trusted before: a failure like others";
}

TEST(UpstreamHealth, ForgetsTroublesButNotTheKeyFromDrainToDrain) {
  World world;
  world.Asks(0, kUseful);
  world.Asks(1, kThrottled);
  world.Starts(2);
  world.Asks(3, kKeyRefused);
  world.health.Begin();
  EXPECT_FALSE(world.health.one_at_a_time());
  EXPECT_EQ(world.NextStart(), kAtOnce);
  EXPECT_TRUE(world.health.key_proven());
}

}  // namespace
}  // namespace tmdbc
