// SPDX-License-Identifier: MIT
// MirrorKeeper: a mirror in a bucket in the hands of one program that fetches by itself, for hours or for years. It
// takes the mirror as an Owner does (docs/decisions/cloud.md), renews its lease while it works, and publishes what was
// done so far now and then; in between everything is in the scratch folder, but for sealed segments.
//
// A process that dies with it loses what was not published: the next owner begins from what is in the bucket, adopts
// the segments that came there since, and fetches the rest again. kExists of any call means that somebody else has the
// mirror: what is local is worth nothing, and the program ends. After any other error it may go on: nothing is lost
// while it lives, and the next call tries again. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "cloud/bucket_home.h"
#include "cloud/head_state.h"
#include "cloud/owned_catalog.h"
#include "queue/queue_desk.h"
#include "storage/adopt.h"
#include "storage/bucket_files.h"
#include "storage/object_store.h"

namespace tmdbc {

// How long a keeper that died keeps others from the mirror.
inline constexpr Duration kKeepersLease = std::chrono::minutes(15);
inline constexpr Duration kRenewEvery = std::chrono::minutes(5);
inline constexpr Duration kPublishEvery = std::chrono::minutes(10);
// A publication that took long is not followed by the next one before so many times its time has passed.
inline constexpr int kPublishShare = 10;
// After one that failed.
inline constexpr Duration kPublishAgain = std::chrono::minutes(1);
// While a catalog is on its way nobody renews: the lease is longer by the time that it takes at so many bytes a second.
inline constexpr std::uint64_t kSlowestUpload = 256 << 10;

// Whether a program that fetches by itself may take a mirror.
enum class Availability : std::uint8_t {
  kFree,
  kHeld,  // somebody has it
  kOut,   // ids are out with collectors: two would share one rate
};
Availability AvailabilityOf(const HeadState& head, Time now);

// All outlive the keeper.
struct KeeperPorts {
  ObjectStore& objects;
  FileSystem& scratch;               // of this machine, the keeper's alone
  const std::string scratch_folder;  // where that is, for SQLite
  const Clock& clock;
  // What this process has caused so far; empty: nothing that is billed.
  std::function<Spent()> spent = {};
};

struct KeeperOptions {
  std::string holder;     // of this call alone, for ever
  std::string dead = {};  // a holder that is known to live no more; empty: none
  // What is out with collectors comes back no more: it waits again. What they have fetched and nobody took in is late
  // and changes nothing.
  bool take_back = false;
  // For mending the catalog; fetches nothing. Ids may be out with collectors and stay so, nothing that is lost or
  // damaged is in the way (BucketHome::TakeToMend), and segments that the catalog does not know are left to Rebuild().
  bool mend = false;
  double rate = 0;  // requests a second that it may ask, for status.json; 0: none
};

class MirrorKeeper {
 public:
  // kExists when it is not free, or somebody was faster.
  static Result<std::unique_ptr<MirrorKeeper>> Take(const KeeperPorts& ports, const KeeperOptions& options);
  // Gives the mirror free as it was published last, if that was not done.
  ~MirrorKeeper();
  MirrorKeeper(const MirrorKeeper&) = delete;
  MirrorKeeper& operator=(const MirrorKeeper&) = delete;

  BucketFileSystem& files() { return files_; }
  Database& catalog() { return *catalog_; }
  const HeadState& head() const { return home_.head(); }
  // What was found when it was taken.
  const AdoptReport& adopted() const { return adopted_; }
  // Why the catalog in force could not be used, and the one before it was taken instead; empty: it could.
  const std::string& fell_back() const { return home_.fell_back(); }
  // Why no catalog could be used, and an empty one took its place: only with `mend`. Empty: one could.
  const std::string& lost() const { return home_.lost(); }
  // Pages of the catalog that were set right: only with `mend`.
  const std::vector<DamagedPage>& mended() const { return mended_; }

  // Renews the lease when it is time, or is over; costs nothing else. For a loop.
  Result<void> Keep();

  // Something was written into the catalog since it was published last.
  Result<bool> Changed();
  // Time for the next publication of one who is at work.
  bool PublishDue() const { return ports_.clock.Mono() >= publish_at_; }
  // A publication that failed has not been long enough ago.
  bool MustWait() const { return failed_ && !PublishDue(); }
  // Publishes what is in the catalog. `seal` seals every segment before; nothing is in flight then. The mirror is kept,
  // or with `last` given free: then nothing may be called any more.
  Result<void> Publish(QueueView& queue, const std::function<Result<void>()>& seal, bool last);
  // What could not be deleted or written behind the last publication, for a log; the next one does it.
  const std::optional<Error>& left_over() const { return left_over_; }

 private:
  explicit MirrorKeeper(const KeeperPorts& ports)
      : ports_(ports),
        home_(ports_.objects, ports_.scratch, ports_.clock),
        files_(ports_.objects, ports_.scratch) {}

  Result<void> Open(const KeeperOptions& options);
  Result<void> OpenToMend();
  Result<void> HoldFirmly();
  Result<Duration> LeaseForPublishing();
  // kExists is the end of it.
  Result<void> Noticed(Result<void> done);
  Result<void> PublishOnce(QueueView& queue, const std::function<Result<void>()>& seal, bool last);
  void CleanUp(const OwnerStatus& status);

  const KeeperPorts ports_;
  BucketHome home_;
  BucketFileSystem files_;
  std::optional<Database> catalog_;
  AdoptReport adopted_;
  bool mends_ = false;
  double rate_ = 0;
  std::vector<DamagedPage> mended_;
  MonoTime renew_at_{}, publish_at_{};
  bool holds_ = false;               // as far as we know
  bool failed_ = false;              // the last publication
  Spent counted_;                    // of what this process has caused, in the catalog
  std::vector<std::string> doomed_;  // to be deleted once a catalog without them is published
  std::optional<Error> left_over_;
};

}  // namespace tmdbc
