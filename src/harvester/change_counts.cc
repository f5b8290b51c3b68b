// SPDX-License-Identifier: MIT
#include "harvester/change_counts.h"

namespace tmdbc {

Result<void> CreateChangeCounts(Database& catalog) {
  return catalog.Execute(
      "CREATE TABLE IF NOT EXISTS harvest_change_counts("
      "type INTEGER NOT NULL, id INTEGER NOT NULL, days INTEGER NOT NULL, PRIMARY KEY(type, id)"
      ") WITHOUT ROWID");
}

Result<void> CountChanges(Database& catalog, MediaType type, std::span<const std::int64_t> ids) {
  return catalog.Transact([&]() -> Result<void> {
    TRY_ASSIGN(auto add, catalog.Prepare("INSERT INTO harvest_change_counts VALUES(?1,?2,1) "
                                         "ON CONFLICT(type, id) DO UPDATE SET days=days+1"));
    for (const std::int64_t id : ids) TRY(add.Bind(type, id).Run());
    return {};
  });
}

Result<std::int64_t> ChangeCountOf(Database& catalog, MediaId id) {
  TRY_ASSIGN(auto find, catalog.Prepare("SELECT days FROM harvest_change_counts WHERE type=?1 AND id=?2"));
  TRY_ASSIGN(const bool found, find.Bind(id.type, id.id).Step());
  return found ? find.Int(0) : 0;
}

Result<void> VisitChangeCounts(Database& catalog, MediaType type,
                               const std::function<void(std::int64_t id, std::int64_t days)>& visit) {
  TRY_ASSIGN(auto select,
             catalog.Prepare("SELECT id, days FROM harvest_change_counts WHERE type=?1 ORDER BY id"));
  select.Bind(type);
  while (true) {
    TRY_ASSIGN(const bool row, select.Step());
    if (!row) return {};
    visit(select.Int(0), select.Int(1));
  }
}

}  // namespace tmdbc
