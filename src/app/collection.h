// SPDX-License-Identifier: MIT
// A collection: one harvest, then fetching what is queued, and what to tell of it. `run`, `collect` and
// `trigger` are made of these.
#pragma once

#include <functional>

#include "app/pipeline.h"
#include "app/summary.h"

namespace tmdbc {

// Fetches what is queued and fills in the rest of `summary`; `started` is when the collection began.
// `pause` as for Pipeline::Drain().
Result<void> DrainInto(Summary& summary, Pipeline& pipeline, Duration give_up_unanswered,
                       bool accept_deletions, MonoTime started, const std::function<bool()>& pause = {});

// After any harvest, once all that it queued was fetched, whatever its mode and types: takes out of the store
// what may not be kept any longer. `accept`: however much it is.
Result<void> Care(Summary& summary, Pipeline& pipeline, bool accept);

// Harvests, fetches, and cares for what is stored.
Result<Summary> Collect(Pipeline& pipeline, const HarvestOptions& options,
                        const std::function<bool()>& pause = {});

// Prints the summary; returns its exit code. When it cannot be printed the work is done all the same: the log
// says so, and the code is 1 at least.
int ReportSummary(const Summary& summary, bool json, Log& log);

// Ended by its `pause`, not by a stop request.
bool Paused(const Summary& summary, const Pipeline& pipeline);

}  // namespace tmdbc
