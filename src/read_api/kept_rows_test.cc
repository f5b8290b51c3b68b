// SPDX-License-Identifier: MIT
#include "read_api/kept_rows.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace tmdbc::read_api {
namespace {

constexpr std::size_t kMost = 8 << 20;

TEST(KeptRows, HoldWhatWasUsedLatelyWithinTheirBytes) {
  KeptRows rows(kMost);
  const std::string text(1000, 'x');
  rows.Put("used", {{}, text});
  rows.Put("unused", {{}, text});
  for (int i = 0; i < 20'000; ++i) {
    rows.Put(std::to_string(i), {{}, text});
    ASSERT_NE(rows.Find("used"), nullptr) << i;
    ASSERT_LE(rows.bytes(), kMost);
  }
  EXPECT_EQ(rows.Find("used")->text, text);
  EXPECT_EQ(rows.Find("unused"), nullptr);
}

TEST(KeptRows, GiveTheNewestOfAKey) {
  KeptRows rows(kMost);
  rows.Put("a", {{.stamp = 1}, "old"});
  rows.Put("a", {{.stamp = 2}, "new"});
  EXPECT_EQ(rows.Find("a")->text, "new");
  EXPECT_EQ(rows.Find("a")->source.stamp, 2u);
  EXPECT_EQ(rows.Find("b"), nullptr);
}

TEST(KeptRows, KeepNoneWithoutRoom) {
  KeptRows rows(0);
  rows.Put("a", {{}, "x"});
  EXPECT_EQ(rows.Find("a"), nullptr);
}

}  // namespace
}  // namespace tmdbc::read_api
