// SPDX-License-Identifier: MIT
// Harvester: finds out which ids there are and queues those not known yet. It streams TMDB's daily exports
// (never a whole one in memory), believes one only after its length, its gzip checksum and its line count
// were checked, and queues new ids most popular first. A crash at any moment repeats nothing that was queued:
// the next harvest reads the export again and the queue and the index know what is known. One thread.
// Sources: TMDB.md section 3, DESIGN section 5.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/sqlite.h"
#include "base/stop.h"
#include "harvester/accepted_exports.h"
#include "http/http.h"
#include "queue/id_queue.h"
#include "storage/record_store.h"
#include "tmdb/media_id.h"

namespace tmdbc {

enum class HarvestMode : std::uint8_t {
  kAuto,     // of a type without a watermark the export; else the day's export, then the changes since
  kExport,   // the exports alone
  kChanges,  // the change feeds alone
};

struct HarvestOptions {
  std::vector<MediaType> types;
  bool include_adult = false;         // also the adult_ exports of movie, tv and person
  bool accept_export = false;         // take an export although it is far smaller than the last accepted one
  std::optional<std::int64_t> limit;  // queue at most this many new ids a type, the most popular ones
  bool dry_run = false;               // queue and keep nothing; only report
  HarvestMode mode = HarvestMode::kAuto;
  // Days of kChanges, both inclusive: from the watermark and to today when empty. A range that is named moves
  // no watermark.
  std::optional<std::chrono::sys_days> since = {}, until = {};
  bool accept_gap = false;        // move the watermark past days that cannot be read completely
  bool accept_deletions = false;  // queue the ids whose deletion is held, too
  // Requests that may be spent on verifying again what no feed says to have changed (kAuto). What nears the
  // six months for which TMDB allows to keep it is queued whatever this says.
  double refresh_budget = 0;
};

enum class ExportVerdict : std::uint8_t {
  kAccepted,
  kWithheld,     // 403 for today and a week back
  kRefused,      // too few lines, truncated, bad checksum: the last accepted one stays in force
  kUnreachable,  // no answer, or none that helps, after several tries
  kStopped,      // the stop flag came first
};

struct ExportReport {
  std::string name;  // "movie_ids"; "configuration" for the lists of that type, which have no export
  MediaType type{};
  ExportVerdict verdict = ExportVerdict::kAccepted;
  std::string reason;  // for a person: why not accepted; when accepted, why not today's file (else empty)
  std::chrono::sys_days date{};  // of the file that was used
  bool unchanged = false;        // this very file was accepted earlier: read again from the disk, no request
  std::int64_t lines = 0, bad_lines = 0, duplicates = 0;
  std::int64_t ids = 0;     // different ones
  std::int64_t known = 0;   // of these: need no first fetch
  std::int64_t queued = 0;  // put in the queue that were not there; of a dry run: that would be sent to it
  std::int64_t stored = 0;  // keywords: records written; of a dry run: that would be new
  std::int64_t bytes = 0;   // compressed
};

struct HarvestReport {
  std::vector<ExportReport> exports;
  std::int64_t requests = 0;  // made to the export host
  bool stopped = false;       // the stop flag ended it early
  std::int64_t queued() const;
  // 0 all accepted or withheld, 1 one was refused, only some could be reached, or it was stopped, 3 the
  // export host never answered usefully.
  int exit_code() const;
};

// The requests that collecting what was queued will take: one an id, 1.04 a show (4 % have more than 8
// seasons), none a keyword.
std::int64_t EstimateRequests(const HarvestReport& report);

class Harvester {
 public:
  // All references outlive the harvester. `export_base_url` has no trailing slash. `files` is rooted at
  // DATA_DIR: accepted exports are kept there as exports/movie_ids_2026-11-22.json.gz, the last two of each
  // name. Tables of its own in `catalog`.
  Harvester(const Clock& clock, http::HttpTransport& transport, FileSystem& files, Database& catalog,
            RecordStore& store, IdQueue& queue, Log& log, std::string export_base_url,
            std::string user_agent);

  // kInvalid when a type has no export (seasons and episodes come with their show). Other errors are those of
  // the disk, the store and the queue; what the export host does wrong is in the report. A file that was
  // accepted is one of which all unknown ids are queued durably (but for `limit`), so the next harvest of the
  // same day makes no request.
  Result<HarvestReport> HarvestExports(const HarvestOptions& options, const StopFlag& stop);

  // Queues these ids, known or not (a person asks for them). Returns how many were not waiting already.
  // kInvalid when one is not 1..2^32-1, or the type cannot be fetched by itself.
  Result<std::int64_t> HarvestIds(MediaType type, const std::vector<std::int64_t>& ids);

 private:
  class Run;  // one call of HarvestExports

  const Clock& clock_;
  http::HttpTransport& transport_;
  FileSystem& files_;
  Database& catalog_;
  RecordStore& store_;
  IdQueue& queue_;
  Log& log_;
  const std::string export_base_url_;
  const std::string user_agent_;
};

}  // namespace tmdbc
