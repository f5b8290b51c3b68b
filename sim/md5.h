// SPDX-License-Identifier: MIT
// MD5 as TMDB's ETags show it: 32 lower-case hex digits.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <string>
#include <string_view>

namespace tmdbc::sim {

inline std::string Md5Hex(std::string_view bytes) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::string text;
  for (unsigned i = 0; i < size; ++i) text.append(1, kHex[digest[i] >> 4]).append(1, kHex[digest[i] & 15]);
  return text;
}

}  // namespace tmdbc::sim
