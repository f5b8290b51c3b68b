// SPDX-License-Identifier: MIT
// The details of films, shows, seasons, episodes, persons, collections, companies, networks and keywords, with what is
// appended to them, and the paths below them.
#pragma once

#include "read_api/call.h"

namespace tmdbc::read_api {

// movie/550, and the same of every type that has a record of its own.
Answer Details(Call& call);
// The same of a record that the path does not name.
Answer DetailsOf(Call& call, MediaId id);
// movie/550/credits, movie/550/watch/providers.
Answer DetailsPart(Call& call);

// tv/1399/season/1, and below it.
Answer SeasonDetails(Call& call);
Answer SeasonPart(Call& call);
// tv/1399/season/1/episode/2, and below it.
Answer EpisodeDetails(Call& call);
Answer EpisodePart(Call& call);

}  // namespace tmdbc::read_api
