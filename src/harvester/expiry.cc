// SPDX-License-Identifier: MIT
#include "harvester/expiry.h"

#include <algorithm>
#include <climits>
#include <optional>
#include <unordered_map>

#include "storage/care.h"
#include "storage/record.h"
#include "tmdb/media_traits.h"

namespace tmdbc {
namespace {

// When each id of the type became a dead letter: TMDB was asked for it then, in vain.
Result<std::unordered_map<std::int64_t, Time>> AskedInVainOf(QueueView& queue, MediaType type) {
  TRY_ASSIGN(const auto dead, queue.DeadLetters(type, INT_MAX));
  std::unordered_map<std::int64_t, Time> asked;
  for (const DeadLetter& letter : dead) {
    Time& at = asked[letter.id.id];
    at = std::max(at, letter.died);
  }
  return asked;
}

Result<ExpiryReport::OfType> PurgeType(const ExpiryPorts& ports, MediaType type, Time now, bool accept,
                                       const StopFlag& stop) {
  TRY_ASSIGN(const auto letters, AskedInVainOf(ports.queue, type));
  const auto asked = [&](MediaId id) -> std::optional<Time> {
    // No request is made for a line of an export: every harvest reads whether it is there.
    if (TraitsOf(type).source == RecordSource::kExportLine) return now;
    const auto letter = letters.find(id.id);
    return letter == letters.end() ? std::nullopt : std::optional(letter->second);
  };
  const auto plan = PlanCare(ports.ledger, type, now, asked, stop);
  if (stop.requested()) return ExpiryReport::OfType{};
  if (!plan && plan.error().code == ErrorCode::kNotFound) return ExpiryReport::OfType{};
  if (!plan) return std::unexpected(plan.error());
  ExpiryReport::OfType found{.live = plan->live, .unasked = plan->unasked};
  const auto due = std::ssize(plan->purge);
  if (due == 0) return found;
  if (!accept && IsTooManyToPurge(due, plan->live)) {
    found.held = due;
    return found;
  }
  TRY_ASSIGN(found.purged, Purge(ports.writer, type, plan->purge, ports.clock.Now(), stop));
  return found;
}

// Before the first record is stored nothing can grow too old, whatever day it is.
Result<bool> HoldsRecords(RecordLedger& ledger) {
  for (const MediaType type : kRecordTypes) {
    TRY_ASSIGN(const std::int64_t live, ledger.CountLive(type));
    if (live > 0) return true;
  }
  return false;
}

}  // namespace

Result<ExpiryReport> PurgeExpired(const ExpiryPorts& ports, bool accept, const StopFlag& stop) {
  ExpiryReport report;
  if (ports.upstream.ClockIsOff()) {
    report.obstacle = CareObstacle::kClockOff;
  } else if (!ports.upstream.Skew()) {
    TRY_ASSIGN(const bool holds_records, HoldsRecords(ports.ledger));
    if (!holds_records) return report;
    report.obstacle = CareObstacle::kNoDate;
  }
  if (report.obstacle != CareObstacle::kNone) return report;
  const Time now = ports.upstream.Bounded(ports.clock.Now());
  for (const MediaType type : kRecordTypes) {
    if (TraitsOf(type).source == RecordSource::kShow) continue;  // they go with their show
    TRY_ASSIGN(const auto found, PurgeType(ports, type, now, accept, stop));
    if (found.purged + found.held + found.unasked > 0) report.types[type] = found;
  }
  report.stopped = stop.requested();
  if (report.stopped) return report;
  TRY_ASSIGN(report.files, PurgeAsides(ports.files, ports.catalog, now));
  return report;
}

}  // namespace tmdbc
