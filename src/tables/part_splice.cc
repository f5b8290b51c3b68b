// SPDX-License-Identifier: MIT
#include "tables/part_splice.h"

#include <algorithm>

namespace tmdbc::tables {
namespace {

// Of columns that are sorted so that the rows of a record are together.
std::vector<RecordRows::Record> RecordsOf(const PlaceColumns& places, const std::vector<PageColumn>& cells,
                                          std::size_t rows) {
  std::vector<RecordRows::Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    const RecordPlace place = places.Of(cells, row);
    if (records.empty() || records.back().place != place) records.push_back({place, row, row});
    records.back().last = row + 1;
  }
  return records;
}

}  // namespace

PlaceColumns::PlaceColumns(const Table& table) {
  for (const std::string& column : table.sort) {
    if (column != "position") columns_.push_back(table.Find(column).value());
  }
}

RecordPlace PlaceColumns::Of(const std::vector<PageColumn>& cells, std::size_t row) const {
  RecordPlace place;
  for (std::size_t i = 0; i < columns_.size(); ++i) place.values[i] = cells[columns_[i]].Number(row);
  return place;
}

Result<void> RecordRows::Row(std::span<const Cell> cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Column& column = table_->columns[i];
    columns_[i].Append(column.type, cells[i]);
    if (!columns_[i].fits())
      return Fail(ErrorCode::kInvalid, "column {} of table {}: the values of some ids are {} bytes: they are too many",
                  column.name, table_->name, columns_[i].plain.size());
  }
  return {};
}

void RecordRows::Clear() {
  for (PageColumn& column : columns_) column.Clear();
}

std::vector<RecordRows::Record> RecordRows::Records() const {
  auto records = RecordsOf(places_, columns_, rows());
  std::ranges::sort(records, {}, &Record::place);
  return records;
}

bool ChangedIds::contains(std::int64_t id) const {
  const auto found = std::ranges::lower_bound(records_, id, {}, &std::pair<std::int64_t, std::int64_t>::first);
  return found != records_.end() && found->first == id && !kept_.contains(id);
}

PartSplice::PartSplice(const Table& table, std::string path, const PageSizes& sizes,
                       std::optional<PageFile> old, const ChangedIds& changed)
    : table_(table),
      places_(table),
      old_(old ? std::make_unique<PageFile>(std::move(*old)) : nullptr),
      changed_(changed),
      writer_(table, std::move(path), sizes, old_.get()) {}

Result<void> PartSplice::Add(const RecordRows& rows, const RecordRows::Record& record) {
  TRY(TakeOldBefore(record.place));
  const std::size_t count = record.last - record.first;
  const bool ends = writer_.EndsPage(places_.Id(record.place), count, count);
  writer_.Append(rows.columns(), record.first, record.last);
  return ends ? writer_.EndPage() : Result<void>();
}

Result<PageFileWriter::Finished> PartSplice::Finish() {
  TRY(TakeOldBefore(std::nullopt));
  return writer_.Finish();
}

// The records of the old file that stand before `end`, less those that changed.
Result<void> PartSplice::TakeOldBefore(const std::optional<RecordPlace>& end) {
  while (!at_end()) {
    if (!at_) TRY(LoadPage());
    if (IsWhole(end)) {
      TRY(writer_.Take(group_, page_));
      NextPage();
      continue;
    }
    TRY_ASSIGN(const bool passed, TakeRecordsBefore(end));
    if (!passed) return {};
    NextPage();
  }
  return {};
}

// Those of the page at hand; whether these are all.
Result<bool> PartSplice::TakeRecordsBefore(const std::optional<RecordPlace>& end) {
  std::size_t first = 0, last = 0;  // rows that are to be appended together
  const auto append = [&]() -> Result<void> {
    if (first == last) return {};
    if (!at_->cells) {
      auto cells = std::make_shared<std::vector<PageColumn>>();
      for (std::size_t column = 0; column < table_.columns.size(); ++column) {
        TRY_ASSIGN(PageColumn one, old_->Read(group_, page_, column));
        cells->push_back(std::move(one));
      }
      at_->cells = std::move(cells);
    }
    writer_.Resembles(group_, page_, at_->cells);
    writer_.Append(*at_->cells, first, last);
    return {};
  };
  for (; at_->next < at_->records.size(); ++at_->next) {
    const RecordRows::Record& record = at_->records[at_->next];
    if (end && record.place > *end) break;
    const std::int64_t id = places_.Id(record.place);
    if (changed_.contains(id)) continue;
    if (end && record.place == *end)
      return Fail(ErrorCode::kInternal, "table {} has record {} twice", table_.name, id);
    if (last != record.first) {
      TRY(append());
      first = record.first;
    }
    last = record.last;
    if (writer_.EndsPage(id, last - record.first, last - first)) {
      TRY(append());
      TRY(writer_.EndPage());
      first = last;
    }
  }
  TRY(append());
  return at_->next == at_->records.size();
}

Result<void> PartSplice::LoadPage() {
  std::vector<PageColumn> cells(table_.columns.size());
  for (const std::size_t column : places_.columns()) {
    TRY_ASSIGN(cells[column], old_->Read(group_, page_, column));
  }
  at_ = OldPage{.records = RecordsOf(places_, cells, old_->groups()[group_].rows(page_)), .next = 0, .cells = nullptr};
  return {};
}

// Whether the page at hand comes out as it is.
bool PartSplice::IsWhole(const std::optional<RecordPlace>& end) const {
  const auto& records = at_->records;
  if (at_->next != 0 || records.empty() || !writer_.at_page_start()) return false;
  if (end && records.back().place >= *end) return false;
  for (const RecordRows::Record& record : records) {
    if (changed_.contains(places_.Id(record.place))) return false;
  }
  // The last page of a file ends where there was no more.
  const RecordRows::Record& last = records.back();
  return writer_.EndsPage(places_.Id(last.place), last.last - last.first, last.last) ||
         (!end && group_ + 1 == old_->groups().size() && page_ + 1 == old_->groups()[group_].pages());
}

void PartSplice::NextPage() {
  at_.reset();
  if (++page_ < old_->groups()[group_].pages()) return;
  page_ = 0;
  ++group_;
}

}  // namespace tmdbc::tables
