// SPDX-License-Identifier: MIT
// find/{id}: what bears another site's id.
#pragma once

#include "read_api/call.h"

namespace tmdbc::read_api {

Answer Find(Call& call);

}  // namespace tmdbc::read_api
