// SPDX-License-Identifier: MIT
// MemoryObjectStore: a bucket in memory that fails as real ones do when a test says so. Calls are counted, and a
// fault meets the n-th call from now:
//
//   bucket.FailAt(3, MemoryObjectStore::Fault::kLosesAnswer);   the third call happens, and says kIo
//
// Several writers may share one bucket, each as if from another machine: a store per writer over one Bucket.
// So a test sees what a writer leaves who dies between two calls, and whose last call arrives after its
// death. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/object_store.h"

namespace tmdbc::testing {

class MemoryObjectStore final : public ObjectStore {
 public:
  enum class Fault : std::uint8_t {
    kFails,        // nothing happens; kIo
    kDenied,       // nothing happens; kDenied
    kLosesAnswer,  // it happens; kIo
    kArrivesLate,  // kIo now; it happens just before the third call after it, of any writer, condition and all
    kDies,         // nothing happens, nor does any later call of this writer; kIo
  };

  // What all writers share.
  class Bucket {
   public:
    // Each body that was ever put has an ETag of its own, also when it equals an earlier one.
    std::map<std::string, Object> objects;
    std::int64_t puts = 0;  // that took effect
    // Calls on their way are delivered now, in the order in which they were sent.
    void DeliverAll();

   private:
    friend class MemoryObjectStore;
    struct Late {
      int calls_left;
      std::function<void()> happen;
    };
    void Called();
    std::vector<Late> late_;
    std::uint64_t last_etag_ = 0;
  };

  // A bucket of its own.
  MemoryObjectStore();
  // One more writer to `bucket`, which outlives it.
  explicit MemoryObjectStore(Bucket& bucket);

  Result<std::string> Read(const std::string& key, std::uint64_t offset, std::uint64_t length) override;
  Result<Object> Get(const std::string& key) override;
  Result<std::optional<ObjectInfo>> Head(const std::string& key) override;
  Result<std::vector<ObjectInfo>> ListObjects(const std::string& prefix, const std::string& after) override;
  Result<std::string> Put(const std::string& key, std::string_view bytes,
                          const PutCondition& condition) override;
  Result<std::string> PutFile(const std::string& key, BlobReader& from, const std::string& path,
                              const PutCondition& condition) override;
  Result<void> Delete(std::span<const std::string> keys) override;

  Bucket& bucket() { return bucket_; }
  // Of this writer.
  std::int64_t calls() const { return calls_; }
  // The `nth` call from now (1: the next) meets `fault`, once.
  void FailAt(std::int64_t nth, Fault fault) { faults_[calls_ + nth] = fault; }
  // Asked before every call for which FailAt() has nothing; empty: no fault. `act` is "get", "put", ...
  std::function<std::optional<Fault>(std::string_view act, const std::string& key)> choose_fault;

 private:
  // Counts the call and runs `happen`, or does to it what its fault says.
  template <class T>
  Result<T> Call(const char* act, const std::string& key, std::function<Result<T>()> happen);

  std::unique_ptr<Bucket> own_;
  Bucket& bucket_;
  std::int64_t calls_ = 0;
  std::map<std::int64_t, Fault> faults_;
  bool dead_ = false;
};

}  // namespace tmdbc::testing
