// SPDX-License-Identifier: MIT
// Checksums in SQLite's pages, for SQLite has none of its own: the last eight bytes of every page of a
// database file, which SQLite keeps free when it is asked to, are XXH3-64 of the rest with the page's offset
// as seed, little-endian. An SQLite VFS that passes everything else on to the system's writes them with the
// page (https://www.sqlite.org/vfs.html). They are not compared when a page is read, so that a database that
// another program has written to can be used; who wants to know asks PageIsRight() of every page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tmdbc {

// Bytes to ask SQLite to keep free (SQLITE_FCNTL_RESERVE_BYTES) when a database is made. One that keeps none
// is written as it is.
inline constexpr int kPageChecksumBytes = 8;

// The name of the VFS, for sqlite3_open_v2(). Registers it at the first call; any thread.
const char* PageChecksumVfs();

// The size of the pages of a database that begins with `header` (24 bytes at least); 0 when they have no
// checksums.
std::size_t CheckedPageSize(std::span<const std::byte> header);

// Whether the page that lies at this offset matches its checksum. One of nothing but zeros was never written:
// SQLite leaves out what it need not write.
bool PageIsRight(std::span<const std::byte> page, std::int64_t at);

}  // namespace tmdbc
