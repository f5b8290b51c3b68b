// SPDX-License-Identifier: MIT
#include "base/words.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

TEST(EditDistance, CountsChangedAddedAndDroppedLetters) {
  EXPECT_EQ(EditDistance("status", "status"), 0);
  EXPECT_EQ(EditDistance("statis", "status"), 1);
  EXPECT_EQ(EditDistance("stats", "status"), 1);
  EXPECT_EQ(EditDistance("", "run"), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(DidYouMean, NamesTheClosestWordAndNothingWhenNoneIsClose) {
  const std::vector<std::string> known = {"run", "harvest", "status"};
  EXPECT_EQ(DidYouMean("harvst", known), ", did you mean harvest?");
  EXPECT_EQ(DidYouMean("stauts", known), ", did you mean status?");
  EXPECT_EQ(DidYouMean("deploy", known), "");
  EXPECT_EQ(DidYouMean(std::string(5000, 'x'), known), "");
}

TEST(MaskKeys, HidesKeysOfBothKindsWhereverTheyStand) {
  EXPECT_EQ(MaskKeys("get movie/550?api_key=0123456789abcdef0123456789abcdef&x=1: HTTP 401"),
            "get movie/550?api_key=***&x=1: HTTP 401");
  EXPECT_EQ(MaskKeys("Bearer eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiIwMTIzIn0.3Zr-XaDN_S2V"), "Bearer ***");
  EXPECT_EQ(MaskKeys("0123456789ABCDEF0123456789ABCDEF"), "***");
}

TEST(MaskKeys, LeavesWhatIsNoKey) {
  const std::string sha = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  EXPECT_EQ(MaskKeys(sha), sha);
  EXPECT_EQ(MaskKeys("open ./data/catalog.db: disk I/O error"), "open ./data/catalog.db: disk I/O error");
}

TEST(ShellQuote, MakesOneWordOfAPath) {
  EXPECT_EQ(ShellQuote("/srv/tmdb-1/data_2"), "/srv/tmdb-1/data_2");
  EXPECT_EQ(ShellQuote("my data"), "'my data'");
  EXPECT_EQ(ShellQuote("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(ShellQuote("~/data"), "'~/data'");
  EXPECT_EQ(ShellQuote(""), "''");
}

TEST(ShowValue, FitsOneLineAndHidesUserAndQuery) {
  EXPECT_EQ(ShowValue("a\nb\tc"), "a b c");
  EXPECT_EQ(ShowValue(std::string(300, 'a')), std::string(100, 'a') + "...");
  EXPECT_EQ(ShowValue("https://user:word@host/3?api_key=abc"), "***@host/3?***");
}

}  // namespace
}  // namespace tmdbc
