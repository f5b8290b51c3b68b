// SPDX-License-Identifier: MIT
// DeadBytes: what a batch makes useless in the segments: bytes of lines that nobody will read again. They are counted
// in the transaction that makes them so, and compaction goes by them. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "storage/record_index.h"

namespace tmdbc {

class DeadBytes {
 public:
  // A line that was replaced.
  void AddLine(MediaType type, const Place& place) { lines_[{type, place.segment}] += place.line_length; }
  // An id's mention in the verified line of that time: TMDB has answered for it since. Nothing when `before` was not
  // confirmed by one.
  void AddConfirmation(const IndexRow& before);
  // Within a transaction. `open` gives the number of a type's open segment, which places in the batch are in.
  template <class OpenNumber>
  Result<void> Write(RecordIndex& index, const OpenNumber& open) const {
    for (const auto& [where, bytes] : lines_) {
      TRY(index.AddDead(where.first, where.second == 0 ? open(where.first) : where.second, bytes));
    }
    return WriteConfirmations(index);
  }

 private:
  Result<void> WriteConfirmations(RecordIndex& index) const;

  std::map<std::pair<MediaType, std::uint32_t>, std::int64_t> lines_;
  std::map<std::pair<MediaType, Time>, std::int64_t> confirmations_;
};

}  // namespace tmdbc
