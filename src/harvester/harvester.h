// SPDX-License-Identifier: MIT
// Harvester: finds out which ids there are, which have changed and which may be gone, and queues those that
// need a fetch. Three sources: TMDB's daily exports (what there is), its change feeds (what was edited), and
// the store itself (what has not been verified for long). A crash at any moment loses nothing and repeats
// little: ids are queued durably before a watermark or a ledger says so, and the queue merges what it has.
// One thread. Sources: docs/tmdb-facts.md.
#pragma once

#include <cstdint>
#include <vector>

#include "base/stop.h"
#include "harvester/accepted_exports.h"
#include "harvester/harvest_ports.h"
#include "harvester/harvest_report.h"
#include "tmdb/media_id.h"

namespace tmdbc {

class Harvester {
 public:
  // Accepted exports are kept as exports/movie_ids_2026-11-22.json.gz, the last two of each name. Tables of
  // its own in the catalog.
  Harvester(const HarvestPorts& ports, HarvestSources sources);

  // kInvalid, in words for the asker: a type that has no export, or for kChanges none of the types has a
  // feed, one has no watermark and `since` is empty, or the range is none. Other errors are those of the
  // disk, the store and the queue; what the hosts do wrong is in the report. After an error or a kill the
  // next harvest does what is left.
  Result<HarvestReport> Harvest(const HarvestOptions& options, const StopFlag& stop);

  // Queues these ids, known or not (a person asks for them). Returns how many were not waiting already.
  // kInvalid when one is not 1..2^32-1, or the type cannot be fetched by itself.
  Result<std::int64_t> HarvestIds(MediaType type, const std::vector<std::int64_t>& ids);

 private:
  class Run;  // one call of Harvest()

  const HarvestPorts ports_;
  const HarvestSources sources_;
};

}  // namespace tmdbc
