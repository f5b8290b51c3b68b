// SPDX-License-Identifier: MIT
// Checksums in SQLite's pages, for SQLite has none of its own: the last eight bytes of every page of a
// database file, which SQLite keeps free when it is asked to, are XXH3-64 of the rest with the page's offset
// as seed, little-endian. They are written with the page and compared whenever it is read, so that a flipped
// bit is an error (SQLITE_IOERR_DATA) and never an answer. Done by an SQLite VFS that passes everything on to
// the system's (https://www.sqlite.org/vfs.html). A page of nothing but zeros counts as never written: SQLite
// leaves out what it need not write.
#pragma once

#include <cstdint>

namespace tmdbc {

// Bytes to ask SQLite to keep free (SQLITE_FCNTL_RESERVE_BYTES) when a database is made. One that keeps none
// is read and written as it is, unchecked.
inline constexpr int kPageChecksumBytes = 8;

// The name of the VFS, for sqlite3_open_v2(). Registers it at the first call; any thread.
const char* PageChecksumVfs();

}  // namespace tmdbc
