// SPDX-License-Identifier: MIT
// PartSplice: the next file of a part of a table: the rows of records that changed, put where the old file has or would
// have them, and all else of the old file. Costs what changed: pages without a change are taken over as they are
// packed. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tables/page_file.h"
#include "tables/page_file_writer.h"
#include "tables/spec.h"

namespace tmdbc::tables {

// Where a record's rows stand in a table: the columns of its order but the position. The last one in use is the
// record's id.
struct RecordPlace {
  std::array<std::int64_t, 3> values{};
  auto operator<=>(const RecordPlace&) const = default;
};

// The columns that make a table's RecordPlace: one, or of a season's tables three.
class PlaceColumns {
 public:
  explicit PlaceColumns(const Table& table);

  RecordPlace Of(const std::vector<PageColumn>& cells, std::size_t row) const;
  std::int64_t Id(const RecordPlace& place) const { return place.values[columns_.size() - 1]; }
  const std::vector<std::size_t>& columns() const { return columns_; }

 private:
  std::vector<std::size_t> columns_;
};

// Rows of a table in memory, record by record.
class RecordRows {
 public:
  explicit RecordRows(const Table& table) : table_(&table), places_(table), columns_(table.columns.size()) {}

  // kInvalid when the values of a column are more than 2 GB.
  Result<void> Row(std::span<const Cell> cells);
  std::size_t rows() const { return columns_.front().rows(); }
  void Clear();
  const std::vector<PageColumn>& columns() const { return columns_; }

  struct Record {
    RecordPlace place;
    std::size_t first, last;  // rows [first, last)
  };
  // In the order of the table. Rows of one record came one after the other, in their order.
  std::vector<Record> Records() const;

 private:
  const Table* table_;
  PlaceColumns places_;
  std::vector<PageColumn> columns_;
};

// The ids of records whose old rows do not count.
class ChangedIds {
 public:
  // `records`: the first of each pair, ascending; outlives this.
  explicit ChangedIds(const std::vector<std::pair<std::int64_t, std::int64_t>>& records) : records_(records) {}

  // That one's old rows count after all. Not once a splice has passed it.
  void Keep(std::int64_t id) { kept_.insert(id); }
  bool contains(std::int64_t id) const;

 private:
  const std::vector<std::pair<std::int64_t, std::int64_t>>& records_;
  std::set<std::int64_t> kept_;
};

class PartSplice {
 public:
  // `old` may be empty; `changed` outlives the splice.
  PartSplice(const Table& table, std::string path, const PageSizes& sizes, std::optional<PageFile> old,
             const ChangedIds& changed);

  // A record of these rows; behind all that were added before.
  Result<void> Add(const RecordRows& rows, const RecordRows::Record& record);
  // Bytes of what came so far, about.
  std::uint64_t bytes() const { return writer_.bytes(); }
  Result<PageFileWriter::Finished> Finish();

 private:
  // The records of the old page at hand.
  struct OldPage {
    std::vector<RecordRows::Record> records;
    std::size_t next = 0;
    std::shared_ptr<const std::vector<PageColumn>> cells;  // null until they are needed
  };

  Result<void> TakeOldBefore(const std::optional<RecordPlace>& end);
  Result<bool> TakeRecordsBefore(const std::optional<RecordPlace>& end);
  Result<void> LoadPage();
  bool IsWhole(const std::optional<RecordPlace>& end) const;
  void NextPage();
  bool at_end() const { return !old_ || group_ == old_->groups().size(); }

  const Table& table_;
  const PlaceColumns places_;
  std::unique_ptr<PageFile> old_;
  const ChangedIds& changed_;
  PageFileWriter writer_;
  std::size_t group_ = 0, page_ = 0;  // of the old file
  std::optional<OldPage> at_;
};

}  // namespace tmdbc::tables
