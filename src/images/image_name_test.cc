// SPDX-License-Identifier: MIT
#include "images/image_name.h"

#include <gtest/gtest.h>

namespace tmdbc::images {
namespace {

TEST(ImageName, IsASizeAndTheNameOfAFilePath) {
  const auto image = ParseImageName("w342/pB8BM7pdSp6B6Ih7QZ4DrQ3PmJK.jpg");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->url_path(), "/w342/pB8BM7pdSp6B6Ih7QZ4DrQ3PmJK.jpg");
  EXPECT_EQ(image->format(), Format::kJpeg);
  EXPECT_EQ(NameOfFilePath("/logo.svg"), "logo.svg");
  EXPECT_TRUE(IsSize("original"));
  EXPECT_TRUE(IsSize("h632"));
}

TEST(ImageName, LetsNothingElseThrough) {
  for (const char* path : {"", "/", "pB8.jpg", "/.jpg", "/..", "/../a.jpg", "/a/b.jpg", "/a.gif", "/a.jpg.exe", "/a b.jpg",
                           "/a%2f.jpg", "/\xC3\xA4.jpg", "/a.JPG"}) {
    EXPECT_FALSE(NameOfFilePath(path)) << path;
  }
  EXPECT_FALSE(NameOfFilePath("/" + std::string(65, 'a') + ".jpg"));
  EXPECT_FALSE(NameOfFilePath(std::string("/a\0b.jpg", 8)));
  for (const char* size : {"", "w", "w0", "w12345", "342", "W342", "w3a", "originals", "x300", "w999", "w780 "}) {
    EXPECT_FALSE(IsSize(size)) << size;
  }
  for (const char* name : {"w342", "w342/", "/a.jpg", "w342//a.jpg", "w342/../a.jpg", "w342/a.jpg/"}) {
    EXPECT_FALSE(ParseImageName(name)) << name;
  }
}

TEST(ImageKind, HasOneName) {
  for (const Kind kind : kKinds) EXPECT_EQ(ParseKind(Name(kind)), kind);
  EXPECT_EQ(ParseKind("banner").error().message,
            "'banner' is not a kind of image: use poster, backdrop, profile, still or logo");
}

}  // namespace
}  // namespace tmdbc::images
