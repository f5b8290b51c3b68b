// SPDX-License-Identifier: MIT
// review/{id}: one of the reviews on the first page that a film's or a show's record has.
#pragma once

#include "read_api/call.h"

namespace tmdbc::read_api {

Answer Review(Call& call);

}  // namespace tmdbc::read_api
