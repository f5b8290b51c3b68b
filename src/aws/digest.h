// SPDX-License-Identifier: MIT
// The digests that AWS's protocols are made of, raw and in the spellings they want. Any thread; each object one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tmdbc::aws {

// SHA-256 of bytes that come piece by piece, as 64 lower-case hex digits.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(std::string_view bytes);
  // The digest of all that was added; the next Add() begins a new one.
  std::string Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// 32 raw bytes (RFC 2104).
std::string HmacSha256(std::string_view key, std::string_view bytes);
// As Content-MD5 states it (RFC 1864): 24 characters.
std::string Md5Base64(std::string_view bytes);
std::string LowerHex(std::string_view bytes);

}  // namespace tmdbc::aws
