// SPDX-License-Identifier: MIT
// What the parts of a harvest work with: references that outlive it, and where its sources are.
#pragma once

#include <random>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/rate_limiter.h"
#include "base/sqlite.h"
#include "http/http.h"
#include "queue/id_sender.h"
#include "queue/queue_desk.h"
#include "storage/ledger.h"
#include "storage/popularity_table.h"
#include "storage/record_reader.h"
#include "storage/record_writer.h"
#include "tmdb/detail_plan.h"
#include "tmdb/upstream_date.h"

namespace tmdbc {

// Ids that go to the queue in one transaction: so many that its fsync costs nothing, so few that a stop request is seen
// within half a second.
inline constexpr std::size_t kSentAtOnce = 50'000;

struct HarvestPorts {
  const Clock& clock;
  http::HttpTransport& transport;
  FileSystem& files;  // rooted at DATA_DIR
  Database& catalog;
  RecordReader& reader;
  RecordLedger& ledger;
  RecordWriter& writer;  // takes what the exports themselves hold: keywords
  PopularityTable& popularity;
  IdSender& sender;
  QueueDesk& desk;  // for its dead letters and its length
  UpstreamDate& upstream;  // the maker of the transport feeds it every answer of the API and of the export host
  RateLimiter& limiter;  // the collector's own: pages of change feeds count like any request to the API
  std::mt19937_64& random;
  Log& log;
};

struct HarvestSources {
  std::string export_base_url;  // without a trailing slash
  ApiAccess api;                // its user agent is sent to the export host, too
  int concurrency = 5;          // pages of a change feed under way at once
};

}  // namespace tmdbc
