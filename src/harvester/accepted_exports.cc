// SPDX-License-Identifier: MIT
#include "harvester/accepted_exports.h"

namespace tmdbc {

Result<void> CreateAcceptedExports(Database& catalog) {
  return catalog.Execute(
      "CREATE TABLE IF NOT EXISTS accepted_export("
      "name TEXT NOT NULL, date TEXT NOT NULL, lines INTEGER NOT NULL, ids INTEGER NOT NULL, bytes INTEGER "
      "NOT NULL, "
      "accepted_at TEXT NOT NULL, PRIMARY KEY(name, date)) WITHOUT ROWID");
}

Result<void> RecordAcceptedExport(Database& catalog, const AcceptedExport& accepted) {
  const std::string date = FormatDate(accepted.date);
  const std::string accepted_at = FormatTime(accepted.accepted_at);
  return catalog.Transact([&]() -> Result<void> {
    TRY_ASSIGN(auto insert,
               catalog.Prepare("INSERT OR REPLACE INTO accepted_export VALUES(?1,?2,?3,?4,?5,?6)"));
    insert.Bind(accepted.name, date, accepted.lines, accepted.ids, accepted.bytes, accepted_at);
    TRY(insert.Run());
    TRY_ASSIGN(
        auto forget,
        catalog.Prepare("DELETE FROM accepted_export WHERE name=?1 AND date NOT IN "
                        "(SELECT date FROM accepted_export WHERE name=?1 ORDER BY date DESC LIMIT 2)"));
    return forget.Bind(accepted.name).Run();
  });
}

Result<std::vector<AcceptedExport>> AcceptedExports(Database& catalog) {
  std::vector<AcceptedExport> all;
  TRY_ASSIGN(auto exists,
             catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='accepted_export'"));
  TRY_ASSIGN(const bool found, exists.Step());
  if (!found) return all;
  TRY_ASSIGN(auto select,
             catalog.Prepare("SELECT name, date, lines, ids, bytes, accepted_at FROM accepted_export "
                             "ORDER BY name, date DESC"));
  while (true) {
    TRY_ASSIGN(const bool row, select.Step());
    if (!row) return all;
    TRY_ASSIGN(const auto date, ParseDate(select.Text(1)));
    TRY_ASSIGN(const Time accepted_at, ParseTime(select.Text(5)));
    all.push_back({.name = std::string(select.Text(0)),
                   .date = date,
                   .lines = select.Int(2),
                   .ids = select.Int(3),
                   .bytes = select.Int(4),
                   .accepted_at = accepted_at});
  }
}

}  // namespace tmdbc
