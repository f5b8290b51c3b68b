// SPDX-License-Identifier: MIT
// Credits that are not stored as TMDB answers them, and how they follow from what is (docs/read-api.md). All of them
// are objects without an id: {"cast":[...],"crew":[...]}. Empty: there is nothing to derive them from.
#pragma once

#include <string>

#include "read_api/call.h"
#include "read_api/subject.h"

namespace tmdbc::read_api {

// A person's movie_credits or tv_credits: its combined_credits of that media_type, which they do not name.
std::string CreditsOfType(JsonSlice combined_credits, MediaType type);

// A show's credits: those of its latest season; where seasons have none, its regulars out of aggregate_credits.
std::string ShowCredits(Call& call, const Subject& show);
// A season's: the stored ones, else the regulars of its show.
std::string SeasonCredits(Call& call, const Subject& season);
// A season's credits and what its episodes say of guests and crew, counted.
std::string SeasonAggregateCredits(Call& call, const Subject& season);
// The cast of the season, the crew and guest stars of the episode.
std::string EpisodeCredits(Call& call, const Subject& season, const JsonObject& episode);

}  // namespace tmdbc::read_api
