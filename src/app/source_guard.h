// SPDX-License-Identifier: MIT
// SourceGuard: a DATA_DIR remembers which TMDB it was filled from, so that made-up films of a simulator and
// the real ones, which share their ids, never become versions of one another. It stands in catalog.db and,
// for the day when that is lost, in source.json.
#pragma once

#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "queue/queue_desk.h"
#include "storage/ledger.h"

namespace tmdbc {

// What counts as one source: TMDB under either of its names, any port of this machine, else the host.
// "https://api.tmdb.org/3" -> "api.themoviedb.org", "http://127.0.0.1:4711/3" -> "this machine".
std::string SourceOf(std::string_view api_base_url);

// To be called by what opens DATA_DIR for writing, after the store and the queue. A folder that holds
// nothing yet, or does not know its source, takes this one, durably; kInvalid, with what to do,
// when it was filled from another.
// `place` is DATA_DIR or a bucket, for a person; `files` are rooted there.
Result<void> RequireSource(Database& catalog, RecordLedger& ledger, QueueView& queue, FileSystem& files,
                           const std::string& place, std::string_view api_base_url);

// A person says that this is the TMDB that the store was filled from, whatever it remembers. `files` as above. Durable.
Result<void> AdoptSource(Database& catalog, FileSystem& files, std::string_view api_base_url);

}  // namespace tmdbc
