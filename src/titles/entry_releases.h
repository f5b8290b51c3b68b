// SPDX-License-Identifier: MIT
// The releases at the front of a packed entry, read without making anything. Part of entry.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace tmdbc::titles {

// LEB128. Gives 0 and empties `bytes` when they end too early.
inline std::uint64_t TakeVarint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    value |= std::uint64_t(byte & 127) << (7 * i);
    if (byte < 128) {
      bytes.remove_prefix(i + 1);
      return value;
    }
  }
  bytes = {};
  return 0;
}
inline std::int64_t ZigZagBack(std::uint64_t value) {
  return std::int64_t(value >> 1) ^ -std::int64_t(value & 1);
}
inline std::string_view TakeBytes(std::string_view& bytes, std::uint64_t length) {
  const std::string_view taken = bytes.substr(0, length);
  bytes.remove_prefix(taken.size());
  return taken;
}

template <class Visit>
bool AnyRelease(std::string_view tail, const Visit& visit) {
  for (auto left = TakeVarint(tail); left > 0 && !tail.empty(); --left) {
    const auto country = std::uint16_t(TakeVarint(tail));
    const auto type = std::uint8_t(TakeVarint(tail));
    const std::uint64_t day = TakeVarint(tail);
    const std::string_view certification = TakeBytes(tail, TakeVarint(tail));
    if (visit(country, type, day == 0 ? INT32_MIN : std::int32_t(ZigZagBack(day - 1)), certification)) return true;
  }
  return false;
}

}  // namespace tmdbc::titles
