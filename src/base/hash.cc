// SPDX-License-Identifier: MIT
#include "base/hash.h"

#include <openssl/evp.h>

#include <array>
#include <new>

#include "base/files.h"

namespace tmdbc {
namespace {

constexpr std::uint64_t kFilePiece = 1 << 20;

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

std::array<unsigned char, 32> DigestOf(std::string_view bytes) {
  thread_local const Digest digest;
  std::array<unsigned char, 32> hash;
  if (EVP_DigestInit_ex2(digest.context, digest.algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(digest.context, bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(digest.context, hash.data(), nullptr) != 1) {
    throw std::bad_alloc();
  }
  return hash;
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) {
  const auto hash = DigestOf(bytes);
  return LowerHex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::string Sha256Base64(std::string_view bytes) {
  const auto hash = DigestOf(bytes);
  std::array<unsigned char, (hash.size() + 2) / 3 * 4 + 1> text;  // with the zero that OpenSSL puts behind it
  const int size = EVP_EncodeBlock(text.data(), hash.data(), int(hash.size()));
  return {reinterpret_cast<const char*>(text.data()), std::size_t(size)};
}

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

Result<std::string> Sha256OfFile(BlobReader& files, const std::string& path) {
  Sha256 digest;
  for (std::uint64_t at = 0;;) {
    TRY_ASSIGN(const std::string piece, files.Read(path, at, kFilePiece));
    digest.Add(piece);
    at += piece.size();
    if (piece.size() < kFilePiece) return digest.Finish();
  }
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

}  // namespace tmdbc
