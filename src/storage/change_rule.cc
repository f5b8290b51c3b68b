// SPDX-License-Identifier: MIT
#include "storage/change_rule.h"

namespace tmdbc {
namespace {

bool IsStale(const IndexRow& current, Time fetched_at, Time now) {
  return fetched_at < current.verified_at && current.verified_at <= now + kClockSlack;
}

}  // namespace

Verdict Classify(const std::optional<IndexRow>& current, const ContentHash& hash, Time fetched_at, Time now) {
  if (!current) return {.change = Change::kInsert, .version = 1};
  if (IsStale(*current, fetched_at, now)) return {.version = current->version, .stale = true};
  if (!current->live()) return {.change = Change::kRestore, .version = current->version + 1};
  if (hash.content != current->hash.content)
    return {.change = Change::kUpdate, .version = current->version + 1};
  if (hash.stats != current->hash.stats) return {.change = Change::kStats, .version = current->version};
  return {.version = current->version};
}

Verdict ClassifyGone(const std::optional<IndexRow>& current, Time at, Time now) {
  if (!current) return {};
  if (IsStale(*current, at, now)) return {.version = current->version, .stale = true};
  if (!current->live()) return {.version = current->version};
  return {.change = Change::kDelete, .version = current->version + 1};
}

}  // namespace tmdbc
