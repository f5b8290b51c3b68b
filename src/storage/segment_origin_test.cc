// SPDX-License-Identifier: MIT
#include "storage/segment_origin.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "base/compression.h"

namespace tmdbc {
namespace {

const SegmentOrigin kOrigin{{{1, 120}, {2, 0}, {7, 35}}, {12, 30}};
constexpr std::string_view kText =
    R"({"segments":[[1,120],[2,0],[7,35]],"retired":[12,30],"crc32":"735d5022"})";

TEST(SegmentOrigin, ComesBackAsItWasWritten) {
  EXPECT_EQ(FormatOrigin(kOrigin), kText);
  EXPECT_EQ(ParseOrigin(kText).value(), kOrigin);
  const SegmentOrigin one{{{999'999'999, 5'000'000'000}}, {}};
  EXPECT_EQ(ParseOrigin(FormatOrigin(one)).value(), one);
}

TEST(SegmentOrigin, KnowsItsPlaceAndWhatItCovers) {
  EXPECT_EQ(kOrigin.last(), 7U);
  EXPECT_EQ(kOrigin.lines(), 155);
  for (const std::uint32_t number : {1U, 2U, 7U, 12U, 30U}) EXPECT_TRUE(kOrigin.Covers(number)) << number;
  for (const std::uint32_t number : {0U, 3U, 6U, 8U, 31U}) EXPECT_FALSE(kOrigin.Covers(number)) << number;
}

TEST(SegmentOrigin, RefusesEveryChangedByte) {
  for (std::size_t byte = 0; byte < kText.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bent(kText);
      bent[byte] = static_cast<char>(bent[byte] ^ (1 << bit));
      EXPECT_FALSE(ParseOrigin(bent)) << bent;
    }
    EXPECT_FALSE(ParseOrigin(kText.substr(0, byte)));
  }
  // Whole, but with nothing in it, or not in order.
  for (const SegmentOrigin& bad : {SegmentOrigin{}, SegmentOrigin{{{2, 1}, {1, 1}}, {}},
                                   SegmentOrigin{{{0, 1}}, {}}, SegmentOrigin{{{1, 1}}, {4, 4}}}) {
    EXPECT_FALSE(ParseOrigin(FormatOrigin(bad)));
  }
}

TEST(SegmentOrigin, IsPassedOverByEveryZstdReader) {
  const std::string file = OriginFrame(kOrigin) + ZstdFrame("one\n") + ZstdFrame("two\n");
  EXPECT_EQ(OriginFrameLength(file), 8 + kText.size());
  EXPECT_EQ(file.substr(8, kText.size()), kText);
  std::string text(100, '\0');
  const std::size_t size = ZSTD_decompress(text.data(), text.size(), file.data(), file.size());
  ASSERT_FALSE(ZSTD_isError(size)) << ZSTD_getErrorName(size);
  EXPECT_EQ(text.substr(0, size), "one\ntwo\n");
  EXPECT_EQ(OriginFrameLength(ZstdFrame("one\n")), 0U);
  EXPECT_EQ(OriginFrameLength("\x50\x2a\x4d\x18\xff\xff\xff\xff"), 0U);  // 4 GB
  EXPECT_EQ(OriginFrameLength("\x50\x2a\x4d"), 0U);
}

TEST(SegmentOrigin, StaysBelowItsBoundWithAsManyPartsAsItMayHave) {
  SegmentOrigin origin;
  for (std::uint32_t i = 0; i < kMaxOriginParts; ++i) {
    origin.parts.push_back({999'000'000 + i, 99'999'999});
    origin.retired.push_back(999'500'000 + i);
  }
  EXPECT_LE(FormatOrigin(origin).size(), kMaxOriginBytes);
  EXPECT_EQ(ParseOrigin(FormatOrigin(origin)).value(), origin);
}

}  // namespace
}  // namespace tmdbc
