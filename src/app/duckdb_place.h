// SPDX-License-Identifier: MIT
// Where DuckDB's library is: what DUCKDB_LIBRARY names and nothing else; without it duckdb/libduckdb.so beside the
// program (a build folder, where ./dev duckdb puts it), then ../lib/tmdb-collector/libduckdb.so (the package), then
// where the system looks for libraries.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "duckdb/library.h"
#include "settings/settings.h"

namespace tmdbc {

// `program`: the path of the running program.
std::vector<std::string> DuckdbPlaces(const Settings& settings, const std::string& program);

// kUnavailable, with what to do, when there is none that can be used. The commands that need it end with 3 then.
Result<duckdb::Library> LoadDuckdb(const Settings& settings);

}  // namespace tmdbc
