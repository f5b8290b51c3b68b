// SPDX-License-Identifier: MIT
// The ledger of accepted exports in catalog.db: which file of each name is in force. Written last of all that
// a harvest does with an export, so that a crash before it leads to the same export being read again.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/sqlite.h"

namespace tmdbc {

struct AcceptedExport {
  std::string name;  // "movie_ids"
  std::chrono::sys_days date;
  std::int64_t lines = 0;
  std::int64_t ids = 0;    // different ones that were taken
  std::int64_t bytes = 0;  // compressed
  Time accepted_at{};
};

// Of each name the last two accepted, newest first; names in ascending order. Empty when nothing was
// harvested yet. Any process may ask, also with a database open for reading only: `status` does for its
// coverage.
Result<std::vector<AcceptedExport>> AcceptedExports(Database& catalog);

// For the harvester: makes the table, adds a row (or replaces that of the same name and date) and forgets all
// but the newest two of its name.
Result<void> CreateAcceptedExports(Database& catalog);
Result<void> RecordAcceptedExport(Database& catalog, const AcceptedExport& accepted);

}  // namespace tmdbc
