// SPDX-License-Identifier: MIT
// Genre names in a language: out of the lists that are stored for each of TMDB's languages.
#pragma once

#include <string>

#include "read_api/call.h"
#include "read_api/json_slice.h"
#include "read_api/language.h"

namespace tmdbc::read_api {

// The stored genre/{movie,tv}/list in that language; null when there is none.
std::shared_ptr<const Record> GenreList(Call& call, MediaType type, const Language& language);

// The genres[] of a film or show with their names in that language; a name that is not translated stays English, as
// TMDB leaves it. Without the list of the language all stay, and the call's fidelity says so.
std::string GenresIn(Call& call, MediaType type, const Language& language, JsonSlice genres);

}  // namespace tmdbc::read_api
