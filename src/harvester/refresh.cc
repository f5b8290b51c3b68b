// SPDX-License-Identifier: MIT
#include "harvester/refresh.h"

#include <algorithm>
#include <vector>

#include "harvester/freshness.h"

namespace tmdbc {

namespace {

// What waits already has to be fetched first: refreshes must not pile up behind it.
Result<std::int64_t> BudgetOf(QueueView& queue, double refresh_budget) {
  TRY_ASSIGN(const auto counts, queue.Counts());
  double left = refresh_budget;
  for (const auto& [type, count] : counts) left -= double(count.waiting + count.delayed + count.in_flight);
  return std::int64_t(std::max(0.0, left));
}

}  // namespace

Result<void> QueueRefreshes(const HarvestPorts& ports, const HarvestOptions& options,
                            std::span<const MediaType> types, const StopFlag& stop, const QueueOrder& order,
                            HarvestReport& report) {
  TRY_ASSIGN(const std::int64_t budget, BudgetOf(ports.desk, options.refresh_budget));
  std::int64_t records = 0;
  for (const MediaType type : types) {
    if (IsRefreshedByAge(type)) records += order.RecordsOf(type);
  }
  RefreshPlanner planner(budget, records, RefreshOptions());
  for (const MediaType type : types) {
    if (!IsRefreshedByAge(type) || stop.requested()) continue;
    const TypeRates rates = order.RatesOf(type);
    TRY(order.VisitFacts(type, 1, stop, [&](std::int64_t id, const RecordFacts& facts) {
      planner.Consider({type, id}, facts, rates);
    }));
  }
  if (stop.requested()) return {};

  // They may be millions: nothing of them is copied but a slice.
  const std::vector<QueueItem> chosen = planner.Take();
  std::vector<QueueItem> slice;
  for (const MediaType type : types) {
    const auto send = [&]() -> Result<void> {
      if (slice.empty()) return {};
      auto added = std::int64_t(slice.size());
      if (!options.dry_run) {
        TRY_ASSIGN(added, ports.sender.Send(slice));
      }
      report.Of(type).refreshed += added;
      slice.clear();
      return {};
    };
    for (const QueueItem& item : chosen) {
      if (item.id.type == type) slice.push_back(item);
      if (slice.size() < kSentAtOnce) continue;
      TRY(send());
      if (stop.requested()) return {};
    }
    TRY(send());
  }
  if (planner.due() > 0) {
    ports.log.Info(
        "chose what to verify again",
        {{"due", planner.due()}, {"nearing_six_months", planner.clause_due()}, {"budget", budget}});
  }
  return {};
}

}  // namespace tmdbc
