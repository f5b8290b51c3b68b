// SPDX-License-Identifier: MIT
// BucketView: a mirror in a bucket, looked at from anywhere: the catalog that the head names, read where it lies, and
// the segments that it knows. Takes nothing, writes nothing, and works beside the mirror's owner. It sees the
// state that was published last when it was opened; for a newer one open another view. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "base/sqlite.h"
#include "cloud/head_state.h"
#include "storage/bucket_files.h"
#include "storage/object_store.h"
#include "storage/object_vfs.h"
#include "storage/verify.h"

namespace tmdbc {

// The scratch folder of a reader: there is nothing in it, and nothing can be put there.
class NoFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    return Refuse("open", path);
  }
  Result<void> Rename(const std::string& from, const std::string&) override { return Refuse("rename", from); }
  Result<void> Remove(const std::string& path) override { return Refuse("remove", path); }
  Result<void> SyncFolder(const std::string&) override { return {}; }
  Result<std::string> Read(const std::string& path, std::uint64_t, std::uint64_t) override {
    return None("read", path);
  }
  Result<std::uint64_t> Size(const std::string& path) override { return None("size of", path); }
  Result<bool> Exists(const std::string&) override { return false; }
  Result<std::vector<std::string>> List(const std::string&) override { return std::vector<std::string>(); }

 private:
  static std::unexpected<Error> Refuse(const char* act, const std::string& path) {
    return Fail(ErrorCode::kInternal, "{} {}: the bucket is only looked at", act, path);
  }
  static std::unexpected<Error> None(const char* act, const std::string& path) {
    return Fail(ErrorCode::kNotFound, "{} {}: there is no such file", act, path);
  }
};

class BucketView {
 public:
  // `objects` outlives the view. kNotFound when no catalog was published in the bucket yet. Two requests, and what
  // SQLite reads of the tables.
  static Result<std::unique_ptr<BucketView>> Open(ObjectStore& objects);
  // The same with the whole catalog, as `file` in the folder `path`, where it must not be yet: for a reader of all
  // of it.
  static Result<std::unique_ptr<BucketView>> OpenWhole(ObjectStore& objects, const std::string& path,
                                                       const std::string& file);
  // The head alone: one request.
  static Result<HeadState> ReadHead(ObjectStore& objects);
  // Not so: none was published yet (kNotFound), or one that was lost is being made again (kCorrupt).
  static Result<void> RequireCatalog(const HeadState& head);

  const HeadState& head() const { return head_; }
  Database& catalog() { return copy_ ? *copy_ : catalog_->database(); }
  FileSystem& files() { return files_; }

 private:
  explicit BucketView(ObjectStore& objects) : files_(objects, scratch_) {}

  HeadState head_;
  NoFiles scratch_;
  BucketFileSystem files_;
  std::unique_ptr<ObjectDatabase> catalog_;  // one of the two
  std::optional<Database> copy_;
};

// Does the bucket hold what its catalog says? Every segment by its size and every state.json; `deep` also reads every
// record (Verify() of verify.h). What is newer than the catalog is not damage: the next owner adopts it. Nor is what a
// compaction has replaced and a later owner removes.
Result<VerifyReport> VerifyView(BucketView& view, bool deep);

}  // namespace tmdbc
