// SPDX-License-Identifier: MIT
#include "read_api/kept_rows.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace tmdbc::read_api {
namespace {

TEST(KeptRows, HoldWhatWasUsedLatelyWithinTheirBytes) {
  KeptRows rows;
  const std::string text(1000, 'x');
  rows.Put("used", {{}, text});
  rows.Put("unused", {{}, text});
  for (int i = 0; i < 20'000; ++i) {
    rows.Put(std::to_string(i), {{}, text});
    ASSERT_NE(rows.Find("used"), nullptr) << i;
    ASSERT_LE(rows.bytes(), KeptRows::kMaxBytes);
  }
  EXPECT_EQ(rows.Find("used")->text, text);
  EXPECT_EQ(rows.Find("unused"), nullptr);
}

TEST(KeptRows, GiveTheNewestOfAKey) {
  KeptRows rows;
  rows.Put("a", {{.stamp = 1}, "old"});
  rows.Put("a", {{.stamp = 2}, "new"});
  EXPECT_EQ(rows.Find("a")->text, "new");
  EXPECT_EQ(rows.Find("a")->source.stamp, 2u);
  EXPECT_EQ(rows.Find("b"), nullptr);
}

}  // namespace
}  // namespace tmdbc::read_api
