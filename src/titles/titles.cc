// SPDX-License-Identifier: MIT
#include "titles/titles.h"

#include <algorithm>
#include <cstdlib>

#include "titles/top.h"

namespace tmdbc::titles {

std::optional<TypeTitles::Place> TypeTitles::Find(std::int64_t id) const {
  if (id < 0 || id > UINT32_MAX) return std::nullopt;
  for (const Layer& layer : layers) {
    const std::size_t at = layer.file->Find(std::uint32_t(id));
    if (at < layer.file->size() && layer.alive->Test(at)) return Place{&layer, at};
  }
  return std::nullopt;
}

std::size_t TypeTitles::Count() const {
  std::size_t count = 0;
  for (const Layer& layer : layers) count += layer.alive->Count();
  return count;
}

const TypeTitles& Titles::Of(MediaType type) const {
  static const TypeTitles kNone;
  const auto found = std::ranges::find(types_, type, &TypeTitles::type);
  return found == types_.end() ? kNone : *found;
}

float PastPopularity::Of(std::uint32_t id) const {
  const auto found = std::ranges::lower_bound(top, id, {}, &std::pair<std::uint32_t, float>::first);
  return found != top.end() && found->first == id ? found->second : 0;
}

const PastPopularity* Titles::PastOf(MediaType type, int days) const {
  const auto found = past_.find(type);
  if (found == past_.end() || found->second.size() < 2) return nullptr;
  // By ascending day; the newest is today's.
  const auto& all = found->second;
  const PastPopularity* best = nullptr;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    const int before = all.back()->day - all[i]->day;
    if (2 * before < days) continue;
    if (best == nullptr || std::abs(before - days) < std::abs(all.back()->day - best->day - days)) best = all[i].get();
  }
  return best;
}

Bits AliveIn(const IndexFile& file, const std::vector<std::shared_ptr<const IndexFile>>& newer) {
  Bits alive(file.size(), true);
  for (std::size_t at = 0; at < file.size(); ++at) {
    if ((file.fixed()[at].flags & kGone) != 0) alive.Clear(at);
  }
  for (const auto& later : newer) {
    for (const FixedPart& fixed : later->fixed()) {
      if (const std::size_t at = file.Find(fixed.id); at < file.size()) alive.Clear(at);
    }
  }
  return alive;
}

std::vector<float> PopularitiesOf(const IndexFile& file, const PopularityOf& popularity) {
  std::vector<float> all(file.size());
  for (std::size_t at = 0; at < file.size(); ++at) {
    const FixedPart& fixed = file.fixed()[at];
    all[at] = popularity(fixed.id).value_or(fixed.popularity);
  }
  return all;
}

std::vector<std::uint32_t> MostPopular(const std::vector<float>& popularities) {
  const auto comes_before = [&](std::uint32_t a, std::uint32_t b) {
    return popularities[a] != popularities[b] ? popularities[a] > popularities[b] : a < b;
  };
  Top<std::uint32_t, decltype(comes_before)> top(std::min(popularities.size(), kMostPopular), comes_before);
  for (std::size_t at = 0; at < popularities.size(); ++at) top.Take(std::uint32_t(at));
  return top.Sorted();
}

Result<void> MemoryTitles::Put(MediaId id, std::string_view body, std::int64_t show) {
  TRY_ASSIGN(entries_[id], EntryOf(id, show, body));
  current_.reset();
  return {};
}

std::shared_ptr<const Titles> MemoryTitles::Current() const {
  if (current_) return current_;
  std::vector<TypeTitles> types;
  for (const MediaType type : kIndexedTypes) {
    const EachEntry each = [&](const auto& visit) -> Result<void> {
      for (const auto& [id, entry] : entries_) {
        if (id.type == type) TRY(visit(entry));
      }
      return {};
    };
    std::string bytes;
    const auto written = WriteIndex(type, each, [&](std::string_view piece) -> Result<void> {
      bytes += piece;
      return {};
    });
    auto file = written ? IndexFile::FromBytes(type, std::move(bytes)) : std::unexpected(written.error());
    if (!file) return nullptr;
    const auto popularity = [&](std::int64_t id) -> std::optional<float> {
      const auto found = popularities_.find({type, id});
      return found == popularities_.end() ? std::nullopt : std::optional(found->second);
    };
    auto popularities = std::make_shared<const std::vector<float>>(PopularitiesOf(**file, popularity));
    auto top = std::make_shared<const std::vector<std::uint32_t>>(MostPopular(*popularities));
    Layer layer{*file, std::make_shared<const Bits>(AliveIn(**file, {})), std::move(popularities), std::move(top)};
    types.push_back({type, {std::move(layer)}});
  }
  current_ = std::make_shared<const Titles>(std::move(types), ++state_);
  return current_;
}

}  // namespace tmdbc::titles
