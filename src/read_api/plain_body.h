// SPDX-License-Identifier: MIT
// Plain bodies: a record as its own path answers it when nothing is appended, in any language.
#pragma once

#include <string>

#include "read_api/call.h"
#include "read_api/language.h"
#include "read_api/subject.h"

namespace tmdbc::read_api {

// The body without what was appended to it; in English its bytes. In another language what TMDB translates is replaced
// (docs/read-api.md), from the record itself and, where it speaks of others, from theirs: genre names, a film's
// collection, the rows of a collection, the seasons of a show. What is not stored stays English, and the call's
// fidelity says so. Leaves the closing brace off, so that members can be appended.
std::string OpenPlainBody(Call& call, const Subject& subject, const Language& language);

// A season by its own path has an id behind its overview; one that is appended to its show has none.
enum class SeasonId : std::uint8_t { kWith, kWithout };
std::string OpenSeasonBody(Call& call, const Subject& season, const Language& language, SeasonId with);
// The episode of that number within the season; empty when it has none. Its members in the order of its own path.
JsonSlice EpisodeAt(const Subject& season, std::int64_t number);
std::string OpenEpisodeBody(Call& call, const Subject& season, JsonSlice episode, const Language& language);

// `open` with its closing brace.
inline std::string Closed(std::string open) {
  open += '}';
  return open;
}
// `open` with one more member.
void AppendMember(std::string& open, std::string_view name, JsonSlice value);

}  // namespace tmdbc::read_api
