// SPDX-License-Identifier: MIT
#include "duckdb/value_writer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/safe_text.h"
#include "duckdb/functions.h"
#include "duckdb/types.h"

namespace tmdbc::duckdb {

// What a type is made of, found once a result.
struct ValueWriter::Kind {
  const Functions* functions;
  duckdb_type type;
  duckdb_type held_as = DUCKDB_TYPE_INVALID;  // of a DECIMAL or ENUM
  int scale = 0;                              // of a DECIMAL
  idx_t length = 0;                           // of an ARRAY
  std::vector<std::string> names{};           // of an ENUM's values, or a STRUCT's members
  std::vector<Kind> parts{};                  // of a LIST, ARRAY, MAP (its entries), STRUCT or UNION
};

namespace {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

std::int64_t FloorDiv(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0);
}

void AppendDate(std::int32_t days, std::string& out) {
  if (days == std::numeric_limits<std::int32_t>::max() || days == -std::numeric_limits<std::int32_t>::max()) {
    out += days > 0 ? "infinity" : "-infinity";
    return;
  }
  // std::chrono's year has 16 bits, DuckDB's dates more; days since 0000-03-01 in eras of 400 years
  // (https://howardhinnant.github.io/date_algorithms.html#civil_from_days).
  const std::int64_t z = std::int64_t{days} + 719468;
  const std::int64_t era = FloorDiv(z, 146097);
  const std::int64_t of_era = z - era * 146097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted = (5 * of_year + 2) / 153;
  const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2);
  fmt::format_to(std::back_inserter(out), "{}{:04}-{:02}-{:02}", year < 0 ? "-" : "", std::abs(year), month,
                 of_year - (153 * shifted + 2) / 5 + 1);
}

// `units` of a second's `per_second`, from midnight.
void AppendClock(std::int64_t units, std::int64_t per_second, std::string& out) {
  const std::int64_t seconds = units / per_second;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  if (std::int64_t fraction = units % per_second; fraction != 0) {
    out += '.';
    for (std::int64_t place = per_second / 10; fraction != 0; place /= 10) {
      out += static_cast<char>('0' + fraction / place);
      fraction %= place;
    }
  }
}

void AppendTimestamp(std::int64_t units, std::int64_t per_second, bool zone, std::string& out) {
  if (units == std::numeric_limits<std::int64_t>::max() ||
      units == -std::numeric_limits<std::int64_t>::max()) {
    out += units > 0 ? "infinity" : "-infinity";
    return;
  }
  const std::int64_t a_day = 86'400 * per_second;
  const std::int64_t days = FloorDiv(units, a_day);
  AppendDate(static_cast<std::int32_t>(days), out);
  out += 'T';
  AppendClock(units - days * a_day, per_second, out);
  if (zone) out += 'Z';
}

void AppendInterval(const duckdb_interval& interval, std::string& out) {
  const std::size_t before = out.size();
  const auto part = [&](std::int64_t count, const char* name) {
    if (count == 0) return;
    fmt::format_to(std::back_inserter(out), "{}{} {}{}", out.size() == before ? "" : " ", count, name,
                   std::abs(count) == 1 ? "" : "s");
  };
  part(interval.months / 12, "year");
  part(interval.months % 12, "month");
  part(interval.days, "day");
  if (interval.micros == 0 && out.size() != before) return;
  if (out.size() != before) out += ' ';
  if (interval.micros < 0) out += '-';
  AppendClock(std::abs(interval.micros), 1'000'000, out);
}

template <typename Real>
void AppendReal(Real value, std::string& out) {
  const std::size_t before = out.size();
  // A NaN has a sign, and 0.0 / 0 a minus: it says nothing.
  fmt::format_to(std::back_inserter(out), "{}", std::isnan(value) ? std::abs(value) : value);
  if (out.find_first_of(".en", before) == std::string::npos) out += ".0";  // "inf" and "nan" have an n
}

Int128 Whole(const duckdb_hugeint& value) {
  return static_cast<Int128>((static_cast<UInt128>(static_cast<std::uint64_t>(value.upper)) << 64) |
                             value.lower);
}

void AppendDecimal(Int128 value, int scale, std::string& out) {
  std::string digits =
      fmt::format("{}", value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value));
  if (digits.size() <= std::size_t(scale)) digits.insert(0, scale + 1 - digits.size(), '0');
  if (value < 0) out += '-';
  out.append(digits, 0, digits.size() - scale);
  if (scale > 0) out.append(".").append(digits, digits.size() - scale);
}

void AppendUuid(const duckdb_hugeint& value, std::string& out) {
  // Its first bit is turned, so that it sorts as text does.
  const auto upper = static_cast<std::uint64_t>(value.upper) ^ (std::uint64_t{1} << 63);
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", upper >> 32,
                 upper >> 16 & 0xFFFF, upper & 0xFFFF, value.lower >> 48, value.lower & 0xFFFF'FFFF'FFFF);
}

void AppendHex(std::string_view bytes, std::string& out) {
  for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(out), "{:02X}", byte);
}

// The first byte says how many bits of the second are padding.
void AppendBits(std::string_view bytes, std::string& out) {
  for (std::size_t bit = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
       bit < (bytes.size() - 1) * 8; ++bit)
    out += static_cast<unsigned char>(bytes[1 + bit / 8]) >> (7 - bit % 8) & 1 ? '1' : '0';
}

void AppendZonedTime(const duckdb_time_tz& value, std::string& out) {
  constexpr std::int64_t kMostOffset =
      16 * 3600 - 1;  // seconds; it is stored so that later offsets sort first
  const std::int64_t offset = kMostOffset - static_cast<std::int64_t>(value.bits & 0xFF'FFFF);
  AppendClock(static_cast<std::int64_t>(value.bits >> 24), 1'000'000, out);
  fmt::format_to(std::back_inserter(out), "{}{:02}:{:02}", offset < 0 ? '-' : '+', std::abs(offset) / 3600,
                 std::abs(offset) / 60 % 60);
}

bool IsNumberType(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
      return true;
    default:
      return false;
  }
}

// One value that is not NULL and not made of others, as text. False: there is no such type here.
bool AppendScalar(duckdb_type type, duckdb_type held_as, int scale, const std::vector<std::string>& names,
                  const void* data, std::size_t row, std::string& out) {
  const auto at = [&]<class T>(T) -> const T& { return static_cast<const T*>(data)[row]; };
  const auto whole = [&]<class T>(T) { fmt::format_to(std::back_inserter(out), "{}", at(T())); };
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      out += at(bool()) ? "true" : "false";
      return true;
    case DUCKDB_TYPE_TINYINT:
      fmt::format_to(std::back_inserter(out), "{}", int{at(std::int8_t())});
      return true;
    case DUCKDB_TYPE_UTINYINT:
      fmt::format_to(std::back_inserter(out), "{}", int{at(std::uint8_t())});
      return true;
    case DUCKDB_TYPE_SMALLINT:
      return whole(std::int16_t()), true;
    case DUCKDB_TYPE_USMALLINT:
      return whole(std::uint16_t()), true;
    case DUCKDB_TYPE_INTEGER:
      return whole(std::int32_t()), true;
    case DUCKDB_TYPE_UINTEGER:
      return whole(std::uint32_t()), true;
    case DUCKDB_TYPE_BIGINT:
      return whole(std::int64_t()), true;
    case DUCKDB_TYPE_UBIGINT:
      return whole(std::uint64_t()), true;
    case DUCKDB_TYPE_HUGEINT:
      AppendDecimal(Whole(at(duckdb_hugeint())), 0, out);
      return true;
    case DUCKDB_TYPE_UHUGEINT: {
      const auto value = at(duckdb_uhugeint());
      out += fmt::format("{}", static_cast<UInt128>(value.upper) << 64 | value.lower);
      return true;
    }
    case DUCKDB_TYPE_FLOAT:
      AppendReal(at(float()), out);
      return true;
    case DUCKDB_TYPE_DOUBLE:
      AppendReal(at(double()), out);
      return true;
    case DUCKDB_TYPE_DECIMAL: {
      Int128 value = 0;
      if (held_as == DUCKDB_TYPE_SMALLINT) value = at(std::int16_t());
      if (held_as == DUCKDB_TYPE_INTEGER) value = at(std::int32_t());
      if (held_as == DUCKDB_TYPE_BIGINT) value = at(std::int64_t());
      if (held_as == DUCKDB_TYPE_HUGEINT) value = Whole(at(duckdb_hugeint()));
      AppendDecimal(value, scale, out);
      return true;
    }
    case DUCKDB_TYPE_ENUM: {
      std::size_t index = 0;
      if (held_as == DUCKDB_TYPE_UTINYINT) index = at(std::uint8_t());
      if (held_as == DUCKDB_TYPE_USMALLINT) index = at(std::uint16_t());
      if (held_as == DUCKDB_TYPE_UINTEGER) index = at(std::uint32_t());
      out += names.at(index);
      return true;
    }
    case DUCKDB_TYPE_VARCHAR:
      out += TextOf(at(duckdb_string_t()));
      return true;
    case DUCKDB_TYPE_BLOB:
      AppendHex(TextOf(at(duckdb_string_t())), out);
      return true;
    case DUCKDB_TYPE_BIT:
      AppendBits(TextOf(at(duckdb_string_t())), out);
      return true;
    case DUCKDB_TYPE_UUID:
      AppendUuid(at(duckdb_hugeint()), out);
      return true;
    case DUCKDB_TYPE_DATE:
      AppendDate(at(std::int32_t()), out);
      return true;
    case DUCKDB_TYPE_TIME:
      AppendClock(at(std::int64_t()), 1'000'000, out);
      return true;
    case DUCKDB_TYPE_TIME_NS:
      AppendClock(at(std::int64_t()), 1'000'000'000, out);
      return true;
    case DUCKDB_TYPE_TIME_TZ:
      AppendZonedTime(at(duckdb_time_tz()), out);
      return true;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      AppendTimestamp(at(std::int64_t()), 1'000'000, type == DUCKDB_TYPE_TIMESTAMP_TZ, out);
      return true;
    case DUCKDB_TYPE_TIMESTAMP_S:
      AppendTimestamp(at(std::int64_t()), 1, false, out);
      return true;
    case DUCKDB_TYPE_TIMESTAMP_MS:
      AppendTimestamp(at(std::int64_t()), 1'000, false, out);
      return true;
    case DUCKDB_TYPE_TIMESTAMP_NS:
      AppendTimestamp(at(std::int64_t()), 1'000'000'000, false, out);
      return true;
    case DUCKDB_TYPE_INTERVAL:
      AppendInterval(at(duckdb_interval()), out);
      return true;
    default:
      return false;
  }
}

bool IsMadeOfOthers(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_UNION:
      return true;
    default:
      return false;
  }
}

bool IsKnownScalar(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_ENUM:
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
    case DUCKDB_TYPE_BIT:
    case DUCKDB_TYPE_UUID:
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIME_NS:
    case DUCKDB_TYPE_TIME_TZ:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_INTERVAL:
    case DUCKDB_TYPE_SQLNULL:
      return true;
    default:
      return IsNumberType(type);
  }
}

// One of DuckDB's vectors.
struct Cells {
  duckdb_vector vector;
  const void* data;
  const std::uint64_t* validity;
  bool IsNull(std::size_t row) const { return validity && !(validity[row / 64] >> (row % 64) & 1); }
};
Cells CellsOf(const Functions& functions, duckdb_vector vector) {
  return {vector, functions.vector_get_data(vector), functions.vector_get_validity(vector)};
}

// A template, for ValueWriter::Kind is its own affair.
template <class Kind>
struct JsonOf {
  std::string& out;

  void Value(const Kind& kind, const Cells& cells, std::size_t row) {
    if (kind.type == DUCKDB_TYPE_SQLNULL || cells.IsNull(row)) {
      out += "null";
      return;
    }
    switch (kind.type) {
      case DUCKDB_TYPE_LIST: {
        const auto entry = static_cast<const duckdb_list_entry*>(cells.data)[row];
        return Elements(kind.parts[0], kind.functions->list_vector_get_child(cells.vector), entry.offset,
                        entry.length);
      }
      case DUCKDB_TYPE_ARRAY:
        return Elements(kind.parts[0], kind.functions->array_vector_get_child(cells.vector),
                        row * kind.length, kind.length);
      case DUCKDB_TYPE_MAP:
        return Entries(kind, cells, row);
      case DUCKDB_TYPE_STRUCT:
        return Members(kind, cells, row);
      case DUCKDB_TYPE_UNION: {
        const Cells tags = Child(kind, cells, 0);
        const auto tag = static_cast<const std::uint8_t*>(tags.data)[row];
        return Value(kind.parts.at(tag), Child(kind, cells, tag + 1), row);
      }
      default:
        return Scalar(kind, cells.data, row);
    }
  }

 private:
  static Cells Child(const Kind& kind, const Cells& cells, idx_t index) {
    return CellsOf(*kind.functions, kind.functions->struct_vector_get_child(cells.vector, index));
  }

  void Scalar(const Kind& kind, const void* data, std::size_t row) {
    const bool bare = IsNumberType(kind.type) || kind.type == DUCKDB_TYPE_BOOLEAN;
    if (kind.type == DUCKDB_TYPE_VARCHAR)
      return AppendJsonString(out, TextOf(static_cast<const duckdb_string_t*>(data)[row]));
    std::string text;
    AppendScalar(kind.type, kind.held_as, kind.scale, kind.names, data, row, text);
    if (!bare) return AppendJsonString(out, text);
    out += IsNumberType(kind.type) && text.contains('n') ? "null" : text;  // inf and nan
  }

  void Elements(const Kind& kind, duckdb_vector vector, idx_t from, idx_t count) {
    const Cells cells = CellsOf(*kind.functions, vector);
    out += '[';
    for (idx_t i = 0; i < count; ++i) {
      if (i > 0) out += ',';
      Value(kind, cells, from + i);
    }
    out += ']';
  }

  void Members(const Kind& kind, const Cells& cells, std::size_t row) {
    out += '{';
    for (std::size_t i = 0; i < kind.parts.size(); ++i) {
      if (i > 0) out += ',';
      AppendJsonString(out, kind.names[i]);
      out += ':';
      Value(kind.parts[i], Child(kind, cells, i), row);
    }
    out += '}';
  }

  // A MAP is a LIST of STRUCTs of a key and a value; JSON's names are texts.
  void Entries(const Kind& kind, const Cells& cells, std::size_t row) {
    const auto entry = static_cast<const duckdb_list_entry*>(cells.data)[row];
    const Kind& pair = kind.parts[0];
    const Cells pairs = CellsOf(*kind.functions, kind.functions->list_vector_get_child(cells.vector));
    const Cells keys = Child(pair, pairs, 0), values = Child(pair, pairs, 1);
    out += '{';
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (i > entry.offset) out += ',';
      std::string key;
      JsonOf{key}.Value(pair.parts[0], keys, i);
      key.starts_with('"') ? void(out += key) : AppendJsonString(out, key);
      out += ':';
      Value(pair.parts[1], values, i);
    }
    out += '}';
  }
};

// `kind` of `type`; empty when one is not known.
template <class Kind>
std::optional<Kind> KindOf(const Functions& functions, const LogicalType& type) {
  Kind kind{.functions = &functions, .type = type.id()};
  const auto add = [&](duckdb_logical_type part) {
    auto of_part = KindOf<Kind>(functions, LogicalType(functions, part));
    if (!of_part) return false;
    kind.parts.push_back(*std::move(of_part));
    return true;
  };
  switch (kind.type) {
    case DUCKDB_TYPE_DECIMAL:
      kind.held_as = functions.decimal_internal_type(type.get());
      kind.scale = functions.decimal_scale(type.get());
      return kind;
    case DUCKDB_TYPE_ENUM:
      kind.held_as = functions.enum_internal_type(type.get());
      for (idx_t i = 0; i < functions.enum_dictionary_size(type.get()); ++i) {
        char* name = functions.enum_dictionary_value(type.get(), i);
        kind.names.emplace_back(name);
        functions.free(name);
      }
      return kind;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_MAP:
      if (!add(functions.list_type_child_type(type.get()))) return std::nullopt;
      return kind;
    case DUCKDB_TYPE_ARRAY:
      kind.length = functions.array_type_array_size(type.get());
      if (!add(functions.array_type_child_type(type.get()))) return std::nullopt;
      return kind;
    case DUCKDB_TYPE_STRUCT:
      for (idx_t i = 0; i < functions.struct_type_child_count(type.get()); ++i) {
        char* name = functions.struct_type_child_name(type.get(), i);
        kind.names.emplace_back(name);
        functions.free(name);
        if (!add(functions.struct_type_child_type(type.get(), i))) return std::nullopt;
      }
      return kind;
    case DUCKDB_TYPE_UNION:
      for (idx_t i = 0; i < functions.union_type_member_count(type.get()); ++i)
        if (!add(functions.union_type_member_type(type.get(), i))) return std::nullopt;
      return kind;
    default:
      if (!IsKnownScalar(kind.type)) return std::nullopt;
      return kind;
  }
}

}  // namespace

ValueWriter::ValueWriter(std::vector<Kind> kinds) : kinds_(std::move(kinds)) {}
ValueWriter::ValueWriter(ValueWriter&&) noexcept = default;
ValueWriter::~ValueWriter() = default;

Result<ValueWriter> ValueWriter::For(const Rows& rows) {
  std::vector<Kind> kinds;
  for (std::size_t i = 0; i < rows.columns().size(); ++i) {
    auto kind = KindOf<Kind>(*rows.functions_, rows.state_->types[i]);
    if (!kind) {
      return Fail(ErrorCode::kInvalid, "column {} has a type that cannot be printed: cast it to VARCHAR",
                  rows.columns()[i].name);
    }
    kinds.push_back(*std::move(kind));
  }
  return ValueWriter(std::move(kinds));
}

bool ValueWriter::IsNumber(std::size_t column) const {
  return IsNumberType(kinds_[column].type);
}

void ValueWriter::Text(const Rows& rows, std::size_t column, std::size_t row, std::string& out) const {
  const Kind& kind = kinds_[column];
  if (kind.type == DUCKDB_TYPE_SQLNULL || rows.IsNull(column, row)) return;
  if (IsMadeOfOthers(kind.type)) return Json(rows, column, row, out);
  AppendScalar(kind.type, kind.held_as, kind.scale, kind.names, rows.vectors_[column].data, row, out);
}

void ValueWriter::Json(const Rows& rows, std::size_t column, std::size_t row, std::string& out) const {
  const Rows::Vector& vector = rows.vectors_[column];
  JsonOf<Kind>{out}.Value(kinds_[column],
                          {static_cast<duckdb_vector>(vector.vector), vector.data, vector.validity}, row);
}

}  // namespace tmdbc::duckdb
