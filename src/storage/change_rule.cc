// SPDX-License-Identifier: MIT
#include "storage/change_rule.h"

#include <algorithm>
#include <chrono>

namespace tmdbc {

Time TimeOfNextLine(const std::optional<IndexRow>& current, Time at) {
  if (!current) return at;
  return std::max(at, current->fetched_at + std::chrono::milliseconds(1));
}

bool IsStale(const std::optional<Time>& answered, Time at, Time now) {
  return answered && at <= *answered && *answered <= now;
}

ChangeDecision Classify(const std::optional<IndexRow>& current, const ContentHash& hash, Time at) {
  if (!current) return {Change::kInsert, 1, at};
  const Time then = TimeOfNextLine(current, at);
  if (!current->live()) return {Change::kRestore, current->version + 1, then};
  if (hash.content != current->hash.content) return {Change::kUpdate, current->version + 1, then};
  if (hash.stats != current->hash.stats) return {Change::kStats, current->version, then};
  return {Change::kUnchanged, current->version, then};
}

}  // namespace tmdbc
