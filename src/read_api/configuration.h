// SPDX-License-Identifier: MIT
// TMDB's small lists: its configuration, genres, certifications, watch providers.
#pragma once

#include "read_api/call.h"

namespace tmdbc::read_api {

// configuration; append_to_response takes the names of the lists below it.
Answer Configuration(Call& call);
// Any of them by its path: configuration/countries, certification/tv/list, watch/providers/regions...
Answer ConfigurationList(Call& call);
// genre/{movie,tv}/list, in the language.
Answer Genres(Call& call);
// watch/providers/{movie,tv}; watch_region leaves those that are in it.
Answer Providers(Call& call);
// The old timezones/list.
Answer Timezones(Call& call);

}  // namespace tmdbc::read_api
