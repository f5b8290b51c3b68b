// SPDX-License-Identifier: MIT
#include "app/work_place.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <random>
#include <utility>

#include "app/progress.h"
#include "base/safe_text.h"
#include "cloud/bucket_home.h"
#include "cloud/bucket_view.h"
#include "cloud/carry.h"

namespace tmdbc {
namespace {

// Who had the mirror from this folder, the last one last. Their processes are dead: they held the lock that we hold.
constexpr const char* kHoldersFile = "catalog.db.holders";
constexpr std::uint64_t kMostHolderBytes = 16 << 10;

// "laptop-4711-89abcdef01234567": for a person who asks who has the mirror, and unlike any other.
std::string NewHolder() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') host = {"host"};
  std::random_device random;
  return fmt::format("{}-{}-{:08x}{:08x}", host.data(), ::getpid(), random(), random());
}

Result<std::string> Holders(FileSystem& scratch) {
  auto text = scratch.Read(kHoldersFile, 0, kMostHolderBytes);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::string();
  return text;
}

bool IsAmong(const std::string& holders, const std::string& holder) {
  return ('\n' + holders).find('\n' + holder + '\n') != std::string::npos;
}

// What a person can do about it.
Result<void> RequireAvailable(const HeadState& head, Time now, bool died, bool take_over) {
  switch (AvailabilityOf(head, now)) {
    case Availability::kFree:
      return {};
    case Availability::kHeld:
      if (died) break;
      return Fail(ErrorCode::kExists,
                  "held by {} until {}: one process at a time keeps a mirror. Stop that one, or wait until then",
                  Printable(*head.holder), FormatTime(head.until));
    case Availability::kOut:
      break;
  }
  if (head.out_batches == 0 || take_over) return {};
  return Fail(ErrorCode::kExists,
              "a deployment has {} out with its collectors, and two would share one rate. Take it down "
              "(`npm run remove`, docs/aws.md), then `run --take-over` fetches here what it had handed out",
              Counted(head.out_ids, "id"));
}

Result<void> RequireNoPush(ObjectStore& objects) {
  TRY_ASSIGN(const auto pushed, objects.Head(std::string(kPushKey)));
  if (pushed) return Fail(ErrorCode::kExists, "a store is being pushed there; the same `push` goes on");
  return {};
}

// What was a mirror once, whatever is left of it.
Result<void> RequireRemains(ObjectStore& objects) {
  TRY(RequireNoPush(objects));
  for (const char* const prefix : {"state/catalog/", "records/"}) {
    TRY_ASSIGN(const auto found, objects.ListObjects(prefix, ""));
    if (!found.empty()) return {};
  }
  return Fail(ErrorCode::kNotFound, "there is no mirror in the bucket: it has neither records nor a catalog");
}

// A bucket without a mirror may be about to get one, or stand for a mistake.
Result<void> RequireEmpty(ObjectStore& objects, const std::string& data_dir) {
  TRY(RequireNoPush(objects));
  TRY_ASSIGN(const std::string catalog, NewestCatalog(objects));
  if (!catalog.empty()) return {};  // its head is lost: taking it says so
  if (::access((data_dir + "/catalog.db").c_str(), F_OK) != 0) return {};
  return Fail(ErrorCode::kExists,
              "there is no mirror yet, and DATA_DIR {} has one: `push` carries it there. To begin a new one in the bucket, "
              "name another DATA_DIR",
              data_dir);
}

}  // namespace

Result<std::unique_ptr<WorkPlace>> WorkPlace::Open(const Settings& settings, const Clock& clock,
                                                   const WorkPlaceOptions& options) {
  const std::string& bucket = settings.s3_bucket_name;
  if (bucket.empty()) {
    if (options.must_exist) TRY(DataDir::OpenForReading(settings.data_dir));
    TRY_ASSIGN(DataDir dir, DataDir::OpenForWriting(settings.data_dir));
    TRY_ASSIGN(Database catalog, dir.OpenCatalog());
    const std::string name = dir.path();
    std::unique_ptr<WorkPlace> place(new WorkPlace(name, std::move(dir), options));
    place->catalog_.emplace(std::move(catalog));
    return place;
  }
  std::unique_ptr<OpenedBucket> opened;
  if (options.bucket == nullptr) {
    TRY_ASSIGN(opened, OpenedBucket::Open(settings, options.tick));
    TRY(opened->Probe());
  }
  if (options.must_exist && !options.mend) {
    const auto head = BucketView::ReadHead(options.bucket != nullptr ? *options.bucket : opened->objects());
    if (!head) return std::unexpected(OfBucket("s3://" + bucket, head.error()));
  }
  TRY_ASSIGN(DataDir dir, DataDir::OpenForWriting(fmt::format("{}/bucket/{}", settings.data_dir, bucket)));
  std::unique_ptr<WorkPlace> place(new WorkPlace("s3://" + bucket, std::move(dir), options));
  place->bucket_ = std::move(opened);
  ObjectStore& objects = options.bucket != nullptr ? *options.bucket : place->bucket_->objects();
  const auto taken = place->TakeMirror(objects, settings, clock, options);
  if (!taken) return std::unexpected(OfBucket(place->name(), taken.error()));
  return place;
}

Result<void> WorkPlace::TakeMirror(ObjectStore& objects, const Settings& settings, const Clock& clock,
                                   const WorkPlaceOptions& options) {
  TRY_ASSIGN(const std::string holders, Holders(local_));
  KeeperOptions keeper{.holder = NewHolder(),
                       .take_back = options.take_over,
                       .mend = options.mend,
                       .rate = options.mend ? 0 : settings.rate_limit_requests};
  auto looked = BucketHome(objects, local_, clock).PeekHead();
  if (!looked && options.mend && IsDamage(looked.error())) looked = std::nullopt;
  TRY_ASSIGN(const auto head, std::move(looked));
  if (!head || (head->catalog.key.empty() && head->previous.empty())) {
    TRY(options.mend ? RequireRemains(objects) : RequireEmpty(objects, settings.data_dir));
  }
  if (head) {
    if (head->holder && IsAmong(holders, *head->holder)) keeper.dead = *head->holder;
    TRY(RequireAvailable(*head, clock.Now(), !keeper.dead.empty(), options.take_over || options.mend));
  }
  // Before it is taken: a process that dies right behind that is known all the same.
  TRY(WriteWhole(local_, kHoldersFile, holders + keeper.holder + '\n'));
  TRY_ASSIGN(keeper_, MirrorKeeper::Take({.objects = objects,
                                          .scratch = local_,
                                          .scratch_folder = folder(),
                                          .clock = clock,
                                          .spent = [this] { return bucket_ ? bucket_->spent() : Spent(); }},
                                         keeper));
  return WriteWhole(local_, kHoldersFile, keeper.holder + '\n');
}

Result<void> WorkPlace::Close(QueueView& queue, const std::function<Result<void>()>& seal) {
  if (!keeper_) return {};
  const auto published = keeper_->Publish(queue, seal ? seal : [] { return Result<void>(); }, true);
  if (!published) return std::unexpected(OfBucket(name_, published.error()));
  return {};
}

bool WorkPlace::Keep() {
  if (!keeper_) return true;
  const auto kept = keeper_->Keep();
  // A bucket that is away may come back.
  return kept || kept.error().code != ErrorCode::kExists;
}

}  // namespace tmdbc
