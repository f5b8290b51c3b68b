// SPDX-License-Identifier: MIT
#include "base/page_checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace tmdbc {
namespace {

// The database header (https://www.sqlite.org/fileformat.html#the_database_header).
constexpr char kMagic[] = "SQLite format 3";  // its NUL included
constexpr std::size_t kPageSizeAt = 16, kReservedAt = 20;

using Bytes = std::span<const std::byte>;

std::uint64_t ChecksumOf(Bytes page, std::int64_t at) {
  return XXH3_64bits_withSeed(page.data(), page.size() - kPageChecksumBytes, XXH64_hash_t(at));
}

}  // namespace

std::size_t CheckedPageSize(Bytes header) {
  if (std::memcmp(header.data(), kMagic, sizeof kMagic) != 0) return 0;
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(header[at]); };
  if (byte(kReservedAt) != kPageChecksumBytes) return 0;
  const std::size_t size = byte(kPageSizeAt) << 8 | byte(kPageSizeAt + 1);
  return size == 1 ? kLargestPage : size;
}

void SealPage(std::span<std::byte> page, std::int64_t at) {
  const std::uint64_t checksum = ChecksumOf(page, at);
  std::memcpy(page.last(sizeof checksum).data(), &checksum, sizeof checksum);
}

bool PageIsRight(Bytes page, std::int64_t at) {
  std::uint64_t stored = 0;
  std::memcpy(&stored, page.last(sizeof stored).data(), sizeof stored);
  if (stored == ChecksumOf(page, at)) return true;
  return std::ranges::all_of(page, [](std::byte byte) { return byte == std::byte{0}; });
}

std::optional<std::size_t> FlippedBit(Bytes page, std::int64_t at) {
  std::vector<std::byte> tried(page.begin(), page.end());
  for (std::size_t bit = 0; bit < page.size() * 8; ++bit) {
    const auto mask = std::byte(1 << bit % 8);
    tried[bit / 8] ^= mask;
    if (PageIsRight(tried, at)) return bit;
    tried[bit / 8] ^= mask;
  }
  return std::nullopt;
}

}  // namespace tmdbc
