// SPDX-License-Identifier: MIT
#include "app/duckdb_place.h"

#include <filesystem>

namespace tmdbc {

std::vector<std::string> DuckdbPlaces(const Settings& settings, const std::string& program) {
  // A name alone would be looked for by the system: the setting means a file.
  if (!settings.duckdb_library.empty()) {
    return {settings.duckdb_library.contains('/') ? settings.duckdb_library : "./" + settings.duckdb_library};
  }
  const auto folder = std::filesystem::path(program).parent_path();
  return {folder / "duckdb/libduckdb.so", folder.parent_path() / "lib/tmdb-collector/libduckdb.so",
          "libduckdb.so"};
}

Result<duckdb::Library> LoadDuckdb(const Settings& settings) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  auto library = duckdb::Library::Load(DuckdbPlaces(settings, program));
  if (library) return library;
  return Fail(
      ErrorCode::kUnavailable,
      "{}: ./dev duckdb fetches it, the package tmdb-collector-sql brings it, and DUCKDB_LIBRARY names another",
      library.error().message);
}

}  // namespace tmdbc
