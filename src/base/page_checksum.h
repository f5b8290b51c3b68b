// SPDX-License-Identifier: MIT
// Checksums in SQLite's pages, for SQLite has none of its own: the last eight bytes of every page of a
// database file, which SQLite keeps free when it is asked to, are XXH3-64 of the rest with the page's offset
// as seed, little-endian. sqlite_vfs.h writes them with the page. They are not compared when a page is read, so
// that a database that another program has written to can be used; Database::DamagedPages() asks about every
// page. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tmdbc {

// Bytes to ask SQLite to keep free (SQLITE_FCNTL_RESERVE_BYTES) when a database is made. One that keeps none
// is written as it is.
inline constexpr int kPageChecksumBytes = 8;
inline constexpr std::size_t kLargestPage = 65536;

// The size of the pages of a database that begins with `header` (24 bytes at least); 0 when they have no
// checksums.
std::size_t CheckedPageSize(std::span<const std::byte> header);

// Writes the checksum of the page that lies at this offset into its last bytes.
void SealPage(std::span<std::byte> page, std::int64_t at);

// Whether the page that lies at this offset matches its checksum. One of nothing but zeros was never written:
// SQLite leaves out what it need not write.
bool PageIsRight(std::span<const std::byte> page, std::int64_t at);

// The bit of a page that is not right whose flip would make it right (0: the lowest of the first byte); empty
// when there is none. One that has it was damaged where it lies; another program that writes pages without
// checksums leaves none. Tries them all: some 10 ms.
std::optional<std::size_t> FlippedBit(std::span<const std::byte> page, std::int64_t at);

}  // namespace tmdbc
