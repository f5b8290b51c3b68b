// SPDX-License-Identifier: MIT
// search/{movie,tv,person,collection,company,keyword,multi}.
#pragma once

#include "read_api/call.h"

namespace tmdbc::read_api {

Answer Search(Call& call);

}  // namespace tmdbc::read_api
