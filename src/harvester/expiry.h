// SPDX-License-Identifier: MIT
// Expiry: takes out of the store what TMDB has not confirmed for 180 days though it was asked (storage/care.h has the
// decision). After a harvest whose queue was drained, over every type that is stored: what was near that age was asked
// for again first. By TMDB's own date: nothing while this machine's clock is off by more than a day, or TMDB has not
// said in this process what day it is. More than 5 % of a type at once are held until a person agrees. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "base/stop.h"
#include "queue/queue_desk.h"
#include "storage/ledger.h"
#include "storage/record_writer.h"
#include "tmdb/media_id.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

// Why nothing is purged, whatever its age.
enum class CareObstacle : std::uint8_t {
  kNone,
  kNoDate,    // TMDB has not said in this process what day it is
  kClockOff,  // this machine's clock is off by more than a day from TMDB's
};

struct ExpiryPorts {
  const Clock& clock;
  FileSystem& files;
  Database& catalog;
  RecordLedger& ledger;
  RecordWriter& writer;  // its batch is empty
  QueueView& queue;      // whose dead letters say what was asked for in vain
  const UpstreamDate& upstream;
};

struct ExpiryReport {
  CareObstacle obstacle = CareObstacle::kNone;  // the rest is empty then
  struct OfType {
    std::int64_t live = 0;
    std::int64_t purged = 0;
    std::int64_t held = 0;     // too many at once
    std::int64_t unasked = 0;  // kept until TMDB has been asked
  };
  std::map<MediaType, OfType> types;  // those with something to tell
  std::vector<std::string> files;     // purged, that had been kept aside
  bool stopped = false;               // a stop request ended it: it tells of a part
};

// `accept`: a person has agreed, however many they are. What it came to is committed.
Result<ExpiryReport> PurgeExpired(const ExpiryPorts& ports, bool accept, const StopFlag& stop);

}  // namespace tmdbc
