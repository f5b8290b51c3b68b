// SPDX-License-Identifier: MIT
#include "serve/answer_cache.h"

#include <gtest/gtest.h>

namespace tmdbc::serve {
namespace {

FinishedAnswer Of(std::size_t bytes) {
  return {.body = std::make_shared<const std::string>(bytes, 'x')};
}

TEST(AnswerCache, KeepsWhatIsUsedAndStaysWithinItsBytes) {
  AnswerCache cache(100'000);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_NE(cache.Put("k" + std::to_string(i), Of(2000)), nullptr);
    EXPECT_LE(cache.bytes(), 100'000u);
    ASSERT_NE(cache.Find("k0"), nullptr) << i;
  }
  EXPECT_EQ(cache.Find("k500"), nullptr);
  EXPECT_GT(cache.size(), 30u);
}

TEST(AnswerCache, FindsAnAnswerByTheTargetsThatLedToIt) {
  AnswerCache cache(100'000);
  cache.Put("movie/1", Of(10));
  cache.Alias("/3/movie/1?api_key=a", "movie/1");
  EXPECT_EQ(cache.FindAlias("/3/movie/1?api_key=a"), cache.Find("movie/1"));
  EXPECT_EQ(cache.FindAlias("movie/1"), nullptr);
  cache.Remove("movie/1");
  EXPECT_EQ(cache.FindAlias("/3/movie/1?api_key=a"), nullptr);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(AnswerCache, IsNotFilledByOneAnswerInAThousandSpellings) {
  AnswerCache cache(100'000);
  cache.Put("movie/1", Of(10));
  for (int i = 0; i < 1000; ++i) cache.Alias("/3/movie/1?x=" + std::to_string(i), "movie/1");
  EXPECT_EQ(cache.FindAlias("/3/movie/1?x=999"), nullptr);
  EXPECT_NE(cache.FindAlias("/3/movie/1?x=0"), nullptr);
  EXPECT_LT(cache.bytes(), 2000u);
}

TEST(AnswerCache, DoesNotKeepWhatWouldDriveOutEverythingElse) {
  AnswerCache cache(100'000);
  cache.Put("small", Of(10));
  EXPECT_EQ(cache.Put("large", Of(20'000)), nullptr);
  EXPECT_NE(cache.Find("small"), nullptr);
  AnswerCache none(0);
  EXPECT_EQ(none.Put("small", Of(10)), nullptr);
}

TEST(AnswerCache, CountsTheGzipThatIsMadeLater) {
  AnswerCache cache(100'000);
  cache.Put("a", Of(1000));
  const std::size_t before = cache.bytes();
  cache.Find("a")->gzip = std::make_shared<const std::string>(300, 'g');
  cache.Grew();
  EXPECT_EQ(cache.bytes(), before + 300);
}

}  // namespace
}  // namespace tmdbc::serve
