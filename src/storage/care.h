// SPDX-License-Identifier: MIT
// The care of a mirror: which records must go because TMDB has not confirmed them for too long. One thread.
#pragma once

#include <cstdint>

#include "storage/ledger.h"
#include "storage/record_writer.h"

namespace tmdbc {

// Writes a `purge` record for every live record of the type (a show with its seasons) not verified since
// `before`, and commits. Returns how many, seasons not counted. Requires an empty batch.
Result<std::int64_t> PurgeUnverified(RecordWriter& writer, RecordLedger& ledger, MediaType type, Time before,
                                     Time at);

}  // namespace tmdbc
