// SPDX-License-Identifier: MIT
#include "json.h"

#include <gtest/gtest.h>

namespace tmdbc::sim {
namespace {

TEST(Json, QuotesAsTmdbDoesAndAsGoDoes) {
  std::string plain, go;
  AppendQuoted(plain, "Tom & \"Jerry\" <1>\n\t\\ é\x01");
  AppendQuoted(go, "Tom & \"Jerry\" <1>\n\t\\ é\x01", true);
  EXPECT_EQ(plain, R"("Tom & \"Jerry\" <1>\n\t\\ é\u0001")");
  EXPECT_EQ(go, R"("Tom \u0026 \"Jerry\" \u003c1\u003e\n\t\\ é\u0001")");
}

TEST(Json, WritesFloatsWithAtLeastOneDecimal) {
  const std::pair<double, const char*> cases[] = {{0, "0.0"},          {5, "5.0"},   {8.438, "8.438"},
                                                  {1.23456, "1.2346"}, {0.1, "0.1"}, {1234.5, "1234.5"}};
  for (const auto& [value, text] : cases) {
    std::string out;
    AppendReal(out, value, 4);
    EXPECT_EQ(out, text);
  }
}

TEST(Json, FindsMembersWhateverIsInThem) {
  const std::string text = R"( { "a" : "}\",{" , "b":[1,{"a":2}], "c" :{"d":null},"e":-1.5e3 } )";
  const auto parts = PartsOf(text);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].value, R"("}\",{")");
  EXPECT_EQ(parts[1].value, R"([1,{"a":2}])");
  EXPECT_EQ(parts[2].value, R"({"d":null})");
  EXPECT_EQ(parts[3].value, "-1.5e3");
  EXPECT_EQ(PartOf(text, "b"), R"([1,{"a":2}])");
  EXPECT_EQ(PartOf(text, "d"), std::nullopt);
  EXPECT_TRUE(PartsOf("[1,2]").empty());
  EXPECT_TRUE(PartsOf("{}").empty());
}

TEST(Json, FindsElements) {
  const auto elements = ElementsOf(R"([ {"a":[1,2]}, "x,]", 3 ])");
  ASSERT_EQ(elements.size(), 3u);
  EXPECT_EQ(elements[0], R"({"a":[1,2]})");
  EXPECT_EQ(elements[1], R"("x,]")");
  EXPECT_EQ(elements[2], "3");
  EXPECT_TRUE(ElementsOf("[]").empty());
}

TEST(Json, CutsAMemberAndKeepsTheOtherBytes) {
  EXPECT_EQ(WithoutPart(R"({"_id":"x","id":5,"b":{"id":1.50}})", "id"), R"({"_id":"x","b":{"id":1.50}})");
  EXPECT_EQ(WithoutPart(R"({"id":5})", "id"), "{}");
  EXPECT_EQ(WithoutPart(R"({"a":1})", "id"), R"({"a":1})");
}

TEST(Json, TakesOutTheWhiteSpaceBetweenTokensOnly) {
  EXPECT_EQ(Compact("{\n \"a b\" : [ 1 ,\t2 ],\r\n \"c\\\" d\": \" x \" }\n"),
            R"({"a b":[1,2],"c\" d":" x "})");
}

}  // namespace
}  // namespace tmdbc::sim
