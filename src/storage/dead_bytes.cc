// SPDX-License-Identifier: MIT
#include "storage/dead_bytes.h"

#include <fmt/format.h>

namespace tmdbc {

void DeadBytes::AddConfirmation(const IndexRow& before) {
  if (!before.live() || before.verified_at == before.fetched_at) return;
  confirmations_[{before.id.type, before.verified_at}] += std::int64_t(fmt::formatted_size("{},", before.id.id));
}

Result<void> DeadBytes::WriteConfirmations(RecordIndex& index) const {
  for (const auto& [when, bytes] : confirmations_) {
    TRY_ASSIGN(const std::uint32_t segment, index.SegmentAt(when.first, when.second));
    if (segment != 0) TRY(index.AddDead(when.first, segment, bytes));
  }
  return {};
}

}  // namespace tmdbc
