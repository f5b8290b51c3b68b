// SPDX-License-Identifier: MIT
#include "duckdb/library.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "testing/duckdb_library.h"

namespace tmdbc::duckdb {
namespace {

TEST(Library, IsLoadedFromTheFirstPlaceThatIsThere) {
  const std::string places[] = {"/nowhere/libduckdb.so", tmdbc::testing::DuckdbPath()};
  const auto library = Library::Load(places);
  ASSERT_TRUE(library) << library.error().message << ": ./dev duckdb fetches it";
  EXPECT_EQ(library->path(), tmdbc::testing::DuckdbPath());
  EXPECT_TRUE(KnowsVersion(library->version())) << library->version();
}

TEST(Library, ThatIsNowhereIsAnErrorThatNamesEveryPlace) {
  const std::string places[] = {"/nowhere/libduckdb.so", "libduckdb-absent.so"};
  const auto library = Library::Load(places);
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(library.error().message, "load DuckDB: it is not at /nowhere/libduckdb.so, libduckdb-absent.so");
}

TEST(Library, ThatIsAPipeIsNotWaitedFor) {
  const std::string pipe = ::testing::TempDir() + "library_pipe.so";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(Library::Load(std::span(&pipe, 1)).error().message,
            "load DuckDB from " + pipe + ": it is not a regular file");
  std::filesystem::remove(pipe);
}

TEST(Library, ThatIsNoLibraryIsAnErrorAndNotPassedOver) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "no_library.so";
  std::ofstream(path) << "not an ELF file at all";
  const std::string places[] = {path.string(), tmdbc::testing::DuckdbPath()};
  const auto library = Library::Load(places);
  ASSERT_FALSE(library);
  EXPECT_TRUE(library.error().message.starts_with("load DuckDB from " + path.string() + ": "))
      << library.error().message;
  std::filesystem::remove(path);
}

TEST(Library, OfAnotherKindIsRefused) {
  const std::string places[] = {"libm.so.6"};
  const auto library = Library::Load(places);
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().message, "load DuckDB from libm.so.6: it has no duckdb_library_version");
}

TEST(Library, VersionsFrom144ToBefore2AreKnown) {
  for (const char* good : {"v1.4.4", "v1.4.10", "v1.5.0", "1.5.6", "v1.10.0", "v1.5.6-dev12"})
    EXPECT_TRUE(KnowsVersion(good)) << good;
  for (const char* bad : {"v1.4.3", "v1.3.9", "v0.10.2", "v2.0.0", "", "v", "v1", "nonsense", "v1.x.4"})
    EXPECT_FALSE(KnowsVersion(bad)) << bad;
}

}  // namespace
}  // namespace tmdbc::duckdb
