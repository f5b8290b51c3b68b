// SPDX-License-Identifier: MIT
#include "base/page_checksum.h"

#include <sqlite3.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tmdbc {
namespace {

// The database header (https://www.sqlite.org/fileformat.html#the_database_header).
constexpr char kMagic[] = "SQLite format 3";  // its NUL included
constexpr std::size_t kPageSizeAt = 16, kReservedAt = 20, kHeaderBytes = 24;
constexpr std::size_t kLargestPage = 65536;

using Bytes = std::span<const std::byte>;

// Of an open database file; SQLite allocates it behind the system's own object.
struct FileState {
  sqlite3_io_methods methods;  // the system's, but for writing
  const sqlite3_io_methods* system;
  std::size_t page_size;  // 0: a file whose pages have no checksums
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

std::uint64_t ChecksumOf(Bytes page, std::int64_t at) {
  return XXH3_64bits_withSeed(page.data(), page.size() - kPageChecksumBytes, XXH64_hash_t(at));
}

int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  FileState& state = StateOf(file);
  const Bytes bytes(static_cast<const std::byte*>(from), std::size_t(size));
  // A new database's first page tells how all are.
  if (at == 0 && bytes.size() >= kHeaderBytes) state.page_size = CheckedPageSize(bytes);
  if (bytes.size() != state.page_size) return state.system->xWrite(file, from, size, at);
  std::array<std::byte, kLargestPage> page;
  std::ranges::copy(bytes, page.begin());
  const std::uint64_t checksum = ChecksumOf(bytes, at);
  std::memcpy(page.data() + bytes.size() - sizeof checksum, &checksum, sizeof checksum);
  return state.system->xWrite(file, page.data(), size, at);
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  const int code = System().xOpen(&System(), name, file, flags, flags_out);
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0) return code;
  FileState& state = StateOf(file);
  state = {.methods = *file->pMethods, .system = file->pMethods, .page_size = 0};
  state.methods.xWrite = Write;
  std::array<std::byte, kHeaderBytes> header{};
  if (file->pMethods->xRead(file, header.data(), kHeaderBytes, 0) == SQLITE_OK)
    state.page_size = CheckedPageSize(header);
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

std::size_t CheckedPageSize(Bytes header) {
  if (std::memcmp(header.data(), kMagic, sizeof kMagic) != 0) return 0;
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(header[at]); };
  if (byte(kReservedAt) != kPageChecksumBytes) return 0;
  const std::size_t size = byte(kPageSizeAt) << 8 | byte(kPageSizeAt + 1);
  return size == 1 ? kLargestPage : size;
}

bool PageIsRight(Bytes page, std::int64_t at) {
  std::uint64_t stored = 0;
  std::memcpy(&stored, page.last(sizeof stored).data(), sizeof stored);
  if (stored == ChecksumOf(page, at)) return true;
  return std::ranges::all_of(page, [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace tmdbc
