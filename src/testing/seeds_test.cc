// SPDX-License-Identifier: MIT
#include "testing/seeds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace tmdbc::testing {
namespace {

TEST(Seeds, ANumberThatIsNoneOrNothingIsRefusedByName) {
  EXPECT_EQ(CountOf("TMDBC_SEEDS", nullptr, 16), 16U);
  EXPECT_EQ(CountOf("TMDBC_SEEDS", "1", 16), 1U);
  EXPECT_EQ(CountOf("TMDBC_SEEDS", "20000", 16), 20'000U);
  for (const char* text : {"", "0", "small", "-3", "+3", "3 ", " 3", "3x", "1e3", "18446744073709551616"}) {
    try {
      CountOf("TMDBC_SEEDS", text, 16);
      ADD_FAILURE() << "'" << text << "' was taken";
    } catch (const std::invalid_argument& refused) {
      EXPECT_EQ(refused.what(),
                "TMDBC_SEEDS='" + std::string(text) + "': a whole number from 1 on is wanted");
    }
  }
}

TEST(Seeds, EachIsInOnePart) {
  for (const char* asked : {"TMDBC_SEEDS", "TMDBC_SEED"}) ::unsetenv(asked);  // of the person who runs the tests
  std::vector<std::uint64_t> all;
  for (int part = 0; part < 4; ++part) {
    const auto seeds = SeedsOf(part, 4, 11);
    all.insert(all.end(), seeds.begin(), seeds.end());
  }
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
}

}  // namespace
}  // namespace tmdbc::testing
