// SPDX-License-Identifier: MIT
#include "titles/air_days.h"

#include <algorithm>

namespace tmdbc::titles {

std::vector<std::uint32_t> ShowsOnAir(const Titles& titles, std::int32_t first, std::int32_t last) {
  std::vector<std::uint32_t> shows;
  const auto key = [](std::int64_t day) {
    const std::int64_t in_range = std::clamp<std::int64_t>(day, -kAirDayBias, 2 * std::int64_t(kAirDayBias));
    return AttributeOf(AttributeKind::kAirDay, std::uint64_t(in_range + kAirDayBias));
  };
  for (const Layer& layer : titles.Of(MediaType::kSeason).layers) {
    layer.file->EachAttribute(key(first), key(std::int64_t(last) + 1), [&](Attribute, std::span<const std::uint32_t> places) {
      for (const std::uint32_t at : places) {
        if (layer.alive->Test(at)) shows.push_back(std::uint32_t(layer.file->fixed()[at].revenue));
      }
    });
  }
  std::ranges::sort(shows);
  const auto twice = std::ranges::unique(shows);
  shows.erase(twice.begin(), twice.end());
  return shows;
}

}  // namespace tmdbc::titles
