// SPDX-License-Identifier: MIT
// What there is to know of each media type, in one table: code that needs a property of a type asks here and keeps no
// list of types of its own. A new type that lacks its row, or a row that lacks an entry, does not compile. Constant
// data; any thread. Sources: docs/tmdb-facts.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

// The numbers are written in catalog.db: never reuse or change one. They are 1, 2, 3..., in the order of kMediaTraits.
enum class MediaType : std::uint8_t {
  kMovie = 1,
  kTv = 2,
  kSeason = 3,
  kPerson = 4,
  kCollection = 5,
  kCompany = 6,
  kNetwork = 7,
  kKeyword = 8,
  kConfiguration = 9,  // genres, certifications, languages...: the id is a place in ConfigurationPaths()
  kEpisode = 10,
};

// Where the records of a type come from.
enum class RecordSource : std::uint8_t {
  kDetails,     // a request of its own, path/ID
  kShow,        // they come with their show: never queued, never asked for
  kExportLine,  // the line of the export is the record: no request (path/ID answers the same)
  kList,        // a request of its own, for one of ConfigurationPaths()
  kNone,        // it has no records: found within another type's
};

// One of TMDB's daily exports; without a name there is none.
struct ExportTraits {
  std::string_view name;        // "movie_ids": in URLs, kept files, reports and catalog.db
  std::string_view adult_name;  // of adult titles, since 2023-07-05
  bool popularity;              // its lines have one; the others order nothing and refresh nothing
  // TMDB's own file has more lines than this: a first one with fewer is not an export. (Half of what was seen in 2026.)
  std::int64_t floor;
};

struct MediaTraits {
  MediaType type;
  std::string_view name;  // in settings, flags, records and folders
  RecordSource source;
  std::string_view
      path;  // of its details and its change feed: path/ID, path/changes; empty when it is never asked for
  bool change_feed;
  bool has_seasons;  // its details bring along records of type kSeason
  double requests;   // that the first fetch of one takes, on average
  ExportTraits exports;
  std::string_view namespaces;      // appended to its details unless a setting changes it, with ", " between
  std::string_view all_namespaces;  // that TMDB knows for it
};

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wmissing-field-initializers"
// Laid by hand; in the order of the numbers, which is also that in which types are listed to people.
// clang-format off
inline constexpr std::array kMediaTraits = {
    MediaTraits{MediaType::kMovie, "movie", RecordSource::kDetails, "movie", true, false, 1.0,
                {"movie_ids", "adult_movie_ids", true, 600'000},
                "alternative_titles, credits, external_ids, images, keywords, release_dates, reviews, translations, videos, "
                "watch/providers",
                "alternative_titles, changes, credits, external_ids, images, keywords, lists, recommendations, release_dates, "
                "reviews, similar, translations, videos, watch/providers"},
    MediaTraits{MediaType::kTv, "tv", RecordSource::kDetails, "tv", true, true, 1.04,
                {"tv_series_ids", "adult_tv_series_ids", true, 110'000},
                "aggregate_credits, alternative_titles, content_ratings, episode_groups, external_ids, images, keywords, reviews, "
                "screened_theatrically, translations, videos, watch/providers",
                "aggregate_credits, alternative_titles, changes, content_ratings, credits, episode_groups, external_ids, images, "
                "keywords, lists, recommendations, reviews, screened_theatrically, similar, translations, videos, "
                "watch/providers"},
    MediaTraits{MediaType::kSeason, "season", RecordSource::kShow, "", false, false, 0.0,
                {"", "", false, 0},
                "",
                "credits, external_ids, images, translations, videos"},
    MediaTraits{MediaType::kPerson, "person", RecordSource::kDetails, "person", true, false, 1.0,
                {"person_ids", "adult_person_ids", true, 2'000'000},
                "combined_credits, external_ids, images, translations",
                "changes, combined_credits, external_ids, images, movie_credits, tagged_images, translations, tv_credits"},
    MediaTraits{MediaType::kCollection, "collection", RecordSource::kDetails, "collection", false, false, 1.0,
                {"collection_ids", "", false, 1},
                "images, translations",
                "images, translations"},
    MediaTraits{MediaType::kCompany, "company", RecordSource::kDetails, "company", false, false, 1.0,
                {"production_company_ids", "", false, 1},
                "alternative_names, images",
                "alternative_names, images, movies"},
    MediaTraits{MediaType::kNetwork, "network", RecordSource::kDetails, "network", false, false, 1.0,
                {"tv_network_ids", "", false, 1},
                "alternative_names, images",
                "alternative_names, images"},
    MediaTraits{MediaType::kKeyword, "keyword", RecordSource::kExportLine, "keyword", false, false, 1.0,
                {"keyword_ids", "", false, 1},
                "",
                ""},
    MediaTraits{MediaType::kConfiguration, "configuration", RecordSource::kList, "", false, false, 1.0,
                {"", "", false, 0},
                "",
                ""},
    MediaTraits{MediaType::kEpisode, "episode", RecordSource::kNone, "", false, false, 0.0,
                {"", "", false, 0},
                "",
                ""},
};
// clang-format on
#pragma GCC diagnostic pop

namespace media_traits {

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wswitch"
// A type that is missing here does not compile; add it here, and then its row above.
constexpr bool HasRow(MediaType type) {
  switch (type) {
    case MediaType::kMovie:
    case MediaType::kTv:
    case MediaType::kSeason:
    case MediaType::kPerson:
    case MediaType::kCollection:
    case MediaType::kCompany:
    case MediaType::kNetwork:
    case MediaType::kKeyword:
    case MediaType::kConfiguration:
    case MediaType::kEpisode:
      return std::size_t(type) <= kMediaTraits.size() && kMediaTraits[std::size_t(type) - 1].type == type;
  }
  return false;
}
#pragma GCC diagnostic pop

consteval bool EveryRowHolds() {
  for (std::size_t i = 0; i < kMediaTraits.size(); ++i) {
    const MediaTraits& row = kMediaTraits[i];
    const bool asked = !row.path.empty() || row.source == RecordSource::kList;
    const bool in_place = std::size_t(row.type) == i + 1 && HasRow(row.type) && !row.name.empty();
    const bool details = row.source != RecordSource::kDetails || (!row.path.empty() && row.requests >= 1);
    const bool exported = row.exports.name.empty() ? row.exports.floor == 0 : row.exports.floor > 0;
    if (!in_place || !details || !exported || (row.change_feed && row.path.empty())) return false;
    if (row.source == RecordSource::kExportLine && row.exports.name.empty()) return false;
    if (!asked && (row.requests > 0 || !row.namespaces.empty())) return false;
  }
  // One beyond the last is not a type: add a row with each number.
  return !HasRow(MediaType(kMediaTraits.size() + 1));
}
static_assert(EveryRowHolds());

}  // namespace media_traits

constexpr const MediaTraits& TraitsOf(MediaType type) {
  return kMediaTraits[std::size_t(type) - 1];
}

constexpr bool HasRecords(MediaType type) {
  return TraitsOf(type).source != RecordSource::kNone;
}
// It has a request of its own: it can be queued, harvested, and named by a person as a type to collect.
constexpr bool CanBeAsked(MediaType type) {
  return !TraitsOf(type).path.empty() || TraitsOf(type).source == RecordSource::kList;
}
// Its records grow old and are fetched again by age: those that a request of their own brought.
constexpr bool IsRefreshedByAge(MediaType type) {
  return CanBeAsked(type) && TraitsOf(type).source != RecordSource::kExportLine;
}
constexpr bool HasChangeFeed(MediaType type) {
  return TraitsOf(type).change_feed;
}

// All types that have records, in the order in which they are listed to people.
inline constexpr auto kRecordTypes = [] {
  constexpr std::size_t kCount = [] {
    std::size_t count = 0;
    for (const MediaTraits& row : kMediaTraits) count += HasRecords(row.type);
    return count;
  }();
  std::array<MediaType, kCount> types{};
  std::size_t count = 0;
  for (const MediaTraits& row : kMediaTraits) {
    if (HasRecords(row.type)) types[count++] = row.type;
  }
  return types;
}();

// "movie", "tv", "season"...
constexpr std::string_view Name(MediaType type) {
  return std::size_t(type) - 1 < kMediaTraits.size() ? TraitsOf(type).name : "unknown";
}
Result<MediaType> ParseMediaType(std::string_view name);

}  // namespace tmdbc
