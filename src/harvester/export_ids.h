// SPDX-License-Identifier: MIT
// The ids of an export in memory: eight bytes each, because five million people should fit beside everything
// else in 128 MiB. An id and its popularity are packed in one integer, so that sorting is sorting integers.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "storage/popularity_table.h"

namespace tmdbc {

// The id above, the complement of the popularity's bits below: ascending order is by id, of equal ids the
// most popular first. (The bits of floats that are not negative are in the order of their values, IEEE 754.)
using PackedId = std::uint64_t;

PackedId PackId(std::uint32_t id, float popularity);  // finite, >= 0
std::uint32_t IdOf(PackedId packed);
float PopularityOf(PackedId packed);

// The same with its halves exchanged: ascending order is the queue's order, the most popular first, then by
// id.
using RankedId = std::uint64_t;
inline PackedId ToPacked(RankedId ranked) {
  return ranked << 32 | ranked >> 32;
}

// Sorts by id and keeps the most popular of repeated ones. Returns how many were removed.
std::int64_t SortAndDeduplicate(std::vector<PackedId>& ids);

// Calls a visitor with each id that is known, ascending (RecordLedger::VisitKnownIds).
using VisitKnown = std::function<Result<void>(const std::function<void(std::int64_t)>&)>;

struct Unknown {
  std::vector<RankedId> ids;  // in the queue's order
  std::int64_t known = 0;     // those of `sorted` that are known
};
// Those of `sorted` (by id, without repeats) that are not known.
Result<Unknown> FindUnknown(std::span<const PackedId> sorted, const VisitKnown& visit_known);

// What the store wants to hear about popularity: 16 bytes an entry. Takes `sorted` apart on the way, so that
// at no moment there is more than the result in memory.
class PopularityList {
 public:
  explicit PopularityList(std::vector<PackedId> sorted);
  std::span<const Popularity> entries() const { return {entries_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<Popularity[]> entries_;
};

}  // namespace tmdbc
