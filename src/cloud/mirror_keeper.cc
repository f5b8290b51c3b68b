// SPDX-License-Identifier: MIT
#include "cloud/mirror_keeper.h"

#include <algorithm>
#include <utility>

#include "cloud/dispatcher.h"
#include "storage/rebuild.h"

namespace tmdbc {
namespace {

// One that begins with so much of the lease left ends within it.
constexpr Duration kCallTakes = std::chrono::minutes(1);

}  // namespace

Availability AvailabilityOf(const HeadState& head, Time now) {
  if (IsHeld(head, now)) return Availability::kHeld;
  return head.out_batches > 0 ? Availability::kOut : Availability::kFree;
}

Result<std::unique_ptr<MirrorKeeper>> MirrorKeeper::Take(const KeeperPorts& ports, const KeeperOptions& options) {
  std::unique_ptr<MirrorKeeper> keeper(new MirrorKeeper(ports));
  BucketHome& home = keeper->home_;
  keeper->mends_ = options.mend;
  keeper->rate_ = options.rate;
  TRY_ASSIGN(const bool taken, options.mend ? home.TakeToMend(options.holder, kKeepersLease, options.dead)
                                            : home.Take(options.holder, kKeepersLease, options.dead));
  if (!taken) return Fail(ErrorCode::kExists, "somebody else has the mirror");
  keeper->holds_ = true;
  if (home.head().out_batches > 0 && !options.take_back && !options.mend)
    return Fail(ErrorCode::kExists, "{} ids of the mirror are out with collectors", home.head().out_ids);
  TRY(keeper->Open(options));
  return keeper;
}

MirrorKeeper::~MirrorKeeper() {
  catalog_.reset();
  if (holds_) (void)home_.Drop();
}

Result<void> MirrorKeeper::Noticed(Result<void> done) {
  if (!done && done.error().code == ErrorCode::kExists) holds_ = false;
  return done;
}

Result<void> MirrorKeeper::Open(const KeeperOptions& options) {
  renew_at_ = ports_.clock.Mono() + kRenewEvery;
  publish_at_ = ports_.clock.Mono() + kPublishEvery;
  files_.before_put = [this] { return HoldFirmly(); };
  if (options.mend) return OpenToMend();
  TRY_ASSIGN(Database opened, OpenOwnedCatalog(files_, ports_.scratch_folder, adopted_));
  catalog_.emplace(std::move(opened));
  if (options.take_back) return Dispatcher::Forget(*catalog_);
  // The head speaks of the catalog in force; this may be the one before it.
  TRY_ASSIGN(const Dispatcher::Out out, Dispatcher::CountOut(*catalog_));
  if (out.batches > 0) return Fail(ErrorCode::kExists, "{} ids of the mirror are out with collectors", out.ids);
  return {};
}

// The catalog that came, mended where that loses nothing in it, else the newest sound one before it, else an empty one.
Result<void> MirrorKeeper::OpenToMend() {
  for (;;) {
    auto opened = OpenCatalog(ports_.scratch_folder);
    if (opened) {
      TRY_ASSIGN(auto mended, MendCatalog(*opened));
      if (mended) {
        mended_ = *std::move(mended);
        catalog_.emplace(*std::move(opened));
        return {};
      }
      opened = Fail(ErrorCode::kCorrupt, "{} is not sound", kCatalogFile);
    }
    // An empty one that is damaged is the disk's fault.
    if (!IsDamage(opened.error()) || !home_.lost().empty()) return std::unexpected(opened.error());
    TRY(home_.TakeOlder(opened.error().message));
  }
}

// An owner that slept beyond the lease puts nothing before it knows that nobody took the mirror meanwhile.
Result<void> MirrorKeeper::HoldFirmly() {
  if (ports_.clock.Now() + kCallTakes < home_.head().until) return {};
  return Noticed(home_.Renew(kKeepersLease));
}

Result<void> MirrorKeeper::Keep() {
  const MonoTime now = ports_.clock.Mono();
  if (now < renew_at_ && ports_.clock.Now() < home_.head().until) return {};
  renew_at_ = now + kPublishAgain;
  TRY(Noticed(home_.Renew(kKeepersLease)));
  renew_at_ = now + kRenewEvery;
  return {};
}

Result<bool> MirrorKeeper::Changed() {
  // CheckpointCatalog() empties it, and every commit writes to it first.
  const auto log = ports_.scratch.Size(std::string(kCatalogFile) + "-wal");
  if (!log && log.error().code != ErrorCode::kNotFound) return std::unexpected(log.error());
  return log && *log > 0;
}

Result<Duration> MirrorKeeper::LeaseForPublishing() {
  TRY_ASSIGN(const std::uint64_t bytes, ports_.scratch.Size(std::string(kCatalogFile)));
  return kKeepersLease + std::chrono::seconds(bytes / kSlowestUpload);
}

Result<void> MirrorKeeper::Publish(QueueView& queue, const std::function<Result<void>()>& seal, bool last) {
  const MonoTime began = ports_.clock.Mono();
  const auto published = Noticed(PublishOnce(queue, seal, last));
  const MonoTime now = ports_.clock.Mono();
  failed_ = !published;
  if (published && last) holds_ = false;
  publish_at_ = now + (failed_ ? kPublishAgain : std::max<Duration>(kPublishEvery, kPublishShare * (now - began)));
  return published;
}

Result<void> MirrorKeeper::PublishOnce(QueueView& queue, const std::function<Result<void>()>& seal, bool last) {
  TRY_ASSIGN(const Duration lease, LeaseForPublishing());
  // Also says whether it is still ours, before anything is put.
  TRY(home_.Renew(lease));
  TRY(seal());
  // One that is there again must stay.
  for (const std::string& key : files_.WrittenObjects()) std::erase(doomed_, key);
  TRY_ASSIGN(const auto due, DoomRemovedObjects(*catalog_, files_, ports_.clock.Now()));
  doomed_.insert(doomed_.end(), due.begin(), due.end());
  HeadState next;
  TRY_ASSIGN(next.sequences, SequencesOf(*catalog_));
  OwnerStatus status{.rate = rate_};
  TRY_ASSIGN(const auto counts, queue.Counts());
  for (const auto& [type, count] : counts) {
    next.waiting += count.waiting + count.delayed + count.in_flight;
    status.dead += count.dead;
  }
  if (mends_) {
    TRY_ASSIGN(const Dispatcher::Out out, Dispatcher::CountOut(*catalog_));
    next.out_batches = out.batches;
    next.out_ids = out.ids;
    next.waiting = std::max<std::int64_t>(0, next.waiting - out.ids);  // in flight, for the queue
    next.stopped = home_.head().stopped;
  }
  const Spent caused = ports_.spent ? ports_.spent() : Spent();
  TRY_ASSIGN(status.spent, AddSpent(*catalog_, caused - counted_, ports_.clock.Now()));
  counted_ = caused;
  TRY(CheckpointCatalog(*catalog_));
  TRY(home_.Publish(next, last ? std::nullopt : std::optional(kKeepersLease)));
  renew_at_ = ports_.clock.Mono() + kRenewEvery;
  CleanUp(status);
  return {};
}

void MirrorKeeper::CleanUp(const OwnerStatus& status) {
  left_over_.reset();
  std::vector<std::string> gone = doomed_;
  if (const auto old = OldCatalogs(ports_.objects, home_.head()))
    gone.insert(gone.end(), old->begin(), old->end());
  if (!gone.empty()) {
    if (const auto deleted = ports_.objects.Delete(gone)) {
      files_.Deleted(doomed_);
      doomed_.clear();
    } else {
      left_over_ = deleted.error();
    }
  }
  const std::string text = FormatOwnerStatus(home_.head(), status, ports_.clock.Now());
  const auto put = ports_.objects.Put(std::string(kStatusKey), text, PutCondition::None());
  if (!put) left_over_ = put.error();
}

}  // namespace tmdbc
