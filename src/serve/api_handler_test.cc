// SPDX-License-Identifier: MIT
#include "serve/api_handler.h"

#include <gtest/gtest.h>

#include "read_api/read_api_world_test.h"

namespace tmdbc::serve {
namespace {

std::string_view HeaderOf(const http::Answer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return {};
}

TEST(ApiHandler, SaysHowExactAnAnswerIsAndHowOld) {
  read_api::ReadApiWorld world;
  world.Put({MediaType::kMovie, 550}, R"({"id":550})");
  ApiHandler handler(world.api);
  const http::Answer answer = handler({.method = "GET", .target = "/3/movie/550"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(*answer.body, R"({"id":550})");
  EXPECT_EQ(HeaderOf(answer, "Mirror-Answer"), "exact");
  EXPECT_EQ(HeaderOf(answer, "Mirror-Fetched-At"), "2026-11-22T00:00:00.000Z");
  EXPECT_EQ(HeaderOf(answer, "Content-Type"), "application/json;charset=utf-8");
}

TEST(ApiHandler, RefusesToWrite) {
  read_api::ReadApiWorld world;
  EXPECT_EQ(ApiHandler(world.api)({.method = "POST", .target = "/3/movie/550/rating"}).status, 405);
}

}  // namespace
}  // namespace tmdbc::serve
