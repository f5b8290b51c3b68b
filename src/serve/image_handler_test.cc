// SPDX-License-Identifier: MIT
#include "serve/image_handler.h"

#include <gtest/gtest.h>

#include "images/image_folder.h"
#include "testing/fault_file_system.h"

namespace tmdbc::serve {
namespace {

struct PictureWorld {
  PictureWorld() {
    auto folder = images::ImageFolder::Open(files);
    EXPECT_TRUE(folder->Put({"w342", "poster.jpg"}, "a picture"));
    EXPECT_TRUE(folder->Put({"w500", "logo.svg"}, "<svg></svg>"));
  }
  http::Answer Ask(std::string target, std::string method = "GET", std::vector<http::Header> headers = {}) {
    return handler.Handle({.method = std::move(method), .target = std::move(target), .headers = std::move(headers)});
  }

  testing::FaultFileSystem files;
  ImageHandler handler{files};
};

std::string ValueOf(const http::Answer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(ImageHandler, GivesAPictureThatMayBeKeptForEver) {
  PictureWorld world;
  const http::Answer answer = world.Ask("/t/p/w342/poster.jpg?v=1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(*answer.body, "a picture");
  EXPECT_EQ(ValueOf(answer, "Content-Type"), "image/jpeg");
  EXPECT_EQ(ValueOf(answer, "Cache-Control"), "public, max-age=31536000, immutable");
  const http::Answer again = world.Ask("/t/p/w342/poster.jpg", "GET", {{"If-None-Match", ValueOf(answer, "ETag")}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, nullptr);
}

TEST(ImageHandler, LetsADrawingRunNoScript) {
  PictureWorld world;
  const http::Answer answer = world.Ask("/t/p/w500/logo.svg");
  EXPECT_EQ(ValueOf(answer, "Content-Type"), "image/svg+xml");
  EXPECT_NE(ValueOf(answer, "Content-Security-Policy").find("sandbox"), std::string::npos);
}

TEST(ImageHandler, GivesNothingElseOfTheDisk) {
  PictureWorld world;
  auto file = world.files.OpenAppend("catalog.db");
  ASSERT_TRUE((*file)->Append("secret"));
  for (const char* target : {"/t/p/", "/t/p/w342", "/t/p/w342/", "/t/p/w342/other.jpg", "/t/p/w342/../../catalog.db",
                             "/t/p/w342/..%2f..%2fcatalog.db", "/t/p//etc/passwd.jpg", "/t/p/w342/poster.jpg/x", "/t/p"}) {
    const http::Answer answer = world.Ask(target);
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(answer.body->find("secret"), std::string::npos);
  }
  EXPECT_EQ(world.Ask("/t/p/w342/poster.jpg", "DELETE").status, 405);
}

}  // namespace
}  // namespace tmdbc::serve
