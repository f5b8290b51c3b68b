// SPDX-License-Identifier: MIT
// A whole store carried from a DATA_DIR into a bucket, and back: a first mirror made at home and kept fresh in the
// cloud, or a copy at home of what the cloud keeps. Both go on where they were cut off, and are in force at their last
// step alone: state/head.json, or catalog.db. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "storage/object_store.h"

namespace tmdbc {

struct CarryReport {
  std::int64_t files = 0, bytes = 0;  // carried now
  std::int64_t there = 0;             // files that an earlier try had carried
};

struct CarryOptions {
  // Told after each file; `files` and `there` of all.
  std::function<void(const CarryReport& so_far, std::int64_t of_files)> progress = {};
  // Asked before each file: then it ends with kUnavailable, to be gone on with.
  std::function<bool()> stopping = {};
};

// So long as a DATA_DIR is carried there, this says whose it is:  {"schema":1,"mark":"8f3c.."}
inline constexpr std::string_view kPushKey = "state/push.json";

// Copies the store of `from` (DATA_DIR, opened for writing; `catalog` is its catalog.db): what is open is sealed first.
// The bucket must be empty, hold what an earlier push of this very store has left, or a mirror in which nothing is
// stored yet and that nobody has; else kExists, and nothing is changed. `mark` names this store if it has never been
// pushed: random, of letters, digits and '-'. kExists, too, when another writer came into the bucket meanwhile.
Result<CarryReport> PushStore(FileSystem& from, Database& catalog, const Clock& clock, ObjectStore& to,
                              const std::string& mark, const CarryOptions& options);

// Copies the mirror that the head of the bucket names into `to` (DATA_DIR at `folder`, opened for writing): exactly
// what was published last, every segment with the checksum that its catalog says. kExists when there is a catalog.db;
// kNotFound when nothing was published yet; kCorrupt names what is not as the catalog says.
Result<CarryReport> PullStore(ObjectStore& from, FileSystem& to, const std::string& folder,
                              const CarryOptions& options);

}  // namespace tmdbc
