// SPDX-License-Identifier: MIT
#include "tables/cell.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tmdbc::tables {
namespace {

struct Case {
  ColumnType type;
  std::string_view json;
  std::string_view expected;  // the value as text, NULL, or what the reason begins with behind a !
};

std::string Show(ColumnType type, const Conversion& conversion) {
  if (!conversion.reason.empty()) return "!" + std::string(conversion.reason);
  if (conversion.cell.null) return "NULL";
  if (type == ColumnType::kText) return std::string(conversion.cell.text);
  if (type == ColumnType::kReal) return fmt::format("{}", conversion.cell.real);
  return fmt::format("{}", conversion.cell.number);
}

TEST(Cell, TakesWhatFitsAndSaysWhyTheRestDoesNot) {
  using enum ColumnType;
  constexpr Case kCases[] = {
      {kText, R"("Fight Club")", "Fight Club"},
      {kText, R"("")", "NULL"},
      {kText, "null", "NULL"},
      {kText, "1917", "!a number"},
      {kText, "true", "!true or false"},
      {kText, R"(["a"])", "!a list"},
      {kText, R"({"a":1})", "!an object"},
      {kInteger, "2923706026", "2923706026"},
      {kInteger, "-9223372036854775808", "-9223372036854775808"},
      {kInteger, "9223372036854775807", "9223372036854775807"},
      {kInteger, "9007199254740993", "9007199254740993"},
      {kInteger, "9223372036854775808", "!a number beyond"},
      {kInteger, "18446744073709551616", "!a number beyond"},
      {kInteger, "1e400", "!a number beyond"},
      {kInteger, "1e18", "1000000000000000000"},
      {kInteger, "1e19", "!a number beyond"},
      {kInteger, "7.0", "7"},
      {kInteger, "7.5", "!a number that is not whole"},
      {kInteger, R"("185472180051")", "185472180051"},
      {kInteger, R"("-5")", "-5"},
      {kInteger, R"("-")", "!text"},
      {kInteger, R"("+5")", "!text"},
      {kInteger, R"("12a")", "!text"},
      {kInteger, R"(" 12")", "!text"},
      {kInteger, R"("99999999999999999999")", "!text"},
      {kInteger, R"("")", "NULL"},
      {kInteger, "false", "!true or false"},
      {kReal, "0", "0"},
      {kReal, "7.3", "7.3"},
      {kReal, "18446744073709551615", "1.8446744073709552e+19"},
      {kReal, "1e400", "!a number beyond"},
      {kReal, R"("10")", "10"},
      {kReal, R"("7.3")", "!text"},
      {kBool, "true", "1"},
      {kBool, "false", "0"},
      {kBool, "0", "!a number"},
      {kBool, R"("false")", "!text"},
      {kDate, R"("1999-10-15")", "10879"},
      {kDate, R"("2024-02-29")", "19782"},
      {kDate, R"("2023-02-30")", "!no day"},
      {kDate, R"("0000-00-00")", "!no day"},
      {kDate, R"("0001-01-01")", "-719162"},
      {kDate, R"("9999-12-31")", "2932896"},
      {kDate, R"("1945")", "!no day"},
      {kDate, R"("1945-06")", "!no day"},
      {kDate, R"("1999-10-15 ")", "!no day"},
      {kDate, R"("1999-10-15T00:00:00.000Z")", "!no day"},
      {kDate, R"("-999-10-15")", "!no day"},
      {kDate, "19991015", "!a number"},
      {kTime, R"("1970-01-02T00:00:01.5Z")", "86401500000"},
      {kTime, R"("1970-01-02 00:00:01 UTC")", "86401000000"},
      {kTime, R"("1970-01-02")", "86400000000"},
      {kTime, R"("1970-01-02T00:00:01.1234567Z")", "86401123456"},
      {kTime, R"("1970-01-02T00:00:01")", "!no instant"},
      {kTime, R"("1970-01-02T24:00:00Z")", "!no instant"},
      {kTime, R"("1970-01-02T00:00:60Z")", "!no instant"},
      {kTime, R"("1970-01-02T00:00:01.Z")", "!no instant"},
      {kTime, R"("1970-01-02T00:00:01+02:00")", "!no instant"},
  };
  for (const Case& one : kCases) {
    const auto parsed = ParsedJson::Parse(one.json);
    ASSERT_TRUE(parsed) << one.json;
    const std::string shown = Show(one.type, Convert(one.type, parsed->root()));
    if (one.expected.starts_with('!')) {
      EXPECT_TRUE(shown.starts_with(one.expected)) << one.json << ": " << shown;
    } else {
      EXPECT_EQ(shown, one.expected) << SqlName(one.type) << " " << one.json;
    }
  }
}

}  // namespace
}  // namespace tmdbc::tables
