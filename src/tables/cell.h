// SPDX-License-Identifier: MIT
// Cell: one value of a row, of the type that its column has; and how a value of TMDB's JSON becomes one. Pure.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "tables/spec.h"

namespace tmdbc::tables {

struct Cell {
  bool null = true;
  std::int64_t number =
      0;            // kInteger; kBool: 0 or 1; kDate: days since 1970; kTime: microseconds since 1970, UTC
  double real = 0;  // kReal
  std::string_view text{};  // kText; a view into the record
  bool operator==(const Cell&) const = default;
};

inline Cell TextCell(std::string_view text) {
  return {.null = false, .text = text};
}
inline Cell NumberCell(std::int64_t number) {
  return {.null = false, .number = number};
}

struct Conversion {
  Cell cell;                // null when `reason` is not empty, and of null and ""
  std::string_view reason;  // why the value does not fit
};

// What does not fit is told, never bent:
//   text     a string
//   integer  a whole number of 64 bits, also written 7.0; or a string of digits, as a company's /movies has for ids
//   real     a number; or a string of digits
//   boolean  true, false
//   date     a string "2026-11-22" of the years 1 to 9999, a day that there is
//   time     a string: a date, T or a blank, a time of day, an optional fraction, Z or " UTC"; or a date alone, its
//            midnight. What is finer than a microsecond is cut.
// null and "" are no value in any of them.
Conversion Convert(ColumnType type, simdjson::dom::element value);

// Days since 1970 of "2026-11-22"; microseconds since 1970 of an instant in the forms above.
std::optional<std::int64_t> ParseDay(std::string_view text);
std::optional<std::int64_t> ParseInstant(std::string_view text);

}  // namespace tmdbc::tables
