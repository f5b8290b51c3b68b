// SPDX-License-Identifier: MIT
// OpenedStore: a DATA_DIR and everything that reads it, opened in one place. Commands that only look take
// ForReading(): it has nothing that writes, needs no recovery, and works beside the process at work. The
// processes that work open a Pipeline. One thread.
#pragma once

#include <memory>

#include "app/data_dir.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "settings/settings.h"
#include "storage/change_feed.h"
#include "storage/ledger.h"
#include "storage/record_reader.h"

namespace tmdbc {

struct OpenedStore {
  // kInvalid, with what to do, when there is no store yet. Nothing is read but the catalog's header.
  static Result<std::unique_ptr<OpenedStore>> ForReading(const Settings& settings);

  OpenedStore(DataDir opened_dir, Database opened_catalog)
      : dir(std::move(opened_dir)), catalog(std::move(opened_catalog)) {}
  OpenedStore(const OpenedStore&) = delete;
  OpenedStore& operator=(const OpenedStore&) = delete;

  const SystemClock clock;
  const DataDir dir;
  Database catalog;
  PosixFileSystem files{dir.path()};
  RecordReader reader{files, catalog};
  RecordLedger ledger{catalog};
  ChangeFeed feed{files, catalog};
};

}  // namespace tmdbc
