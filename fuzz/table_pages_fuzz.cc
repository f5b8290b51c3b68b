// SPDX-License-Identifier: MIT
// Fuzzes the reading of our own Parquet pages. The first byte says of what: an index of pages, a body of plain values,
// of codes, of a dictionary; then a type of column, two bytes of rows and two of values; the rest is the bytes. What is
// taken is as it says it is, and written again and read it is the same.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "base/compression.h"
#include "tables/page_column.h"
#include "tables/page_file.h"
#include "tables/parquet_metadata.h"

namespace {

using namespace tmdbc;
using namespace tmdbc::tables;

constexpr std::size_t kColumns = 3;
constexpr std::size_t kDataBytes = 200;

void Require(bool holds) {
  if (!holds) std::abort();
}

// A file whose pages are zeros, with that index.
std::string FileWith(std::string_view index) {
  std::string file(kParquetMagic);
  file.resize(kDataBytes, '\0');
  file += index;
  return file.append(4, '\0') += kParquetMagic;  // a footer of no bytes
}

void Index(std::string_view plain) {
  std::string index = ZstdFrame(plain, 1);
  const auto length = std::uint32_t(index.size());
  index.append(reinterpret_cast<const char*>(&length), sizeof length);
  const auto groups = ReadPageIndex(FileWith(index += "TDCI"), kColumns);
  if (!groups) return Require(groups.error().code == ErrorCode::kCorrupt);
  const auto inside = [](const PagePlace& place) {
    Require(place.at <= kDataBytes && place.head <= kDataBytes - place.at &&
            place.packed <= kDataBytes - place.at - place.head);
  };
  for (const GroupPlaces& group : *groups) {
    Require(group.chunks.size() == kColumns && group.pages() > 0);
    for (const ChunkPlaces& chunk : group.chunks) {
      Require(chunk.pages.size() == group.pages());
      if (chunk.dictionary) inside(*chunk.dictionary);
      for (std::size_t page = 0; page < chunk.pages.size(); ++page) {
        inside(chunk.pages[page]);
        Require(std::size_t(chunk.pages[page].range.rows) == group.rows(page));
      }
    }
  }
  const std::string written = FormatPageIndex(*groups);
  const auto again = ReadPageIndex(FileWith(written), kColumns);
  Require(again && FormatPageIndex(*again) == written);
}

void Plain(ColumnType type, std::string_view body, std::size_t rows) {
  PageColumn column;
  if (!ReadPlainBody(type, body, rows, column)) return;
  Require(column.rows() == rows && column.valid.size() == rows);
  Require(rows == 0 || column.ends.back() == column.plain.size());
  for (std::size_t row = 0; row < rows; ++row) Require(column.valid[row] == 1 || column.Value(row).empty());
  PageColumn again;
  Require(ReadPlainBody(type, PlainBody(type, column), rows, again).has_value());
  Require(again.valid == column.valid && again.ends == column.ends && again.plain == column.plain);
  const PageRange range = RangeOf(type, column);
  Require(range.rows == std::int64_t(rows) && range.nulls >= 0 && range.nulls <= range.rows);
  if (const auto few = FewValues(type, column)) Require(RangeOf(type, column, &*few) == range);
}

void Codes(std::string_view body, std::size_t rows, std::size_t values) {
  const auto coded = ReadCodesBody(body, rows, values);
  if (!coded) return;
  Require(coded->valid.size() == rows);
  for (const std::uint32_t code : coded->codes) Require(code < values);
  const auto again = ReadCodesBody(CodesBody(coded->levels, coded->codes, values), rows, values);
  Require(again && again->valid == coded->valid && again->codes == coded->codes);
}

void Dictionary(ColumnType type, std::string_view body, std::size_t count) {
  const auto values = ReadDictionaryBody(type, body, count);
  if (!values) return;
  Require(values->size() == count);
  Require(DictionaryBody(*values) == body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 6) return 0;
  const auto type = ColumnType(data[1] % 6);
  std::uint16_t rows = 0, values = 0;
  std::memcpy(&rows, data + 2, sizeof rows);
  std::memcpy(&values, data + 4, sizeof values);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 6, size - 6);
  switch (data[0] % 4) {
    case 0:
      Index(bytes);
      break;
    case 1:
      Plain(type, bytes, rows);
      break;
    case 2:
      Codes(bytes, rows, values);
      break;
    default:
      Dictionary(type, bytes, values);
  }
  return 0;
}
