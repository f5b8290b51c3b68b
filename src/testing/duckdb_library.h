// SPDX-License-Identifier: MIT
// DuckDB for tests: what DUCKDB_LIBRARY names, else what ./dev duckdb has brought. A test without it fails and
// says so.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "duckdb/library.h"

namespace tmdbc::testing {

inline std::string DuckdbPath() {
  if (const char* path = std::getenv("DUCKDB_LIBRARY")) return path;
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  return std::string(source ? source : ".") + "/build/duckdb/libduckdb.so";
}

// One for the whole process.
inline const duckdb::Library& Duckdb() {
  static const auto library = [] {
    const std::string places[] = {DuckdbPath()};
    auto loaded = duckdb::Library::Load(places);
    if (!loaded) {
      ADD_FAILURE() << loaded.error().message << ": ./dev duckdb fetches it";
      std::exit(1);
    }
    return *std::move(loaded);
  }();
  return library;
}

}  // namespace tmdbc::testing
