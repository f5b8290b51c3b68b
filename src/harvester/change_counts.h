// SPDX-License-Identifier: MIT
// On how many days the change feed has listed each id, in catalog.db (table harvest_change_counts): what the
// freshness policy learns rates from. Counted from the feed and not from what fetches found new: when
// requests are scarce a record that waits long changes unseen, would look calm, be fetched for that, look
// restless again (docs/freshness.md has what that costs). An id that was never listed has no row: some 20
// bytes each. One thread; writing within a transaction of the caller's or durable by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/sqlite.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// Makes the table when it is absent.
Result<void> CreateChangeCounts(Database& catalog);

// One more day for each of the ids, which are different. Once for a day of a feed: when no later reading of
// that day will come (the watermark moves past it), in the transaction that moves the watermark.
Result<void> CountChanges(Database& catalog, MediaType type, std::span<const std::int64_t> ids);

// 0 when the id was never listed.
Result<std::int64_t> ChangeCountOf(Database& catalog, MediaId id);

// Every id that was listed, ascending: beside RecordLedger::VisitLive().
Result<void> VisitChangeCounts(Database& catalog, MediaType type,
                               const std::function<void(std::int64_t id, std::int64_t days)>& visit);

}  // namespace tmdbc
