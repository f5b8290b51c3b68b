// SPDX-License-Identifier: MIT
// How a time stands in the tables of a bucket's catalog. Pure.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace tmdbc {

// Microseconds since 1970, UTC.
inline std::int64_t Micros(Time time) { return time.time_since_epoch().count(); }

}  // namespace tmdbc
