// SPDX-License-Identifier: MIT
#include "base/hash.h"

#include <openssl/evp.h>

#include <array>
#include <new>

namespace tmdbc {
namespace {

// OpenSSL 3 looks an algorithm up by name for every digest unless it is fetched once (0.5 us, and a lock).
struct Digest {
  Digest() : algorithm(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context(EVP_MD_CTX_new()) {
    if (!algorithm || !context) throw std::bad_alloc();
  }
  ~Digest() {
    EVP_MD_CTX_free(context);
    EVP_MD_free(algorithm);
  }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  EVP_MD* const algorithm;
  EVP_MD_CTX* const context;
};

}  // namespace

std::string Sha256Hex(std::string_view bytes) {
  thread_local const Digest digest;
  std::array<unsigned char, 32> hash;
  if (EVP_DigestInit_ex2(digest.context, digest.algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(digest.context, bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(digest.context, hash.data(), nullptr) != 1) {
    throw std::bad_alloc();
  }
  std::string hex;
  hex.reserve(64);
  for (const unsigned char byte : hash) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

}  // namespace tmdbc
