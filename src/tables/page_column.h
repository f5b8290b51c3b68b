// SPDX-License-Identifier: MIT
// PageColumn: the cells of one column of some rows, as Parquet has them in a page, and the encodings of a page's body
// (https://parquet.apache.org/docs/file-format/data-pages/encodings/): levels and codes as runs, values PLAIN. Values;
// one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tables/cell.h"

namespace tmdbc::tables {

struct PageColumn {
  std::vector<std::uint8_t> valid;  // a row each: 0 is NULL
  std::vector<std::uint32_t> ends;  // a row each: where its value ends in `plain`
  std::string plain;                // the values that there are, as PLAIN has them; a boolean takes a byte

  std::size_t rows() const { return ends.size(); }
  // Whether a page has place for it. What is larger has no right `ends` either.
  bool fits() const { return plain.size() <= INT32_MAX; }
  void Append(ColumnType type, const Cell& cell);
  // Rows [first, last) of another one.
  void Append(const PageColumn& from, std::size_t first, std::size_t last);
  std::string_view Value(std::size_t row) const {
    const std::uint32_t begin = row == 0 ? 0 : ends[row - 1];
    return std::string_view(plain).substr(begin, ends[row] - begin);
  }
  // Of a column of integers.
  std::int64_t Number(std::size_t row) const;
  void Clear();
};

// What a reader may know of a page, or of many, without reading it.
struct PageRange {
  std::int64_t rows = 0;
  std::int64_t nulls = 0;
  // The bytes of the lowest and the highest value, a text without its length. Empty: there is none, or one is long.
  std::optional<std::string> low = {}, high = {};
  bool operator==(const PageRange&) const = default;
};
// Of both together.
PageRange Together(ColumnType type, const PageRange& one, const PageRange& other);

// The different values of a page and which row that has one has which; nothing when there are more than a few.
struct PageCodes {
  std::vector<std::string> values;
  std::vector<std::uint32_t> codes;
};
std::optional<PageCodes> FewValues(ColumnType type, const PageColumn& column);
// `codes`: of the column, if somebody has them; then it is less work.
PageRange RangeOf(ColumnType type, const PageColumn& column, const PageCodes* codes = nullptr);

// Bodies of pages, before they are packed: which rows have a value, then the values or their codes.
std::string LevelsOf(const PageColumn& column);
std::string PlainBody(ColumnType type, const PageColumn& column);
std::string CodesBody(std::string_view levels, const std::vector<std::uint32_t>& codes, std::size_t values);

// The inverse; kCorrupt when the bytes are no such body of so many rows.
Result<void> ReadPlainBody(ColumnType type, std::string_view body, std::size_t rows, PageColumn& column);
struct CodedBody {
  std::string levels;
  std::vector<std::uint8_t> valid;
  std::vector<std::uint32_t> codes;
};
Result<CodedBody> ReadCodesBody(std::string_view body, std::size_t rows, std::size_t values);

// The values of a dictionary page, and back.
std::string DictionaryBody(const std::vector<std::string>& values);
Result<std::vector<std::string>> ReadDictionaryBody(ColumnType type, std::string_view body,
                                                    std::size_t count);

}  // namespace tmdbc::tables
