// SPDX-License-Identifier: MIT
// SHA-256, as every record and segment states it: 64 lower-case hex digits.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

class BlobReader;

// Any thread; keeps its state from call to call (about 14 us for 20 KB with SHA-NI).
std::string Sha256Hex(std::string_view bytes);

// Of bytes that come piece by piece. One thread.
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

// Of a file, a piece in memory at a time. The reader's errors.
Result<std::string> Sha256OfFile(BlobReader& files, const std::string& path);

std::string LowerHex(std::string_view bytes);

// The same digest as browsers want it of a piece of a page (https://www.w3.org/TR/CSP3/#grammardef-hash-source).
std::string Sha256Base64(std::string_view bytes);

}  // namespace tmdbc
