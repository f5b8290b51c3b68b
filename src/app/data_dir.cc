// SPDX-License-Identifier: MIT
#include "app/data_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "storage/catalog_id.h"

namespace tmdbc {
namespace {

struct Entries {
  bool any = false;      // something is in it
  bool catalog = false;  // catalog.db is
  std::string foreign;   // a name that is not ours; empty when there is none
};

bool IsOurs(std::string_view name) {
  return name == "records" || name == "exports" || name == "tables" || name == "serve" || name == "images" ||
         name == "bucket" || name.starts_with("catalog.db") || name.starts_with("source.json") ||
         name.starts_with("progress.json");
}

std::unexpected<Error> Unusable(std::string_view act, const std::string& path, int error) {
  const bool wrong_path = error == ENOTDIR || error == EEXIST || error == ENAMETOOLONG || error == ELOOP;
  const bool full = error == ENOSPC || error == EDQUOT;
  // What flock(2) says on file systems of other machines that have none.
  const bool foreign = error == ENOLCK || error == ENOTSUP || error == EINVAL || error == ENOSYS;
  const bool forbidden = error == EACCES || error == EPERM;
  const bool read_only = error == EROFS;
  const ErrorCode code = wrong_path ? ErrorCode::kInvalid : full ? ErrorCode::kNoSpace : ErrorCode::kIo;
  const Hint hint = full        ? Hint::kFreeSpace
                    : foreign   ? Hint::kLocalDisk
                    : forbidden ? Hint::kPermission
                    : read_only ? Hint::kReadOnly
                                : Hint::kNone;
  return Fail(code, hint, "{} DATA_DIR {}: {}", act, path, std::strerror(error));
}

Result<Entries> List(const std::string& path) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return Unusable("open", path, errno);
  Entries entries;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || name == "lost+found")
      continue;  // the last is on every fresh ext4 volume
    entries.any = true;
    if (name == "catalog.db") entries.catalog = true;
    if (!IsOurs(name)) entries.foreign = name;
  }
  ::closedir(folder);
  return entries;
}

// `next`: what a person can do, "name an empty or new folder with DATA_DIR".
Result<void> CheckOurs(const std::string& path, const Entries& entries, std::string_view next) {
  if (entries.catalog || entries.foreign.empty()) return {};
  return Fail(ErrorCode::kInvalid, "DATA_DIR {} is not empty and not a store of ours (it holds '{}'): {}", path,
              entries.foreign, next);
}

// Who holds the lock, from /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF". 0 when it does not
// say.
long LockHolder(int folder) {
  struct stat info{};
  if (::fstat(folder, &info) != 0) return 0;
  std::ifstream locks("/proc/locks");
  std::string line;
  const std::string inode = fmt::format(":{}", info.st_ino);
  while (std::getline(locks, line)) {
    std::array<char, 64> where{};
    long pid = 0;
    if (std::sscanf(line.c_str(), "%*s FLOCK %*s WRITE %ld %63s", &pid, where.data()) == 2 &&
        std::string_view(where.data()).ends_with(inode)) {
      return pid;
    }
  }
  return 0;
}

Result<std::int64_t> QueryNumber(Database& db, std::string_view sql) {
  TRY_ASSIGN(Statement query, db.Prepare(sql));
  TRY_ASSIGN(const bool row, query.Step());
  return row ? query.Int(0) : 0;
}

bool HoldsSegments(const std::string& path) {
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(path + "/records", error), end; !error && at != end;
       at.increment(error))
    if (at->path().filename().string().find(".jsonl.zst") != std::string::npos) return true;
  return false;
}

// A catalog.db that was lost is made again, empty, by the next process that writes, which then refuses to go on. Until
// somebody rebuilds it, a reader must not take it for the catalog of a mirror in which there is nothing.
Result<void> CheckKnowsRecords(Database& db, const std::string& path) {
  TRY_ASSIGN(const std::int64_t has_index,
             QueryNumber(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'store_properties'"));
  if (has_index > 0 || !HoldsSegments(path)) return {};
  return Fail(
      ErrorCode::kInvalid,
      "DATA_DIR {} has records that its catalog.db does not know: `tmdb-collector verify --rebuild` takes them in",
      path);
}

}  // namespace

Result<DataDir> DataDir::OpenForWriting(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
    return Fail(ErrorCode::kInvalid, "DATA_DIR {} is a file: name a folder", path);
  }
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Unusable("make", path, error.value());
  TRY_ASSIGN(const Entries entries, List(path));
  TRY(CheckOurs(path, entries, "name an empty or new folder with DATA_DIR"));
  if (::access(path.c_str(), W_OK | X_OK) != 0) return Unusable("write to", path, errno);
  DataDir dir(path, ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.lock_ < 0) return Unusable("open", path, errno);
  if (::flock(dir.lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Unusable("lock", path, errno);
    const long pid = LockHolder(dir.lock_);
    return Fail(ErrorCode::kExists,
                "DATA_DIR {} is in use by {}: one process at a time writes to a store. Stop that one, or wait until it "
                "ends; `status` and `query` work beside it",
                path, pid > 0 ? fmt::format("process {}", pid) : std::string("another process"));
  }
  return dir;
}

Result<DataDir> DataDir::OpenForReading(const std::string& path) {
  constexpr std::string_view kNextStep =
      "run `tmdb-collector run --once` first, or name another folder with DATA_DIR";
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return Fail(ErrorCode::kInvalid, "DATA_DIR {} does not exist: {}", path, kNextStep);
    return Unusable("open", path, errno);
  }
  if (!S_ISDIR(info.st_mode)) return Fail(ErrorCode::kInvalid, "DATA_DIR {} is a file: name a folder", path);
  if (::access((path + "/catalog.db").c_str(), F_OK) == 0) return DataDir(path, -1);
  TRY_ASSIGN(const Entries entries, List(path));
  TRY(CheckOurs(path, entries, "name the folder of your mirror with DATA_DIR"));
  if (entries.any) {
    return Fail(ErrorCode::kInvalid,
                "DATA_DIR {} has no catalog.db: `tmdb-collector verify --rebuild` makes it from the records",
                path);
  }
  return Fail(ErrorCode::kInvalid, "DATA_DIR {} holds no store yet: {}", path, kNextStep);
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDir::~DataDir() {
  if (lock_ >= 0) ::close(lock_);
}

Result<Database> DataDir::OpenCatalog() const {
  auto catalog = OpenCatalogFile();
  if (!catalog && catalog.error().code == ErrorCode::kCorrupt && catalog.error().hint == Hint::kNone)
    catalog.error().hint = Hint::kRebuild;
  return catalog;
}

Result<Database> DataDir::OpenCatalogFile() const {
  const std::string file = path_ + "/catalog.db";
  const bool writing = lock_ >= 0;
  TRY_ASSIGN(Database db,
             Database::Open(file, writing ? Database::Mode::kReadWrite : Database::Mode::kReadOnly));
  TRY_ASSIGN(const std::int64_t id, QueryNumber(db, "PRAGMA application_id"));
  if (id == kCatalogId) {
    if (!writing) TRY(CheckKnowsRecords(db, path_));
    return db;
  }
  TRY_ASSIGN(const std::int64_t objects, QueryNumber(db, "SELECT count(*) FROM sqlite_schema"));
  if (id != 0 || objects > 0) {
    return Fail(ErrorCode::kInvalid,
                "{} is the database of another program: name another folder with DATA_DIR", file);
  }
  if (writing) {
    TRY(MarkCatalog(db));
  } else {
    TRY(CheckKnowsRecords(db, path_));
  }
  return db;
}

}  // namespace tmdbc
