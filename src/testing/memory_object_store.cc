// SPDX-License-Identifier: MIT
#include "testing/memory_object_store.h"

#include <fmt/format.h>

#include <utility>

namespace tmdbc::testing {
namespace {

constexpr int kLateBy = 3;
constexpr std::uint64_t kAll = ~std::uint64_t(0);

std::unexpected<Error> Absent(const char* act, const std::string& key) {
  return Fail(ErrorCode::kNotFound, "{} {}: there is no such object", act, key);
}

bool Holds(const PutCondition& condition, const Object* there) {
  switch (condition.kind) {
    case PutCondition::Kind::kNone:
      return true;
    case PutCondition::Kind::kAbsent:
      return there == nullptr;
    case PutCondition::Kind::kMatches:
      return there != nullptr && there->etag == condition.etag;
  }
  return false;
}

}  // namespace

void MemoryObjectStore::Bucket::Called() {
  for (Late& late : late_) --late.calls_left;
  while (!late_.empty() && late_.front().calls_left <= 0) {
    const Late first = std::move(late_.front());
    late_.erase(late_.begin());
    first.happen();
  }
}

void MemoryObjectStore::Bucket::DeliverAll() {
  for (const Late& late : std::exchange(late_, {})) late.happen();
}

MemoryObjectStore::MemoryObjectStore() : own_(std::make_unique<Bucket>()), bucket_(*own_) {}
MemoryObjectStore::MemoryObjectStore(Bucket& bucket) : bucket_(bucket) {}

template <class T>
Result<T> MemoryObjectStore::Call(const char* act, const std::string& key,
                                  std::function<Result<T>()> happen) {
  ++calls_;
  bucket_.Called();
  std::optional<Fault> fault;
  if (const auto planned = faults_.find(calls_); planned != faults_.end()) {
    fault = planned->second;
  } else if (choose_fault) {
    fault = choose_fault(act, key);
  }
  if (fault == Fault::kDies) dead_ = true;
  if (dead_) return Fail(ErrorCode::kIo, "{} {}: this writer is dead", act, key);
  if (!fault) return happen();
  switch (*fault) {
    case Fault::kDenied:
      return Fail(ErrorCode::kDenied, "{} {}: HTTP 403 AccessDenied", act, key);
    case Fault::kLosesAnswer:
      (void)happen();
      break;
    case Fault::kArrivesLate:
      bucket_.late_.push_back({kLateBy, [happen = std::move(happen)] { (void)happen(); }});
      break;
    case Fault::kFails:
    case Fault::kDies:
      break;
  }
  return Fail(ErrorCode::kIo, "{} {}: no answer", act, key);
}

// A call may still be on its way when its writer is gone: what happens then knows the bucket alone.

Result<std::string> MemoryObjectStore::Read(const std::string& key, std::uint64_t offset,
                                            std::uint64_t length) {
  return Call<std::string>("read", key, [&bucket = bucket_, key, offset, length]() -> Result<std::string> {
    const auto found = bucket.objects.find(key);
    if (found == bucket.objects.end()) return Absent("read", key);
    const std::string& bytes = found->second.bytes;
    return offset < bytes.size() ? bytes.substr(offset, length) : std::string();
  });
}

Result<Object> MemoryObjectStore::Get(const std::string& key) {
  return Call<Object>("get", key, [&bucket = bucket_, key]() -> Result<Object> {
    const auto found = bucket.objects.find(key);
    if (found == bucket.objects.end()) return Absent("get", key);
    return found->second;
  });
}

Result<std::optional<ObjectInfo>> MemoryObjectStore::Head(const std::string& key) {
  using Info = std::optional<ObjectInfo>;
  return Call<Info>("head", key, [&bucket = bucket_, key]() -> Result<Info> {
    const auto found = bucket.objects.find(key);
    if (found == bucket.objects.end()) return std::nullopt;
    return ObjectInfo{key, found->second.bytes.size(), found->second.etag};
  });
}

Result<std::vector<ObjectInfo>> MemoryObjectStore::ListObjects(const std::string& prefix,
                                                               const std::string& after) {
  using Infos = std::vector<ObjectInfo>;
  return Call<Infos>("list", prefix, [&bucket = bucket_, prefix, after]() -> Result<Infos> {
    Infos found;
    for (auto at = bucket.objects.lower_bound(prefix);
         at != bucket.objects.end() && at->first.starts_with(prefix); ++at) {
      if (at->first > after) found.push_back({at->first, at->second.bytes.size(), at->second.etag});
    }
    return found;
  });
}

Result<std::string> MemoryObjectStore::Put(const std::string& key, std::string_view bytes,
                                           const PutCondition& condition) {
  return Call<std::string>(
      "put", key, [&bucket = bucket_, key, bytes = std::string(bytes), condition]() -> Result<std::string> {
        const auto found = bucket.objects.find(key);
        const Object* const there = found == bucket.objects.end() ? nullptr : &found->second;
        if (!Holds(condition, there)) {
          if (there != nullptr && there->bytes == bytes) return there->etag;
          return Fail(ErrorCode::kExists, "put {}: the condition does not hold: {}", key,
                      there == nullptr ? "nothing is there" : "something else is there");
        }
        std::string etag = fmt::format("\"{}\"", ++bucket.last_etag_);
        bucket.objects[key] = {bytes, etag};
        ++bucket.puts;
        return etag;
      });
}

Result<std::string> MemoryObjectStore::PutFile(const std::string& key, BlobReader& from,
                                               const std::string& path, const PutCondition& condition) {
  TRY_ASSIGN(const std::string bytes, from.Read(path, 0, kAll));
  return Put(key, bytes, condition);
}

Result<void> MemoryObjectStore::Delete(std::span<const std::string> keys) {
  std::vector<std::string> gone(keys.begin(), keys.end());
  const std::string first = gone.empty() ? "" : gone.front();
  return Call<void>("delete", first, [&bucket = bucket_, gone = std::move(gone)]() -> Result<void> {
    for (const std::string& key : gone) bucket.objects.erase(key);
    return {};
  });
}

}  // namespace tmdbc::testing
