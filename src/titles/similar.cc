// SPDX-License-Identifier: MIT
#include "titles/similar.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <unordered_map>

#include "titles/top.h"

namespace tmdbc::titles {
namespace {

constexpr float kGenreWeight = 0.5f;

struct Near {
  float score = 0;
  bool same_language = false;
  float popularity = 0;
  std::uint32_t id = 0;
  friend bool operator<(const Near& a, const Near& b) {
    return std::tuple(-a.score, !a.same_language, -a.popularity, a.id) <
           std::tuple(-b.score, !b.same_language, -b.popularity, b.id);
  }
};

std::vector<Attribute> Of(const Entry& entry, AttributeKind kind) {
  std::vector<Attribute> some;
  for (const Attribute one : entry.attributes) {
    if (one >> 56 == std::uint64_t(kind)) some.push_back(one);
  }
  return some;
}

}  // namespace

FoundPage Similar(const Titles& titles, MediaId id, std::size_t skip, std::size_t count) {
  const TypeTitles& type = titles.Of(id.type);
  const auto place = type.Find(id.id);
  if (!place) return {};
  const auto entry = place->layer->file->Read(place->at);
  if (!entry) return {};
  const auto keywords = Of(*entry, AttributeKind::kKeyword), genres = Of(*entry, AttributeKind::kGenre);
  const auto all = float(type.Count());
  Top<Near> best(kMaxSimilar);
  for (const Layer& layer : type.layers) {
    std::unordered_map<std::uint32_t, float> scores;
    for (const Attribute keyword : keywords) {
      std::size_t with = 0;
      for (const Layer& other : type.layers) with += other.file->TitlesWith(keyword).size();
      for (const std::uint32_t at : layer.file->TitlesWith(keyword)) scores[at] += std::log(1 + all / float(with));
    }
    // Without a keyword in common the genres alone must do.
    for (const Attribute genre : genres) {
      for (const std::uint32_t at : layer.file->TitlesWith(genre)) {
        if (keywords.empty()) {
          scores[at] += kGenreWeight;
        } else if (const auto found = scores.find(at); found != scores.end()) {
          found->second += kGenreWeight;
        }
      }
    }
    for (const auto& [at, score] : scores) {
      const FixedPart& fixed = layer.file->fixed()[at];
      const bool hidden = (fixed.flags & kAdult) != 0 && (entry->fixed.flags & kAdult) == 0;
      if (!layer.alive->Test(at) || fixed.id == entry->fixed.id || hidden) continue;
      best.Take({score, fixed.language == entry->fixed.language, (*layer.popularity)[at], fixed.id});
    }
  }
  const auto rows = best.Sorted();
  FoundPage page;
  page.total = std::int64_t(rows.size());
  for (std::size_t i = skip; i < std::min(rows.size(), skip + count); ++i)
    page.rows.push_back({{id.type, rows[i].id}, rows[i].popularity});
  return page;
}

}  // namespace tmdbc::titles
