// SPDX-License-Identifier: MIT
#include "collector/circuit_breaker.h"

#include <gtest/gtest.h>

#include "collector/retry_budget.h"
#include "testing/fake_clock.h"

namespace tmdbc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeClock;

TEST(CircuitBreaker, OpensAtTheTenthFailureInARow) {
  FakeClock clock;
  CircuitBreaker breaker;
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(breaker.Failed(false, clock.Mono()));
  breaker.Succeeded(false);
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(breaker.Failed(false, clock.Mono()));
    clock.Advance(seconds(1));
  }
  EXPECT_FALSE(breaker.open());
  EXPECT_TRUE(breaker.Failed(false, clock.Mono()));
  EXPECT_TRUE(breaker.open());
  EXPECT_EQ(breaker.open_since(), clock.Mono() - seconds(9));
}

TEST(CircuitBreaker, OpensWhenFourFifthsOfTheLastTwentyFailed) {
  FakeClock clock;
  CircuitBreaker breaker;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 4; ++j) EXPECT_FALSE(breaker.Failed(false, clock.Mono()));
    breaker.Succeeded(false);
  }
  for (int j = 0; j < 4; ++j) EXPECT_FALSE(breaker.Failed(false, clock.Mono()));
  EXPECT_FALSE(breaker.open()) << "19 outcomes";
  breaker.Succeeded(false);
  EXPECT_FALSE(breaker.open());
  EXPECT_TRUE(breaker.Failed(false, clock.Mono())) << "the success at the window's far end has left it";
}

TEST(CircuitBreaker, StaysClosedWhileOneOfFourSucceeds) {
  FakeClock clock;
  CircuitBreaker breaker;
  for (int i = 0; i < 1000; ++i) {
    for (int j = 0; j < 3; ++j) EXPECT_FALSE(breaker.Failed(false, clock.Mono()));
    breaker.Succeeded(false);
  }
}

TEST(CircuitBreaker, ProbesOneAtATimeAndEverFartherApartUntilOneIsAnswered) {
  FakeClock clock;
  CircuitBreaker breaker;
  for (int i = 0; i < 10; ++i) breaker.Failed(false, clock.Mono());
  for (const int distance : {1, 2, 4, 8, 16, 30, 30, 30}) {
    EXPECT_EQ(breaker.next_probe(), clock.Mono() + seconds(distance));
    clock.AdvanceTo(breaker.next_probe());
    breaker.ProbeStarted();
    EXPECT_EQ(breaker.next_probe(), MonoTime::max());
    breaker.Succeeded(false);  // an answer from before
    EXPECT_TRUE(breaker.open());
    clock.Advance(milliseconds(300));
    EXPECT_FALSE(breaker.Failed(true, clock.Mono())) << "it was open already";
  }
  clock.AdvanceTo(breaker.next_probe());
  breaker.ProbeStarted();
  breaker.ProbeAbandoned();
  EXPECT_LE(breaker.next_probe(), clock.Mono());
  breaker.ProbeStarted();
  breaker.Succeeded(true);
  EXPECT_FALSE(breaker.open());
  for (int i = 0; i < 9; ++i)
    EXPECT_FALSE(breaker.Failed(false, clock.Mono())) << "it starts from the beginning";
}

TEST(RetryBudget, LetsAFifthOfTheAllowedRateBeRetries) {
  FakeClock clock;
  RetryBudget budget(clock, 40);
  int retries = 0;
  for (int i = 0; i < 1000; ++i) {
    clock.Advance(std::chrono::milliseconds(100));
    while (budget.NextRetry() <= clock.Mono()) {
      budget.Retry();
      ++retries;
    }
  }
  EXPECT_NEAR(retries, 100 * 8 + RetryBudget::kMost, 1.5);
}

TEST(RetryBudget, LetsTheLastRetriesOfASlowRunGo) {
  FakeClock clock;
  RetryBudget budget(clock, 0.1);
  const MonoTime begin = clock.Mono();
  for (int i = 0; i < 50; ++i) {
    clock.AdvanceTo(budget.NextRetry());
    ASSERT_LE(budget.NextRetry(), clock.Mono());
    budget.Retry();
  }
  EXPECT_EQ(std::chrono::round<seconds>(clock.Mono() - begin), seconds(60));
}

}  // namespace
}  // namespace tmdbc
