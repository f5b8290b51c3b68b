// SPDX-License-Identifier: MIT
// StoredRecords: Records out of the store, as it is at the moment of asking. The popularity of a body is that of the
// last export where the export is newer than the body: lists are sorted by it, and a record is fetched again once a
// month. One thread.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "read_api/records.h"
#include "storage/popularity_table.h"
#include "storage/record_reader.h"
#include "titles/recent_changes.h"

namespace tmdbc::read_api {

class StoredRecords : public Records {
 public:
  // When TMDB made the last export of a type that was accepted; the beginning of time: there is none.
  using ExportTime = std::function<Time(MediaType)>;

  // Both outlive it. `exported` has the popularities of the last exports, which are of `made_at`; without the one or
  // the other they count for nothing. It has their ids, too, so that one which is not stored yet is told from one that
  // nobody knows; null: they are not told apart. What `changes` knows to be unchanged is not looked up; it has to
  // forget when `made_at` changes. Null: all is looked up.
  explicit StoredRecords(RecordReader& reader, PopularityTable* exported = nullptr, ExportTime made_at = {},
                         const titles::RecentChanges* changes = nullptr)
      : reader_(reader), exported_(exported), made_at_(std::move(made_at)), changes_(changes) {}

  Result<std::shared_ptr<const Record>> Get(MediaId id) override;
  Result<std::shared_ptr<const Record>> GetSeason(std::int64_t tv_id, std::int64_t season_number) override;
  Result<Source> SourceOf(MediaId id) override;
  bool IsCurrent(Source& source) override;
  Result<bool> IsAwaited(MediaId id) override;

 private:
  using Moment = titles::RecentChanges::Moment;
  // To be asked before what is read.
  Moment Seen() const { return changes_ == nullptr ? 0 : changes_->Now(); }
  Result<std::shared_ptr<const Record>> Live(Result<StoredBody> found, Moment seen);
  Source SourceFrom(const IndexRow& row, std::optional<float> popularity, Moment seen) const;
  // By an export that is newer than the view.
  std::optional<float> NewerPopularity(const IndexRow& row);

  RecordReader& reader_;
  PopularityTable* const exported_;
  const ExportTime made_at_;
  const titles::RecentChanges* const changes_;
};

}  // namespace tmdbc::read_api
