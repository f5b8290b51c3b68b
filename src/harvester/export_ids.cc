// SPDX-License-Identifier: MIT
#include "harvester/export_ids.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstring>

namespace tmdbc {

PackedId PackId(std::uint32_t id, float popularity) {
  assert(popularity >= 0);
  return PackedId(id) << 32 | std::uint32_t(~std::bit_cast<std::uint32_t>(popularity));
}

std::uint32_t IdOf(PackedId packed) {
  return std::uint32_t(packed >> 32);
}
float PopularityOf(PackedId packed) {
  return std::bit_cast<float>(~std::uint32_t(packed));
}

std::int64_t SortAndDeduplicate(std::vector<PackedId>& ids) {
  std::sort(ids.begin(), ids.end());
  const auto same = [](PackedId a, PackedId b) { return IdOf(a) == IdOf(b); };
  const auto end = std::unique(ids.begin(), ids.end(), same);
  const auto removed = std::int64_t(ids.end() - end);
  ids.erase(end, ids.end());
  return removed;
}

Result<Unknown> FindUnknown(std::span<const PackedId> sorted, const VisitKnown& visit_known) {
  Unknown unknown;
  // Virtual memory only: pages that nothing is written to are never there.
  unknown.ids.reserve(sorted.size());
  auto next = sorted.begin();
  // Both sides ascend, so one walk over both finds what only one of them has.
  const auto skip_below = [&](std::int64_t id) {
    for (; next != sorted.end() && IdOf(*next) < id; ++next) unknown.ids.push_back(ToPacked(*next));
  };
  TRY(visit_known([&](std::int64_t id) {
    skip_below(id);
    if (next != sorted.end() && IdOf(*next) == id) {
      ++unknown.known;
      ++next;
    }
  }));
  skip_below(std::int64_t(1) << 32);
  std::sort(unknown.ids.begin(), unknown.ids.end());
  return unknown;
}

PopularityList::PopularityList(std::vector<PackedId> sorted)
    : size_(sorted.size()),
      entries_(std::make_unique_for_overwrite<Popularity[]>(sorted.size())) {
  // The packed ids move to the upper half of the memory of their entries; unpacking from the front never
  // overtakes them: the entry i ends at 16 (i + 1), the next packed id begins at 8 size + 8 (i + 1), and i +
  // 1 <= size.
  static_assert(sizeof(Popularity) == 2 * sizeof(PackedId));
  if (sorted.empty()) return;
  auto* bytes = reinterpret_cast<std::byte*>(entries_.get());
  const std::size_t half = size_ * sizeof(PackedId);
  std::memcpy(bytes + half, sorted.data(), half);
  std::vector<PackedId>().swap(sorted);
  for (std::size_t i = 0; i < size_; ++i) {
    PackedId packed;
    std::memcpy(&packed, bytes + half + i * sizeof packed, sizeof packed);
    entries_[i] = {.id = std::int64_t(IdOf(packed)), .popularity = PopularityOf(packed)};
  }
}

}  // namespace tmdbc
