// SPDX-License-Identifier: MIT
// The table of endpoints: which path is answered by which function.
#pragma once

#include <span>
#include <string>

#include "read_api/call.h"

namespace tmdbc::read_api {

// The endpoint of that path ("movie", "550", "credits"), by the first row that fits; null when none does.
Endpoint FindEndpoint(std::span<const std::string> path);

}  // namespace tmdbc::read_api
