// SPDX-License-Identifier: MIT
// OpenedStore: a store and everything that reads it, opened in one place: that of DATA_DIR, or where S3_BUCKET_NAME is
// set the mirror in that bucket, read where it lies. Commands that only look take ForReading(): it has nothing that
// writes, needs no recovery, and works beside the process at work. The processes that work open a Pipeline. One thread.
#pragma once

#include <memory>
#include <string>

#include "app/data_dir.h"
#include "app/opened_bucket.h"
#include "app/temporary_folder.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "cloud/bucket_view.h"
#include "settings/settings.h"
#include "storage/change_feed.h"
#include "storage/ledger.h"
#include "storage/record_reader.h"

namespace tmdbc {

class OpenedStore {
  struct Local {
    DataDir dir;
    Database catalog;
    PosixFileSystem files;
  };
  struct Remote {
    std::unique_ptr<OpenedBucket> bucket;
    TemporaryFolder folder;  // of a catalog that was fetched whole
    std::unique_ptr<BucketView> view;
  };

 public:
  // kInvalid, with what to do, when there is no store yet. Nothing is read but the catalog's header.
  static Result<std::unique_ptr<OpenedStore>> ForReading(const Settings& settings);
  // The same for a command that looks at all of the catalog: one in a bucket is fetched whole into a temporary folder.
  static Result<std::unique_ptr<OpenedStore>> ForReadingAll(const Settings& settings);

  OpenedStore(const OpenedStore&) = delete;
  OpenedStore& operator=(const OpenedStore&) = delete;

  // Null: it is under DATA_DIR.
  BucketView* view() { return remote_ ? remote_->view.get() : nullptr; }
  // Makes `folder`, of DATA_DIR, where the store is in a bucket: DATA_DIR has no part in it then, and may be absent.
  // Makes nothing where DATA_DIR is the store: what is not there was taken away.
  Result<void> MakeFolderBeside(const std::string& folder) const;

 private:
  OpenedStore(std::unique_ptr<Local> local, std::unique_ptr<Remote> remote);
  static Result<std::unique_ptr<OpenedStore>> Open(const Settings& settings, bool whole);

  const std::unique_ptr<Local> local_;    // one of the two
  const std::unique_ptr<Remote> remote_;

 public:
  const SystemClock clock;
  const std::string name;  // of DATA_DIR, or "s3://BUCKET"
  FileSystem& files;
  Database& catalog;
  RecordReader reader{files, catalog};
  RecordLedger ledger{catalog};
  ChangeFeed feed{files, catalog};
};

}  // namespace tmdbc
