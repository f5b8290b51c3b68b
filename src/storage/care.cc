// SPDX-License-Identifier: MIT
#include "storage/care.h"

#include <vector>

namespace tmdbc {

Result<std::int64_t> PurgeUnverified(RecordWriter& writer, RecordLedger& ledger, MediaType type, Time before,
                                     Time at) {
  std::vector<std::int64_t> due;
  TRY(ledger.VisitLive(type, [&](const LiveRecord& record) {
    if (record.verified_at < before) due.push_back(record.id);
  }));
  for (const std::int64_t id : due) {
    TRY(writer.PutPurge({type, id}, at));
    if (writer.CommitDue()) TRY(writer.Commit({}));
  }
  TRY(writer.Commit({}));
  return std::int64_t(due.size());
}

}  // namespace tmdbc
