// SPDX-License-Identifier: MIT
#include "base/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iterator>

#include "base/page_checksum.h"

namespace tmdbc {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

std::unexpected<Error> SqliteError(sqlite3* db, std::string_view act) {
  const int code = sqlite3_errcode(db) & 0xff;
  ErrorCode mapped = ErrorCode::kIo;
  if (code == SQLITE_FULL) mapped = ErrorCode::kNoSpace;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) mapped = ErrorCode::kCorrupt;
  if (code == SQLITE_CANTOPEN) mapped = ErrorCode::kNotFound;
  if (code == SQLITE_ERROR || code == SQLITE_MISUSE || code == SQLITE_CONSTRAINT)
    mapped = ErrorCode::kInternal;
  return Fail(mapped, "{}: {}", act, sqlite3_errmsg(db));
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
  auto error = SqliteError(db_, sqlite3_sql(statement_));
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

// Beside a database in WAL mode even a reader makes a file (-shm). Where none can be made, and none is needed
// because no log is there, the database is read as a file that nobody changes
// (https://www.sqlite.org/uri.html#uriimmutable).
bool MustBeImmutable(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK, AT_EACCESS) == 0) return false;
  struct stat log{};
  return ::stat((path + "-wal").c_str(), &log) != 0 || log.st_size == 0;
}

std::string ImmutableUri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      fmt::format_to(std::back_inserter(uri), "%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

Result<Database> Database::Open(const std::string& path, Mode mode) {
  if (mode == Mode::kReadOnly && MustBeImmutable(path)) return OpenAs(ImmutableUri(path), path, mode);
  return OpenAs(path, path, mode);
}

Result<Database> Database::OpenAs(const std::string& name, const std::string& path, Mode mode) {
  sqlite3* raw = nullptr;
  const int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int uri = name == path ? 0 : SQLITE_OPEN_URI;
  const int opened =
      sqlite3_open_v2(name.c_str(), &raw, flags | uri | SQLITE_OPEN_NOMUTEX, PageChecksumVfs());
  Database db(raw, path);
  if (opened != SQLITE_OK) return SqliteError(raw, fmt::format("open {}", path));
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  if (mode == Mode::kReadWrite) {
    int reserved = kPageChecksumBytes;  // of a new database; one that is there keeps what it has
    sqlite3_file_control(raw, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    if (auto set = db.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
        !set) {
      return Fail(set.error().code, "open {}: {}", path, set.error().message);
    }
  } else if (auto probe = db.Execute("SELECT count(*) FROM sqlite_schema"); !probe) {
    return Fail(probe.error().code, "open {}: {}", path, probe.error().message);
  }
  return db;
}

Database::Database(Database&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)), path_(std::move(other.path_)), depth_(other.depth_) {}

Database::~Database() {
  sqlite3_close_v2(db_);
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
      SQLITE_OK) {
    return SqliteError(db_, sql);
  }
  return Statement(db_, raw);
}

Result<void> Database::Execute(std::string_view sql) {
  const std::string text(sql);
  if (sqlite3_exec(db_, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return SqliteError(db_, sql);
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

Result<std::vector<DamagedPage>> Database::DamagedPages() {
  std::vector<DamagedPage> damaged;
  // Not through a descriptor of our own: closing it would end SQLite's locks on the file.
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  if (file == nullptr || file->pMethods == nullptr) return damaged;  // in memory
  const auto read = [&](std::span<std::byte> to, sqlite3_int64 at) -> Result<void> {
    const int code = file->pMethods->xRead(file, to.data(), int(to.size()), at);
    if (code == SQLITE_OK) return {};
    return Fail(ErrorCode::kIo, "read {} at {}: {}", path_, at, sqlite3_errstr(code));
  };
  sqlite3_int64 size = 0;
  if (file->pMethods->xFileSize(file, &size) != SQLITE_OK) return Fail(ErrorCode::kIo, "size of {}", path_);
  std::vector<std::byte> page(100);  // SQLite's header
  if (size < std::int64_t(page.size())) return damaged;
  TRY(read(page, 0));
  page.resize(CheckedPageSize(page));
  if (page.empty()) return damaged;
  const auto page_size = std::int64_t(page.size());
  for (sqlite3_int64 at = 0; at + page_size <= size; at += page_size) {
    TRY(read(page, at));
    if (!PageIsRight(page, at)) damaged.push_back({at / page_size + 1, at});
  }
  return damaged;
}

std::int64_t Database::Changes() const {
  return sqlite3_changes64(db_);
}

}  // namespace tmdbc
