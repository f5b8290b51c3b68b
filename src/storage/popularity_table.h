// SPDX-License-Identifier: MIT
// PopularityTable: the popularity of every id of the last export, a million in about 4 MB of catalog.db: one
// row for a thousand neighbouring ids, a blob of little-endian float32 (NaN: the export does not have it),
// which fits into one page of SQLite. So five million are replaced in well under a second, and one is read
// with one small look-up. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/sqlite.h"
#include "tmdb/media_id.h"

namespace tmdbc {

struct Popularity {
  std::int64_t id;
  float popularity;
};

class PopularityTable {
 public:
  explicit PopularityTable(Database& catalog) : catalog_(catalog) {}

  static constexpr std::int64_t kIdsPerRow = 1000;

  Result<void> Create();
  // Replaces all of the type's; `sorted` ascends by id. Durable when it returns (within a caller's
  // transaction: with that).
  Result<void> Set(MediaType type, std::span<const Popularity> sorted);
  Result<std::optional<float>> Find(MediaId id);

 private:
  Database& catalog_;
  std::optional<Statement> find_;
};

}  // namespace tmdbc
