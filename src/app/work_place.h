// SPDX-License-Identifier: MIT
// WorkPlace: where the store lies that a process works on, opened for writing: DATA_DIR, or where S3_BUCKET_NAME is set
// the mirror in that bucket, whose owner this process is then (mirror_keeper.h). What of a bucket's mirror is being
// written lies in DATA_DIR/bucket/NAME, which is locked as a DATA_DIR is; it is worth nothing once the process has
// ended. Commands that only look take an OpenedStore. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "app/data_dir.h"
#include "app/opened_bucket.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/sqlite.h"
#include "cloud/mirror_keeper.h"
#include "queue/queue_desk.h"
#include "settings/settings.h"
#include "storage/object_store.h"
#include "storage/record_writer.h"

namespace tmdbc {

struct WorkPlaceOptions {
  // For commands that mend what is there: where no store is yet, none is made.
  bool must_exist = false;
  // Of a bucket: what a deployment has handed out comes back no more (KeeperOptions::take_back).
  bool take_over = false;
  // Of a bucket: for mending the catalog; fetches nothing (KeeperOptions::mend). It may be lost, but records or
  // catalogs must be there.
  bool mend = false;
  // In the place of the bucket that the settings name; null: that one. Outlives the place.
  ObjectStore* bucket = nullptr;
  // Called while a bucket is waited for, which an upload may take minutes; makes no call to it. May be empty.
  std::function<void()> tick = {};
  // Told what a person should know of the files; may be empty.
  std::function<void(const std::string& warning)> warn = {};
};

class WorkPlace {
 public:
  // `clock` outlives the place. kInvalid or kExists, with what to do, when it cannot be worked there.
  static Result<std::unique_ptr<WorkPlace>> Open(const Settings& settings, const Clock& clock,
                                                 const WorkPlaceOptions& options = {});
  WorkPlace(const WorkPlace&) = delete;
  WorkPlace& operator=(const WorkPlace&) = delete;

  // DATA_DIR, or "s3://BUCKET".
  const std::string& name() const { return name_; }
  // The folder of this machine that is written to.
  const std::string& folder() const { return dir_.path(); }
  FileSystem& files() { return keeper_ ? static_cast<FileSystem&>(keeper_->files()) : local_; }
  Database& catalog() { return keeper_ ? keeper_->catalog() : *catalog_; }
  // A segment of a bucket is what was put there.
  RecordWriterOptions writer_options() const { return {.trust_segments = keeper_ != nullptr}; }
  // Null: it is DATA_DIR, where what was committed is there for everybody.
  MirrorKeeper* keeper() { return keeper_.get(); }

  // For commands that have no pipeline. What they did is there for everybody, and a mirror in a bucket is free again:
  // last. `seal` seals a writer's segments, which only a bucket needs; may be empty.
  Result<void> Close(QueueView& queue, const std::function<Result<void>()>& seal = {});
  // In a long loop: the lease of a bucket's mirror. False: it was lost.
  bool Keep();

 private:
  WorkPlace(std::string name, DataDir dir, const WorkPlaceOptions& options)
      : name_(std::move(name)), dir_(std::move(dir)), local_(dir_.path(), options.warn) {}
  Result<void> TakeMirror(ObjectStore& objects, const Settings& settings, const Clock& clock,
                          const WorkPlaceOptions& options);

  const std::string name_;
  const DataDir dir_;
  PosixFileSystem local_;
  std::optional<Database> catalog_;  // of DATA_DIR
  std::unique_ptr<OpenedBucket> bucket_;
  std::unique_ptr<MirrorKeeper> keeper_;
};

}  // namespace tmdbc
