// SPDX-License-Identifier: MIT
// RunStatus: what the process at work says about itself, in catalog.db, so that `status` in another process
// can show it. Written within the collector's own commits: it costs no sync of its own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/sqlite.h"

namespace tmdbc {

struct RunStatus {
  std::string command;  // "run", "collect"
  std::int64_t pid = 0;
  std::int64_t process_start =
      0;  // in clock ticks since boot, of /proc/PID/stat: tells a process from a later one with its number
  Time started{};
  Time updated{};
  bool ended = false;  // in good order
  std::int64_t requests = 0;
  std::int64_t throttled = 0;
  std::int64_t settled = 0;
  double requests_per_second = 0;  // over the last minute
  double settled_per_second = 0;
  std::map<std::string, std::int64_t> errors;  // by class

  // Whether that very process is still there.
  bool running() const;
};

// For this process, everything else empty.
RunStatus StatusOfThisProcess(std::string command, Time now);

Result<void> CreateRunStatus(Database& catalog);
// Replaces what was there.
Result<void> WriteRunStatus(Database& catalog, const RunStatus& status);
// Empty when nothing ever ran.
Result<std::optional<RunStatus>> ReadRunStatus(Database& catalog);

}  // namespace tmdbc
