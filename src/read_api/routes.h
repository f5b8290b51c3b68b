// SPDX-License-Identifier: MIT
// The table of endpoints: which path is answered by which function.
#pragma once

#include <span>

#include "read_api/call.h"

namespace tmdbc::read_api {

// The first row that fits a path counts.
std::span<const Route> Routes();

}  // namespace tmdbc::read_api
