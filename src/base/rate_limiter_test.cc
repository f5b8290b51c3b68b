// SPDX-License-Identifier: MIT
#include "base/rate_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <queue>
#include <random>

#include "testing/fake_clock.h"

namespace tmdbc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeClock;

double Seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

// How the loop that asks the limiter behaves, and the network between it and the server.
struct Conditions {
  Duration lateness{0};  // the loop wakes up to this much too late, each time
  Duration stall{0};     // and once every `stall_every` it does something else for up to this long
  Duration stall_every = seconds(1);
  Duration connect{0};       // a connection takes up to this long before the request is sent
  double connect_share = 0;  // of the requests that need a new one
  double fail_share = 0;     // of those that fail to connect
  Duration jitter{0};        // between sending and arrival
  double answered_429 = 0;   // share of answers
};

struct Seen {
  std::vector<MonoTime> arrivals;  // ascending
  Duration took{0};
  double rate() const {
    return static_cast<double>(arrivals.size() - 1) / Seconds(arrivals.back() - arrivals[0]);
  }
};

// Sends `count` requests as fast as the limiter allows.
Seen Drive(double rate, int count, const Conditions& conditions, std::uint64_t seed) {
  FakeClock clock;
  RateLimiter limiter(rate, clock);
  std::mt19937_64 random(seed);
  auto upto = [&](Duration most) {
    return Duration(std::uniform_int_distribution<std::int64_t>(0, most.count())(random));
  };
  auto chance = [&](double p) { return std::uniform_real_distribution<>(0, 1)(random) < p; };

  struct Connecting {
    MonoTime at;
    RateLimiter::Ticket ticket;
    bool fails;
    bool operator>(const Connecting& other) const { return at > other.at; }
  };
  std::priority_queue<Connecting, std::vector<Connecting>, std::greater<>> connecting;
  Seen seen;
  const MonoTime begin = clock.Mono();
  auto send = [&](RateLimiter::Ticket ticket) {
    limiter.Sent(ticket);
    seen.arrivals.push_back(clock.Mono() + upto(conditions.jitter));
    if (chance(conditions.answered_429)) {
      limiter.Throttled(upto(seconds(2)));
    } else {
      limiter.Answered();
    }
  };
  auto pass_until = [&](MonoTime until) {
    while (!connecting.empty() && connecting.top().at <= until) {
      const Connecting next = connecting.top();
      connecting.pop();
      clock.AdvanceTo(next.at);
      if (next.fails) {
        limiter.Unused(next.ticket);
      } else {
        send(next.ticket);
      }
    }
    clock.AdvanceTo(until);
  };
  MonoTime next_stall = begin + conditions.stall_every;
  int granted = 0;
  while (granted < count) {
    pass_until(std::max(clock.Mono(), std::min(limiter.NextSlot(), clock.Mono() + milliseconds(200))));
    pass_until(clock.Mono() + upto(conditions.lateness));
    if (clock.Mono() >= next_stall) {
      next_stall += conditions.stall_every;
      pass_until(clock.Mono() + conditions.stall);
    }
    while (limiter.NextSlot() <= clock.Mono() && granted < count) {
      ++granted;
      const RateLimiter::Ticket ticket = limiter.Take();
      if (chance(conditions.connect_share)) {
        connecting.push({clock.Mono() + upto(conditions.connect), ticket, chance(conditions.fail_share)});
      } else {
        send(ticket);
      }
    }
  }
  pass_until(clock.Mono() + conditions.connect);
  seen.took = clock.Mono() - begin;
  std::ranges::sort(seen.arrivals);
  return seen;
}

// The most arrivals in any `window`, its end excluded.
std::size_t MostIn(const std::vector<MonoTime>& arrivals, Duration window) {
  std::size_t most = 0, first = 0;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    while (arrivals[i] - arrivals[first] >= window) ++first;
    most = std::max(most, i - first + 1);
  }
  return most;
}

TEST(RateLimiter, LetsNoSecondAtTheServerHoldMoreThanTheRate) {
  for (const double rate : {1.0, 2.0, 3.0, 7.0, 40.0, 50.0, 200.0, 1000.0}) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      std::mt19937_64 random(seed * 977);
      auto pick = [&](int most) { return milliseconds(random() % static_cast<unsigned>(most + 1)); };
      Conditions conditions;
      conditions.lateness = pick(10);
      conditions.stall = pick(40);
      conditions.stall_every = pick(2000) + milliseconds(1);
      conditions.connect = pick(400);
      conditions.connect_share = seed % 3 == 0 ? 0 : 0.01 * static_cast<double>(random() % 100);
      conditions.fail_share = seed % 2 == 0 ? 0 : 0.3;
      conditions.jitter = Duration(19'900);
      conditions.answered_429 = seed % 5 == 0 ? 0.02 : 0;
      const Seen seen = Drive(rate, rate < 10 ? 300 : 3000, conditions, seed);
      ASSERT_LE(static_cast<double>(MostIn(seen.arrivals, seconds(1))), rate)
          << "rate " << rate << " seed " << seed;
    }
  }
}

TEST(RateLimiter, LetsNoWindowOfAFractionalRateHoldMoreThanPromised) {
  for (const double rate : {0.1, 0.5, 0.95, 1.5, 1.95, 2.5, 3.3, 39.5}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      Conditions conditions;
      conditions.lateness = milliseconds(5);
      conditions.stall = milliseconds(40);
      conditions.connect = milliseconds(300);
      conditions.connect_share = 0.2;
      conditions.jitter = Duration(19'900);
      const Seen seen = Drive(rate, 200, conditions, seed);
      const double most = std::ceil(rate);
      const auto window = Duration(static_cast<std::int64_t>(most / rate * 1e6));
      ASSERT_LE(static_cast<double>(MostIn(seen.arrivals, window)), most)
          << "rate " << rate << " seed " << seed;
      ASSERT_LE(static_cast<double>(MostIn(seen.arrivals, seconds(1))), most) << "rate " << rate;
    }
  }
}

TEST(RateLimiter, UsesThePaceToTheLastHalfPercentWhenTheLoopIsAFewMillisecondsLate) {
  for (const double rate : {1.0, 3.0, 40.0, 50.0, 400.0, 1000.0}) {
    Conditions conditions;
    conditions.lateness = milliseconds(4);
    const Seen seen = Drive(rate, static_cast<int>(rate * 600), conditions, 1);
    EXPECT_GE(seen.rate() / (0.98 * rate), 0.995) << "rate " << rate;
    EXPECT_LE(seen.rate() / (0.98 * rate), 1.005) << "rate " << rate;
  }
}

TEST(RateLimiter, CatchesUpAfterSlowFsyncs) {
  for (const auto& [stall, least] : {std::pair{milliseconds(20), 0.97}, {milliseconds(40), 0.965}}) {
    Conditions conditions;
    conditions.lateness = milliseconds(2);
    conditions.stall = stall;
    const Seen seen = Drive(40, 40 * 600, conditions, 3);
    EXPECT_GE(seen.rate() / 40, least) << stall.count();
  }
}

TEST(RateLimiter, APauseEarnsNoMoreThanOneGroup) {
  FakeClock clock;
  RateLimiter limiter(40, clock);
  for (int i = 0; i < 100; ++i) {
    clock.AdvanceTo(limiter.NextSlot());
    limiter.Sent(limiter.Take());
  }
  clock.Advance(seconds(60));
  // All the time that went by earns the group that is due, and the 10 ms that a loop may be late.
  for (const auto least : {milliseconds(81), milliseconds(91)}) {
    int together = 0;
    for (; limiter.NextSlot() <= clock.Mono(); ++together) limiter.Sent(limiter.Take());
    EXPECT_LE(together, 4);
    EXPECT_GE(limiter.NextSlot() - clock.Mono(), least);
    clock.AdvanceTo(limiter.NextSlot());
  }
}

TEST(RateLimiter, AGroupIsAQuarterAtMostOfWhatMayBeUnderWay) {
  for (const auto& [under_way, group] : {std::pair{1, 1u}, {5, 1u}, {8, 2u}, {20, 4u}, {1000, 4u}}) {
    FakeClock clock;
    RateLimiter limiter(40, clock, under_way);
    for (int i = 0; i < 40; ++i) {
      clock.AdvanceTo(limiter.NextSlot());
      limiter.Sent(limiter.Take());
    }
    EXPECT_EQ(limiter.together(), group) << under_way;
  }
}

TEST(RateLimiter, SendsInGroupsOnceItHasSentEvenlyForASecondAndMetNo429) {
  for (const auto& [rate, group] : {std::pair{3.0, 1}, {19.0, 1}, {40.0, 4}, {45.0, 3}, {47.0, 1}, {50.0, 5}}) {
    SCOPED_TRACE(rate);
    FakeClock clock;
    RateLimiter limiter(rate, clock);
    // How many go at once at most, from now on for two seconds.
    const auto most_together = [&] {
      int most = 0;
      for (const MonoTime end = clock.Mono() + seconds(2); clock.Mono() < end;) {
        clock.AdvanceTo(limiter.NextSlot());
        int together = 0;
        for (; limiter.NextSlot() <= clock.Mono(); ++together) limiter.Sent(limiter.Take());
        most = std::max(most, together);
      }
      return most;
    };
    for (int i = 0; i < rate; ++i) {
      EXPECT_EQ(limiter.NextSlot() <= clock.Mono(), i == 0);
      clock.AdvanceTo(limiter.NextSlot());
      limiter.Sent(limiter.Take());
    }
    EXPECT_EQ(most_together(), group);
    limiter.Throttled(seconds(1));
    clock.Advance(seconds(20));
    limiter.Answered();
    EXPECT_EQ(most_together(), 1);
  }
}

TEST(RateLimiter, StaysWithinTheRateAcrossARestart) {
  for (const double rate : {3.0, 40.0, 50.0}) {
    for (int gap = 30; gap < 1000; gap += 7) {
      FakeClock clock;
      std::vector<MonoTime> sent;
      for (int life = 0; life < 2; ++life) {
        RateLimiter limiter(rate, clock);  // it knows nothing of the other
        for (int i = 0; i < 2 * rate; ++i) {
          clock.AdvanceTo(limiter.NextSlot());
          limiter.Sent(limiter.Take());
          sent.push_back(clock.Mono());
        }
        clock.Advance(milliseconds(gap));
      }
      // A restart may cost the one request that the margin cannot hide, at slow rates the one in flight.
      EXPECT_LE(static_cast<double>(MostIn(sent, seconds(1))), rate + 1) << "rate " << rate << " gap " << gap;
      if (gap * rate >= 1000) {
        EXPECT_LE(static_cast<double>(MostIn(sent, seconds(1))), rate) << "rate " << rate << " gap " << gap;
      }
    }
  }
}

TEST(RateLimiter, CountsARequestThatStillConnectsAsSentNow) {
  FakeClock clock;
  RateLimiter limiter(2, clock);
  const auto first = limiter.Take();
  clock.AdvanceTo(limiter.NextSlot());
  const auto second = limiter.Take();
  clock.Advance(seconds(30));
  EXPECT_GT(limiter.NextSlot(), clock.Mono() + seconds(1)) << "both may arrive at any moment";
  limiter.Sent(first);
  clock.Advance(seconds(5));
  EXPECT_LE(limiter.NextSlot(), clock.Mono()) << "one that connects and one new make two";
  limiter.Unused(second);
  EXPECT_LE(limiter.NextSlot(), clock.Mono());
}

TEST(RateLimiter, CountsARequestThatTheTransportRepeatsOnAFreshConnectionTwice) {
  FakeClock clock;
  RateLimiter limiter(2, clock);
  const auto ticket = limiter.Take();
  limiter.Sent(ticket);
  clock.Advance(milliseconds(100));
  limiter.Sent(ticket);
  limiter.Unused(ticket);  // it ended: what was sent stays sent
  EXPECT_GT(limiter.NextSlot(), clock.Mono() + milliseconds(900));
}

TEST(RateLimiter, PausesHalvesAndWidensItsMarginAfterA429) {
  FakeClock clock;
  RateLimiter limiter(40, clock);
  EXPECT_NEAR(limiter.pace(), 39.2, 1e-9);
  limiter.Throttled(seconds(5));
  EXPECT_EQ(limiter.NextSlot(), clock.Mono() + seconds(5));
  EXPECT_NEAR(limiter.pace(), 40 * 0.96 / 2, 1e-9);
  limiter.Throttled(seconds(1));
  EXPECT_EQ(limiter.NextSlot(), clock.Mono() + seconds(5)) << "a pause is never shortened";
  EXPECT_NEAR(limiter.pace(), 40 * 0.96 / 2, 1e-9) << "one storm counts once";

  clock.Advance(seconds(5));
  double before = limiter.pace();
  for (int i = 0; i < 80; ++i) {
    clock.Advance(milliseconds(50));
    limiter.Answered();
    EXPECT_GE(limiter.pace(), before);
    before = limiter.pace();
  }
  EXPECT_NEAR(limiter.pace(), 40 * 0.96 * 0.75, 0.1) << "half of the way back after four seconds of answers";
  for (int i = 0; i < 100; ++i) {
    clock.Advance(milliseconds(50));
    limiter.Answered();
  }
  EXPECT_NEAR(limiter.pace(), 40 * 0.96, 0.1) << "whole speed, wider margin";
  for (int i = 0; i < 30 * 60; ++i) {
    clock.Advance(seconds(1));
    limiter.Answered();
  }
  EXPECT_NEAR(limiter.pace(), 39.2, 1e-9) << "and after half an hour the margin is back";
}

TEST(RateLimiter, KeepsGoingThroughAnEndlessStormOf429s) {
  FakeClock clock;
  RateLimiter limiter(50, clock);
  for (int i = 0; i < 200; ++i) {
    clock.AdvanceTo(limiter.NextSlot());
    limiter.Sent(limiter.Take());
    limiter.Throttled(seconds(1));
  }
  EXPECT_GE(limiter.pace(), 0.2);
  EXPECT_LE(limiter.NextSlot() - clock.Mono(), seconds(120));
}

// A server that really takes less than the rate that was set: 429s become rare, and what it takes is used.
TEST(RateLimiter, TakesAnotherRateWhileItRuns) {
  FakeClock clock;
  RateLimiter limiter(10, clock);
  std::vector<MonoTime> sent;
  const auto drive = [&](Duration time) {
    sent.clear();
    for (const MonoTime end = clock.Mono() + time; clock.Mono() < end; clock.Advance(milliseconds(1))) {
      if (limiter.NextSlot() > clock.Mono()) continue;
      limiter.Sent(limiter.Take());
      sent.push_back(clock.Mono());
    }
    return double(sent.size()) / Seconds(time);
  };
  const auto most_in_a_second = [&] {
    std::ptrdiff_t most = 0;
    for (const MonoTime& first : sent) {
      const auto end = std::ranges::lower_bound(sent, first + seconds(1));
      most = std::max(most, end - sent.begin() - (&first - sent.data()));
    }
    return most;
  };
  EXPECT_NEAR(drive(seconds(10)), 9.8, 0.2);
  limiter.SetRate(40);
  EXPECT_NEAR(drive(seconds(10)), 39.2, 0.5);
  EXPECT_LE(most_in_a_second(), 40);
  limiter.SetRate(3);
  EXPECT_NEAR(drive(seconds(20)), 2.94, 0.2);
  EXPECT_LE(most_in_a_second(), 3);
}

TEST(RateLimiter, SettlesBelowAServerThatTakesLess) {
  FakeClock clock;
  RateLimiter limiter(50, clock);
  std::deque<MonoTime> taken;
  int refused_late = 0, sent_late = 0;
  const MonoTime begin = clock.Mono();
  while (clock.Mono() < begin + seconds(3600)) {
    clock.AdvanceTo(limiter.NextSlot());
    limiter.Sent(limiter.Take());
    while (!taken.empty() && clock.Mono() - taken.front() >= seconds(1)) taken.pop_front();
    const bool late = clock.Mono() > begin + seconds(600);
    sent_late += late;
    if (taken.size() >= 40) {
      refused_late += late;
      limiter.Throttled(seconds(1));
    } else {
      taken.push_back(clock.Mono());
      limiter.Answered();
    }
  }
  EXPECT_LE(refused_late, 40);
  EXPECT_GE(sent_late, 40 * 3000 * 85 / 100);
}

}  // namespace
}  // namespace tmdbc
