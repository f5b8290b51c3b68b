// SPDX-License-Identifier: MIT
// PopularityTable: the popularity of every id of the last export, a million in about 4 MB of catalog.db: one
// row for a thousand neighbouring ids, a blob of little-endian float32 (NaN: the export does not have it),
// which fits into one page of SQLite. So five million are replaced in well under a second, and one is read
// with one small look-up. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

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
  // Whether anything was set of the type.
  Result<bool> Holds(MediaType type);

  // For one who asks for many ids of a type, ascending: each row is read once, 0.01 us an id instead of 4 of Find().
  // What is set meanwhile it may not see.
  class Walk {
   public:
    // The table outlives it.
    Walk(PopularityTable& table, MediaType type) : table_(table), type_(type) {}
    Result<std::optional<float>> Find(std::int64_t id);

   private:
    PopularityTable& table_;
    const MediaType type_;
    std::optional<std::int64_t> key_;  // of the row at hand
    std::vector<float> row_;           // empty: there is none of that key
  };

 private:
  // The floats of the row with that key; empty when there is none.
  Result<void> ReadRow(std::int64_t key, std::vector<float>& row);

  Database& catalog_;
  std::optional<Statement> find_;
};

}  // namespace tmdbc
