// SPDX-License-Identifier: MIT
// StoredRecords: Records out of the store, as it is at the moment of asking. One thread.
#pragma once

#include "read_api/records.h"
#include "storage/record_reader.h"

namespace tmdbc::read_api {

class StoredRecords : public Records {
 public:
  // Outlives it.
  explicit StoredRecords(RecordReader& reader) : reader_(reader) {}

  Result<std::shared_ptr<const Record>> Get(MediaId id) override;
  Result<std::shared_ptr<const Record>> GetSeason(std::int64_t tv_id, std::int64_t season_number) override;
  Result<Source> SourceOf(MediaId id) override;
  Result<bool> IsAwaited(MediaId id) override;

 private:
  RecordReader& reader_;
};

}  // namespace tmdbc::read_api
