// SPDX-License-Identifier: MIT
#include "base/sqlite_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

#include "base/page_checksum.h"

namespace tmdbc {
namespace {

constexpr std::size_t kHeaderBytes = 24;

// Of an open file; SQLite allocates it behind the system's own object.
struct FileState {
  sqlite3_io_methods methods;  // the system's, but for those below
  const sqlite3_io_methods* system;
  std::size_t page_size;  // 0: a file whose pages have no checksums
};

thread_local int last_error = 0;
thread_local std::optional<Error> last_failure;

sqlite3_vfs& System() {
  return *sqlite3_vfs_find("unix");
}

std::size_t StateAt() {
  constexpr std::size_t kAlignment = alignof(std::max_align_t);
  return (std::size_t(System().szOsFile) + kAlignment - 1) / kAlignment * kAlignment;
}

FileState& StateOf(sqlite3_file* file) {
  return *reinterpret_cast<FileState*>(reinterpret_cast<std::byte*>(file) + StateAt());
}

// What SQLite is to be told of an operation that ended with `code`.
int Judged(int code) {
  if (code == SQLITE_OK) return code;
  last_error = errno;
  const bool full = last_error == ENOSPC || last_error == EDQUOT || last_error == EFBIG;
  return full && (code & 0xff) == SQLITE_IOERR ? SQLITE_FULL : code;
}

int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  FileState& state = StateOf(file);
  const std::span bytes(static_cast<const std::byte*>(from), std::size_t(size));
  if (bytes.size() != state.page_size) return Judged(state.system->xWrite(file, from, size, at));
  std::array<std::byte, kLargestPage> page;
  std::ranges::copy(bytes, page.begin());
  SealPage(std::span(page).first(bytes.size()), at);
  return Judged(state.system->xWrite(file, page.data(), size, at));
}

int WriteToDatabase(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  const std::span bytes(static_cast<const std::byte*>(from), std::size_t(size));
  // A new database's first page tells how all are.
  if (at == 0 && bytes.size() >= kHeaderBytes) StateOf(file).page_size = CheckedPageSize(bytes);
  return Write(file, from, size, at);
}

int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  const int code = StateOf(file).system->xRead(file, to, size, at);
  return code == SQLITE_IOERR_SHORT_READ ? code : Judged(code);  // the end of the file: not an error
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  return Judged(StateOf(file).system->xTruncate(file, size));
}

int Sync(sqlite3_file* file, int flags) {
  return Judged(StateOf(file).system->xSync(file, flags));
}

int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** to) {
  const int code = StateOf(file).system->xShmMap(file, page, size, extend, to);
  // READONLY_CANTINIT and the like are how SQLite reads beside a writer without a right to write.
  const int primary = code & 0xff;
  return primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ? Judged(code) : code;
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  const int code = System().xOpen(&System(), name, file, flags, flags_out);
  if (code != SQLITE_OK) return Judged(code);
  FileState& state = StateOf(file);
  state = {.methods = *file->pMethods, .system = file->pMethods, .page_size = 0};
  state.methods.xRead = Read;
  state.methods.xWrite = Write;
  state.methods.xTruncate = Truncate;
  state.methods.xSync = Sync;
  if (state.methods.iVersion >= 2 && state.methods.xShmMap != nullptr) state.methods.xShmMap = ShmMap;
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
    state.methods.xWrite = WriteToDatabase;
    std::array<std::byte, kHeaderBytes> header{};
    if (file->pMethods->xRead(file, header.data(), kHeaderBytes, 0) == SQLITE_OK)
      state.page_size = CheckedPageSize(header);
  }
  file->pMethods = &state.methods;
  return SQLITE_OK;
}

sqlite3_vfs MakeVfs() {
  sqlite3_initialize();
  sqlite3_vfs vfs = System();
  vfs.szOsFile = int(StateAt() + sizeof(FileState));
  vfs.zName = "tmdbc";
  vfs.xOpen = Open;
  return vfs;
}

}  // namespace

const char* OurVfs() {
  // SQLite keeps a pointer to it for as long as the process lives.
  static sqlite3_vfs vfs = MakeVfs();
  static const int registered = sqlite3_vfs_register(&vfs, /*makeDflt=*/0);
  return registered == SQLITE_OK ? vfs.zName : nullptr;
}

int TakeVfsError() {
  return std::exchange(last_error, 0);
}

void NoteVfsFailure(Error failure) {
  last_failure = std::move(failure);
}

std::optional<Error> TakeVfsFailure() {
  return std::exchange(last_failure, std::nullopt);
}

}  // namespace tmdbc
