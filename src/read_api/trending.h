// SPDX-License-Identifier: MIT
// trending/{all,movie,tv,person}/{day,week}: what is looked at more than before, by the popularity in TMDB's exports.
#pragma once

#include "read_api/call.h"

namespace tmdbc::read_api {

Answer Trending(Call& call);

}  // namespace tmdbc::read_api
