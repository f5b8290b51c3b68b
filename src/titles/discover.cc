// SPDX-License-Identifier: MIT
#include "titles/discover.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "titles/air_days.h"
#include "titles/top.h"

namespace tmdbc::titles {
namespace {

constexpr std::uint64_t kLast = UINT64_MAX;

// Numbers in the order of unsigned ones.
std::uint64_t Ordered(std::int64_t value) {
  return std::uint64_t(value) ^ std::uint64_t{1} << 63;
}
std::uint64_t Ordered(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits >> 31) != 0 ? std::uint32_t(~bits) : bits | 0x80000000u;
}
std::uint64_t Ordered(std::string_view text) {
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
  return key;
}

// Where its title or its original one stands among the names.
std::size_t NameFor(const IndexFile& file, std::size_t at, SortBy sort) {
  const auto [first, last] = file.NamesOf(at);
  const bool original = sort == SortBy::kOriginalTitle && last - first > 1 && file.KindOf(first + 1) == NameKind::kOriginal;
  return original ? first + 1 : first;
}

struct Candidate {
  std::uint64_t key = 0;
  const Layer* layer = nullptr;
  std::uint32_t at = 0;
  std::uint32_t id = 0;
};

class Order {
 public:
  Order(SortBy sort, bool descending) : sort_(sort), descending_(descending) {}

  std::uint64_t KeyOf(const Layer& layer, std::size_t at) const {
    const FixedPart& fixed = layer.file->fixed()[at];
    if (sort_ == SortBy::kDay && fixed.day == kNoDay) return kLast;
    const std::uint64_t key = Ascending(layer, at, fixed);
    return std::min(descending_ ? ~key : key, kLast - 1);
  }
  bool operator()(const Candidate& a, const Candidate& b) const {
    if (a.key != b.key) return a.key < b.key;
    if (sort_ == SortBy::kTitle || sort_ == SortBy::kOriginalTitle) {
      const int compared = Text(*a.layer, a.at).compare(Text(*b.layer, b.at));
      if (compared != 0) return descending_ ? compared > 0 : compared < 0;
    }
    return a.id < b.id;
  }

 private:
  std::string_view Text(const Layer& layer, std::size_t at) const {
    return layer.file->Name(NameFor(*layer.file, at, sort_));
  }
  std::uint64_t Ascending(const Layer& layer, std::size_t at, const FixedPart& fixed) const {
    switch (sort_) {
      case SortBy::kPopularity: return Ordered((*layer.popularity)[at]);
      case SortBy::kVoteAverage: return Ordered(fixed.vote_average);
      case SortBy::kVoteCount: return Ordered(std::int64_t(fixed.vote_count));
      case SortBy::kRevenue: return Ordered(fixed.revenue);
      case SortBy::kDay: return Ordered(std::int64_t(fixed.day));
      case SortBy::kTitle:
      case SortBy::kOriginalTitle: return Ordered(Text(layer, at));
    }
    return 0;
  }

  SortBy sort_;
  bool descending_;
};

bool LooksAtColumns(const DiscoverFilter& filter) {
  return !filter.days.open() || !filter.vote_average.open() || !filter.vote_count.open() || !filter.runtime.open() ||
         filter.statuses || filter.types;
}

bool HasBit(std::uint32_t bits, std::uint8_t place) {
  return place < 32 && (bits >> place & 1) != 0;
}

bool ColumnsPass(const DiscoverFilter& filter, const FixedPart& fixed) {
  const bool day = filter.days.open() ||
                   (fixed.day == kNoDay ? filter.include_without_day : filter.days.Holds(fixed.day));
  return day && filter.vote_average.Holds(fixed.vote_average) && filter.vote_count.Holds(fixed.vote_count) &&
         filter.runtime.Holds(fixed.runtime) && (!filter.statuses || HasBit(*filter.statuses, fixed.status)) &&
         (!filter.types || HasBit(*filter.types, fixed.type));
}

bool ReleasesPass(const ReleaseFilter& filter, std::string_view tail) {
  const auto has = [&](std::uint32_t types) {
    return AnyRelease(tail, [&](std::uint16_t country, std::uint8_t type, std::int32_t day, std::string_view) {
      return (filter.country == 0 || country == filter.country) && HasBit(types, type) &&
             (filter.days.open() || (day != kNoDay && filter.days.Holds(day)));
    });
  };
  return filter.types.empty() ? has(~0u) : std::ranges::all_of(filter.types, has);
}

bool CertificationPasses(const CertificationFilter& filter, std::string_view tail) {
  return AnyRelease(tail, [&](std::uint16_t country, std::uint8_t, std::int32_t, std::string_view certification) {
    return country == filter.country && std::ranges::find(filter.any_of, certification) != filter.any_of.end();
  });
}

Bits WithAnyOf(const IndexFile& file, const std::vector<Attribute>& attributes) {
  Bits found(file.size());
  for (const Attribute one : attributes) found.SetAll(file.TitlesWith(one));
  return found;
}

// Those with a release in the months of the span: what ReleasesPass() looks at is no more.
Bits ReleasedAround(const IndexFile& file, const Span<std::int32_t>& days) {
  Bits found(file.size());
  constexpr std::int32_t kFar = 3'000'000;  // days: 8,000 years
  const auto first = MonthOf(std::clamp(days.from.value_or(-1'500'000), -1'500'000, kFar));
  const auto last = MonthOf(std::clamp(days.to.value_or(kFar), -1'500'000, kFar));
  file.EachAttribute(AttributeOf(AttributeKind::kReleaseMonth, first), AttributeOf(AttributeKind::kReleaseMonth, last) + 1,
                     [&](Attribute, std::span<const std::uint32_t> places) { found.SetAll(places); });
  return found;
}

Bits Passing(const DiscoverFilter& filter, const Layer& layer, const std::vector<std::uint32_t>& on_air) {
  const IndexFile& file = *layer.file;
  Bits passing = *layer.alive;
  const auto drop = [&](Attribute one) {
    for (const std::uint32_t at : file.TitlesWith(one)) passing.Clear(at);
  };
  if (!filter.include_adult) drop(AttributeOf(AttributeKind::kFlag, kAdult));
  if (!filter.include_video) drop(AttributeOf(AttributeKind::kFlag, kVideo));
  for (const auto& group : filter.all_of) passing.Keep(WithAnyOf(file, group));
  for (const Attribute one : filter.none_of) drop(one);
  if (filter.on_air) {
    Bits airing(file.size());
    for (const std::uint32_t show : on_air) {
      if (const std::size_t at = file.Find(show); at < file.size()) airing.Set(at);
    }
    passing.Keep(airing);
  }
  if (filter.release && !filter.release->days.open()) passing.Keep(ReleasedAround(file, filter.release->days));
  if (LooksAtColumns(filter)) passing.KeepIf([&](std::size_t at) { return ColumnsPass(filter, file.fixed()[at]); });
  if (filter.release) passing.KeepIf([&](std::size_t at) { return ReleasesPass(*filter.release, file.Tail(at)); });
  if (filter.certification)
    passing.KeepIf([&](std::size_t at) { return CertificationPasses(*filter.certification, file.Tail(at)); });
  return passing;
}

// The first `count` by popularity of those that pass, where these are among the most popular; else nothing.
std::optional<std::vector<std::uint32_t>> FirstOf(const Layer& layer, const Bits& passing, std::size_t count) {
  std::vector<std::uint32_t> first;
  for (const std::uint32_t at : *layer.top) {
    if (first.size() == count) break;
    if (passing.Test(at)) first.push_back(at);
  }
  if (first.size() < count && layer.top->size() < layer.file->size()) return std::nullopt;
  return first;
}

}  // namespace

FoundPage Discover(const Titles& titles, MediaType type, const DiscoverFilter& filter, SortBy sort, bool descending,
                   std::size_t skip, std::size_t count) {
  const Order order(sort, descending);
  Top<Candidate, Order> best(skip + count, order);
  std::vector<std::uint32_t> on_air;
  if (filter.on_air)
    on_air = ShowsOnAir(titles, filter.on_air->from.value_or(INT32_MIN), filter.on_air->to.value_or(INT32_MAX));
  FoundPage page;
  for (const Layer& layer : titles.Of(type).layers) {
    const Bits passing = Passing(filter, layer, on_air);
    page.total += std::int64_t(passing.Count());
    const auto take = [&](std::size_t at) {
      best.Take({order.KeyOf(layer, at), &layer, std::uint32_t(at), layer.file->fixed()[at].id});
    };
    const bool most_popular = sort == SortBy::kPopularity && descending;
    if (const auto first = most_popular ? FirstOf(layer, passing, skip + count) : std::nullopt) {
      std::ranges::for_each(*first, take);
    } else {
      passing.Each(take);
    }
  }
  const auto rows = best.Sorted();
  for (std::size_t i = skip; i < rows.size(); ++i)
    page.rows.push_back({{type, rows[i].id}, (*rows[i].layer->popularity)[rows[i].at]});
  return page;
}

}  // namespace tmdbc::titles
