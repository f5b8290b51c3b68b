// SPDX-License-Identifier: MIT
// PageFileWriter: makes a PageFile: rows in the order of the table, record by record. Where pages and row groups end
// follows from the rows alone, and a page's bytes from its own rows (and, of a column with few values, from which there
// are in its row group): equal rows give equal bytes, whichever file they were taken over from. What is like the old
// file up to here is not written again. In memory are of one row group the packed pages, and of those in codes the
// codes, and one open page. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/compression.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/result.h"
#include "tables/page_column.h"
#include "tables/page_file.h"
#include "tables/page_sizes.h"
#include "tables/spec.h"

namespace tmdbc::tables {

class PageFileWriter {
 public:
  // The file is made at `path` when it is clear that it is another than `old` (null: there is none), which outlives the
  // writer.
  PageFileWriter(const Table& table, std::string path, const PageSizes& sizes, PageFile* old);
  PageFileWriter(const PageFileWriter&) = delete;

  // Rows [first, last) of these columns: whole records.
  void Append(const std::vector<PageColumn>& from, std::size_t first, std::size_t last);
  // Whether the page ends behind `more` rows; the last `rows` of them are a record with that id. Asked of each record;
  // when so, EndPage() comes behind it. The ids decide, not what was before the page: so that of one row more or less
  // the next pages know nothing.
  bool EndsPage(std::int64_t id, std::size_t rows, std::size_t more) const;
  Result<void> EndPage();
  bool at_page_start() const { return open_rows_ == 0; }

  // A page of the old file, which ends there for the new one too, or is the last. At the start of a page.
  Result<void> Take(std::size_t group, std::size_t page);
  // What of that page of the old file, with its cells, comes out the same is taken over.
  void Resembles(std::size_t group, std::size_t page, std::shared_ptr<const std::vector<PageColumn>> cells);

  // Bytes of what came so far, about.
  std::uint64_t bytes() const { return offset_ + pending_bytes_; }

  struct Finished {
    std::int64_t rows = 0;
    bool is_old = false;  // it is the old file, to the byte; nothing is at the path
    std::uint64_t bytes = 0;
    std::string sha256 = {};
  };
  // Without rows there is no file. kCorrupt when the old file was cut off meanwhile.
  Result<Finished> Finish();

 private:
  struct Origin {
    std::size_t group;
    std::size_t page;
  };
  // A page of a column that waits for the end of its row group.
  struct Pending {
    std::optional<Origin> origin = {};  // in the old file, with the same cells
    PageKind kind{};
    PageRange range;
    std::string packed = {};  // of a plain one that has no origin
    std::uint64_t plain = 0;  // bytes of what is packed
    std::string levels = {};  // of one in codes
    std::vector<std::uint32_t> codes = {};
    PageFile::Values values = {};  // which the codes number
  };

  const PagePlace& OldPlace(const Origin& origin, std::size_t column) const;
  Pending OldPage(const Origin& origin, std::size_t column);
  Pending Encoded(std::size_t column);
  Result<void> EndGroup();
  bool IsWholeOldChunk(const std::vector<Pending>& pages) const;
  Result<void> Settle(std::size_t column, std::vector<Pending>& pages);
  Result<std::vector<std::string>> MakeDictionary(std::size_t column, std::vector<Pending>& pages);
  Result<void> PutChunk(std::size_t column, GroupPlaces& places, ChunkFacts& facts);
  Result<void> LoadCodes(std::size_t column, Pending& page);
  Result<PagePlace> PutPage(PageKind kind, const PageRange& range, std::string_view packed, std::uint64_t plain,
                            ChunkFacts& facts);
  Result<PagePlace> PutOld(const PagePlace& place, ChunkFacts& facts);
  Result<void> Put(std::string_view bytes);
  Result<void> Begin();
  Result<void> Write(std::string_view bytes);

  const Table& table_;
  const std::string path_;
  const PageSizes sizes_;
  PageFile* const old_;
  ZstdEncoder encoder_;
  // The open page:
  std::vector<PageColumn> open_;
  std::size_t open_rows_ = 0;
  std::optional<Origin> twin_;
  std::shared_ptr<const std::vector<PageColumn>> twin_cells_;
  // The open row group:
  std::vector<std::vector<Pending>> pending_;  // by column
  std::int64_t pending_rows_ = 0;
  std::uint64_t pending_bytes_ = 0;
  // The file:
  std::vector<GroupPlaces> places_;
  std::vector<GroupFacts> facts_;
  std::int64_t rows_ = 0;
  std::uint64_t offset_ = 0;
  std::unique_ptr<AppendFile> file_;  // null: all is as the old file has it
  std::string buffer_;
  Sha256 sha256_;
};

}  // namespace tmdbc::tables
