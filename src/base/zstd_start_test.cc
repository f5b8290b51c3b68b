// SPDX-License-Identifier: MIT
#include "base/zstd_start.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/compression.h"

namespace tmdbc {
namespace {

constexpr std::size_t kLarge = 64 << 20;

// Several blocks of it.
std::string NumberedLines() {
  std::string text;
  for (int i = 0; text.size() < 1 << 20; ++i) text += fmt::format("{{\"id\":{},\"name\":\"{}\"}}\n", i, i * 7919 % 10007);
  return text;
}

TEST(ZstdStart, GivesTheFirstBytes) {
  const std::string text = NumberedLines();
  const std::string frame = ZstdFrame(text);
  ZstdStart start;
  for (const std::size_t wanted : {std::size_t{0}, std::size_t{1}, std::size_t{128} << 10, std::size_t{300'001},
                                   text.size() - 1, text.size(), text.size() + 1, std::size_t{5}}) {
    const auto got = start.Of(frame, wanted, kLarge);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(*got == text.substr(0, wanted)) << wanted;
  }
  EXPECT_EQ(start.Of(ZstdFrame(""), 5, kLarge).value_or("?"), "");
  EXPECT_FALSE(start.Of(frame, 10, 1000));
  EXPECT_FALSE(start.Of(frame + "x", 10, kLarge));
  EXPECT_FALSE(start.Of(frame.substr(0, frame.size() - 1), 10, kLarge));
  EXPECT_FALSE(start.Of("", 10, kLarge));
}

TEST(ZstdStart, ProvesTheChecksumOfAllAndReadsWhatStandsBeforeDamage) {
  const std::string text = NumberedLines();
  const std::string frame = ZstdFrame(text);
  ZstdStart start;
  for (std::size_t at = frame.size() - 5000; at < frame.size(); at += 97) {
    std::string broken = frame;
    broken[at] ^= 1;
    EXPECT_TRUE(start.Of(broken, 300'001, kLarge).value_or("") == text.substr(0, 300'001)) << at;
    const auto all = start.Of(broken, text.size(), kLarge);
    EXPECT_TRUE(!all || *all == text) << at;
  }
  EXPECT_TRUE(start.Of(frame, text.size(), kLarge).value_or("") == text);
}

}  // namespace
}  // namespace tmdbc
