// SPDX-License-Identifier: MIT
// An SQLite database that lies in a bucket as one object, read where it lies: a look-up of a record fetches the few
// blocks of the file that it needs, not half a gigabyte. The object must be whole (checkpointed: no log beside
// it), and must never change; a published catalog is both.
//
// Blocks are of 64 KiB. Where they are asked for one after the other, as by a count over everything, runs of them are
// fetched with one request, each twice as long as the one before, up to 4 MiB. The last 64 MiB are kept. For a walk
// over everything that is still no bargain, since records that came in no order lie in none: a reader of all of it
// fetches the whole.
//
// Errors come out of the Database, with the code of the ObjectStore and its words: kNotFound when the object is gone
// (an owner has published twice since: begin again from state/head.json).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/sqlite.h"
#include "storage/object_store.h"

struct sqlite3_vfs;

namespace tmdbc {

inline constexpr std::uint64_t kObjectBlock = 64 << 10;
inline constexpr std::uint64_t kObjectBlocksAtOnce = 64;
inline constexpr std::uint64_t kObjectBlocksKept = 1024;

// One thread: that of the store.
class ObjectDatabase {
 public:
  // The object `key` of `bytes` bytes. `objects` outlives the database. Reads what SQLite needs to know the tables.
  static Result<std::unique_ptr<ObjectDatabase>> Open(ObjectStore& objects, const std::string& key,
                                                      std::uint64_t bytes);
  ~ObjectDatabase();
  ObjectDatabase(const ObjectDatabase&) = delete;
  ObjectDatabase& operator=(const ObjectDatabase&) = delete;

  // All statements of it end before this object does.
  Database& database() { return *database_; }

 private:
  class File;
  ObjectDatabase();

  std::unique_ptr<File> file_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::string name_;  // of the VFS
  std::optional<Database> database_;
};

}  // namespace tmdbc
