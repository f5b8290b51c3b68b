// SPDX-License-Identifier: MIT
#include "tmdb/json_text.h"

#include <gtest/gtest.h>

#include <random>

namespace tmdbc {
namespace {

std::vector<std::string> Values(std::string_view json) {
  std::vector<std::string> values;
  for (const RawMember& raw : RawMembers(json))
    values.emplace_back(json.substr(raw.value, raw.end - raw.value));
  return values;
}

std::string Without(std::string_view json, std::vector<bool> cut) {
  return WithoutMembers(json, RawMembers(json), cut);
}

TEST(RawMembers, FindsEveryValueWithItsBytes) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(Values("{}"), Strings{});
  EXPECT_EQ(Values(" [ ] "), Strings{});
  EXPECT_EQ(Values(R"({"a":1})"), Strings{"1"});
  EXPECT_EQ(Values(R"( { "a" : -1.5e3 , "b" : true,"c":null } )"), (Strings{"-1.5e3", "true", "null"}));
  EXPECT_EQ(Values(R"(["\\","\"","\\\"",",","]","[{"])"),
            (Strings{R"("\\")", R"("\"")", R"("\\\"")", R"(",")", R"("]")", R"("[{")"}));
  EXPECT_EQ(Values(R"([{"a":[1,{"]":"}"}]},[[],{}], "" ])"),
            (Strings{R"({"a":[1,{"]":"}"}]})", "[[],{}]", R"("")"}));
  EXPECT_EQ(Values(R"({"\"a\\":1,"b:":[2]})"), (Strings{"1", "[2]"}));
}

TEST(RawMembers, GiveTheNameWithTheMember) {
  const std::string_view json = R"({ "a" : 1 , "b\"":[2] })";
  const std::vector<RawMember> members = RawMembers(json);
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(json.substr(members[0].begin, members[0].end - members[0].begin), R"("a" : 1)");
  EXPECT_EQ(json.substr(members[1].begin, members[1].end - members[1].begin), R"("b\"":[2])");
}

TEST(WithoutMembers, TakesOneCommaAlongAndKeepsEveryOtherByte) {
  const std::string_view json = R"({ "a":1 ,  "b" : 2,"c":[ 3 ]	})";
  EXPECT_EQ(Without(json, {false, false, false}), json);
  EXPECT_EQ(Without(json, {true, false, false}), R"({ "b" : 2,"c":[ 3 ]	})");
  EXPECT_EQ(Without(json, {false, true, false}), R"({ "a":1,"c":[ 3 ]	})");
  EXPECT_EQ(Without(json, {false, false, true}), R"({ "a":1 ,  "b" : 2	})");
  EXPECT_EQ(Without(json, {true, true, false}), R"({ "c":[ 3 ]	})");
  EXPECT_EQ(Without(json, {true, false, true}), R"({ "b" : 2	})");
  EXPECT_EQ(Without(json, {false, true, true}), R"({ "a":1	})");
  EXPECT_EQ(Without(json, {true, true, true}), "{ \t}");
  EXPECT_EQ(Without("{ }", {}), "{ }");
}

TEST(RawMembers, NeverReadOutsideOfTextThatIsNotJson) {
  // What they find does not matter; the address sanitizer judges.
  std::mt19937_64 random(7);
  constexpr std::string_view kLetters = "{}[]\",:\\ 1a";
  for (int round = 0; round < 20'000; ++round) {
    std::vector<char> text(random() % 12);  // on the heap, with nothing behind it
    for (char& c : text) c = kLetters[random() % kLetters.size()];
    const std::string_view json(text.data(), text.size());
    for (const RawMember& raw : RawMembers(json)) {
      ASSERT_LE(raw.begin, raw.value);
      ASSERT_LE(raw.value, raw.end);
      ASSERT_LE(raw.end, json.size());
    }
  }
}

TEST(ParsedJson, TwoAtOnceInAThreadDoNotDisturbEachOther) {
  const auto one = ParsedJson::Parse(R"({"name":"one"})");
  const auto two = ParsedJson::Parse(R"({"name":"two"})");
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_EQ(one->root()["name"].get_string().value(), "one");
  EXPECT_EQ(two->root()["name"].get_string().value(), "two");
}

TEST(ParsedJson, KeepsNothingOfTheTextItWasMadeFrom) {
  std::string text = R"({"name":"one"})";
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  const auto parsed = ParsedJson::ParseString(text);
  text.assign(text.size(), '!');
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->root()["name"].get_string().value(), "one");
}

TEST(ParsedJson, GoesOnAfterTextThatItRefused) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(ParsedJson::Parse("{\"a\":").has_value());
    EXPECT_TRUE(ParsedJson::Parse("{\"a\":1}").has_value());
    const std::string large = "[" + std::string(3 << 20, ' ') + "1]";  // larger than the parser that is kept
    EXPECT_TRUE(ParsedJson::Parse(large).has_value());
  }
}

}  // namespace
}  // namespace tmdbc
