// SPDX-License-Identifier: MIT
// Discover: the films or shows that pass a filter, in an order. The filter is in the index's own terms; read_api says
// which parameter becomes what. Sets of attributes are cut with one another first, then columns are looked at, then the
// releases of what is left. Reads an index that does not change; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "titles/search.h"
#include "titles/titles.h"

namespace tmdbc::titles {

enum class SortBy : std::uint8_t { kPopularity, kVoteAverage, kVoteCount, kRevenue, kDay, kTitle, kOriginalTitle };

// Both ends are in it; an end that is not there is open.
template <class T>
struct Span {
  std::optional<T> from = {}, to = {};
  bool open() const { return !from && !to; }
  bool Holds(T value) const { return (!from || value >= *from) && (!to || value <= *to); }
  bool operator==(const Span&) const = default;
};

// Some release within `days`, of the country if there is one. Of each group of types there is one such; no groups: of
// any type.
struct ReleaseFilter {
  Span<std::int32_t> days = {};
  std::uint16_t country = 0;
  std::vector<std::uint32_t> types = {};  // bits 1 << type
};

struct CertificationFilter {
  std::uint16_t country = 0;
  std::vector<std::string> any_of = {};
};

struct DiscoverFilter {
  bool include_adult = false;
  bool include_video = false;
  std::vector<std::vector<Attribute>> all_of = {};  // of each group one at least
  std::vector<Attribute> none_of = {};
  Span<std::int32_t> days = {};  // of release_date or first_air_date
  bool include_without_day = false;
  Span<float> vote_average = {};
  Span<std::int64_t> vote_count = {}, runtime = {};
  std::optional<std::uint32_t> statuses = {}, types = {};  // of shows: bits 1 << status
  std::optional<ReleaseFilter> release = {};
  std::optional<CertificationFilter> certification = {};
  std::optional<Span<std::int32_t>> on_air = {};  // some episode
};

// The `count` after the first `skip`. Equal ones by ascending id; those without the date last, in both directions.
FoundPage Discover(const Titles& titles, MediaType type, const DiscoverFilter& filter, SortBy sort, bool descending,
                   std::size_t skip, std::size_t count);

}  // namespace tmdbc::titles
