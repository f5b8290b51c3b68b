// SPDX-License-Identifier: MIT
// StoredRecords: Records out of the store, as it is at the moment of asking. One thread.
#pragma once

#include "read_api/records.h"
#include "storage/popularity_table.h"
#include "storage/record_reader.h"

namespace tmdbc::read_api {

class StoredRecords : public Records {
 public:
  // Both outlive it. `expected` has the ids of the last exports, so that one which is not stored yet is told from one that
  // nobody knows; null: they are not told apart.
  explicit StoredRecords(RecordReader& reader, PopularityTable* expected = nullptr)
      : reader_(reader), expected_(expected) {}

  Result<std::shared_ptr<const Record>> Get(MediaId id) override;
  Result<std::shared_ptr<const Record>> GetSeason(std::int64_t tv_id, std::int64_t season_number) override;
  Result<Source> SourceOf(MediaId id) override;
  Result<bool> IsAwaited(MediaId id) override;

 private:
  RecordReader& reader_;
  PopularityTable* const expected_;
};

}  // namespace tmdbc::read_api
