// SPDX-License-Identifier: MIT
#include "app/export_times.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "harvester/accepted_exports.h"
#include "tmdb/export_line.h"

namespace tmdbc {
namespace {

// A day's files are written from 07:00 UTC on (docs/tmdb-facts.md).
constexpr std::chrono::hours kExportsBegin{7};

}  // namespace

Time ExportTimes::Of(MediaType type) const {
  const auto found = times_.find(type);
  return found == times_.end() ? Time{} : found->second;
}

bool ExportTimes::Read(std::uint64_t mark) {
  if (mark_ == mark) return false;
  const auto accepted = AcceptedExports(catalog_);
  if (!accepted) return false;  // as it was, until the next time
  mark_ = mark;
  std::map<MediaType, Time> times;
  std::set<std::string> seen;
  for (const AcceptedExport& one : *accepted) {
    const auto file = std::ranges::find(kExportFiles, one.name, &ExportFile::name);
    if (file == kExportFiles.end() || !file->has_popularity) continue;
    if (!seen.insert(one.name).second) continue;  // the newest of a name comes first
    const Time time = Time(one.date) + kExportsBegin;
    const auto [known, first] = times.emplace(file->type, time);
    if (!first) known->second = std::min(known->second, time);
  }
  return std::exchange(times_, times) != times;
}

}  // namespace tmdbc
