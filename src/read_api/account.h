// SPDX-License-Identifier: MIT
// What clients ask of TMDB about themselves. The mirror has no users: it lets a client begin, and refuses the rest as
// TMDB refuses a stranger.
#pragma once

#include "read_api/call.h"

namespace tmdbc::read_api {

Answer Authentication(Call& call);
// A token that is good for nothing: some clients fetch one before their first read.
Answer NewRequestToken(Call& call);
// account, guest_session, sessions: code 3.
Answer NoPermission(Call& call);
// What is not mirrored, such as list/ID and tv/episode_group/ID: code 34.
Answer NotMirrored(Call& call);

}  // namespace tmdbc::read_api
