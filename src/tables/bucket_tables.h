// SPDX-License-Identifier: MIT
// Tables in a bucket: the files of a tables' folder as objects under "tables/", with the same names, put in the same
// order. They are made in a folder of this machine, the work folder, and carried over:
//
//   1 data files, where nothing is
//   2 manifests/N.json, where nothing is: this is the commit
//   3 the Delta logs and the documents, where nothing is or over what was read; derived.json, then manifest.json last
//   4 what no generation names that is kept at home is deleted
//
// No symbolic links and no snapshots/. The work folder goes on where the bucket is: one that is not there, or has
// another past than the bucket, takes over what the bucket has. Killed at any call, or losing its answer, the next one
// on any machine goes on.
//
// Two that publish at once: the one whose object is refused begins again behind the other. Where the other has put
// files of generation N and no manifest it may be dead or slow: then N is given to an empty generation, which shuts it
// out, and the next is N + 1. Readers see no difference.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "storage/object_store.h"
#include "tables/publish.h"

namespace tmdbc::tables {

// "tables/": what keys of tables begin with.
inline constexpr std::string_view kTablesPrefix = "tables/";

// The tables of a bucket as a folder that is read. One thread.
class BucketTables final : public BlobReader {
 public:
  explicit BucketTables(ObjectStore& bucket) : bucket_(bucket) {}
  Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) override;
  Result<std::uint64_t> Size(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& folder) override;

 private:
  ObjectStore& bucket_;
};

// Publish() into the work folder options.root, and from there into the bucket. Errors: those of both; kBusy also when
// another process publishes there all the time. Where it fails before the commit readers of the bucket see nothing of
// it.
Result<PublishReport> PublishToBucket(const PublishPorts& ports, const PublishOptions& options, ObjectStore& bucket);

}  // namespace tmdbc::tables
