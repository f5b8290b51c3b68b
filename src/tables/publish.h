// SPDX-License-Identifier: MIT
// Publish: brings DATA_DIR/tables up to date with the change feed: a new generation, or none when nothing has changed.
// It reads the store beside the process at work. Killed at any moment it leaves the tables as they were or as they are
// to be; the next one sees to what is left to do. The files that it makes are, to the byte, those that a build from
// nothing would make, so long as that chose the same widths (docs/decisions/tables.md). One thread; one process at a
// time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/stop.h"
#include "duckdb/library.h"
#include "storage/change_feed.h"
#include "storage/record_reader.h"
#include "tables/commit.h"
#include "tables/workshop.h"

namespace tmdbc::tables {

struct PublishPorts {
  ChangeFeed& feed;
  RecordReader& reader;
  const duckdb::Library& duckdb;
  const Clock& clock;
  const StopFlag& stop;
  BlobReader& files;                                     // of the store
  std::vector<PopularityExport> exports;                 // that are kept
  std::function<void(const PublishProgress&)> progress;  // may be empty
};

struct PublishOptions {
  std::string root;                                // of the tables
  bool rebuild = false;                            // make everything again, from the first line of the feed
  std::optional<double> popularity_minimum = 1.0;  // of an id whose days are kept; empty: none is
  PartSizes sizes;
  TableFolder::Before before;
};

struct PublishReport {
  std::int64_t generation = 0;       // the newest; 0: the store is empty and there are no tables
  bool published = false;            // a new one
  bool built = false;                // from nothing
  bool other_past = false;           // because the store was put back from an old copy
  std::int64_t records = 0;          // that had changed
  std::int64_t rows = 0;             // made from them
  std::int64_t files = 0;            // written
  std::int64_t bytes = 0;            // of these
  std::vector<std::string> damages;  // of the store: what is there is not in the tables
  std::vector<std::string> lost;     // files of tables that were missing or damaged: all were made again
  std::vector<std::string> mended;   // logs, documents and links that were missing or damaged, and are whole now
  std::vector<std::string> gone;     // in words: what no store has was in a file that was missing or damaged

  // Whether the tables have all that there was.
  bool complete() const { return damages.empty() && gone.empty(); }
};

// kBusy when another process publishes, kUnavailable when stopped, kInvalid when a later program wrote the tables; else
// the errors of the store, the disk and DuckDB. Where it fails before the commit nothing has changed.
Result<PublishReport> Publish(const PublishPorts& ports, const PublishOptions& options);
// The same in a folder that is locked already.
Result<PublishReport> Publish(const PublishPorts& ports, const PublishOptions& options, TableFolder& folder);

}  // namespace tmdbc::tables
