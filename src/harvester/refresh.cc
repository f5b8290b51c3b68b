// SPDX-License-Identifier: MIT
#include "harvester/refresh.h"

#include <algorithm>
#include <map>
#include <vector>

#include "harvester/freshness.h"

namespace tmdbc {

namespace {

// Sent to the queue in one transaction.
constexpr std::size_t kSlice = 200'000;

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

  std::map<MediaType, std::vector<QueueItem>> by_type;
  for (const QueueItem& item : planner.Take()) by_type[item.id.type].push_back(item);
  for (const auto& [type, items] : by_type) {
    std::int64_t& refreshed = report.Of(type).refreshed;
    if (options.dry_run) refreshed = std::int64_t(items.size());
    for (std::size_t at = 0; at < items.size() && !options.dry_run && !stop.requested(); at += kSlice) {
      const std::size_t size = std::min(kSlice, items.size() - at);
      TRY_ASSIGN(const std::int64_t added, ports.sender.Send(std::span(items).subspan(at, size)));
      refreshed += added;
    }
  }
  if (planner.due() > 0) {
    ports.log.Info(
        "chose what to verify again",
        {{"due", planner.due()}, {"nearing_six_months", planner.clause_due()}, {"budget", budget}});
  }
  return {};
}

}  // namespace tmdbc
