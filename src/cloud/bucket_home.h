// SPDX-License-Identifier: MIT
// BucketHome: a mirror in a bucket, in the hands of one owner at a time. It takes the catalog out of the bucket and
// gives it back; state/head.json says who has it until when and which catalog is in force.
//
// Nothing but compare-and-swap protects the head: the lease only saves two owners from working in vain. An owner
// whose condition did not hold (kExists) has lost to another one: what is local is worth nothing, and the next
// Take() begins from what is in the bucket. docs/decisions/cloud.md says why that is enough.
//
// After a kIo nobody knows whether the head changed, now or later: the caller ends its cycle, and a later Take() sees
// what is there; or it goes on, and Renew() finds out. One thread.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "cloud/head_state.h"
#include "storage/object_store.h"

namespace tmdbc {

// In the scratch folder, while a catalog is taken.
inline constexpr std::string_view kCatalogFile = "catalog.db";

// The key of the newest catalog that was put into the bucket, in force or not, of those before `before` (empty: of
// all). Empty: there is none.
Result<std::string> NewestCatalog(ObjectStore& objects, std::string_view before = {});

// Makes the file alone hold everything that was committed. kBusy while another connection reads an older state.
Result<void> CheckpointCatalog(Database& catalog);

class BucketHome {
 public:
  // All outlive the home. `scratch` belongs to it: what it finds there it may remove.
  BucketHome(ObjectStore& objects, FileSystem& scratch, const Clock& clock)
      : objects_(objects), scratch_(scratch), clock_(clock) {}

  // The head as it is now; empty when the bucket has none. Takes nothing.
  Result<std::optional<HeadState>> PeekHead();

  // Takes the mirror for `lease` and brings its catalog into the scratch folder (no file: there was none yet). False
  // when somebody else has it, or took it just now. `holder` must be that of this call alone, for ever. `dead` (may be
  // empty) is a holder that is known to live no more: its lease counts for nothing. A catalog in force that lies in the
  // scratch folder just as it is, from this object or an earlier process, is not fetched again. kCorrupt when the
  // catalogs cannot be had, or the head is not there though catalogs are.
  Result<bool> Take(const std::string& holder, Duration lease, const std::string& dead = {});
  // For making the catalog again: the same, but nothing that is lost or damaged stops it. Without a head the newest
  // catalog of the bucket is taken; where none can be had there is no file, and lost() says why.
  Result<bool> TakeToMend(const std::string& holder, Duration lease, const std::string& dead = {});
  // As it was taken, or last changed by one of the calls below.
  const HeadState& head() const { return head_; }
  // Why the catalog in force could not be used, and the one before it was taken instead; empty: it could.
  const std::string& fell_back() const { return fell_back_; }
  // Why no catalog could be used; empty: one could, or there never was one.
  const std::string& lost() const { return lost_; }

  // For mending: the catalog that was taken is of no use, `why`. The newest before it takes its place, else none.
  Result<void> TakeOlder(const std::string& why);

  // From here on the mirror is taken. kExists: it is no longer ours.

  // The lease counts from now. The epoch grows. What of an earlier call was not known to have happened is settled: the
  // head is then as that call left it, so long as nobody else has taken it.
  Result<void> Renew(Duration lease);
  // Puts the catalog, which must have been checkpointed and not be changed meanwhile, and then names it in the head
  // with sequences, waiting, out and stopped of `next`: only now has anything of this cycle happened. Gives the mirror
  // free, or keeps it for `keep`. Freed it must not be touched until the next Take().
  Result<void> Publish(const HeadState& next, std::optional<Duration> keep = {});
  // After a Publish(): the batches of this epoch are in the channel.
  Result<void> Sent();
  // Gives the mirror free as it was taken: nothing of this cycle has happened.
  Result<void> Drop();

 private:
  Result<bool> TakeWhatIsThere(const std::string& holder, Duration lease, const std::string& dead, bool mend);
  Result<void> ReadHead(bool mend);
  Result<void> Swap(const HeadState& next);
  Result<bool> Reread();
  Result<void> FetchCatalog(bool mend);
  Result<void> FetchOneOf(const CatalogObject& wanted, const std::string& previous);
  Result<bool> HoldsExactly(const CatalogObject& catalog);
  Result<void> Wipe(bool catalog_too);

  ObjectStore& objects_;
  FileSystem& scratch_;
  const Clock& clock_;

  HeadState head_;
  PutCondition unchanged_ = PutCondition::Absent();  // holds while the head is the one above
  std::string base_;                                 // key of the catalog that was taken
  bool key_used_ = false;                            // that of this epoch's catalog
  std::string fell_back_, lost_;
  std::optional<CatalogObject> clean_;  // what the scratch folder holds exactly
};

}  // namespace tmdbc
