// SPDX-License-Identifier: MIT
#include "duckdb/value_writer.h"

#include <gtest/gtest.h>

#include "testing/duckdb_library.h"

namespace tmdbc::duckdb {
namespace {

struct Forms {
  std::string text, json;
  bool operator==(const Forms&) const = default;
};

class ValueWriterTest : public ::testing::Test {
 protected:
  Forms Of(const std::string& expression) {
    auto rows = connection_.Query("SELECT " + expression);
    if (!rows) return {rows.error().message, ""};
    const auto writer = ValueWriter::For(*rows);
    if (!writer) return {writer.error().message, ""};
    Forms forms;
    if (!rows->Next().value()) return {"no row", ""};
    writer->Text(*rows, 0, 0, forms.text);
    writer->Json(*rows, 0, 0, forms.json);
    return forms;
  }
  void Expect(const std::string& expression, const std::string& text, const std::string& json) {
    const Forms forms = Of(expression);
    EXPECT_EQ(forms.text, text) << expression;
    EXPECT_EQ(forms.json, json) << expression;
  }

  Database database_ = Database::Open(tmdbc::testing::Duckdb(), {}).value();
  Connection connection_ = database_.Connect().value();
};

TEST_F(ValueWriterTest, NumbersHaveAllTheirDigits) {
  for (const char* type : {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
    Expect(std::string("(-12)::") + type, "-12", "-12");
  for (const char* type : {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"})
    Expect(std::string("200::") + type, "200", "200");
  Expect("9223372036854775807", "9223372036854775807", "9223372036854775807");
  Expect("-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728",
         "-170141183460469231731687303715884105728");
  Expect("340282366920938463463374607431768211455::UHUGEINT", "340282366920938463463374607431768211455",
         "340282366920938463463374607431768211455");
  Expect("sum(i) FROM range(3) t(i)", "3", "3");
}

TEST_F(ValueWriterTest, DecimalsOfEveryWidthKeepTheirScale) {
  Expect("1.50", "1.50", "1.50");
  Expect("-0.05", "-0.05", "-0.05");
  Expect("12345.678::DECIMAL(9,3)", "12345.678", "12345.678");
  Expect("(-1234567890.12)::DECIMAL(18,2)", "-1234567890.12", "-1234567890.12");
  Expect("12345678901234567890.1234567890::DECIMAL(38,10)", "12345678901234567890.1234567890",
         "12345678901234567890.1234567890");
  Expect("7::DECIMAL(4,0)", "7", "7");
}

TEST_F(ValueWriterTest, DoublesHaveAPointAndTheFewestDigits) {
  Expect("7.3::DOUBLE", "7.3", "7.3");
  Expect("10::DOUBLE", "10.0", "10.0");
  Expect("0.1::DOUBLE + 0.2::DOUBLE", "0.30000000000000004", "0.30000000000000004");
  Expect("1e300::DOUBLE", "1e+300", "1e+300");
  Expect("0.1::FLOAT", "0.1", "0.1");
  Expect("'inf'::DOUBLE", "inf", "null");
  Expect("'-inf'::FLOAT", "-inf", "null");
  Expect("'nan'::DOUBLE", "nan", "null");
  Expect("0::DOUBLE / 0::DOUBLE", "nan", "null");
}

TEST_F(ValueWriterTest, DatesAndTimesAreIso) {
  Expect("DATE '2026-11-30'", "2026-11-30", "\"2026-11-30\"");
  Expect("DATE '0001-01-01'", "0001-01-01", "\"0001-01-01\"");
  Expect("DATE '1969-12-31'", "1969-12-31", "\"1969-12-31\"");
  Expect("DATE '2024-02-29'", "2024-02-29", "\"2024-02-29\"");
  Expect("DATE '99999-12-31'", "99999-12-31", "\"99999-12-31\"");
  Expect("DATE '0044-03-15 (BC)'", "-0043-03-15", "\"-0043-03-15\"");
  Expect("'infinity'::DATE", "infinity", "\"infinity\"");
  Expect("TIMESTAMPTZ '2026-11-30 15:00:00+00'", "2026-11-30T15:00:00Z", "\"2026-11-30T15:00:00Z\"");
  Expect("TIMESTAMPTZ '2026-11-30 15:00:00.120+02'", "2026-11-30T13:00:00.12Z",
         "\"2026-11-30T13:00:00.12Z\"");
  Expect("TIMESTAMP '1969-12-31 23:59:59.999999'", "1969-12-31T23:59:59.999999",
         "\"1969-12-31T23:59:59.999999\"");
  Expect("'-infinity'::TIMESTAMP", "-infinity", "\"-infinity\"");
  Expect("'2026-11-30 15:00:01'::TIMESTAMP_S", "2026-11-30T15:00:01", "\"2026-11-30T15:00:01\"");
  Expect("'2026-11-30 15:00:01.5'::TIMESTAMP_MS", "2026-11-30T15:00:01.5", "\"2026-11-30T15:00:01.5\"");
  Expect("'2026-11-30 15:00:01.000000001'::TIMESTAMP_NS", "2026-11-30T15:00:01.000000001",
         "\"2026-11-30T15:00:01.000000001\"");
  Expect("TIME '01:02:03.004'", "01:02:03.004", "\"01:02:03.004\"");
  Expect("'01:02:03+05:30'::TIMETZ", "01:02:03+05:30", "\"01:02:03+05:30\"");
  Expect("'01:02:03-08'::TIMETZ", "01:02:03-08:00", "\"01:02:03-08:00\"");
  Expect("INTERVAL '14 months 1 day 3 hours'", "1 year 2 months 1 day 03:00:00",
         "\"1 year 2 months 1 day 03:00:00\"");
  Expect("INTERVAL '-1 second'", "-00:00:01", "\"-00:00:01\"");
  Expect("INTERVAL '0 days'", "00:00:00", "\"00:00:00\"");
}

TEST_F(ValueWriterTest, TextsAndTheirKind) {
  Expect("'it''s \"so\"' || chr(10)", "it's \"so\"\n", "\"it's \\\"so\\\"\\n\"");
  Expect("''", "", "\"\"");
  Expect("'\\xAB\\x00'::BLOB", "AB00", "\"AB00\"");
  Expect("'0101'::BIT", "0101", "\"0101\"");
  Expect("'110f5fd4-e30a-4d3a-9d33-36ec8ae2a3f0'::UUID", "110f5fd4-e30a-4d3a-9d33-36ec8ae2a3f0",
         "\"110f5fd4-e30a-4d3a-9d33-36ec8ae2a3f0\"");
  Expect("'b'::ENUM('a', 'b')", "b", "\"b\"");
  Expect("true", "true", "true");
  Expect("NULL", "", "null");
  Expect("NULL::VARCHAR", "", "null");
}

TEST_F(ValueWriterTest, WhatIsMadeOfOthersIsJson) {
  Expect("[1, NULL, 3]", "[1,null,3]", "[1,null,3]");
  Expect("[]::BIGINT[]", "[]", "[]");
  Expect("['a', 'b,\"c\"']", R"(["a","b,\"c\""])", R"(["a","b,\"c\""])");
  Expect("[1.5, 2.5]::DOUBLE[2]", "[1.5,2.5]", "[1.5,2.5]");
  Expect("{'a': 1, 'b': [{'c': DATE '2026-01-01'}]}", R"({"a":1,"b":[{"c":"2026-01-01"}]})",
         R"({"a":1,"b":[{"c":"2026-01-01"}]})");
  Expect("MAP {'x': 1, 'y': NULL}", R"({"x":1,"y":null})", R"({"x":1,"y":null})");
  Expect("MAP {1: 'one'}", R"({"1":"one"})", R"({"1":"one"})");
  Expect("union_value(n := 5)", "5", "5");
  Expect("NULL::BIGINT[]", "", "null");
}

TEST_F(ValueWriterTest, NestedValuesOfManyRowsStayWithTheirRows) {
  auto rows =
      connection_.Query("SELECT i, [{'i': i, 'text': repeat('x', (i % 20)::INT)}] FROM range(5000) t(i)")
          .value();
  const auto writer = ValueWriter::For(rows).value();
  std::size_t seen = 0;
  while (rows.Next().value()) {
    for (std::size_t row = 0; row < rows.size(); ++row, ++seen) {
      const auto i = rows.Bigint(0, row);
      std::string json;
      writer.Json(rows, 1, row, json);
      ASSERT_EQ(json, fmt::format(R"([{{"i":{},"text":"{}"}}])", i, std::string(i % 20, 'x')));
    }
  }
  EXPECT_EQ(seen, 5000u);
}

TEST_F(ValueWriterTest, ATypeThatIsNotKnownIsNamedWithItsColumn) {
  auto rows = connection_.Query("SELECT 1 AS a, 123::BIGNUM AS large").value();
  const auto writer = ValueWriter::For(rows);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().message, "column large has a type that cannot be printed: cast it to VARCHAR");
}

}  // namespace
}  // namespace tmdbc::duckdb
