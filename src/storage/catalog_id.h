// SPDX-License-Identifier: MIT
// What catalog.db says of itself, so that no other program's database is taken for it: PRAGMA application_id
// (https://www.sqlite.org/pragma.html#pragma_application_id).
#pragma once

#include <fmt/format.h>

#include <cstdint>

#include "base/result.h"
#include "base/sqlite.h"

namespace tmdbc {

inline constexpr std::int64_t kCatalogId = 0x746d6462;  // "tmdb"

// Writes nothing where it says so already.
inline Result<void> MarkCatalog(Database& catalog) {
  {
    TRY_ASSIGN(Statement query, catalog.Prepare("PRAGMA application_id"));
    TRY_ASSIGN(const bool row, query.Step());
    if (row && query.Int(0) == kCatalogId) return {};
  }
  return catalog.Execute(fmt::format("PRAGMA application_id = {}", kCatalogId));
}

}  // namespace tmdbc
