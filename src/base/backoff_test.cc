// SPDX-License-Identifier: MIT
#include "base/backoff.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Backoff, DoublesItsBoundUpToTheCap) {
  const Backoff backoff;
  EXPECT_EQ(backoff.Bound(1), seconds(1));
  EXPECT_EQ(backoff.Bound(2), seconds(2));
  EXPECT_EQ(backoff.Bound(6), seconds(32));
  EXPECT_EQ(backoff.Bound(7), seconds(60));
  EXPECT_EQ(backoff.Bound(1'000'000'000), seconds(60));
}

TEST(Backoff, SpreadsItsDelaysOverTheWholeRange) {
  const Backoff backoff;
  std::mt19937_64 random(7);
  Duration least = seconds(60), most{0};
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = backoff.Delay(3, random);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_GE(least, milliseconds(50));
  EXPECT_LT(least, milliseconds(200));
  EXPECT_GT(most, milliseconds(3800));
  EXPECT_LE(most, seconds(4));
}

TEST(Backoff, IsTheSameForTheSameSeed) {
  const Backoff backoff;
  std::mt19937_64 one(42), two(42);
  for (int i = 1; i < 20; ++i) EXPECT_EQ(backoff.Delay(i, one), backoff.Delay(i, two));
}

}  // namespace
}  // namespace tmdbc
