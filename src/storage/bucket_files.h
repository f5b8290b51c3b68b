// SPDX-License-Identifier: MIT
// A store in a bucket, to what reads and writes it a folder like any other. The keys are the paths of DATA_DIR.
//
// BucketReader reads. What it has listed it remembers, with sizes, so that Size() and Exists() cost no request:
// recovery asks of every segment. A file that is read from its start comes whole with one request and is kept
// while it is read on; anything else is one request for its range.
//
// BucketFileSystem also writes, as far as a bucket allows it. Sealed segments, state.json, exports/, progress.json
// and source.json are objects. What is still appended to (.open), not in force yet (.tmp, .part), kept aside or
// SQLite's (catalog.db*) lies in a scratch folder of this machine. Renaming from there into the bucket is the Put():
//
//   a sealed segment           only where nothing is
//   state.json, source.json    only over what was read, or where nothing was
//   everything else            whatever is there
//
// kExists of a Rename() means that another writer was here. It goes to the caller, who must never take another
// name for the same bytes: they were made without knowing what is there. After a kIo the same Rename() may be
// tried again; nobody else's object is ever taken for ours.
//
// Remove() takes an object out of sight and leaves it in the bucket: a call that is still on its way could put
// another body under a name that is free. RemovedObjects() says which; the owner deletes them a day later.
//
// What others do in the bucket meanwhile is not seen: nobody but the owner writes, and conditions notice who
// does all the same. One thread. Errors: those of ObjectStore and of the scratch folder.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "storage/object_store.h"

namespace tmdbc {

// So much is read ahead when a file is read from its start: a segment whole.
inline constexpr std::uint64_t kReadAheadBytes = 64 << 20;

class BucketReader final : public BlobReader {
 public:
  // `bucket` outlives the reader. Nothing is read yet.
  explicit BucketReader(ObjectStore& bucket) : bucket_(bucket) {}

  Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) override;
  Result<std::uint64_t> Size(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& folder) override;
  // What was learned is forgotten: the next call asks the bucket.
  void Forget();

 private:
  friend class BucketFileSystem;
  struct Window {
    std::string path;
    std::uint64_t at = 0;
    std::string bytes;
  };
  // Of an object that is there; empty: there is none.
  Result<std::optional<ObjectInfo>> Find(const std::string& path);
  // The whole of a small object that is replaced now and then, and its ETag.
  Result<Object> ReadReplaceable(const std::string& path);
  Result<void> ListTop(const std::string& folder);

  ObjectStore& bucket_;
  std::map<std::string, ObjectInfo> objects_;  // of the folders listed, and others that were met
  std::set<std::string> listed_;               // "records/", "exports/"
  std::map<std::string, Object> replaceable_;  // as they were read or put
  std::set<std::string> removed_;              // out of sight
  Window window_;
};

class BucketFileSystem final : public FileSystem {
 public:
  // Both outlive it. `scratch` begins empty, or holds what this machine's last owner left there.
  BucketFileSystem(ObjectStore& bucket, FileSystem& scratch)
      : bucket_(bucket), scratch_(scratch), reader_(bucket) {}

  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override;
  Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) override;
  Result<std::uint64_t> Size(const std::string& path) override;
  // False of a segment whose Rename() failed, whatever is there: it is to be tried again, and to fail again if what is
  // there is another one.
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& folder) override;
  Result<void> Rename(const std::string& from, const std::string& to) override;
  Result<void> Remove(const std::string& path) override;
  // Nothing for objects: a Put() that has returned is durable.
  Result<void> SyncFolder(const std::string& folder) override;

  // Asked before each Put(), whose error it becomes; may be empty.
  std::function<Result<void>()> before_put;

  // The keys that Remove() took out of sight, sorted; not those that were put again since.
  std::vector<std::string> RemovedObjects() const;
  // The keys that were put since ForgetWritten(), sorted: none of them may be deleted for an earlier Remove().
  std::vector<std::string> WrittenObjects() const { return {written_.begin(), written_.end()}; }
  // The caller has remembered them.
  void ForgetWritten() { written_.clear(); }
  // These have been deleted from the bucket: nothing of them needs to be remembered.
  void Deleted(std::span<const std::string> keys);

 private:
  Result<void> PutRenamed(const std::string& from, const std::string& to);

  ObjectStore& bucket_;
  FileSystem& scratch_;
  BucketReader reader_;
  std::set<std::string> written_;
  std::set<std::string> unsure_;  // segments whose Put() failed: it may have happened, or happen yet
};

// Whether a path of the store is a file of this machine, not an object.
bool IsScratchPath(std::string_view path);

}  // namespace tmdbc
