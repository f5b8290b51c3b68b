// SPDX-License-Identifier: MIT
#include "tables/parquet_metadata.h"

namespace tmdbc::tables {
namespace {

// Of the format.
constexpr int kZstd = 6, kOptional = 1;
constexpr int kPlainEncoding = 0, kRunsEncoding = 3, kCodesEncoding = 8;
constexpr int kDataPage = 0, kDictionaryPage = 2;
// In the form that readers take apart; what it is made of is the store's affair.
constexpr std::string_view kCreatedBy = "tmdb-collector version 1 (build 1)";

class Compact {
 public:
  enum Kind : std::uint8_t {
    kTrue = 1,
    kFalse = 2,
    kI16 = 4,
    kI32 = 5,
    kI64 = 6,
    kBinary = 8,
    kList = 9,
    kStruct = 12
  };

  void Int(int field, Kind kind, std::int64_t value) {
    Head(field, kind);
    Zigzag(value);
  }
  void Bool(int field, bool value) { Head(field, value ? kTrue : kFalse); }
  void Text(int field, std::string_view value) {
    Head(field, kBinary);
    Binary(value);
  }
  void Begin(int field) {
    Head(field, kStruct);
    BeginElement();
  }
  void List(int field, Kind kind, std::size_t count) {
    Head(field, kList);
    if (count < 15) {
      out_ += char(count << 4 | kind);
    } else {
      out_ += char(0xf0 | kind);
      Varint(count);
    }
  }
  void BeginElement() { last_.push_back(0); }
  void End() {
    out_ += '\0';
    last_.pop_back();
  }
  void Zigzag(std::int64_t value) { Varint(std::uint64_t(value) << 1 ^ std::uint64_t(value >> 63)); }
  void Binary(std::string_view value) {
    Varint(value.size());
    out_ += value;
  }
  // Ends the outermost struct.
  std::string Take() {
    out_ += '\0';
    return std::move(out_);
  }

 private:
  void Head(int field, Kind kind) {
    // No field is more than fifteen behind the one before it.
    out_ += char((field - last_.back()) << 4 | kind);
    last_.back() = field;
  }
  void Varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += char(value | 0x80);
    out_ += char(value);
  }

  std::string out_;
  std::vector<int> last_ = {0};
};

int PhysicalType(ColumnType type) {
  switch (type) {
    case ColumnType::kBool:
      return 0;
    case ColumnType::kDate:
      return 1;
    case ColumnType::kInteger:
    case ColumnType::kTime:
      return 2;
    case ColumnType::kReal:
      return 5;
    case ColumnType::kText:
      return 6;
  }
  return 0;
}

void PutSchema(Compact& out, const Table& table) {
  out.List(2, Compact::kStruct, table.columns.size() + 1);
  out.BeginElement();
  out.Text(4, "schema");
  out.Int(5, Compact::kI32, std::int64_t(table.columns.size()));
  out.End();
  for (const Column& column : table.columns) {
    out.BeginElement();
    out.Int(1, Compact::kI32, PhysicalType(column.type));
    out.Int(3, Compact::kI32, kOptional);
    out.Text(4, column.name);
    switch (column.type) {
      case ColumnType::kText:
        out.Int(6, Compact::kI32, 0);  // UTF8
        out.Begin(10);
        out.Begin(1);  // STRING
        out.End();
        out.End();
        break;
      case ColumnType::kDate:
        out.Int(6, Compact::kI32, 6);  // DATE
        out.Begin(10);
        out.Begin(6);  // DATE
        out.End();
        out.End();
        break;
      case ColumnType::kTime:
        out.Int(6, Compact::kI32, 10);  // TIMESTAMP_MICROS
        out.Begin(10);
        out.Begin(8);  // TIMESTAMP
        out.Bool(1, true);
        out.Begin(2);
        out.Begin(2);  // MICROS
        out.End();
        out.End();
        out.End();
        out.End();
        break;
      case ColumnType::kInteger:
      case ColumnType::kReal:
      case ColumnType::kBool:
        break;
    }
    out.End();
  }
}

void PutChunk(Compact& out, const Column& column, const ChunkFacts& chunk) {
  const std::int64_t begin = chunk.dictionary_at.value_or(chunk.data_at);
  out.BeginElement();
  out.Int(2, Compact::kI64, begin);
  out.Begin(3);
  out.Int(1, Compact::kI32, PhysicalType(column.type));
  out.List(2, Compact::kI32, chunk.dictionary_at ? 3 : 2);
  out.Zigzag(kPlainEncoding);
  out.Zigzag(kRunsEncoding);
  if (chunk.dictionary_at) out.Zigzag(kCodesEncoding);
  out.List(3, Compact::kBinary, 1);
  out.Binary(column.name);
  out.Int(4, Compact::kI32, kZstd);
  out.Int(5, Compact::kI64, chunk.range.rows);
  out.Int(6, Compact::kI64, chunk.plain_bytes);
  out.Int(7, Compact::kI64, chunk.packed_bytes);
  out.Int(9, Compact::kI64, chunk.data_at);
  if (chunk.dictionary_at) out.Int(11, Compact::kI64, *chunk.dictionary_at);
  out.Begin(12);
  out.Int(3, Compact::kI64, chunk.range.nulls);
  if (chunk.range.high) out.Text(5, *chunk.range.high);
  if (chunk.range.low) out.Text(6, *chunk.range.low);
  out.End();
  out.End();
  out.End();
}

}  // namespace

std::string PageHeader(PageKind kind, std::int64_t values, std::size_t plain_bytes,
                       std::size_t packed_bytes) {
  Compact out;
  out.Int(1, Compact::kI32, kind == PageKind::kDictionary ? kDictionaryPage : kDataPage);
  out.Int(2, Compact::kI32, std::int64_t(plain_bytes));
  out.Int(3, Compact::kI32, std::int64_t(packed_bytes));
  if (kind == PageKind::kDictionary) {
    out.Begin(7);
    out.Int(1, Compact::kI32, values);
    out.Int(2, Compact::kI32, kPlainEncoding);
  } else {
    out.Begin(5);
    out.Int(1, Compact::kI32, values);
    out.Int(2, Compact::kI32, kind == PageKind::kCodes ? kCodesEncoding : kPlainEncoding);
    out.Int(3, Compact::kI32, kRunsEncoding);
    out.Int(4, Compact::kI32, kRunsEncoding);
  }
  out.End();
  return out.Take();
}

std::string FooterOf(const Table& table, const std::vector<GroupFacts>& groups) {
  Compact out;
  std::int64_t rows = 0;
  for (const GroupFacts& group : groups) rows += group.rows;
  out.Int(1, Compact::kI32, 1);
  PutSchema(out, table);
  out.Int(3, Compact::kI64, rows);
  out.List(4, Compact::kStruct, groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const GroupFacts& group = groups[i];
    std::int64_t plain = 0, packed = 0;
    out.BeginElement();
    out.List(1, Compact::kStruct, group.chunks.size());
    for (std::size_t column = 0; column < group.chunks.size(); ++column) {
      PutChunk(out, table.columns[column], group.chunks[column]);
      plain += group.chunks[column].plain_bytes;
      packed += group.chunks[column].packed_bytes;
    }
    const ChunkFacts& first = group.chunks.front();
    out.Int(2, Compact::kI64, plain);
    out.Int(3, Compact::kI64, group.rows);
    out.Int(5, Compact::kI64, first.dictionary_at.value_or(first.data_at));
    out.Int(6, Compact::kI64, packed);
    out.Int(7, Compact::kI16, std::int64_t(i));
    out.End();
  }
  out.Text(6, kCreatedBy);
  // The order of each column is that of its type: without it readers trust no lowest and highest values.
  out.List(7, Compact::kStruct, table.columns.size());
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    out.BeginElement();
    out.Begin(1);
    out.End();
    out.End();
  }
  return out.Take();
}

}  // namespace tmdbc::tables
