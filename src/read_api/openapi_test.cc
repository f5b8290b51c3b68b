// SPDX-License-Identifier: MIT
#include "read_api/openapi.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/json.h"
#include "read_api/read_api_world_test.h"
#include "read_api/routes.h"

namespace tmdbc::read_api {
namespace {

TEST(OpenApi, IsJsonWhoseReferencesAreAllThere) {
  ReadApiWorld world;
  const Answer answer = world.Get("/3/openapi.json");
  ASSERT_EQ(answer.status, 200);
  const auto parsed = ParsedJson::ParseString(answer.body);
  ASSERT_TRUE(parsed) << parsed.error().message;
  std::set<std::string> schemas;
  simdjson::dom::object all;
  ASSERT_EQ(parsed->root().at_pointer("/components/schemas").get(all), simdjson::SUCCESS);
  for (const auto& schema : all) schemas.emplace(schema.key);
  constexpr std::string_view kReference = "#/components/schemas/";
  for (auto at = answer.body.find(kReference); at != std::string::npos; at = answer.body.find(kReference, at)) {
    at += kReference.size();
    EXPECT_TRUE(schemas.contains(answer.body.substr(at, answer.body.find('"', at) - at))) << answer.body.substr(at, 40);
  }
  for (const DescribedPath& path : DescribedPaths()) EXPECT_TRUE(schemas.contains(std::string(path.answer))) << path.answer;
}

TEST(OpenApi, DescribesWhatIsServedAlone) {
  ReadApiWorld world;
  for (const DescribedPath& path : DescribedPaths()) {
    const auto request = ApiRequest::Parse("/3/" + std::string(path.path));
    EXPECT_NE(FindRoute(request->path), nullptr) << path.path;
  }
  const std::string text = world.Get("/3/openapi.json").body;
  EXPECT_TRUE(text.contains(R"("/3/movie/{movie_id}":)"));
  EXPECT_FALSE(text.contains(R"("/3/account)"));
}

}  // namespace
}  // namespace tmdbc::read_api
