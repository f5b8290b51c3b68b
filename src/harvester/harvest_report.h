// SPDX-License-Identifier: MIT
// What a harvest is asked for, and what came of it. Values only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tmdb/detail_plan.h"
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
  // Requests that may be spent on verifying again what no feed says to have changed. What nears the
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
  Hint hint = Hint::kNone;  // what that person can do about it
  std::chrono::sys_days date{};  // of the file that was used
  bool unchanged = false;        // this very file was accepted earlier: read again from the disk, no request
  std::int64_t lines = 0, bad_lines = 0, duplicates = 0;
  std::int64_t ids = 0;     // different ones
  std::int64_t known = 0;   // of these: need no first fetch
  std::int64_t queued = 0;  // put in the queue that were not there; of a dry run: that would be sent to it
  std::int64_t stored = 0;  // keywords: records written; of a dry run: that would be new
  std::int64_t bytes = 0;   // compressed
};

// In the order of how bad they are.
enum class ChangesVerdict : std::uint8_t {
  kRead,         // all of the days
  kStopped,      // the stop flag came first
  kIncomplete,   // of a past day not all rows could be had: the watermark stays before it
  kOverfull,     // a day of more than the 500 pages that TMDB gives: the same
  kUnreachable,  // no answer, or none that helps, after several tries: the later days were not read
  kDenied,       // TMDB refuses the key
};

// What the change feed of a type said.
struct ChangesReport {
  ChangesVerdict verdict = ChangesVerdict::kRead;  // the worst of its days
  std::string reason;                              // for a person, unless kRead
  Hint hint = Hint::kNone;                         // what to do about it
  std::int64_t days = 0;                           // windows that were read, at least in part
  std::int64_t pages = 0;                          // repeats included
  std::int64_t rows = 0;                           // repeats included
  std::int64_t ids = 0;                            // different ones of each day
  std::int64_t fresh = 0;                          // of these: verified since, nothing to do
  std::int64_t queued = 0;    // put in the queue that were not there; of a dry run: that would be sent to it
  std::int64_t overfull = 0;  // days
  std::optional<std::chrono::sys_days> watermark_before, watermark_after;
};

// What a harvest did beside new ids and changes, of one type. Counts are as in ExportReport::queued.
struct TypeReport {
  MediaType type{};
  std::int64_t candidates = 0;   // queued: live, but not in the export any more. The fetch decides
  std::int64_t returns = 0;      // queued: dead so far as we know, but listed
  std::int64_t held = 0;         // live ids whose deletion waits for a person, before this harvest
  std::int64_t held_queued = 0;  // of these: to be asked again
  std::int64_t refreshed = 0;    // queued: to be verified again, without a sign that they changed
  std::optional<ChangesReport> changes;

  std::int64_t queued() const;
};

struct HarvestReport {
  std::vector<ExportReport> exports;
  std::int64_t requests = 0;           // made to the export host
  bool stopped = false;                // the stop flag ended it early
  std::vector<TypeReport> types = {};  // those with something to tell
  std::int64_t api_requests = 0;       // made to the API

  std::int64_t queued() const;
  bool denied() const;
  TypeReport& Of(MediaType type);
  // 0 all accepted, read or withheld; 1 an export was refused, a day could not be read completely, something
  // could not be reached, or it was stopped; 3 neither host ever answered usefully, or TMDB refused the key.
  int exit_code() const;
};

// The requests that collecting what was queued will take: one an id, 1.04 a show (4 % have more than 8
// seasons), none a new keyword.
std::int64_t EstimateRequests(const HarvestReport& report, const SeasonExtras& extras = {});

}  // namespace tmdbc
