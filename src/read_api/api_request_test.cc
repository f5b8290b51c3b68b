// SPDX-License-Identifier: MIT
#include "read_api/api_request.h"

#include <gtest/gtest.h>

namespace tmdbc::read_api {
namespace {

using Parts = std::vector<std::string_view>;

TEST(ApiRequest, TakesAPathBehindThreeApart) {
  const auto request = ApiRequest::Parse("/3/tv/1396/season/1?language=de-DE");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->path, (std::vector<std::string>{"tv", "1396", "season", "1"}));
  EXPECT_EQ(request->query.Get("language"), "de-DE");
  EXPECT_FALSE(ApiRequest::Parse("/4/list/1"));
  EXPECT_FALSE(ApiRequest::Parse("/30/movie/1"));
  EXPECT_TRUE(ApiRequest::Parse("/3")->path.empty());
}

TEST(ApiRequest, PassesOverASlashTooMany) {
  EXPECT_EQ(ApiRequest::Parse("/3//movie/550/")->path, (std::vector<std::string>{"movie", "550"}));
}

TEST(Query, ReadsWhatClientsSend) {
  const Query query = Query::Parse(
      "api_key=K&&region=&append_to_response=credits%2Cwatch%2Fproviders&include_video_language=de, en"
      "&query=Die+Hard%21&page=1&page=2&include_adult=TRUE&flag&odd=100%");
  EXPECT_EQ(query.Get("region"), std::nullopt);
  EXPECT_EQ(query.Get("flag"), std::nullopt);
  EXPECT_EQ(query.Get("query"), "Die Hard!");
  EXPECT_EQ(query.Get("page"), "2");
  EXPECT_EQ(query.Get("odd"), "100%");
  EXPECT_TRUE(query.IsTrue("include_adult"));
  EXPECT_FALSE(query.IsTrue("page"));
  EXPECT_EQ(query.List("append_to_response"), (Parts{"credits", "watch/providers"}));
  EXPECT_EQ(query.List("include_video_language"), (Parts{"de", "en"}));
}

TEST(Query, HasOneSpellingWithoutTheKey) {
  const std::string canonical = Query::Parse("b=2&api_key=secret&a=x y&callback=f&empty=").Canonical();
  EXPECT_EQ(canonical, "a=x%20y&b=2");
  EXPECT_EQ(Query::Parse("a=x+y&b=2").Canonical(), canonical);
}

}  // namespace
}  // namespace tmdbc::read_api
