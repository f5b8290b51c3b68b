// SPDX-License-Identifier: MIT
#include "app/app_properties.h"

namespace tmdbc {
namespace {

Result<bool> IsMade(Database& catalog) {
  TRY_ASSIGN(Statement exists,
             catalog.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='app_properties'"));
  return exists.Step();
}

}  // namespace

Result<std::optional<std::string>> GetProperty(Database& catalog, std::string_view name) {
  TRY_ASSIGN(const bool made, IsMade(catalog));
  if (!made) return std::nullopt;
  TRY_ASSIGN(Statement get, catalog.Prepare("SELECT value FROM app_properties WHERE name = ?1"));
  TRY_ASSIGN(const bool known, get.Bind(name).Step());
  if (!known) return std::nullopt;
  return std::string(get.Text(0));
}

Result<void> PutProperty(Database& catalog, std::string_view name, std::string_view value) {
  TRY(catalog.Execute(
      "CREATE TABLE IF NOT EXISTS app_properties(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"));
  TRY_ASSIGN(Statement put, catalog.Prepare("INSERT OR REPLACE INTO app_properties VALUES(?1, ?2)"));
  return put.Bind(name, value).Run();
}

Result<void> RemoveProperty(Database& catalog, std::string_view name) {
  TRY_ASSIGN(const bool made, IsMade(catalog));
  if (!made) return {};
  TRY_ASSIGN(Statement remove, catalog.Prepare("DELETE FROM app_properties WHERE name = ?1"));
  return remove.Bind(name).Run();
}

}  // namespace tmdbc
