// SPDX-License-Identifier: MIT
// What a Parquet file says of itself: headers of pages and the footer, in Thrift's compact protocol
// (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift). Written only. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tables/page_column.h"
#include "tables/spec.h"

namespace tmdbc::tables {

inline constexpr std::string_view kParquetMagic = "PAR1";

// The header of a page of the first version, zstd. `values`: NULLs too; of a dictionary its entries.
// kFew: plain, of values so few that codes would do.
enum class PageKind : std::uint8_t { kPlain, kCodes, kDictionary, kFew };
std::string PageHeader(PageKind kind, std::int64_t values, std::size_t plain_bytes, std::size_t packed_bytes);

// A column within a row group.
struct ChunkFacts {
  std::int64_t data_at = 0;  // of the first page with data, in the file
  std::optional<std::int64_t> dictionary_at;
  std::int64_t plain_bytes = 0;   // with the headers of the pages
  std::int64_t packed_bytes = 0;  // the same
  PageRange range;
};
struct GroupFacts {
  std::int64_t rows = 0;
  std::vector<ChunkFacts> chunks;  // a column each
};
// The footer without its length and the magic that follow it.
std::string FooterOf(const Table& table, const std::vector<GroupFacts>& groups);

}  // namespace tmdbc::tables
