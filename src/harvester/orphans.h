// SPDX-License-Identifier: MIT
// The ledger of orphans in catalog.db (table harvest_orphans): live ids that no export lists although TMDB
// answers for them, and how often they were asked for. Adult titles are such when their exports are not read.
// Losing it costs requests, no data. One thread.
#pragma once

#include <cstdint>
#include <map>

#include "base/sqlite.h"
#include "harvester/fetch_rules.h"
#include "tmdb/media_id.h"

namespace tmdbc {

using Orphans = std::map<std::int64_t, Orphan>;  // by id

Result<void> CreateOrphans(Database& catalog);
Result<Orphans> ReadOrphans(Database& catalog, MediaType type);
// Makes the table say `after` where it says `before`, in one transaction.
Result<void> ReplaceOrphans(Database& catalog, MediaType type, const Orphans& before, const Orphans& after);

}  // namespace tmdbc
