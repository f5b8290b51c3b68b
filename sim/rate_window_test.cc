// SPDX-License-Identifier: MIT
#include "rate_window.h"

#include <gtest/gtest.h>

#include "random.h"

namespace tmdbc::sim {
namespace {

MonoTime At(std::int64_t microseconds) {
  return MonoTime(std::chrono::hours(1) + std::chrono::microseconds(microseconds));
}

TEST(RateWindow, RefusesWhatASecondHoldsTooMany) {
  RateWindow window(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(window.Arrive("a", At(i * 100'000)));
  EXPECT_FALSE(window.Arrive("a", At(999'999)));
  // The first has left the second that ends here.
  EXPECT_TRUE(window.Arrive("a", At(1'000'000)));
  EXPECT_FALSE(window.Arrive("a", At(1'000'001)));
  EXPECT_EQ(window.most_in_a_second(), 5);
}

TEST(RateWindow, SlidesInsteadOfCountingByTheClock) {
  RateWindow window(40);
  // 40 at the end of one second of the clock and one at the beginning of the next: too many for a window that
  // slides.
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(window.Arrive("a", At(900'000 + i)));
  EXPECT_FALSE(window.Arrive("a", At(1'000'010)));
}

TEST(RateWindow, CountsAddressesApart) {
  RateWindow window(1);
  EXPECT_TRUE(window.Arrive("127.0.0.1", At(0)));
  EXPECT_TRUE(window.Arrive("127.0.0.2", At(0)));
  EXPECT_FALSE(window.Arrive("127.0.0.1", At(1)));
  EXPECT_EQ(window.most_in_a_second(), 2);
}

TEST(RateWindow, AllowsAClientThatStaysExactlyAtTheLimitForever) {
  RateWindow window(40);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(window.Arrive("a", At(std::int64_t(i) * 25'000))) << i;
  EXPECT_EQ(window.most_in_a_second(), 40);
}

TEST(RateWindow, OnlyCountsWithoutALimit) {
  RateWindow window(0);
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(window.Arrive("a", At(i)));
  EXPECT_EQ(window.most_in_a_second(), 500);
}

TEST(RateWindow, TakesArrivalsThatAreToldLate) {
  RateWindow window(2);
  EXPECT_TRUE(window.Arrive("a", At(500'000)));
  EXPECT_TRUE(window.Arrive("a", At(1'400'000)));
  // Came in between: the second from 0.5 s to 1.5 s would hold three.
  EXPECT_FALSE(window.Arrive("a", At(1'000'000)));
  EXPECT_EQ(window.most_in_a_second(), 3);
}

TEST(RateWindow, ForgetsItsRecordOnResetButNotTheLimit) {
  RateWindow window(2);
  for (int i = 0; i < 5; ++i) window.Arrive("a", At(i));
  window.ResetMost();
  EXPECT_EQ(window.most_in_a_second(), 0);
  EXPECT_FALSE(window.Arrive("a", At(10)));
}

// The straightforward count over all arrivals is what the window has to agree with, in whatever order they
// are told.
TEST(SlidingSecond, AgreesWithCountingByHand) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    SlidingSecond second;
    std::vector<MonoTime> all;
    MonoTime now = At(0);
    for (int i = 0; i < 300; ++i) {
      now += std::chrono::microseconds(random.Below(60'000));
      const MonoTime at = now - std::chrono::microseconds(random.Below(3) == 0 ? random.Below(40'000) : 0);
      second.Add(at);
      all.push_back(at);
    }
    int most = 0;
    for (const MonoTime end : all) {
      most = std::max(most, int(std::count_if(all.begin(), all.end(), [&](MonoTime t) {
                        return t <= end && t > end - std::chrono::seconds(1);
                      })));
    }
    EXPECT_EQ(second.most(), most) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tmdbc::sim
