// SPDX-License-Identifier: MIT
#include "harvester/orphans.h"

namespace tmdbc {

Result<void> CreateOrphans(Database& catalog) {
  // last_checked in microseconds since 1970.
  return catalog.Execute(
      "CREATE TABLE IF NOT EXISTS harvest_orphans(type INTEGER NOT NULL, id INTEGER NOT NULL, "
      "attempts INTEGER NOT NULL, last_checked INTEGER NOT NULL, PRIMARY KEY(type, id)) WITHOUT ROWID");
}

Result<Orphans> ReadOrphans(Database& catalog, MediaType type) {
  Orphans orphans;
  TRY_ASSIGN(auto exists,
             catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='harvest_orphans'"));
  TRY_ASSIGN(const bool found, exists.Step());
  if (!found) return orphans;
  TRY_ASSIGN(
      auto select,
      catalog.Prepare("SELECT id, attempts, last_checked FROM harvest_orphans WHERE type=?1 ORDER BY id"));
  select.Bind(type);
  while (true) {
    TRY_ASSIGN(const bool row, select.Step());
    if (!row) return orphans;
    orphans.emplace_hint(orphans.end(), select.Int(0),
                         Orphan{.attempts = select.Int(1), .last_checked = Time(Duration(select.Int(2)))});
  }
}

Result<void> ReplaceOrphans(Database& catalog, MediaType type, const Orphans& before, const Orphans& after) {
  return catalog.Transact([&]() -> Result<void> {
    TRY_ASSIGN(auto remove, catalog.Prepare("DELETE FROM harvest_orphans WHERE type=?1 AND id=?2"));
    TRY_ASSIGN(auto insert, catalog.Prepare("INSERT OR REPLACE INTO harvest_orphans VALUES(?1,?2,?3,?4)"));
    for (const auto& [id, orphan] : before) {
      if (!after.contains(id)) TRY(remove.Bind(type, id).Run());
    }
    for (const auto& [id, orphan] : after) {
      const auto old = before.find(id);
      if (old != before.end() && old->second.attempts == orphan.attempts &&
          old->second.last_checked == orphan.last_checked) {
        continue;
      }
      TRY(insert.Bind(type, id, orphan.attempts, orphan.last_checked.time_since_epoch().count()).Run());
    }
    return {};
  });
}

}  // namespace tmdbc
