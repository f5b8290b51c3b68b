// SPDX-License-Identifier: MIT
// DuckDB's words as an Error: their beginning ("Parser Error: ") says what kind it is.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc::duckdb {

// `act` may be empty.
std::unexpected<Error> Failed(std::string_view act, std::string_view words);

}  // namespace tmdbc::duckdb
