// SPDX-License-Identifier: MIT
// SeasonTexts: names and overviews of a season and its episodes in another language. Exact where the mirror collects
// that language (the member language/de of the season's record); the season's own where it collects its translations;
// else the name stays English and the overview is "" (docs/read-api.md). Pure; any thread.
#pragma once

#include <cstdint>
#include <map>

#include "read_api/json_slice.h"
#include "read_api/language.h"

namespace tmdbc::read_api {

struct SeasonTexts {
  JsonSlice name = {};  // empty: the stored one stays
  JsonSlice overview = "\"\"";
  JsonSlice poster_path = {};  // empty: the stored one stays
  struct Episode {
    JsonSlice name;
    JsonSlice overview;
  };
  std::map<std::int64_t, Episode> episodes = {};  // by id
  bool complete = false;                     // TMDB's own words for the season and each episode
};

// `season`: the record's body. Not for the language of the stored bodies. The posters count only where the record has
// images; `original_language` is its show's.
SeasonTexts SeasonTextsIn(const Language& language, const JsonObject& season,
                          std::string_view original_language);
// The record has something that SeasonTextsIn() could use.
bool HasSeasonTexts(const JsonObject& season);

// An episode, or what a show says of one (last_episode_to_air), in those words.
std::string EpisodeIn(const SeasonTexts& texts, JsonSlice episode);

}  // namespace tmdbc::read_api
