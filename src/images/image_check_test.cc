// SPDX-License-Identifier: MIT
#include "images/image_check.h"

#include <gtest/gtest.h>

#include <string>

namespace tmdbc::images {
namespace {

// 16 x 9 pixels: an application segment, a fill byte, the start of frame, a scan, the end.
std::string Jpeg() {
  return std::string("\xFF\xD8\xFF\xE0\x00\x04\x4A\x46", 8) + std::string("\xFF\xFF\xC2\x00\x0B\x08\x00\x09\x00\x10\x01\x01\x11\x00", 14) +
         std::string("\xFF\xDA\x00\x02\x12\x34", 6) + "\xFF\xD9";
}
std::string Png() {
  return std::string("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x09\x08\0\0\0\0\x11\x22\x33\x44", 33) +
         std::string("\0\0\0\0IEND\xAE\x42\x60\x82", 12);
}

void ExpectSize(const std::string& bytes, Format format) {
  const auto size = CheckImage(bytes, format);
  ASSERT_TRUE(size) << size.error().message;
  EXPECT_EQ(size->width, 16u);
  EXPECT_EQ(size->height, 9u);
}

TEST(CheckImage, ReadsHowLargeAnImageIs) {
  ExpectSize(Jpeg(), Format::kJpeg);
  ExpectSize(Jpeg() + std::string(3, '\0'), Format::kJpeg);
  ExpectSize(Png(), Format::kPng);
  EXPECT_TRUE(CheckImage("\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<svg width=\"1\"><g/></svg>\n", Format::kSvg));
}

TEST(CheckImage, RefusesEveryImageThatWasCutAnywhere) {
  for (std::size_t length = 0; length < Jpeg().size(); ++length)
    EXPECT_FALSE(CheckImage(Jpeg().substr(0, length), Format::kJpeg)) << length;
  for (std::size_t length = 0; length < Png().size(); ++length)
    EXPECT_FALSE(CheckImage(Png().substr(0, length), Format::kPng)) << length;
  const std::string svg = "<svg width=\"1\"><g/></svg>";
  for (std::size_t length = 0; length < svg.size(); ++length)
    EXPECT_FALSE(CheckImage(svg.substr(0, length), Format::kSvg)) << length;
}

TEST(CheckImage, RefusesAnotherFormatAndAnErrorPage) {
  for (const Format format : {Format::kJpeg, Format::kPng, Format::kSvg}) {
    EXPECT_FALSE(CheckImage("<html><body>502 Bad Gateway</body></html>", format));
    EXPECT_FALSE(CheckImage("", format));
  }
  EXPECT_FALSE(CheckImage(Png(), Format::kJpeg));
  EXPECT_FALSE(CheckImage(Jpeg(), Format::kPng));
  EXPECT_FALSE(CheckImage(Jpeg(), Format::kSvg));
}

TEST(CheckImage, NeverReadsBeyondTheBytes) {
  // Lengths within the segments that lead out of the file; the sanitizers watch.
  std::string bytes = Jpeg();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const char value : {'\x00', '\x7F', '\xFF'}) {
      std::string broken = bytes;
      broken[at] = value;
      (void)CheckImage(broken, Format::kJpeg);
    }
  }
}

}  // namespace
}  // namespace tmdbc::images
