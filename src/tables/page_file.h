// SPDX-License-Identifier: MIT
// PageFile: a Parquet file of records' rows, made of pages that stand for themselves, so that one which follows from it
// takes over, byte for byte, the pages in which nothing changed. What it takes to find them is an index of our own
// before the footer, where other readers see nothing (docs/tables-format.md, "Pages"). Reads only what PageFileWriter
// wrote. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/compression.h"
#include "base/mapped_file.h"
#include "base/result.h"
#include "tables/page_column.h"
#include "tables/parquet_metadata.h"
#include "tables/spec.h"

namespace tmdbc::tables {

// Where a page lies: its header, then what is packed.
struct PagePlace {
  std::uint64_t at = 0;
  std::uint64_t head = 0;
  std::uint64_t packed = 0;
  std::uint64_t plain = 0;  // bytes of the body
  PageKind kind{};
  PageRange range = {};  // its rows, or the values of a dictionary

  std::uint64_t length() const { return head + packed; }
};

struct ChunkPlaces {
  std::optional<PagePlace> dictionary;
  std::vector<PagePlace> pages;
};

// The pages of all columns have the same rows: a page of the group is one of each.
struct GroupPlaces {
  std::uint64_t at = 0;
  std::uint64_t length = 0;
  std::vector<ChunkPlaces> chunks;  // a column each

  std::size_t pages() const { return chunks.front().pages.size(); }
  std::size_t rows(std::size_t page) const { return std::size_t(chunks.front().pages[page].range.rows); }
};

// The index, packed, with what tells where it begins when one comes from behind; and back: `file` is all of it.
std::string FormatPageIndex(const std::vector<GroupPlaces>& groups);
Result<std::vector<GroupPlaces>> ReadPageIndex(std::string_view file, std::size_t columns);

class PageFile {
 public:
  // kCorrupt when the file has no page index.
  static Result<PageFile> Open(const Table& table, const std::string& path);
  PageFile(PageFile&&) = default;
  PageFile& operator=(PageFile&&) = delete;

  std::string_view bytes() const { return file_.bytes(); }
  // kCorrupt when somebody has cut it off since it was opened: some of its bytes were read as zeros. To be asked when
  // all is read, before it is believed.
  Result<void> IsStillThere() const;
  const std::vector<GroupPlaces>& groups() const { return groups_; }
  std::string_view Raw(const PagePlace& place) const { return bytes().substr(place.at, place.length()); }
  // Of the column in that group; empty where it has none.
  using Values = std::shared_ptr<const std::vector<std::string>>;
  Result<Values> Dictionary(std::size_t group, std::size_t column);
  // The cells of a page of a column; of one in codes, what they number in its dictionary.
  Result<PageColumn> Read(std::size_t group, std::size_t page, std::size_t column);
  Result<CodedBody> ReadCodes(std::size_t group, std::size_t page, std::size_t column);

 private:
  PageFile(const Table& table, std::string path, MappedFile file)
      : table_(&table), path_(std::move(path)), file_(std::move(file)) {}
  Result<std::string> Body(const PagePlace& place);
  std::unexpected<Error> Damaged(const PagePlace& place, const Error& error) const;

  const Table* table_;
  std::string path_;
  MappedFile file_;
  std::vector<GroupPlaces> groups_;
  // Of the group that was asked for last, by column.
  std::size_t dictionaries_of_ = 0;
  std::vector<Values> dictionaries_;
  ZstdDecoder decoder_;
};

}  // namespace tmdbc::tables
