// SPDX-License-Identifier: MIT
// ObjectStore: whole objects by key, as S3 and what speaks its protocol keep them. To readers it is a
// BlobReader, so that whatever reads a store under DATA_DIR reads one in a bucket.
//
// An object appears whole or not at all and is never appended to. A Put() may carry a condition: it is how two
// writers who know nothing of each other agree (RFC 9110 13.1: If-Match, If-None-Match). What was put is seen
// by every later call of anybody (S3 is strongly consistent since 2020).
//
// Errors, each with the key: kNotFound; kExists when a condition did not hold, and what is there is not what was
// sent; kDenied; else kIo, after the retries that make sense. After a kIo nobody knows whether a Put() happened,
// and it may still happen later. The same Put() again is safe: when it finds its own bytes it succeeds, whatever
// the condition says.
//
// Keys are UTF-8 with '/' between their parts, at most 1,024 bytes. One thread. The contract as tests:
// testing/object_store_contract.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace tmdbc {

struct ObjectInfo {
  std::string key;
  std::uint64_t bytes = 0;
  std::string etag;  // opaque; another body has another one
};

struct Object {
  std::string bytes;
  std::string etag;  // of these bytes
};

struct PutCondition {
  enum class Kind : std::uint8_t {
    kNone,     // replaces what is there
    kAbsent,   // only when nothing is there
    kMatches,  // only over the object of this ETag
  };
  Kind kind = Kind::kNone;
  std::string etag;  // of kMatches

  static PutCondition None() { return {}; }
  static PutCondition Absent() { return {Kind::kAbsent, {}}; }
  static PutCondition Matches(std::string etag) { return {Kind::kMatches, std::move(etag)}; }
};

class ObjectStore : public BlobReader {
 public:
  // The whole object and the ETag of exactly these bytes: what a Put() with kMatches needs.
  virtual Result<Object> Get(const std::string& key) = 0;
  // Empty when there is no such object.
  virtual Result<std::optional<ObjectInfo>> Head(const std::string& key) = 0;
  // Every object whose key begins with `prefix` and is greater than `after`, sorted by key, byte by byte. All
  // pages of it.
  virtual Result<std::vector<ObjectInfo>> ListObjects(const std::string& prefix,
                                                      const std::string& after) = 0;

  // Returns the ETag.
  virtual Result<std::string> Put(const std::string& key, std::string_view bytes,
                                  const PutCondition& condition) = 0;
  // The same with the bytes of a file, of any size and never whole in memory.
  virtual Result<std::string> PutFile(const std::string& key, BlobReader& from, const std::string& path,
                                      const PutCondition& condition) = 0;
  // However many. A key that is not there is no error; after an error some may be gone.
  virtual Result<void> Delete(std::span<const std::string> keys) = 0;

  // As a BlobReader: paths are keys. An implementation brings Read(), which asks for the range only.
  Result<std::uint64_t> Size(const std::string& key) final {
    TRY_ASSIGN(const auto info, Head(key));
    if (!info) return Fail(ErrorCode::kNotFound, "size of {}: there is no such object", key);
    return info->bytes;
  }
  Result<bool> Exists(const std::string& key) final {
    TRY_ASSIGN(const auto info, Head(key));
    return info.has_value();
  }
  Result<std::vector<std::string>> List(const std::string& folder) final {
    TRY_ASSIGN(const auto objects, ListObjects(folder.empty() ? folder : folder + "/", ""));
    std::vector<std::string> keys;
    keys.reserve(objects.size());
    for (const ObjectInfo& object : objects) keys.push_back(object.key);
    return keys;
  }
};

}  // namespace tmdbc
