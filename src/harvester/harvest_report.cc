// SPDX-License-Identifier: MIT
#include "harvester/harvest_report.h"

#include <algorithm>
#include <cmath>

namespace tmdbc {

namespace {

double RequestsFor(MediaType type, std::int64_t ids, const SeasonExtras& extras) {
  const MediaTraits& traits = TraitsOf(type);
  return double(ids) * (traits.requests + (traits.has_seasons ? ExtraRequestsPerShow(extras) : 0));
}

}  // namespace

std::int64_t TypeReport::queued() const {
  return candidates + returns + held_queued + refreshed + (changes ? changes->queued : 0);
}

std::int64_t HarvestReport::queued() const {
  std::int64_t sum = 0;
  for (const ExportReport& report : exports) sum += report.queued;
  for (const TypeReport& report : types) sum += report.queued();
  return sum;
}

bool HarvestReport::denied() const {
  return std::ranges::any_of(types, [](const TypeReport& report) {
    return report.changes && report.changes->verdict == ChangesVerdict::kDenied;
  });
}

TypeReport& HarvestReport::Of(MediaType type) {
  const auto found = std::ranges::find(types, type, &TypeReport::type);
  if (found != types.end()) return *found;
  TypeReport& added = types.emplace_back();
  added.type = type;
  return added;
}

int HarvestReport::exit_code() const {
  if (denied()) return 3;
  int asked = 0, unreachable = 0;
  bool partly = stopped;
  for (const ExportReport& report : exports) {
    // The configuration lists, and files that lay on the disk, asked nobody.
    asked += TraitsOf(report.type).source != RecordSource::kList && !report.unchanged;
    unreachable += report.verdict == ExportVerdict::kUnreachable;
    partly |= report.verdict == ExportVerdict::kRefused;
  }
  for (const TypeReport& report : types) {
    if (!report.changes) continue;
    ++asked;
    // One that was read in part was reached.
    unreachable += report.changes->verdict == ChangesVerdict::kUnreachable && report.changes->pages == 0;
    partly |= report.changes->verdict != ChangesVerdict::kRead;
  }
  if (unreachable > 0 && unreachable == asked) return 3;
  return partly || unreachable > 0 ? 1 : 0;
}

std::int64_t EstimateRequests(const HarvestReport& report, const SeasonExtras& extras) {
  double sum = 0;
  for (const ExportReport& entry : report.exports) {
    if (TraitsOf(entry.type).source != RecordSource::kExportLine)
      sum += RequestsFor(entry.type, entry.queued, extras);
  }
  for (const TypeReport& entry : report.types) sum += RequestsFor(entry.type, entry.queued(), extras);
  return std::int64_t(std::ceil(sum - 1e-6));
}

}  // namespace tmdbc
