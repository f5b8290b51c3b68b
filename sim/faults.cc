// SPDX-License-Identifier: MIT
#include "faults.h"

#include <algorithm>
#include <numeric>

#include "random.h"

namespace tmdbc::sim {
namespace {

constexpr std::array<std::string_view, kFaults> kFaultNames = {
    "reset-before", "reset-mid", "cut",         "wrong-length", "bad-gzip",  "bare-gzip", "html-200",
    "html-404",     "html-502",  "html-503",    "json-500",     "json-502",  "json-503",  "json-504",
    "429-bare",     "429-zero",  "429-seconds", "429-date",     "empty-200", "cut-json",  "wrong-id",
    "stale",        "trickle",   "stall",       "burst"};

}  // namespace

std::string_view NameOf(Fault fault) {
  return kFaultNames[static_cast<std::size_t>(fault)];
}

std::optional<Fault> FaultOf(std::string_view name) {
  const auto at = std::find(kFaultNames.begin(), kFaultNames.end(), name);
  if (at == kFaultNames.end()) return std::nullopt;
  return static_cast<Fault>(at - kFaultNames.begin());
}

void FaultOptions::SetAll(double total) {
  const double share = total / (kFaults - 2);
  percent.fill(share);
  percent[static_cast<std::size_t>(Fault::kStale)] = 0;
  percent[static_cast<std::size_t>(Fault::kBurst)] = share / 10;
}

bool FaultOptions::any() const {
  return std::accumulate(percent.begin(), percent.end(), 0.0) > 0;
}

std::optional<Fault> FaultPlan::Next(std::string_view target, MonoTime now) {
  const std::uint64_t hash = HashText(target);
  double dice = 100 * Random(seed_, hash, ++asked_[hash]).Unit();
  for (std::size_t i = 0; i < kFaults; ++i) {
    dice -= options_.percent[i];
    if (dice >= 0) continue;
    if (static_cast<Fault>(i) == Fault::kBurst) burst_until_ = now + options_.burst;
    return static_cast<Fault>(i);
  }
  return std::nullopt;
}

}  // namespace tmdbc::sim
