// SPDX-License-Identifier: MIT
#include "base/json_walker.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tmdbc {
namespace {

// A container of so many values, nested, whose strings hold what looks like structure.
std::string RandomContainer(std::mt19937& random, int depth) {
  constexpr std::string_view kPieces[] = {"a", "\\\\",     "\\\"", "{",        "}",      "[",
                                          "]", "\\\\\\\"", ",",    "\xC3\xA9", "\\u00e9"};
  const auto below = [&random](unsigned n) { return static_cast<unsigned>(random() % n); };
  const auto string = [&] {
    std::string text = "\"";
    for (unsigned i = below(40); i > 0; --i) text += kPieces[below(std::size(kPieces))];
    return text + "\"";
  };
  const bool object = below(2) == 0;
  std::string text = object ? "{" : "[";
  for (unsigned i = 0, count = below(6); i < count; ++i) {
    if (i > 0) text += ',';
    if (object) text += string() + ":";
    const unsigned kind = below(4);
    text += kind == 0 && depth > 0 ? RandomContainer(random, depth - 1) : kind == 1 ? "-12.5e3" : string();
  }
  return text + (object ? "}" : "]");
}

TEST(JsonWalker, FindsTheEndOfWhateverStandsInAContainer) {
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const std::string value = RandomContainer(random, 4);
    // It lies anywhere in a text, and the text ends behind it or goes on.
    for (const std::string_view behind :
         {"", "]", ",{\"a\":\"}\"}", "                                                   }"}) {
      const std::string text = value + std::string(behind);
      JsonWalker walker(text);
      walker.SkipValue();
      ASSERT_EQ(static_cast<std::size_t>(walker.at() - text.data()), value.size()) << text;
    }
  }
}

TEST(JsonWalker, StopsAtTheEndOfTextThatIsCutOff) {
  std::mt19937 random(8);
  for (int i = 0; i < 2'000; ++i) {
    const std::string whole = RandomContainer(random, 3);
    const std::string text = whole.substr(0, random() % whole.size());
    if (text.empty()) continue;
    JsonWalker walker(text);
    walker.SkipValue();
    ASSERT_TRUE(walker.AtEnd()) << text;
  }
}

}  // namespace
}  // namespace tmdbc
