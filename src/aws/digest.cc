// SPDX-License-Identifier: MIT
#include "aws/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <new>

namespace tmdbc::aws {

std::string HmacSha256(std::string_view key, std::string_view bytes) {
  std::string mac(32, '\0');
  unsigned int size = 32;
  if (!HMAC(EVP_sha256(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
            bytes.size(), reinterpret_cast<unsigned char*>(mac.data()), &size)) {
    throw std::bad_alloc();
  }
  return mac;
}

std::string Md5Base64(std::string_view bytes) {
  std::array<unsigned char, 16> hash;
  std::array<unsigned char, 25> text;  // with a NUL
  if (EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, EVP_md5(), nullptr) != 1)
    throw std::bad_alloc();
  const int size = EVP_EncodeBlock(text.data(), hash.data(), int(hash.size()));
  return {reinterpret_cast<const char*>(text.data()), std::size_t(size)};
}

}  // namespace tmdbc::aws
