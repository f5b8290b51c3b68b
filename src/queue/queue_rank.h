// SPDX-License-Identifier: MIT
// Popularity as the tables of the SQLite queue hold it: a rank, whose ascending order is the receive order.
// Pure; any thread.
#pragma once

#include <bit>
#include <cstdint>

namespace tmdbc {

// The bits of a float >= 0, read as an integer, order as the floats do (IEEE 754). Subtracted from those of
// infinity they give the most popular the lowest rank.
inline constexpr std::uint32_t kInfinityBits = 0x7f80'0000;

// What is not a number above 0 (NaN too) counts as 0, so that no float can break the order.
inline std::uint32_t RankOf(float popularity) {
  return kInfinityBits - std::bit_cast<std::uint32_t>(popularity > 0 ? popularity : 0.0F);
}

inline float PopularityOfRank(std::int64_t rank) {
  return std::bit_cast<float>(kInfinityBits - std::uint32_t(rank));
}

}  // namespace tmdbc
