// SPDX-License-Identifier: MIT
// MediaId: what every stage calls a thing of TMDB's by: its media type and TMDB's number for it, written
// "movie:550".
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

// The numbers are written in catalog.db: never reuse or change one.
enum class MediaType : std::uint8_t {
  kMovie = 1,
  kTv = 2,
  kSeason = 3,  // stored with its show, never queued
  kPerson = 4,
  kCollection = 5,
  kCompany = 6,
  kNetwork = 7,
  kKeyword = 8,
  kConfiguration = 9,  // genres, certifications, languages...: the id is a place in ConfigurationPaths()
  kEpisode = 10,       // no record of its own: found through its season
};

// All types that have records, in the order in which they are listed to people.
inline constexpr std::array kRecordTypes = {
    MediaType::kMovie,   MediaType::kTv,         MediaType::kSeason,
    MediaType::kPerson,  MediaType::kCollection, MediaType::kCompany,
    MediaType::kNetwork, MediaType::kKeyword,    MediaType::kConfiguration};

// "movie", "tv", "season"...: the names in settings, flags, records and folders.
std::string_view Name(MediaType type);
Result<MediaType> ParseMediaType(std::string_view name);

struct MediaId {
  MediaType type;
  std::int64_t id;
  auto operator<=>(const MediaId&) const = default;
};

// "movie:550"
std::string ToString(MediaId id);

}  // namespace tmdbc

template <>
struct std::hash<tmdbc::MediaId> {
  std::size_t operator()(const tmdbc::MediaId& id) const noexcept {
    return std::size_t(id.id) * 16 + std::size_t(id.type);
  }
};
