// SPDX-License-Identifier: MIT
#include "tables/cell.h"

#include <charconv>
#include <chrono>
#include <cmath>

#include "base/json.h"

namespace tmdbc::tables {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::int64_t kMicros = 1'000'000;

// Exactly `digits` digits at the front of `text`, which are taken.
std::optional<int> TakeNumber(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = 10 * number + (c - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> TakeDay(std::string_view& text) {
  const auto year = TakeNumber(text, 4);
  if (!year || *year < 1 || !Take(text, '-')) return std::nullopt;
  const auto month = TakeNumber(text, 2);
  if (!month || !Take(text, '-')) return std::nullopt;
  const auto day = TakeNumber(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(unsigned(*month)),
                                         std::chrono::day(unsigned(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// Microseconds of the fraction behind the seconds, if there is one.
std::optional<std::int64_t> TakeFraction(std::string_view& text) {
  if (!Take(text, '.')) return 0;
  std::int64_t micros = 0, unit = kMicros / 10;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits, unit /= 10)
    micros += unit * (text[digits] - '0');
  text.remove_prefix(digits);
  if (digits == 0) return std::nullopt;
  return micros;
}

std::optional<std::int64_t> ParseDigits(std::string_view text) {
  if (text == "-" ||
      text.find_first_not_of("0123456789", text.starts_with('-') ? 1 : 0) != std::string_view::npos)
    return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Conversion Fits(std::int64_t number) {
  return {{.null = false, .number = number}, {}};
}
Conversion Fits(double real) {
  return {{.null = false, .real = real}, {}};
}
Conversion Fits(std::string_view text) {
  return {{.null = false, .text = text}, {}};
}
Conversion Rejected(std::string_view reason) {
  return {{}, reason};
}

Conversion FromText(ColumnType type, std::string_view text) {
  if (text.empty()) return {};
  switch (type) {
    case ColumnType::kText:
      return Fits(text);
    case ColumnType::kInteger:
      if (const auto number = ParseDigits(text)) return Fits(*number);
      return Rejected("text that is not a whole number of 64 bits");
    case ColumnType::kReal:
      if (const auto number = ParseDigits(text)) return Fits(double(*number));
      return Rejected("text that is not a whole number of 64 bits");
    case ColumnType::kBool:
      return Rejected("text, neither true nor false");
    case ColumnType::kDate:
      if (const auto day = ParseDay(text)) return Fits(*day);
      return Rejected("no day of the calendar");
    case ColumnType::kTime:
      if (const auto instant = ParseInstant(text)) return Fits(*instant);
      return Rejected("no instant");
  }
  return {};
}

Conversion FromNumber(ColumnType type, element value) {
  // is_double() is true of what can be made one.
  const bool is_real = value.type() == element_type::DOUBLE;
  if (is_real && IsOddNumber(value)) return Rejected("a number beyond what 64 bits hold");
  if (type == ColumnType::kReal) {
    double real = 0;
    if (value.get(real) == simdjson::SUCCESS) return Fits(real);
  } else if (type == ColumnType::kInteger) {
    std::int64_t number = 0;
    if (is_real) {
      const double real = value.get_double().value_unsafe();
      constexpr double kLimit = 9223372036854775808.0;  // 2^63
      if (std::trunc(real) != real) return Rejected("a number that is not whole");
      if (real < -kLimit || real >= kLimit) return Rejected("a number beyond what 64 bits hold");
      return Fits(std::int64_t(real));
    }
    if (value.get(number) == simdjson::SUCCESS) return Fits(number);
    return Rejected("a number beyond what 64 bits hold");
  }
  return Rejected("a number");
}

}  // namespace

std::optional<std::int64_t> ParseDay(std::string_view text) {
  const auto day = TakeDay(text);
  return text.empty() ? day : std::nullopt;
}

std::optional<std::int64_t> ParseInstant(std::string_view text) {
  const auto day = TakeDay(text);
  if (!day) return std::nullopt;
  const std::int64_t midnight = *day * 86400 * kMicros;
  if (text.empty()) return midnight;
  if (!Take(text, 'T') && !Take(text, ' ')) return std::nullopt;
  const auto hour = TakeNumber(text, 2);
  if (!hour || *hour > 23 || !Take(text, ':')) return std::nullopt;
  const auto minute = TakeNumber(text, 2);
  if (!minute || *minute > 59 || !Take(text, ':')) return std::nullopt;
  const auto second = TakeNumber(text, 2);
  if (!second || *second > 59) return std::nullopt;
  const auto micros = TakeFraction(text);
  if (!micros || (text != "Z" && text != " UTC")) return std::nullopt;
  return midnight + (*hour * 3600 + *minute * 60 + *second) * kMicros + *micros;
}

Conversion Convert(ColumnType type, element value) {
  switch (value.type()) {
    case element_type::NULL_VALUE:
      return {};
    case element_type::STRING:
      return FromText(type, value.get_string().value_unsafe());
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      return FromNumber(type, value);
    case element_type::BOOL:
      return type == ColumnType::kBool ? Fits(std::int64_t(value.get_bool().value_unsafe()))
                                       : Rejected("true or false");
    case element_type::ARRAY:
      return Rejected("a list");
    case element_type::OBJECT:
      return Rejected("an object");
  }
  return {};
}

}  // namespace tmdbc::tables
