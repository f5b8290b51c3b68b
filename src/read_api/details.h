// SPDX-License-Identifier: MIT
// The details of films, shows, persons, collections, companies, networks and keywords, with what is appended to them.
#pragma once

#include "read_api/call.h"

namespace tmdbc::read_api {

Answer MovieDetails(Call& call);

}  // namespace tmdbc::read_api
