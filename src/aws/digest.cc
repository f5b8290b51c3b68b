// SPDX-License-Identifier: MIT
#include "aws/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <new>

namespace tmdbc::aws {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(context); }
  void Begin() {
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  impl_->Begin();
}
Sha256::~Sha256() = default;

void Sha256::Add(std::string_view bytes) {
  if (EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}

std::string Sha256::Finish() {
  std::array<unsigned char, 32> hash;
  if (EVP_DigestFinal_ex(impl_->context, hash.data(), nullptr) != 1) throw std::bad_alloc();
  impl_->Begin();
  return LowerHex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

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

std::string LowerHex(std::string_view bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

}  // namespace tmdbc::aws
