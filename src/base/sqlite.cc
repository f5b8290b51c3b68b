// SPDX-License-Identifier: MIT
#include "base/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/page_checksum.h"
#include "base/sqlite_vfs.h"

namespace tmdbc {
namespace {

// At the start a person waits, later a loop does.
constexpr int kOpenBusyMs = 4'000, kBusyMs = 250;
// A reader is a command of its own: only itself waits.
constexpr int kReaderBusyMs = 10'000;
// So many pages are searched for a flipped bit. Where more are wrong, it was not a bit.
constexpr std::size_t kMostSearched = 16;

struct Kind {
  ErrorCode code = ErrorCode::kIo;
  Hint hint = Hint::kNone;
};

// Of an extended result code (https://www.sqlite.org/rescode.html).
Kind KindOf(int code) {
  switch (code) {
    // What locks and shared memory of a file system of another machine answer.
    case SQLITE_IOERR_LOCK:
    case SQLITE_IOERR_UNLOCK:
    case SQLITE_IOERR_RDLOCK:
    case SQLITE_IOERR_CHECKRESERVEDLOCK:
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMLOCK:
    case SQLITE_IOERR_SHMMAP:
      return {ErrorCode::kIo, Hint::kLocalDisk};
    case SQLITE_IOERR_READ:
    case SQLITE_IOERR_CORRUPTFS:
      return {ErrorCode::kUnreadable, Hint::kNone};
    default:
      break;
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {ErrorCode::kNoSpace, Hint::kFreeSpace};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kBusy, Hint::kNone};
    case SQLITE_PROTOCOL:
      return {ErrorCode::kIo, Hint::kLocalDisk};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {ErrorCode::kIo, Hint::kPermission};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kCorrupt, Hint::kNone};
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_CONSTRAINT:
      return {ErrorCode::kInternal, Hint::kNone};
    default:
      return {};
  }
}

// A statement in a message: its beginning says which one it is.
std::string Shown(std::string_view sql) {
  constexpr std::size_t kShown = 60;
  return sql.size() <= kShown ? std::string(sql) : fmt::format("{}...", sql.substr(0, sql.rfind(' ', kShown)));
}

std::unexpected<Error> SqliteError(sqlite3* db, std::string_view act) {
  const int code = sqlite3_extended_errcode(db);
  if (const auto failure = TakeVfsFailure()) return Fail(failure->code, failure->hint, "{}: {}", act, failure->message);
  const Kind kind = KindOf(code);
  const char* const file = db == nullptr ? nullptr : sqlite3_db_filename(db, "main");
  std::string why = sqlite3_errmsg(db);
  // What the system said tells a quota from a full disk, and a page that does not come back from one that was
  // changed. A bound of SQLite's own, and damage that it finds, have no word from it.
  const int error = TakeVfsError();
  const int primary = code & 0xff;
  if (error != 0 && (primary == SQLITE_FULL || primary == SQLITE_IOERR || primary == SQLITE_CORRUPT ||
                     primary == SQLITE_CANTOPEN))
    why += fmt::format(" ({}: {})", std::strerror(error), file ? file : "");
  if (kind.code == ErrorCode::kBusy)
    why = fmt::format("another program holds {}", file ? file : "the database");
  return Fail(kind.code, kind.hint, "{}: {}", act, why);
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)), statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(statement_, other.statement_);
  return *this;
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

void Statement::BindAt(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
}
void Statement::BindAt(int index, double value) {
  sqlite3_bind_double(statement_, index, value);
}
void Statement::BindAt(int index, std::string_view text) {
  sqlite3_bind_text64(statement_, index, text.data() ? text.data() : "", text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}
void Statement::BindAt(int index, std::span<const std::byte> blob) {
  // An empty blob is not NULL: SQLite takes the null pointer of an empty span for that.
  sqlite3_bind_blob64(statement_, index, blob.empty() ? static_cast<const void*>("") : blob.data(),
                      blob.size(), SQLITE_STATIC);
}
void Statement::BindNullAt(int index) {
  sqlite3_bind_null(statement_, index);
}

void Statement::Reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  auto error = SqliteError(db_, Shown(sqlite3_sql(statement_)));
  sqlite3_reset(statement_);
  return error;
}

Result<void> Statement::Run() {
  TRY(Step());
  sqlite3_reset(statement_);
  return {};
}

std::int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}
double Statement::Real(int column) const {
  return sqlite3_column_double(statement_, column);
}
std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return {text ? text : "", std::size_t(sqlite3_column_bytes(statement_, column))};
}
std::span<const std::byte> Statement::Blob(int column) const {
  const auto* blob = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  return {blob, std::size_t(sqlite3_column_bytes(statement_, column))};
}
bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

namespace {

// Beside a database in WAL mode even a reader makes a file (-shm).
bool MayWriteBeside(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return ::faccessat(AT_FDCWD, folder.c_str(), W_OK, AT_EACCESS) == 0;
}

bool HasLog(const std::string& path) {
  struct stat log{};
  return ::stat((path + "-wal").c_str(), &log) == 0 && log.st_size > 0;
}

// A path is only ever a path: a name that begins with "file:" would be read as a URI where SQLite is built so
// (https://www.sqlite.org/uri.html), and the database would stand elsewhere than the files beside it.
std::string NotAUri(const std::string& path) {
  return path.starts_with('/') || path == ":memory:" || path.empty() ? path : "./" + path;
}

std::string ImmutableUri(const std::string& path) {
  std::string uri = path.starts_with('/') ? "file://" : "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      fmt::format_to(std::back_inserter(uri), "%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

// SQLite says "unable to open database file" of everything that lies in the way of a reader.
// `words`: what else there is to say of it.
std::unexpected<Error> CannotOpen(const std::string& path, const std::string& words) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0)
    return Fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "open {}: {}", path,
                std::strerror(errno));
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0)
    return Fail(ErrorCode::kIo, Hint::kPermission, "open {}: {}", path, std::strerror(errno));
  if (HasLog(path) && !MayWriteBeside(path)) {
    return Fail(
        ErrorCode::kIo, Hint::kPermission,
        "open {}: the process that wrote to it last left a log ({}-wal), and to read that a file must be "
        "made in its folder, which this user may not do. The next process that may will tidy up",
        path, path);
  }
  const int error = TakeVfsError();
  return Fail(ErrorCode::kIo, "open {}: {}", path,
              error != 0 ? std::strerror(error) : words);
}

}  // namespace

Result<Database> Database::Open(const std::string& path, Mode mode) {
  // Where no file can be made beside it, and none is needed because no log is there, it is read as a file
  // that nobody changes (https://www.sqlite.org/uri.html#uriimmutable).
  return OpenAs(path, mode, mode == Mode::kReadOnly && !MayWriteBeside(path) && !HasLog(path), OurVfs());
}

Result<Database> Database::OpenThrough(const char* vfs, const std::string& path) {
  return OpenAs(path, Mode::kReadOnly, true, vfs);
}

Result<Database> Database::OpenAs(const std::string& path, Mode mode, bool frozen, const char* vfs) {
  // SQLite would wait at a pipe for somebody who writes, and call a folder a failing disk.
  struct stat info{};
  if (vfs == OurVfs() && ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return Fail(ErrorCode::kCorrupt, "open {}: it is not a regular file", path);
  sqlite3* raw = nullptr;
  const int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const std::string name = frozen ? ImmutableUri(NotAUri(path)) : NotAUri(path);
  const int opened = sqlite3_open_v2(name.c_str(), &raw,
                                     flags | (frozen ? SQLITE_OPEN_URI : 0) | SQLITE_OPEN_NOMUTEX, vfs);
  Database db(raw, path, frozen);
  const std::string act = fmt::format("open {}", path);
  if (opened == SQLITE_CANTOPEN && vfs == OurVfs()) return CannotOpen(path, "SQLite cannot open it");
  if (opened != SQLITE_OK) return SqliteError(raw, act);
  if (auto configured = db.Configure(mode); !configured) {
    // The log and its index are opened when they are first needed.
    if ((sqlite3_errcode(raw) & 0xff) == SQLITE_CANTOPEN && vfs == OurVfs()) {
      return CannotOpen(path, configured.error().message);
    }
    return Within(act.c_str(), configured.error());
  }
  return db;
}

Result<void> Database::Configure(Mode mode) {
  sqlite3_extended_result_codes(db_, 1);
  if (mode == Mode::kReadOnly) {
    sqlite3_busy_timeout(db_, kReaderBusyMs);
    return Execute("SELECT count(*) FROM sqlite_schema");
  }
  sqlite3_busy_timeout(db_, kOpenBusyMs);
  int reserved = kPageChecksumBytes;  // of a new database; one that is there keeps what it has
  sqlite3_file_control(db_, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  TRY(Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"));
  sqlite3_busy_timeout(db_, kBusyMs);
  return {};
}

Database::Database(Database&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)),
      path_(std::move(other.path_)),
      frozen_(other.frozen_),
      depth_(other.depth_) {}

Database::~Database() {
  sqlite3_close_v2(db_);
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
      SQLITE_OK) {
    return SqliteError(db_, Shown(sql));
  }
  return Statement(db_, raw);
}

Result<void> Database::Execute(std::string_view sql) {
  const std::string text(sql);
  if (sqlite3_exec(db_, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return SqliteError(db_, Shown(sql));
  return {};
}

Result<void> Database::Transact(const std::function<Result<void>()>& work) {
  if (depth_ > 0) {
    auto joined = work();
    if (!joined && !joined_failure_) joined_failure_ = joined.error();
    return joined;
  }
  TRY(Execute("BEGIN IMMEDIATE"));
  ++depth_;
  joined_failure_.reset();
  auto done = work();
  // A part that failed may have left half of what it meant to do, even when nobody passed its error on.
  if (done && joined_failure_) done = std::unexpected(*joined_failure_);
  if (done) done = Execute("COMMIT");
  --depth_;
  // SQLite has rolled back by itself after some errors (disk full); then this ROLLBACK finds nothing to do.
  if (!done && sqlite3_get_autocommit(db_) == 0) (void)Execute("ROLLBACK");
  return done;
}

Result<std::string> Database::FirstFault() {
  TRY_ASSIGN(Statement check, Prepare("PRAGMA integrity_check(1)"));
  TRY_ASSIGN(const bool row, check.Step());
  const std::string found = row ? std::string(check.Text(0)) : "no answer";
  return found == "ok" ? std::string() : found;
}

namespace {

// The file of a database, by SQLite's own descriptor: closing one of ours would end SQLite's locks
// on the file.
class DatabaseFile {
 public:
  DatabaseFile(sqlite3* db, const std::string& path) : path_(path) {
    sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file_));
  }
  bool in_memory() const { return file_ == nullptr || file_->pMethods == nullptr; }

  Result<std::int64_t> Size() {
    sqlite3_int64 size = 0;
    TRY(Checked("size of", 0, file_->pMethods->xFileSize(file_, &size)));
    return size;
  }
  Result<void> Read(std::span<std::byte> to, std::int64_t at) {
    return Checked("read", at, file_->pMethods->xRead(file_, to.data(), int(to.size()), at));
  }
  Result<void> Write(std::span<const std::byte> from, std::int64_t at) {
    return Checked("write", at, file_->pMethods->xWrite(file_, from.data(), int(from.size()), at));
  }
  Result<void> Sync() { return Checked("sync", 0, file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL)); }

 private:
  Result<void> Checked(const char* act, std::int64_t at, int code) {
    if (code == SQLITE_OK) return {};
    const Kind kind = KindOf(code);
    return Fail(kind.code, kind.hint, "{} {} at {}: {}", act, path_, at, sqlite3_errstr(code));
  }

  sqlite3_file* file_ = nullptr;
  const std::string& path_;
};

}  // namespace

Result<std::vector<DamagedPage>> Database::DamagedPages() {
  std::vector<DamagedPage> damaged;
  DatabaseFile file(db_, path_);
  if (file.in_memory()) return damaged;
  TRY_ASSIGN(const std::int64_t size, file.Size());
  std::vector<std::byte> page(100);  // SQLite's header
  if (size < std::int64_t(page.size())) return damaged;
  TRY(file.Read(page, 0));
  page.resize(CheckedPageSize(page));
  if (page.empty()) return damaged;
  const auto page_size = std::int64_t(page.size());
  for (std::int64_t at = 0; at + page_size <= size; at += page_size) {
    const auto read = file.Read(page, at);
    if (!read && read.error().code != ErrorCode::kUnreadable) return std::unexpected(read.error());
    if (read && PageIsRight(page, at)) continue;
    const bool one_bit = read && damaged.size() < kMostSearched && FlippedBit(page, at);
    damaged.push_back({.number = at / page_size + 1, .at = at, .bytes = page_size, .one_bit = one_bit});
  }
  return damaged;
}

Result<std::vector<DamagedPage>> Database::MendPages() {
  TRY_ASSIGN(Statement checkpoint, Prepare("PRAGMA wal_checkpoint(TRUNCATE)"));
  TRY_ASSIGN(const bool row, checkpoint.Step());
  if (row && checkpoint.Int(0) != 0)
    return Fail(ErrorCode::kBusy, "checkpoint {}: another program reads it", path_);
  checkpoint.Reset();
  std::vector<DamagedPage> pages;
  DatabaseFile file(db_, path_);
  const auto rewrite = [&](bool one_bit) -> Result<void> {
    for (const DamagedPage& damaged : pages) {
      if (damaged.one_bit != one_bit) continue;
      std::vector<std::byte> page(static_cast<std::size_t>(damaged.bytes));
      TRY(file.Read(page, damaged.at));
      const auto bit = one_bit ? FlippedBit(page, damaged.at) : std::nullopt;
      if (bit) page[*bit / 8] ^= std::byte(1 << *bit % 8);
      TRY(file.Write(page, damaged.at));  // which writes the checksum
    }
    return file.Sync();
  };
  // In transactions, so that nobody else writes: the log stays empty, and no page changes under our hands.
  TRY(Transact([&]() -> Result<void> {
    TRY_ASSIGN(pages, DamagedPages());
    return pages.empty() ? Result<void>() : rewrite(true);
  }));
  if (pages.empty()) return pages;
  TRY(Execute("PRAGMA shrink_memory"));  // forgets the pages as they were
  TRY(Transact([&]() -> Result<void> {
    TRY_ASSIGN(const std::string fault, FirstFault());
    if (!fault.empty()) return Fail(ErrorCode::kCorrupt, "check {}: {}", path_, fault);
    return rewrite(false);
  }));
  return pages;
}

Database::LogHeader Database::SharedLogHeader() const {
  // SQLite maps it in pieces of this size, a constant of the format. What is mapped already is given without a call of
  // the system.
  constexpr int kMapped = 32768;
  LogHeader header{};
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  if (file == nullptr || file->pMethods == nullptr || file->pMethods->iVersion < 2 ||
      file->pMethods->xShmMap == nullptr) {
    return header;
  }
  void volatile* mapped = nullptr;
  if (file->pMethods->xShmMap(file, 0, kMapped, 0, &mapped) != SQLITE_OK || mapped == nullptr) return header;
  // Of the two copies the one that a writer writes last. Half of an old and half of a new one is none that was known.
  const auto* const bytes = static_cast<const volatile std::byte*>(mapped);
  for (std::size_t i = 0; i < header.size(); ++i) header[i] = bytes[i];
  return header;
}

Result<std::uint64_t> Database::CommitMark() {
  const LogHeader header = has_log_ ? SharedLogHeader() : LogHeader{};
  if (header != LogHeader{}) {
    if (header != log_header_) ++commit_mark_;
    log_header_ = header;
    return commit_mark_;
  }
  log_header_ = {};
  if (!ask_version_) {
    TRY_ASSIGN(Statement mode, Prepare("PRAGMA journal_mode"));
    TRY_ASSIGN(const bool has_mode, mode.Step());
    TRY_ASSIGN(ask_version_, Prepare("PRAGMA data_version"));
    has_log_ = has_mode && mode.Text(0) == "wal" && !frozen_;
  }
  ask_version_->Reset();
  TRY_ASSIGN(const bool row, ask_version_->Step());
  if (!row) return Fail(ErrorCode::kInternal, "ask {} for its version: no answer", path_);
  const std::int64_t version = ask_version_->Int(0);
  ask_version_->Reset();
  if (version != version_) ++commit_mark_;
  version_ = version;
  return commit_mark_;
}

std::int64_t Database::Changes() const {
  return sqlite3_changes64(db_);
}

}  // namespace tmdbc
