// SPDX-License-Identifier: MIT
// Summary: what a harvest and a drain did, for the person (or program) that started them, and
// the exit code that goes with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/care_status.h"
#include "app/collection_outcome.h"
#include "app/command.h"
#include "app/pipeline.h"
#include "collector/collector.h"
#include "harvester/harvester.h"

namespace tmdbc {

// What the settings and the flags of `run` and `harvest` say about a harvest.
Result<HarvestOptions> HarvestOptionsOf(const Settings& settings, const Arguments& arguments);

// " --data-dir=elsewhere" when the folder was named on the command line, else empty.
std::string FlagsToRepeat(const Settings& settings);

struct Summary {
  std::optional<std::size_t> event;  // its number in the file, of `trigger`
  std::optional<HarvestReport> harvest;
  std::optional<Pipeline::Drained> drained;
  QueueTotals queue;                // afterwards
  std::int64_t held_deletions = 0;  // the same: of live records, waiting for a person
  std::optional<CareStatus> care;   // empty: nobody cared for old records, for work was left
  bool answered_before = false, key_proven = false;  // as of CollectionFacts
  Duration time{};
  std::string data_dir;
  std::string flags;               // what the next commands need to find it again: " --data-dir=elsewhere"
  std::optional<MediaId> example;  // a live record

  // To TMDB's API: pages of the change feeds, and what was fetched. The exports come from another host.
  std::int64_t api_requests() const;
};

CollectionOutcome OutcomeOf(const Summary& summary);

// Some lines for a person, the next commands to try at the end.
std::string SummaryText(const Summary& summary);
// One object.
std::string SummaryJson(const Summary& summary);

// The part of it that the harvest is, a line for each export and each type's changes; `margin` begins each,
// `dry_run`: nothing was queued. Also for `harvest`.
std::string HarvestText(const HarvestReport& report, bool dry_run, std::string_view margin);
std::string HarvestJson(const HarvestReport& report);

}  // namespace tmdbc
