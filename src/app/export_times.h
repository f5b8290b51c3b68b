// SPDX-License-Identifier: MIT
// ExportTimes: of when the popularities are that the catalog has from the last exports. One thread.
#pragma once

#include <map>

#include "base/clock.h"
#include "base/sqlite.h"
#include "tmdb/media_id.h"

namespace tmdbc {

class ExportTimes {
 public:
  // Both outlive it.
  ExportTimes(Database& catalog, const Clock& clock) : catalog_(catalog), clock_(clock) {}

  // When TMDB began to write the last export that was accepted of the type; the beginning of time when there is none. An
  // export that is accepted meanwhile counts within a second.
  Time Of(MediaType type);

 private:
  void Look();

  Database& catalog_;
  const Clock& clock_;
  std::map<MediaType, Time> times_;
  MonoTime look_at_{};
};

}  // namespace tmdbc
