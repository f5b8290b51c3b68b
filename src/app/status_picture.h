// SPDX-License-Identifier: MIT
// Status: what `status` and the dashboard say of a mirror under DATA_DIR, read from catalog.db alone: beside the process
// at work and after it. One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/care_status.h"
#include "app/coverage.h"
#include "app/progress.h"
#include "app/run_status.h"
#include "base/clock.h"
#include "base/sqlite.h"
#include "harvester/watermarks.h"
#include "queue/queue_desk.h"
#include "scheduler/scheduler.h"
#include "storage/ledger.h"

namespace tmdbc {

struct TypeStatus {
  explicit TypeStatus(MediaType of) : type(of) {}

  MediaType type;
  TypeCounts stored;
  QueueCounts queue;
  std::int64_t export_ids =
      0;  // different ones of the last accepted exports of the type, adult ones too; 0: none
  std::optional<std::chrono::sys_days> export_date;

  // About the part of the ids that the export names and TMDB has that is stored; empty when there is nothing
  // to store. Counts alone do not tell which ids are listed: an id that was asked for by itself counts too,
  // and a deleted one counts as no longer listed. So it is cut at 1, and --coverage knows better.
  std::optional<double> coverage() const {
    const std::int64_t wanted = export_ids - stored.missing;
    if (wanted <= 0) return std::nullopt;
    return std::min(1.0, double(stored.live) / double(wanted));
  }
};

struct Status {
  std::string data_dir;
  std::optional<RunStatus> run;
  std::map<std::string, ScheduleState> schedules;
  Watermarks watermarks;
  std::optional<CareStatus> care;
  std::vector<TypeStatus> types;  // those that have something
  QueueCounts queue;
  std::optional<Time> oldest_sent;

  std::int64_t left() const { return queue.waiting + queue.delayed + queue.in_flight; }
  bool running() const { return run && run->running(); }
  std::int64_t held() const {
    std::int64_t sum = 0;
    for (const TypeStatus& type : types) sum += type.stored.held;
    return sum;
  }
  std::optional<Time> oldest_verified() const {
    std::optional<Time> oldest;
    for (const TypeStatus& type : types) {
      const auto& of_type = type.stored.oldest_verified;
      if (of_type) oldest = std::min(oldest.value_or(*of_type), *of_type);
    }
    return oldest;
  }
  std::optional<std::chrono::seconds> time_left() const {
    return TimeLeft(left(), running() ? run->settled_per_second : 0);
  }
};

// What is stored, by type. Reads the whole index: 0.1 s a million records. Empty where nothing is stored yet.
using StoredCounts = std::vector<std::pair<MediaType, TypeCounts>>;
Result<StoredCounts> CountStored(RecordLedger& ledger);

// Everything else, at the same cost whatever is stored; `stored` is from a moment before.
Result<Status> ReadStatus(std::string data_dir, Database& catalog, QueueView& queue,
                          const StoredCounts& stored);

// One object, as `status --json` prints it; `coverage` may be null.
std::string StatusJson(const Status& status, const std::vector<TypeCoverage>* coverage);

}  // namespace tmdbc
