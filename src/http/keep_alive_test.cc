// SPDX-License-Identifier: MIT
#include "http/keep_alive.h"

#include <gtest/gtest.h>

namespace tmdbc::http {
namespace {

using namespace std::chrono_literals;

TEST(KeepAlive, KeepsConnectionsLessLongAfterAFewWereClosedUnderARequest) {
  KeepAlive keep;
  const MonoTime start(1h);
  EXPECT_EQ(keep.Limit(start), 118s);
  std::vector<std::chrono::seconds> limits;
  for (int i = 0; i < 12; ++i) {
    keep.Stale(start + i * 1s);
    limits.push_back(keep.Limit(start + i * 1s));
  }
  EXPECT_EQ(limits,
            (std::vector<std::chrono::seconds>{118s, 118s, 10s, 10s, 10s, 1s, 1s, 1s, 0s, 0s, 0s, 0s}));
}

TEST(KeepAlive, DoesNotMindOneNowAndThen) {
  KeepAlive keep;
  for (int i = 0; i < 100; ++i) {
    keep.Stale(MonoTime(1h) + i * 11min);
    EXPECT_EQ(keep.Limit(MonoTime(1h) + i * 11min), 118s);
  }
}

TEST(KeepAlive, TriesLongerOnesAgainAfterTenQuietMinutes) {
  KeepAlive keep;
  for (int i = 0; i < 9; ++i) keep.Stale(MonoTime(1h));
  EXPECT_EQ(keep.Limit(MonoTime(1h) + 9min), 0s);
  EXPECT_EQ(keep.Limit(MonoTime(1h) + 10min), 1s);
  EXPECT_EQ(keep.Limit(MonoTime(1h) + 20min), 10s);
  EXPECT_EQ(keep.Limit(MonoTime(24h)), 118s);
}

}  // namespace
}  // namespace tmdbc::http
