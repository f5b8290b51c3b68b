// SPDX-License-Identifier: MIT
#include "base/percent.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

TEST(Percent, UndoesEscapesAndLeavesWhatIsNone) {
  EXPECT_EQ(PercentDecoded("a%2Fb%2fc+d"), "a/b/c+d");
  EXPECT_EQ(FormDecoded("Die+Hard%21"), "Die Hard!");
  for (const char* text : {"%", "100%", "%2", "%zz", "%4g"}) EXPECT_EQ(PercentDecoded(text), text);
  EXPECT_EQ(PercentDecoded("%00"), std::string(1, '\0'));
}

TEST(Percent, ComesBackAsItWas) {
  std::string every, encoded;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  AppendPercentEncoded(encoded, every);
  EXPECT_EQ(PercentDecoded(encoded), every);
  EXPECT_EQ(FormDecoded(encoded), every);
}

TEST(Percent, KeepsWhatItIsToldTo) {
  std::string path;
  AppendPercentEncoded(path, "a b/c", "/");
  EXPECT_EQ(path, "a%20b/c");
}

}  // namespace
}  // namespace tmdbc
