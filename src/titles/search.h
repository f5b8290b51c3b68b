// SPDX-License-Identifier: MIT
// Search: which titles have a name that a query means. Every word of the query is the beginning of some word of one
// name (fold.h). First those one of whose names is the query; then the more popular, the more voted for, the lower id.
// Reads an index that does not change; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "titles/titles.h"

namespace tmdbc::titles {

struct SearchQuery {
  std::string_view text;
  std::uint16_t language = 0;  // a translation of it counts as the title
  bool include_adult = false;
  std::optional<int> year = {};          // of any release, or of any episode
  std::optional<int> primary_year = {};  // of release_date or first_air_date
};

struct Found {
  MediaId id{};
  float popularity = 0;
  bool operator==(const Found&) const = default;
};
struct FoundPage {
  std::vector<Found> rows;
  std::int64_t total = 0;
};

// The `count` after the first `skip`, of these types in one ranking.
FoundPage Search(const Titles& titles, std::span<const MediaType> types, const SearchQuery& query, std::size_t skip,
                 std::size_t count);
// For a person who types: at most `count` films, shows and persons; when there are fewer that the text means, those
// that it means with one letter wrong, missing, too much or changed for its neighbour in each word.
std::vector<Found> Suggest(const Titles& titles, std::string_view text, std::size_t count);

}  // namespace tmdbc::titles
