// SPDX-License-Identifier: MIT
// {movie,tv,person}/changes: what the mirror saw changed, by when it fetched it; not what TMDB saw.
#pragma once

#include "read_api/call.h"

namespace tmdbc::read_api {

Answer Changes(Call& call);

}  // namespace tmdbc::read_api
