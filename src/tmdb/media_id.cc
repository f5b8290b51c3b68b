// SPDX-License-Identifier: MIT
#include "tmdb/media_id.h"

namespace tmdbc {
namespace {

struct Named {
  MediaType type;
  std::string_view name;
};

constexpr Named kNames[] = {
    {MediaType::kMovie, "movie"},
    {MediaType::kTv, "tv"},
    {MediaType::kSeason, "season"},
    {MediaType::kPerson, "person"},
    {MediaType::kCollection, "collection"},
    {MediaType::kCompany, "company"},
    {MediaType::kNetwork, "network"},
    {MediaType::kKeyword, "keyword"},
    {MediaType::kConfiguration, "configuration"},
    {MediaType::kEpisode, "episode"},
};

}  // namespace

std::string_view Name(MediaType type) {
  for (const Named& named : kNames) {
    if (named.type == type) return named.name;
  }
  return "unknown";
}

Result<MediaType> ParseMediaType(std::string_view name) {
  std::string allowed;
  for (const Named& named : kNames) {
    if (named.name == name) return named.type;
    allowed += allowed.empty() ? "" : ", ";
    allowed += named.name;
  }
  return Fail(ErrorCode::kInvalid, "'{}' is no media type: use one of {}", name, allowed);
}

std::string ToString(MediaId id) {
  return fmt::format("{}:{}", Name(id.type), id.id);
}

}  // namespace tmdbc
