// SPDX-License-Identifier: MIT
#include "cloud/bucket_home.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloud/fetch_object.h"

namespace tmdbc {
namespace {

const std::string kCatalog(kCatalogFile);
// So often a call whose answer was lost is made again: the same bytes under the same condition, so once is enough.
constexpr int kTries = 3;
// Epochs of a head that was lost are known by their catalogs alone: those that came after the last one are left out.
constexpr std::int64_t kEpochsAhead = 1'000;

bool IsLost(const Result<void>& fetched) {
  return !fetched && (IsDamage(fetched.error()) || fetched.error().code == ErrorCode::kNotFound);
}

// The size and the checksum of a file, read piece by piece.
Result<CatalogObject> Measure(BlobReader& files, const std::string& path, std::string key) {
  CatalogObject measured{.key = std::move(key)};
  for (;;) {
    TRY_ASSIGN(const std::string piece, files.Read(path, measured.bytes, 4 << 20));
    if (piece.empty()) return measured;
    measured.crc32 = libdeflate_crc32(measured.crc32, piece.data(), piece.size());
    measured.bytes += piece.size();
  }
}

}  // namespace

Result<void> CheckpointCatalog(Database& catalog) {
  TRY_ASSIGN(Statement checkpoint, catalog.Prepare("PRAGMA wal_checkpoint(TRUNCATE)"));
  TRY_ASSIGN(const bool row, checkpoint.Step());
  if (row && checkpoint.Int(0) == 0) return {};
  return Fail(ErrorCode::kBusy, "checkpoint {}: somebody reads an older state of it", kCatalogFile);
}

Result<std::optional<HeadState>> BucketHome::PeekHead() {
  const auto object = objects_.Get(std::string(kHeadKey));
  if (!object && object.error().code == ErrorCode::kNotFound) return std::nullopt;
  TRY(object);
  TRY_ASSIGN(HeadState head, ParseHeadState(object->bytes));
  return head;
}

Result<std::string> NewestCatalog(ObjectStore& objects, std::string_view before) {
  TRY_ASSIGN(const auto catalogs, objects.ListObjects(std::string(kCatalogPrefix), ""));
  std::string newest;
  for (const ObjectInfo& object : catalogs) {
    if (EpochOfCatalog(object.key) && (before.empty() || object.key < before)) newest = object.key;
  }
  return newest;
}

Result<bool> BucketHome::Take(const std::string& holder, Duration lease, const std::string& dead) {
  return TakeWhatIsThere(holder, lease, dead, false);
}

Result<bool> BucketHome::TakeToMend(const std::string& holder, Duration lease, const std::string& dead) {
  return TakeWhatIsThere(holder, lease, dead, true);
}

// The head, and the condition under which it is still the one.
Result<void> BucketHome::ReadHead(bool mend) {
  head_ = {};
  unchanged_ = PutCondition::Absent();
  auto object = objects_.Get(std::string(kHeadKey));
  std::string newest;
  if (!object && object.error().code == ErrorCode::kNotFound) {
    TRY_ASSIGN(newest, NewestCatalog(objects_));
    if (newest.empty() && mend) lost_ = fmt::format("there is neither {} nor a catalog", kHeadKey);
    if (newest.empty()) return {};
    // Somebody may have begun the mirror between the two looks.
    object = objects_.Get(std::string(kHeadKey));
  }
  if (object) {
    unchanged_ = PutCondition::Matches(object->etag);
    auto head = ParseHeadState(object->bytes);
    if (head) {
      head_ = *std::move(head);
      return {};
    }
    if (!mend || !IsDamage(head.error())) return std::unexpected(head.error());
    fell_back_ = head.error().message;
    TRY_ASSIGN(newest, NewestCatalog(objects_));
    if (newest.empty()) lost_ = fell_back_ + "; there is no catalog";
  } else if (object.error().code != ErrorCode::kNotFound) {
    return std::unexpected(object.error());
  } else {
    fell_back_ = fmt::format("{} is gone", kHeadKey);
    if (!mend) return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "{}, and {} is there", fell_back_, newest);
  }
  head_.previous = newest;
  head_.epoch = EpochOfCatalog(newest).value_or(0) + kEpochsAhead;
  return {};
}

Result<bool> BucketHome::TakeWhatIsThere(const std::string& holder, Duration lease, const std::string& dead,
                                         bool mend) {
  fell_back_.clear();
  lost_.clear();
  key_used_ = false;
  TRY(ReadHead(mend));
  const bool lives = dead.empty() || head_.holder != dead;
  if (IsHeld(head_, clock_.Now()) && lives) return false;
  HeadState mine = head_;
  ++mine.epoch;
  mine.holder = holder;
  mine.until = clock_.Now() + lease;
  const auto swapped = Swap(mine);
  if (!swapped && swapped.error().code == ErrorCode::kExists) return false;
  TRY(swapped);
  const auto fetched = FetchCatalog(mend);
  if (!fetched) {
    (void)Drop();
    return std::unexpected(fetched.error());
  }
  return true;
}

// Puts `next` in the place of the head that we know. kExists: it is another one by now.
Result<void> BucketHome::Swap(const HeadState& next) {
  const std::string bytes = FormatHeadState(next);
  Result<std::string> etag;
  for (int i = 0; i < kTries; ++i) {
    etag = objects_.Put(std::string(kHeadKey), bytes, unchanged_);
    if (etag || etag.error().code != ErrorCode::kIo) break;
  }
  TRY(etag);
  head_ = next;
  unchanged_ = PutCondition::Matches(*etag);
  return {};
}

Result<void> BucketHome::FetchCatalog(bool mend) {
  const CatalogObject wanted = head_.catalog;
  base_ = wanted.key;
  // Whatever happens to it now, it is no longer what was published.
  const std::optional<CatalogObject> clean = std::exchange(clean_, std::nullopt);
  if (clean == wanted) return {};
  TRY_ASSIGN(const bool there, HoldsExactly(wanted));
  TRY(Wipe(!there));
  if (there) return {};
  const auto fetched = FetchOneOf(wanted, head_.previous);
  if (!IsLost(fetched)) return fetched;
  if (!mend) return Fail(ErrorCode::kCorrupt, Hint::kRebuild, "no catalog can be had: {}", fetched.error().message);
  return TakeOlder(fetched.error().message);
}

Result<void> BucketHome::TakeOlder(const std::string& why) {
  TRY(Wipe(true));
  while (!base_.empty()) {
    TRY_ASSIGN(base_, NewestCatalog(objects_, base_));
    if (base_.empty()) break;
    const auto fetched = FetchOneOf({}, base_);
    if (IsLost(fetched)) continue;
    fell_back_ = why;
    return fetched;
  }
  lost_ = why;
  return {};
}

// The one that is in force, or the one before it, or none where there never was any.
Result<void> BucketHome::FetchOneOf(const CatalogObject& wanted, const std::string& previous) {
  if (!wanted.key.empty()) {
    const auto fetch = [&] {
      return FetchObject(objects_, wanted.key, scratch_, kCatalog, wanted.bytes, wanted.crc32);
    };
    Result<void> fetched = fetch();
    // Once more, in case that it was damaged on the way only.
    if (IsLost(fetched)) fetched = fetch();
    if (!IsLost(fetched) || previous.empty()) return fetched;
    fell_back_ = fetched.error().message;
  }
  if (previous.empty()) return {};
  base_ = previous;
  // The head does not say what is in that one.
  TRY_ASSIGN(const std::uint64_t bytes, objects_.Size(previous));
  return FetchObject(objects_, previous, scratch_, kCatalog, bytes, std::nullopt);
}

// An earlier process left it here, and closed it.
Result<bool> BucketHome::HoldsExactly(const CatalogObject& catalog) {
  if (catalog.key.empty()) return false;
  TRY_ASSIGN(const bool there, scratch_.Exists(kCatalog));
  TRY_ASSIGN(const bool open, scratch_.Exists(kCatalog + "-wal"));
  if (!there || open) return false;
  TRY_ASSIGN(const std::uint64_t bytes, scratch_.Size(kCatalog));
  if (bytes != catalog.bytes) return false;
  TRY_ASSIGN(const CatalogObject measured, Measure(scratch_, kCatalog, catalog.key));
  return measured == catalog;
}

// Whatever an earlier owner left here that it did not publish.
Result<void> BucketHome::Wipe(bool catalog_too) {
  std::vector<std::string> paths;
  if (catalog_too) {
    for (const char* end : {"", "-wal", "-shm", ".tmp"}) {
      TRY_ASSIGN(const bool there, scratch_.Exists(kCatalog + end));
      if (there) paths.push_back(kCatalog + end);
    }
  }
  for (const char* folder : {"records", "exports"}) {
    TRY_ASSIGN(const auto found, scratch_.List(folder));
    paths.insert(paths.end(), found.begin(), found.end());
  }
  for (const std::string& path : paths) TRY(scratch_.Remove(path));
  return {};
}

Result<void> BucketHome::Renew(Duration lease) {
  const auto renew = [&] {
    HeadState next = head_;
    ++next.epoch;
    next.until = clock_.Now() + lease;
    return Swap(next);
  };
  Result<void> renewed = renew();
  if (!renewed && renewed.error().code == ErrorCode::kExists) {
    TRY_ASSIGN(const bool ours, Reread());
    if (!ours) return renewed;
    renewed = renew();
  }
  TRY(renewed);
  key_used_ = false;
  return {};
}

// Whether the head is one of ours, written by a call whose answer was lost; then we know it again. Nobody else ever
// leaves our name in it.
Result<bool> BucketHome::Reread() {
  TRY_ASSIGN(const Object object, objects_.Get(std::string(kHeadKey)));
  TRY_ASSIGN(const HeadState found, ParseHeadState(object.bytes));
  if (!head_.holder || found.holder != head_.holder) return false;
  head_ = found;
  unchanged_ = PutCondition::Matches(object.etag);
  base_ = found.catalog.key;
  return true;
}

Result<void> BucketHome::Publish(const HeadState& next, std::optional<Duration> keep) {
  // One key holds one catalog for ever: a second one of the same owner needs an epoch of its own.
  if (key_used_) TRY(Renew(keep.value_or(head_.until - clock_.Now())));
  const auto log = scratch_.Size(kCatalog + "-wal");
  if (log && *log > 0) return Fail(ErrorCode::kInternal, "publish {}: it was not checkpointed", kCatalogFile);
  HeadState published = next;
  TRY_ASSIGN(published.catalog, Measure(scratch_, kCatalog, CatalogKey(head_.epoch)));
  published.previous = base_;
  published.epoch = head_.epoch;
  published.sent = head_.sent;
  published.holder = keep ? head_.holder : std::nullopt;
  Result<std::string> put;
  key_used_ = true;
  for (int i = 0; i < kTries; ++i) {
    // If anything is there it is that of an owner who took this epoch after us: the swap below would fail, too.
    put = objects_.PutFile(published.catalog.key, scratch_, kCatalog, PutCondition::Absent());
    if (put || put.error().code != ErrorCode::kIo) break;
  }
  TRY(put);
  // Until here it may have taken long.
  published.until = keep ? clock_.Now() + *keep : head_.until;
  TRY(Swap(published));
  base_ = published.catalog.key;
  if (!keep) clean_ = published.catalog;
  return {};
}

Result<void> BucketHome::Sent() {
  HeadState next = head_;
  next.sent = head_.epoch;
  return Swap(next);
}

Result<void> BucketHome::Drop() {
  clean_.reset();
  HeadState next = head_;
  next.holder.reset();
  return Swap(next);
}

}  // namespace tmdbc
