// SPDX-License-Identifier: MIT
// ExportTimes: of when the popularities are that the catalog has from the last exports. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/clock.h"
#include "base/sqlite.h"
#include "tmdb/media_id.h"

namespace tmdbc {

class ExportTimes {
 public:
  // It outlives it.
  explicit ExportTimes(Database& catalog) : catalog_(catalog) {}

  // When TMDB began to write the last export that was accepted of the type; the beginning of time when there is none.
  // As of the last Read().
  Time Of(MediaType type) const;
  // Reads them again if `mark`, which is another one after each commit (StoreMark::Now), is not that of the last time.
  // Whether any has changed.
  bool Read(std::uint64_t mark);

 private:
  Database& catalog_;
  std::map<MediaType, Time> times_;
  std::optional<std::uint64_t> mark_;  // `times_` are of then; empty: never read
};

}  // namespace tmdbc
