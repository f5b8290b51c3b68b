// SPDX-License-Identifier: MIT
// For looking up every record in the order of the segments, which is not that of the ids: with the 2 MB that SQLite
// keeps of a database, nearly each look-up reads a page of catalog.db and each change writes one.
#pragma once

#include <fmt/format.h>

#include <cstdint>

#include "base/sqlite.h"

namespace tmdbc {

inline constexpr std::int64_t kIndexCacheBytes = 64 << 20;

// From now on this connection keeps so much of catalog.db in memory.
inline Result<void> GrowIndexCache(Database& catalog) {
  return catalog.Execute(fmt::format("PRAGMA cache_size=-{}", kIndexCacheBytes >> 10));
}

}  // namespace tmdbc
