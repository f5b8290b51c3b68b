// SPDX-License-Identifier: MIT
#include "storage/object_vfs.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <list>
#include <unordered_map>
#include <utility>

#include "base/sqlite_vfs.h"

namespace tmdbc {

// The object, and the blocks of it that were read last.
class ObjectDatabase::File {
 public:
  File(ObjectStore& objects, std::string key, std::uint64_t bytes)
      : objects_(objects), key_(std::move(key)), bytes_(bytes) {}

  std::uint64_t bytes() const { return bytes_; }
  const std::string& key() const { return key_; }

  // False after an error, which has been noted.
  bool Read(char* to, std::uint64_t at, std::uint64_t length) {
    while (length > 0) {
      const std::string* const block = Block(at / kObjectBlock);
      if (block == nullptr) return false;
      const std::uint64_t from = at % kObjectBlock;
      const std::uint64_t part = std::min<std::uint64_t>(length, kObjectBlock - from);
      std::memcpy(to, block->data() + from, part);
      to += part;
      at += part;
      length -= part;
    }
    return true;
  }

 private:
  struct Kept {
    std::uint64_t number;
    std::string bytes;
  };

  const std::string* Block(std::uint64_t number) {
    if (const auto kept = found_.find(number); kept != found_.end()) {
      blocks_.splice(blocks_.begin(), blocks_, kept->second);
      return &blocks_.front().bytes;
    }
    return Fetch(number) ? &blocks_.front().bytes : nullptr;
  }

  // The block, and as a run those behind it; the first one is at the front then.
  bool Fetch(std::uint64_t number) {
    run_ = number == next_ && number != 0 ? std::min(2 * run_, kObjectBlocksAtOnce) : 1;
    const std::uint64_t at = number * kObjectBlock;
    const std::uint64_t wanted = std::min(run_ * kObjectBlock, bytes_ - at);
    const auto read = objects_.Read(key_, at, wanted);
    if (!read || read->size() != wanted) {
      NoteVfsFailure(read ? Error{ErrorCode::kCorrupt, fmt::format("{} ends at byte {}, not at {}", key_,
                                                                   at + read->size(), bytes_)}
                          : read.error());
      return false;
    }
    const std::uint64_t count = (wanted + kObjectBlock - 1) / kObjectBlock;
    for (std::uint64_t i = count; i-- > 0;) {
      if (found_.contains(number + i)) continue;
      blocks_.push_front({number + i, read->substr(i * kObjectBlock, kObjectBlock)});
      found_[number + i] = blocks_.begin();
    }
    next_ = number + count;
    while (blocks_.size() > kObjectBlocksKept) {
      found_.erase(blocks_.back().number);
      blocks_.pop_back();
    }
    return true;
  }

  ObjectStore& objects_;
  const std::string key_;
  const std::uint64_t bytes_;
  std::list<Kept> blocks_;  // the one used last first
  std::unordered_map<std::uint64_t, std::list<Kept>::iterator> found_;
  std::uint64_t next_ = 0;  // behind what was fetched last
  std::uint64_t run_ = 1;
};

namespace {

template <class File>
struct OpenFile {
  sqlite3_file base;
  File* file;
};

template <class File>
struct Methods {
  static File& Of(sqlite3_file* file) { return *reinterpret_cast<OpenFile<File>*>(file)->file; }

  static int Close(sqlite3_file*) { return SQLITE_OK; }
  static int Read(sqlite3_file* f, void* to, int length, sqlite3_int64 at) {
    File& file = Of(f);
    const auto from = std::min(std::uint64_t(at), file.bytes());
    const auto there = std::min(std::uint64_t(length), file.bytes() - from);
    if (!file.Read(static_cast<char*>(to), from, there)) return SQLITE_IOERR_READ;
    if (there == std::uint64_t(length)) return SQLITE_OK;
    std::memset(static_cast<char*>(to) + there, 0, std::size_t(length) - there);
    return SQLITE_IOERR_SHORT_READ;
  }
  static int Write(sqlite3_file*, const void*, int, sqlite3_int64) { return SQLITE_READONLY; }
  static int Truncate(sqlite3_file*, sqlite3_int64) { return SQLITE_READONLY; }
  static int Nothing(sqlite3_file*, int) { return SQLITE_OK; }
  static int Size(sqlite3_file* f, sqlite3_int64* bytes) {
    *bytes = sqlite3_int64(Of(f).bytes());
    return SQLITE_OK;
  }
  static int NotReserved(sqlite3_file*, int* reserved) {
    *reserved = 0;
    return SQLITE_OK;
  }
  static int Control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int SectorSize(sqlite3_file*) { return 4096; }
  static int Traits(sqlite3_file*) { return SQLITE_IOCAP_IMMUTABLE; }

  static constexpr sqlite3_io_methods kTable = {
      1,       Close,      Read,   Write,   Truncate, Nothing, Size,    Nothing, Nothing, NotReserved,
      Control, SectorSize, Traits, nullptr, nullptr,  nullptr, nullptr, nullptr, nullptr};

  static int Open(sqlite3_vfs* vfs, const char*, sqlite3_file* f, int flags, int* flags_out) {
    f->pMethods = nullptr;
    // Whatever it would sort on the disk of another machine it sorts in memory.
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return SQLITE_CANTOPEN;
    reinterpret_cast<OpenFile<File>*>(f)->file = static_cast<File*>(vfs->pAppData);
    f->pMethods = &kTable;
    if (flags_out != nullptr) *flags_out = SQLITE_OPEN_READONLY;
    return SQLITE_OK;
  }
};

}  // namespace

ObjectDatabase::ObjectDatabase() = default;

ObjectDatabase::~ObjectDatabase() {
  database_.reset();
  if (vfs_) sqlite3_vfs_unregister(vfs_.get());
}

Result<std::unique_ptr<ObjectDatabase>> ObjectDatabase::Open(ObjectStore& objects, const std::string& key,
                                                             std::uint64_t bytes) {
  static std::atomic<std::uint64_t> opened = 0;
  std::unique_ptr<ObjectDatabase> made(new ObjectDatabase);
  made->file_ = std::make_unique<File>(objects, key, bytes);
  made->name_ = fmt::format("tmdbc-object-{}", ++opened);
  (void)OurVfs();  // SQLite is initialized
  made->vfs_ = std::make_unique<sqlite3_vfs>(*sqlite3_vfs_find("unix"));
  made->vfs_->szOsFile = sizeof(OpenFile<File>);
  made->vfs_->zName = made->name_.c_str();
  made->vfs_->pAppData = made->file_.get();
  made->vfs_->xOpen = Methods<File>::Open;
  made->vfs_->pNext = nullptr;
  if (sqlite3_vfs_register(made->vfs_.get(), /*makeDflt=*/0) != SQLITE_OK) {
    made->vfs_.reset();
    return Fail(ErrorCode::kInternal, "open {}: SQLite takes no more file systems", key);
  }
  TRY_ASSIGN(Database database, Database::OpenThrough(made->name_.c_str(), key));
  made->database_.emplace(std::move(database));
  TRY(made->database_->Execute("PRAGMA temp_store=MEMORY"));
  return made;
}

}  // namespace tmdbc
