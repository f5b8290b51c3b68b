// SPDX-License-Identifier: MIT
#include "app/duckdb_place.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

TEST(DuckdbPlace, IsWhereTheBuildThePackageOrTheSystemHasIt) {
  EXPECT_EQ(DuckdbPlaces(Settings(), "/usr/bin/tmdb-collector"),
            (std::vector<std::string>{"/usr/bin/duckdb/libduckdb.so", "/usr/lib/tmdb-collector/libduckdb.so",
                                      "libduckdb.so"}));
}

TEST(DuckdbPlace, IsTheSettingsAloneWhenItIsGiven) {
  Settings settings;
  settings.duckdb_library = "/opt/duckdb.so";
  EXPECT_EQ(DuckdbPlaces(settings, "/usr/bin/tmdb-collector"), std::vector<std::string>{"/opt/duckdb.so"});
  settings.duckdb_library = "duckdb.so";
  EXPECT_EQ(DuckdbPlaces(settings, "/usr/bin/tmdb-collector"), std::vector<std::string>{"./duckdb.so"});
}

TEST(DuckdbPlace, WithoutALibraryOneSentenceSaysWhereAndHow) {
  Settings settings;
  settings.duckdb_library = "/nowhere/duckdb.so";
  const auto library = LoadDuckdb(settings);
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(
      library.error().message,
      "load DuckDB: it is not at /nowhere/duckdb.so: ./dev duckdb fetches it, the package tmdb-collector-sql "
      "brings it, and DUCKDB_LIBRARY names another");
}

}  // namespace
}  // namespace tmdbc
