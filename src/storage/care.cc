// SPDX-License-Identifier: MIT
#include "storage/care.h"

#include "storage/kept_aside.h"
#include "storage/record_index.h"
#include "storage/segment_path.h"

namespace tmdbc {

CareDecision CareFor(Time verified_at, std::optional<Time> asked_at, Time now) {
  if (!FallsDue(now - verified_at)) return CareDecision::kKeep;
  const bool asked = asked_at && *asked_at >= verified_at + kFallsDue;
  return asked && now - verified_at >= kMayBeKept ? CareDecision::kPurge : CareDecision::kAsk;
}

bool IsTooManyToPurge(std::int64_t purges, std::int64_t live) {
  constexpr std::int64_t kFew = 20, kOneIn = 20;
  return purges > kFew && purges * kOneIn > live;
}

Result<CarePlan> PlanCare(RecordLedger& ledger, MediaType type, Time now, const AskedInVain& asked,
                          const StopFlag& stop) {
  CarePlan plan;
  const auto look = [&](const LiveRecord& record) {
    ++plan.live;
    if (now - record.verified_at < kMayBeKept) return;
    const auto decision = CareFor(record.verified_at, asked({type, record.id}), now);
    if (decision == CareDecision::kPurge) plan.purge.push_back(record.id);
    if (decision == CareDecision::kAsk) ++plan.unasked;
  };
  TRY(ledger.VisitLive(type, look, stop));
  return plan;
}

Result<std::vector<std::string>> PurgeAsides(FileSystem& files, Database& catalog, Time now) {
  std::vector<std::string> removed;
  RecordIndex index(catalog);
  TRY_ASSIGN(const auto paths, files.List(std::string(kRecordsFolder)));
  for (const std::string& path : paths) {
    const auto name = ParseAsidePath(path);
    if (!name) continue;
    TRY_ASSIGN(const Time oldest, OldestIn(files, index, path, *name));
    if (now - oldest < kMayBeKept) continue;
    TRY(files.Remove(path));
    TRY(files.SyncFolder(FolderOfPath(path)));
    removed.push_back(path);
  }
  return removed;
}

Result<std::int64_t> Purge(RecordWriter& writer, MediaType type, std::span<const std::int64_t> ids, Time at,
                           const StopFlag& stop) {
  std::int64_t purged = 0;
  for (const std::int64_t id : ids) {
    if (stop.requested()) break;
    TRY(writer.PutPurge({type, id}, at));
    ++purged;
    if (writer.CommitDue()) TRY(writer.Commit({}));
  }
  TRY(writer.Commit({}));
  return purged;
}

}  // namespace tmdbc
