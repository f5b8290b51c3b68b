// SPDX-License-Identifier: MIT
#include "base/page_checksum.h"

#include <sqlite3.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace tmdbc {
namespace {

// The database header (https://www.sqlite.org/fileformat.html#the_database_header).
constexpr char kMagic[] = "SQLite format 3";  // its NUL included
constexpr int kPageSizeAt = 16, kReservedAt = 20, kHeaderBytes = 24;
constexpr std::size_t kLargestPage = 65536;

using Page = std::span<const std::byte>;

// Of an open database file; SQLite allocates it behind the system's own object.
struct FileState {
  sqlite3_io_methods methods;  // the system's, but for reading and writing
  const sqlite3_io_methods* system;
  std::size_t page_size;  // 0: a file whose pages have no checksums, as far as we have seen
};

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

// Page 1 tells how all pages look.
void Learn(FileState& state, const void* begin, std::size_t size) {
  if (size < kHeaderBytes || std::memcmp(begin, kMagic, sizeof kMagic) != 0) return;
  const auto* header = static_cast<const std::uint8_t*>(begin);
  const std::size_t page_size = std::size_t(header[kPageSizeAt] << 8 | header[kPageSizeAt + 1]);
  const bool checked = header[kReservedAt] == kPageChecksumBytes;
  state.page_size = !checked ? 0 : page_size == 1 ? kLargestPage : page_size;
}

std::uint64_t ChecksumOf(Page page, sqlite3_int64 at) {
  return XXH3_64bits_withSeed(page.data(), page.size() - kPageChecksumBytes, XXH64_hash_t(at));
}

bool IsRight(Page page, sqlite3_int64 at) {
  std::uint64_t stored = 0;
  std::memcpy(&stored, page.last(kPageChecksumBytes).data(), sizeof stored);
  if (stored == ChecksumOf(page, at)) return true;
  return std::ranges::all_of(page, [](std::byte byte) { return byte == std::byte{0}; });
}

int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  FileState& state = StateOf(file);
  if (const int code = state.system->xRead(file, to, size, at); code != SQLITE_OK) return code;
  if (at == 0) Learn(state, to, std::size_t(size));
  if (std::size_t(size) != state.page_size) return SQLITE_OK;  // a part of the header
  return IsRight({static_cast<const std::byte*>(to), state.page_size}, at) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  FileState& state = StateOf(file);
  if (at == 0) Learn(state, from, std::size_t(size));
  if (std::size_t(size) != state.page_size) return state.system->xWrite(file, from, size, at);
  std::array<std::byte, kLargestPage> page;
  std::memcpy(page.data(), from, state.page_size);
  const std::uint64_t checksum = ChecksumOf({page.data(), state.page_size}, at);
  std::memcpy(page.data() + state.page_size - kPageChecksumBytes, &checksum, sizeof checksum);
  return state.system->xWrite(file, page.data(), size, at);
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  const int code = System().xOpen(&System(), name, file, flags, flags_out);
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0) return code;
  FileState& state = StateOf(file);
  state = {.methods = *file->pMethods, .system = file->pMethods, .page_size = 0};
  state.methods.iVersion = std::min(state.methods.iVersion, 2);  // no memory map: it would bypass Read()
  state.methods.xRead = Read;
  state.methods.xWrite = Write;
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

const char* PageChecksumVfs() {
  // SQLite keeps a pointer to it for as long as the process lives.
  static sqlite3_vfs vfs = MakeVfs();
  static const int registered = sqlite3_vfs_register(&vfs, /*makeDflt=*/0);
  return registered == SQLITE_OK ? vfs.zName : nullptr;
}

}  // namespace tmdbc
