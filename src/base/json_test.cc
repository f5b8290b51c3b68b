// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <string>

namespace tmdbc {
namespace {

std::vector<std::string> Values(std::string_view json) {
  std::vector<std::string> values;
  for (const RawMember& raw : RawMembers(json))
    values.emplace_back(json.substr(raw.value, raw.end - raw.value));
  return values;
}

std::string Without(std::string_view json, const std::vector<bool>& cut) {
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

TEST(ParsedJson, ANumberBeyond64BitsIsNoIntegerAndHasItsText) {
  const auto parsed = ParsedJson::Parse(
      R"({"a":[7,12345678901234567890123],"b":12345678901234567890123,"c":1e999,"d":0.25})");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  const auto a = parsed->root()["a"].at(1).value(), b = parsed->root()["b"].value(),
             c = parsed->root()["c"].value();
  EXPECT_TRUE(IsOddNumber(a) && IsOddNumber(b) && IsOddNumber(c));
  EXPECT_FALSE(IsOddNumber(parsed->root()["d"].value()));
  EXPECT_FALSE(IsOddNumber(parsed->root()["a"].value()));
  std::int64_t number = 0;
  EXPECT_NE(b.get(number), simdjson::SUCCESS);
  EXPECT_EQ(parsed->root()["a"].at(0).get_int64().value(), 7);
  EXPECT_EQ(parsed->root()["d"].get_double().value(), 0.25);
  const auto bits = [](simdjson::dom::element value) {
    return std::bit_cast<std::uint64_t>(value.get_double().value());
  };
  EXPECT_EQ(bits(a), bits(b));
  EXPECT_NE(bits(b), bits(c));
}

TEST(ParsedJson, OddTextInOnePlaceChangesNothingElsewhere) {
  // Every kind of value around odd ones, in a text that no longer fits the first parser.
  std::string json = "[";
  for (int i = 0; i < 5000; ++i)
    json += R"({"i":)" + std::to_string(i) +
            R"(,"s":"\ud800\"1e999\\","o":-1e999,"l":[null,true,false,-1.5,{}]},)";
  json += "0]";
  const auto parsed = ParsedJson::Parse(json);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  int at = 0;
  for (const simdjson::dom::element row : parsed->root().get_array()) {
    if (!row.is_object()) break;
    ASSERT_EQ(row["i"].get_int64().value(), at++);
    ASSERT_EQ(row["s"].get_string().value(), "\xEF\xBF\xBD\"1e999\\");
    ASSERT_TRUE(IsOddNumber(row["o"].value()));
    ASSERT_EQ(row["l"].at(3).get_double().value(), -1.5);
  }
  EXPECT_EQ(at, 5000);
}

TEST(RawMembers, PassOverAByteOrderMark) {
  EXPECT_EQ(Values("\xEF\xBB\xBF{\"a\":1}"), std::vector<std::string>{"1"});
}

}  // namespace
}  // namespace tmdbc
