// SPDX-License-Identifier: MIT
#include "titles/trending.h"

#include <algorithm>
#include <tuple>

#include "titles/top.h"

namespace tmdbc::titles {
namespace {

struct Rising {
  float rise = 0;
  float popularity = 0;
  MediaType type{};
  std::uint32_t id = 0;
  friend bool operator<(const Rising& a, const Rising& b) {
    return std::tuple(-a.rise, -a.popularity, a.type, a.id) < std::tuple(-b.rise, -b.popularity, b.type, b.id);
  }
};

}  // namespace

FoundPage Trending(const Titles& titles, std::span<const MediaType> types, Since since, std::size_t skip,
                   std::size_t count) {
  Top<Rising> best(skip + count);
  FoundPage page;
  for (const MediaType type : types) {
    const PastPopularity* const past = titles.PastOf(type, since == Since::kWeek ? 7 : 1);
    for (const Layer& layer : titles.Of(type).layers) {
      layer.alive->Each([&](std::size_t at) {
        const FixedPart& fixed = layer.file->fixed()[at];
        if ((fixed.flags & kAdult) != 0) return;
        ++page.total;
        const float popularity = (*layer.popularity)[at];
        const float before = past == nullptr ? popularity : past->Of(fixed.id);
        best.Take({std::max(0.0f, popularity - before / 2), popularity, type, fixed.id});
      });
    }
  }
  page.total = std::min(page.total, kMaxTrending);
  const auto rows = best.Sorted();
  for (std::size_t i = skip; i < rows.size(); ++i) page.rows.push_back({{rows[i].type, rows[i].id}, rows[i].popularity});
  return page;
}

}  // namespace tmdbc::titles
