// SPDX-License-Identifier: MIT
#include "tables/page_column.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tmdbc::tables {
namespace {

static_assert(std::endian::native == std::endian::little, "Parquet's values are written as they lie in memory");

constexpr std::size_t kLongest = 64;      // of a text that a range names
constexpr std::size_t kRowsPerValue = 8;  // a page whose values come so often at least is written in codes
constexpr std::size_t kRun = 8;           // shortest run that is written as one; a group of packed ones

// 0: it differs from value to value.
std::size_t WidthOf(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return 0;
    case ColumnType::kBool:
      return 1;
    case ColumnType::kDate:
      return sizeof(std::int32_t);
    case ColumnType::kInteger:
    case ColumnType::kReal:
    case ColumnType::kTime:
      return 8;
  }
  return 0;
}

template <class T>
void Put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}
template <class T>
T Get(std::string_view bytes) {
  T value{};
  bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

void PutVarint(std::string& out, std::uint32_t value) {
  for (; value >= 0x80; value >>= 7) out += char(value | 0x80);
  out += char(value);
}
bool TakeVarint(std::string_view& bytes, std::uint32_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 32 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint32_t(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Numbers of `width` bits, packed from the lowest bit on, filled up to a multiple of eight.
template <class T>
void PutPacked(std::string& out, const T* numbers, std::size_t count, unsigned width) {
  const std::size_t groups = (count + kRun - 1) / kRun;
  PutVarint(out, std::uint32_t(groups << 1 | 1));
  std::uint64_t bits = 0;
  unsigned filled = 0;
  for (std::size_t i = 0; i < groups * kRun; ++i) {
    bits |= std::uint64_t(i < count ? numbers[i] : 0) << filled;
    for (filled += width; filled >= 8; filled -= 8, bits >>= 8) out += char(bits);
  }
}

// RLE / bit-packed hybrid.
template <class T>
void PutRuns(std::string& out, const std::vector<T>& numbers, unsigned width) {
  std::size_t begin = 0;  // of those that are no run
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[i]) ++end;
    // What is packed before it is a multiple of eight: it takes some of the run.
    const std::size_t taken = (kRun - (i - begin) % kRun) % kRun;
    if (end - i >= taken + kRun) {
      if (i + taken > begin) PutPacked(out, &numbers[begin], i + taken - begin, width);
      PutVarint(out, std::uint32_t((end - i - taken) << 1));
      for (unsigned bits = 0; bits < width; bits += 8) out += char(std::uint32_t(numbers[i]) >> bits);
      begin = end;
    }
    i = end;
  }
  if (begin < numbers.size()) PutPacked(out, &numbers[begin], numbers.size() - begin, width);
}

template <class T>
bool TakeRuns(std::string_view bytes, std::size_t count, unsigned width, std::uint32_t limit,
              std::vector<T>& numbers) {
  numbers.clear();
  numbers.reserve(count);
  while (numbers.size() < count) {
    std::uint32_t head = 0;
    if (!TakeVarint(bytes, head)) return false;
    const std::size_t left = count - numbers.size();
    if ((head & 1) == 0) {
      const std::size_t size = (width + 7) / 8;
      if (bytes.size() < size || head >> 1 > left) return false;
      std::uint32_t number = 0;
      std::memcpy(&number, bytes.data(), size);
      bytes.remove_prefix(size);
      if (number >= limit) return false;
      numbers.insert(numbers.end(), head >> 1, T(number));
      continue;
    }
    const std::size_t size = std::size_t(head >> 1) * width;
    if (bytes.size() < size || size == 0) return false;
    std::uint64_t bits = 0;
    unsigned filled = 0;
    std::size_t at = 0;
    const std::size_t those = std::min(left, std::size_t(head >> 1) * kRun);
    for (std::size_t i = 0; i < those; ++i) {
      for (; filled < width; filled += 8)
        bits |= std::uint64_t(static_cast<unsigned char>(bytes[at++])) << filled;
      const auto number = std::uint32_t(bits & ((std::uint64_t{1} << width) - 1));
      if (number >= limit) return false;
      numbers.push_back(T(number));
      bits >>= width;
      filled -= width;
    }
    bytes.remove_prefix(size);
  }
  return true;
}

unsigned CodeWidth(std::size_t values) {
  return std::max(1u, unsigned(std::bit_width(values - 1)));
}

std::unexpected<Error> NoPage() {
  return Fail(ErrorCode::kCorrupt, "its values do not fit together");
}

// Its levels, and what is behind them.
struct Levels {
  std::string_view bytes;
  std::string_view rest;
  std::vector<std::uint8_t> valid;
};
Result<Levels> TakeLevels(std::string_view body, std::size_t rows) {
  Levels levels;
  if (body.size() < sizeof(std::uint32_t)) return NoPage();
  const std::size_t size = sizeof(std::uint32_t) + Get<std::uint32_t>(body);
  if (body.size() < size) return NoPage();
  levels.bytes = body.substr(0, size);
  levels.rest = body.substr(size);
  if (!TakeRuns(levels.bytes.substr(sizeof(std::uint32_t)), rows, 1, 2, levels.valid)) return NoPage();
  return levels;
}

template <class T>
bool IsLess(std::string_view one, std::string_view other) {
  return Get<T>(one) < Get<T>(other);
}

bool IsBelow(ColumnType type, std::string_view one, std::string_view other) {
  switch (type) {
    case ColumnType::kText:
      return one < other;
    case ColumnType::kBool:
      return IsLess<std::uint8_t>(one, other);
    case ColumnType::kDate:
      return IsLess<std::int32_t>(one, other);
    case ColumnType::kReal:
      return IsLess<double>(one, other);
    case ColumnType::kInteger:
    case ColumnType::kTime:
      return IsLess<std::int64_t>(one, other);
  }
  return false;
}

// Of a text without its length.
std::string_view Naked(ColumnType type, std::string_view value) {
  return type == ColumnType::kText ? value.substr(sizeof(std::uint32_t)) : value;
}

// The numbers that different values have, first come first: a table of places, open addresses.
class Numbering {
 public:
  explicit Numbering(std::size_t most) : most_(most), mask_(std::bit_ceil(2 * most + 2) - 1) {
    places_.assign(mask_ + 1, 0);
  }
  // Empty when there are more than `most`.
  std::optional<std::uint32_t> Of(std::string_view value) {
    for (std::size_t at = Hash(value) & mask_;; at = (at + 1) & mask_) {
      if (places_[at] == 0) {
        if (values.size() == most_) return std::nullopt;
        values.push_back(value);
        places_[at] = std::uint32_t(values.size());
        return places_[at] - 1;
      }
      if (values[places_[at] - 1] == value) return places_[at] - 1;
    }
  }
  std::vector<std::string_view> values;

 private:
  static std::size_t Hash(std::string_view value) {
    constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15;
    std::uint64_t hash = value.size() * kPrime;
    for (; value.size() >= 8; value.remove_prefix(8)) hash = Mixed(hash ^ Get<std::uint64_t>(value));
    std::uint64_t rest = 0;
    if (!value.empty()) std::memcpy(&rest, value.data(), value.size());
    return std::size_t(Mixed(hash ^ rest));
  }
  static std::uint64_t Mixed(std::uint64_t hash) {
    hash *= 0x9E3779B97F4A7C15;
    return hash ^ hash >> 32;
  }

  const std::size_t most_;
  const std::size_t mask_;
  std::vector<std::uint32_t> places_;  // number + 1
};

}  // namespace

void PageColumn::Append(ColumnType type, const Cell& cell) {
  valid.push_back(!cell.null);
  if (!cell.null) {
    switch (type) {
      case ColumnType::kText:
        Put(plain, std::uint32_t(cell.text.size()));
        plain += cell.text;
        break;
      case ColumnType::kInteger:
      case ColumnType::kTime:
        Put(plain, cell.number);
        break;
      case ColumnType::kReal:
        Put(plain, cell.real);
        break;
      case ColumnType::kBool:
        plain += char(cell.number != 0);
        break;
      case ColumnType::kDate:
        Put(plain, std::int32_t(cell.number));
        break;
    }
  }
  ends.push_back(std::uint32_t(plain.size()));
}

void PageColumn::Append(const PageColumn& from, std::size_t first, std::size_t last) {
  if (first == last) return;
  valid.insert(valid.end(), from.valid.begin() + std::ptrdiff_t(first),
               from.valid.begin() + std::ptrdiff_t(last));
  const std::uint32_t begin = first == 0 ? 0 : from.ends[first - 1];
  const auto moved = std::uint32_t(plain.size() - begin);
  plain.append(from.plain, begin, from.ends[last - 1] - begin);
  for (std::size_t row = first; row < last; ++row) ends.push_back(from.ends[row] + moved);
}

std::int64_t PageColumn::Number(std::size_t row) const {
  return valid[row] ? Get<std::int64_t>(Value(row)) : 0;
}

void PageColumn::Clear() {
  valid.clear();
  ends.clear();
  plain.clear();
}

PageRange RangeOf(ColumnType type, const PageColumn& column, const PageCodes* codes) {
  PageRange range{.rows = std::int64_t(column.rows())};
  range.nulls = range.rows - std::ranges::count(column.valid, std::uint8_t{1});
  std::optional<std::string_view> low, high;
  const auto take = [&](std::string_view value) {
    value = Naked(type, value);
    if (!low || IsBelow(type, value, *low)) low = value;
    if (!high || IsBelow(type, *high, value)) high = value;
  };
  if (codes != nullptr) {
    for (const std::string& value : codes->values) take(value);
  } else {
    for (std::size_t row = 0; row < column.rows(); ++row) {
      if (column.valid[row]) take(column.Value(row));
    }
  }
  if (!low || low->size() > kLongest || high->size() > kLongest) return range;
  range.low = *low;
  range.high = *high;
  // As the format wants it: 0 and -0 are one value and two orders of bytes.
  if (type == ColumnType::kReal) {
    if (Get<double>(*range.low) == 0) range.low = std::string(8, '\0').replace(7, 1, 1, char(0x80));
    if (Get<double>(*range.high) == 0) range.high = std::string(8, '\0');
  }
  return range;
}

PageRange Together(ColumnType type, const PageRange& one, const PageRange& other) {
  if (one.rows == one.nulls || other.rows == other.nulls) {
    PageRange range = one.rows == one.nulls ? other : one;
    range.rows = one.rows + other.rows;
    range.nulls = one.nulls + other.nulls;
    return range;
  }
  PageRange range{.rows = one.rows + other.rows, .nulls = one.nulls + other.nulls};
  if (!one.low || !other.low) return range;
  range.low = IsBelow(type, *other.low, *one.low) ? other.low : one.low;
  range.high = IsBelow(type, *one.high, *other.high) ? other.high : one.high;
  return range;
}

std::optional<PageCodes> FewValues(ColumnType type, const PageColumn& column) {
  if (type == ColumnType::kBool) return std::nullopt;
  const auto count = std::size_t(std::ranges::count(column.valid, std::uint8_t{1}));
  if (count < kRowsPerValue) return std::nullopt;
  Numbering numbering(count / kRowsPerValue);
  PageCodes few;
  few.codes.reserve(count);
  for (std::size_t row = 0; row < column.rows(); ++row) {
    if (!column.valid[row]) continue;
    const auto code = numbering.Of(column.Value(row));
    if (!code) return std::nullopt;
    few.codes.push_back(*code);
  }
  few.values.assign(numbering.values.begin(), numbering.values.end());
  return few;
}

std::string LevelsOf(const PageColumn& column) {
  std::string runs, levels;
  PutRuns(runs, column.valid, 1);
  Put(levels, std::uint32_t(runs.size()));
  return levels += runs;
}

std::string PlainBody(ColumnType type, const PageColumn& column) {
  std::string body = LevelsOf(column);
  if (type != ColumnType::kBool) return body += column.plain;
  std::uint8_t byte = 0;
  for (std::size_t i = 0; i < column.plain.size(); ++i) {
    byte |= std::uint8_t(column.plain[i] << i % 8);
    if (i % 8 != 7 && i + 1 != column.plain.size()) continue;
    body += char(byte);
    byte = 0;
  }
  return body;
}

std::string CodesBody(std::string_view levels, const std::vector<std::uint32_t>& codes, std::size_t values) {
  std::string body(levels);
  const unsigned width = CodeWidth(values);
  body += char(width);
  PutRuns(body, codes, width);
  return body;
}

Result<void> ReadPlainBody(ColumnType type, std::string_view body, std::size_t rows, PageColumn& column) {
  TRY_ASSIGN(Levels levels, TakeLevels(body, rows));
  column.Clear();
  column.valid = std::move(levels.valid);
  column.ends.reserve(rows);
  const std::string_view values = levels.rest;
  const std::size_t width = WidthOf(type);
  std::size_t at = 0, count = 0;
  if (type == ColumnType::kBool) {
    const auto there = std::size_t(std::ranges::count(column.valid, std::uint8_t{1}));
    if (values.size() != (there + 7) / 8) return NoPage();
  }
  for (std::size_t row = 0; row < rows; ++row) {
    if (column.valid[row]) {
      if (type == ColumnType::kBool) {
        column.plain += char(values[count / 8] >> count % 8 & 1);
        ++at;
      } else if (width != 0) {
        at += width;
      } else {
        if (values.size() - at < sizeof(std::uint32_t)) return NoPage();
        at += sizeof(std::uint32_t) + Get<std::uint32_t>(values.substr(at));
      }
      ++count;
      if (type != ColumnType::kBool && at > values.size()) return NoPage();
    }
    column.ends.push_back(std::uint32_t(at));
  }
  if (type == ColumnType::kBool) return {};
  if (at != values.size()) return NoPage();
  column.plain = values;
  return {};
}

Result<CodedBody> ReadCodesBody(std::string_view body, std::size_t rows, std::size_t values) {
  TRY_ASSIGN(Levels levels, TakeLevels(body, rows));
  CodedBody coded{.levels = std::string(levels.bytes), .valid = std::move(levels.valid), .codes = {}};
  const auto count = std::size_t(std::ranges::count(coded.valid, std::uint8_t{1}));
  if (levels.rest.empty() || values == 0 || unsigned(levels.rest[0]) != CodeWidth(values)) return NoPage();
  if (!TakeRuns(levels.rest.substr(1), count, CodeWidth(values), std::uint32_t(values), coded.codes))
    return NoPage();
  return coded;
}

std::string DictionaryBody(const std::vector<std::string>& values) {
  std::string body;
  for (const std::string& value : values) body += value;
  return body;
}

Result<std::vector<std::string>> ReadDictionaryBody(ColumnType type, std::string_view body,
                                                    std::size_t count) {
  std::vector<std::string> values;
  while (!body.empty()) {
    std::size_t size = WidthOf(type);
    if (size == 0) {
      if (body.size() < sizeof(std::uint32_t)) return NoPage();
      size = sizeof(std::uint32_t) + Get<std::uint32_t>(body);
    }
    if (body.size() < size || values.size() == count) return NoPage();
    values.emplace_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  if (values.size() != count) return NoPage();
  return values;
}

}  // namespace tmdbc::tables
