// SPDX-License-Identifier: MIT
// What every owner of a mirror in a bucket does with the catalog that it took (bucket_home.h), whether it fetches the
// records itself or not: it opens the catalog, brings it up to what the bucket holds, describes it in the head, and
// notes what may be deleted once it is published. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "cloud/batch_channel.h"
#include "cloud/head_state.h"
#include "cloud/spent.h"
#include "storage/adopt.h"
#include "storage/bucket_files.h"
#include "storage/object_store.h"

namespace tmdbc {

// An object that was replaced stays for so long: a call on its way could put another body under a name that is free.
inline constexpr Duration kDoomedFor = std::chrono::hours(24);

// Opens the catalog in `scratch_folder`, made where there was none yet, with the tables of an owner.
Result<Database> OpenCatalog(const std::string& scratch_folder);
// The same, with all that the bucket holds beyond it: `adopted` says what that was.
Result<Database> OpenOwnedCatalog(BucketFileSystem& files, const std::string& scratch_folder, AdoptReport& adopted);

// The last segment of each type that the catalog knows.
Result<std::map<MediaType, std::int64_t>> SequencesOf(Database& catalog);

// Remembers what `files` took out of sight, and forgets what was put there again. Returns the keys whose time is over:
// they may be deleted once the catalog is published.
Result<std::vector<std::string>> DoomRemovedObjects(Database& catalog, BucketFileSystem& files, Time now);

// Of the catalogs that are in the bucket those that nobody needs once `head` is in force: all before it but `previous`.
// Those of later epochs are not its owner's.
Result<std::vector<std::string>> OldCatalogs(ObjectStore& objects, const HeadState& head);

// What status.json says beside the head.
struct OwnerStatus {
  std::int64_t dead = 0;       // ids that were given up
  ChannelCounts channel = {};  // messages, where there are any
  SpentSoFar spent = {};       // up to this publication
  double rate = 0;             // requests a second that all collectors may ask; 0: it fetches nothing
  // What they have asked a second since the publication before this one, pauses and all; empty where they asked nothing.
  std::optional<double> seen_rate = {};
};
std::string FormatOwnerStatus(const HeadState& head, const OwnerStatus& status, Time now);

// When a catalog was published last, as it knows itself; and that it is now.
Result<std::optional<Time>> NotePublication(Database& catalog, Time now);

// Takes out of a catalog what it says of its bucket: it leaves that for a machine, or for another bucket.
Result<void> ForgetBucket(Database& catalog);

}  // namespace tmdbc
