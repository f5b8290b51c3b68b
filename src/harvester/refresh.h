// SPDX-License-Identifier: MIT
// What a harvest queues although nothing says that it changed: records that have not been verified for long,
// as far as the budget goes, and those that near the six months for which TMDB allows to keep them, whatever
// the budget (freshness.h decides). One thread. Source: docs/tmdb-facts.md, docs/freshness.md.
#pragma once

#include <span>
#include "base/stop.h"
#include "harvester/harvest_ports.h"
#include "harvester/harvest_report.h"

#include "harvester/queue_order.h"

namespace tmdbc {

// Queues what of these types has not been verified for long; `order` has learned them. Fills `refreshed` of
// each type in the report. Keywords come with their export, seasons with their show: neither is refreshed by
// itself.
Result<void> QueueRefreshes(const HarvestPorts& ports, const HarvestOptions& options,
                            std::span<const MediaType> types, const StopFlag& stop, const QueueOrder& order,
                            HarvestReport& report);

}  // namespace tmdbc
