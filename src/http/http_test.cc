// SPDX-License-Identifier: MIT
#include "http/http.h"

#include <gtest/gtest.h>

namespace tmdbc::http {
namespace {

TEST(Response, FindsAHeaderWhateverItsCase) {
  Response response;
  response.headers = {
      {"content-type", "application/json;charset=utf-8"}, {"Retry-After", "1"}, {"retry-after", "2"}};
  EXPECT_EQ(response.header("Content-Type"), "application/json;charset=utf-8");
  EXPECT_EQ(response.header("RETRY-AFTER"), "1") << "the first one counts";
  EXPECT_EQ(response.header("Content-Typ"), "");
  EXPECT_EQ(response.header("ETag"), "");
}

TEST(Shown, KeepsPathAndQueryAndNothingElse) {
  EXPECT_EQ(Shown("https://api.themoviedb.org/3/movie/550?append_to_response=credits,images"),
            "/3/movie/550?append_to_response=credits,images");
  EXPECT_EQ(Shown("https://user:password@proxy.example/3/movie/550"), "/3/movie/550");
  EXPECT_EQ(Shown("https://user:password@proxy.example?page=1"), "?page=1");
  EXPECT_EQ(Shown("http://127.0.0.1:8080"), "/");
  EXPECT_EQ(Shown("/3/configuration"), "/3/configuration");
}

TEST(Shown, CutsWhatIsTooLongForALine) {
  const std::string shown =
      Shown("https://api.themoviedb.org/3/movie/550?append_to_response=" + std::string(500, 'x'));
  EXPECT_EQ(shown.size(), 200u);
  EXPECT_TRUE(shown.ends_with("x..."));
}

TEST(Shown, HoldsNoControlCharacters) {
  EXPECT_EQ(Shown("http://h/a\nb\x1b[31m"), "/a?b?[31m");
}

}  // namespace
}  // namespace tmdbc::http
