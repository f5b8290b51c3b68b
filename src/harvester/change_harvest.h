// SPDX-License-Identifier: MIT
// ChangeHarvest: walks the change feed of a type day by day from its watermark to today, queues the ids that
// need a fetch page by page, and moves the watermark after each day. A kill at any moment loses nothing: what
// was read is in the queue, and the day under way is read again. One thread.
// Sources: docs/tmdb-facts.md, docs/decisions/changes.md.
#pragma once

#include <roaring/roaring.hh>

#include <chrono>
#include <optional>
#include <vector>

#include "base/stop.h"
#include "harvester/change_reader.h"
#include "harvester/harvest_ports.h"
#include "harvester/harvest_report.h"
#include "harvester/queue_order.h"
#include "harvester/sightings.h"

namespace tmdbc {

// The days to walk. Empty when `to` is before `from`.
struct ChangeSpan {
  std::chrono::sys_days from;
  std::optional<std::chrono::sys_days> to;  // empty: today, whatever day that is when the walk gets there
  bool moves_watermark = true;
};

class ChangeHarvest {
 public:
  // All outlive it.
  ChangeHarvest(const HarvestPorts& ports, const HarvestOptions& options, const StopFlag& stop,
                const QueueOrder& order, ChangeReader& reader)
      : ports_(ports), options_(options), stop_(stop), order_(order), reader_(reader) {}

  // Errors are those of the disk, the store and the queue; what TMDB does wrong is in the report.
  Result<ChangesReport> Walk(MediaType type, const ChangeSpan& span,
                             std::optional<std::chrono::sys_days> watermark);

 private:
  struct Day {
    std::chrono::sys_days day;
    Roaring seen;       // in this window, so that a repeat counts once
    Sightings sighted;  // at earlier readings of it
  };

  void TellProgress(MediaType type, const Day& day, const ChangesReport& report);
  Result<void> MoveWatermark(MediaType type, const Day& day, std::chrono::sys_days next);
  Result<void> TakePage(MediaType type, Day& day, const ChangePage& page, ChangesReport& report);

  const HarvestPorts& ports_;
  const HarvestOptions& options_;
  const StopFlag& stop_;
  const QueueOrder& order_;
  ChangeReader& reader_;
  Roaring sent_;  // to the queue in this walk, which may be of years
  MonoTime told_at_{};
};

}  // namespace tmdbc
