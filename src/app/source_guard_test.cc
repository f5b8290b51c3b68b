// SPDX-License-Identifier: MIT
#include "app/source_guard.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/program_world_test.h"

namespace tmdbc {
namespace {

using testing::DataStore;
using testing::ExpectOneLine;
using testing::ProgramWorld;

TEST(SourceOf, IsTheTmdbThatAnAddressLeadsTo) {
  const struct {
    const char* url;
    const char* source;
  } cases[] = {
      {"https://api.themoviedb.org/3", "api.themoviedb.org"},
      {"https://API.TMDB.org:443/3", "api.themoviedb.org"},
      {"http://127.0.0.1:4711/3", "this machine"},
      {"http://localhost/3", "this machine"},
      {"http://[::1]:8080", "this machine"},
      {"http://sim.localhost:1/3", "this machine"},
      {"https://proxy.example:8443/tmdb/3", "proxy.example"},
      {"http://[2001:db8::1]:80/3", "[2001:db8::1]"},
      {"https://127.example/3", "127.example"},
  };
  for (const auto& [url, source] : cases) EXPECT_EQ(SourceOf(url), source) << url;
}

using SourceGuard = ProgramWorld;

constexpr const char* kSim = "--tmdb-api-base-url=http://127.0.0.1:4711/3";

TEST_F(SourceGuard, AFolderOfSimulatedFilmsTakesNoRealOnes) {
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error", kSim}).code, 0);
  const auto outcome = Run({"harvest", "--types=movie", "--ids=551", "--log-level=error"});
  ExpectOneLine(outcome, 2,
                "DATA_DIR ./data was filled from this machine (a simulated TMDB), and TMDB_API_BASE_URL is "
                "https://api.themoviedb.org/3: to keep them apart name another folder with --data-dir");
  EXPECT_EQ(Run({"queue", "list", "--json"}).out,
            "{\"type\":\"movie\",\"id\":550,\"popularity\":100000000000}\n");
  // Another port of this machine is the same source, and reading is for all.
  EXPECT_EQ(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error",
                 "--tmdb-api-base-url=http://localhost:1/3"})
                .code,
            0);
  EXPECT_EQ(Run({"status"}).code, 0);
}

TEST_F(SourceGuard, ARealMirrorTakesNoSimulatedFilms) {
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error"}).code, 0);
  ExpectOneLine(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error", kSim}), 2,
                "was filled from api.themoviedb.org");
  EXPECT_EQ(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error",
                 "--tmdb-api-base-url=https://api.tmdb.org/3"})
                .code,
            0);
}

TEST_F(SourceGuard, AnEmptyFolderTakesWhatComesFirst) {
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error", kSim}).code, 0);
  ASSERT_EQ(Run({"queue", "purge", "--yes"}).code, 0);
  EXPECT_EQ(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error"}).code, 0);
  ExpectOneLine(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error", kSim}), 2,
                "was filled from api.themoviedb.org");
}

TEST_F(SourceGuard, AStoreOfAnEarlierVersionLearnsItsSource) {
  {
    DataStore data;
    data.Put({MediaType::kMovie, 1}, R"({"id":1})", "2026-11-01T10:00:00Z");
    data.Seal();
  }
  EXPECT_EQ(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error"}).code, 0);
  ExpectOneLine(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error", kSim}), 2,
                "was filled from api.themoviedb.org");
}

TEST_F(SourceGuard, AStoreWhoseCatalogWasLostStillKnowsItsSource) {
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error", kSim}).code, 0);
  {
    DataStore data;
    data.Put({MediaType::kMovie, 1}, R"({"id":1})", "2026-11-01T10:00:00Z");
    data.Seal();
  }
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(std::string("data/catalog.db") + end);
  ASSERT_EQ(Run({"verify", "--rebuild"}).code, 0);
  ExpectOneLine(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error"}), 2,
                "was filled from this machine (a simulated TMDB)");
  EXPECT_EQ(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error", kSim}).code, 0);
}

TEST_F(SourceGuard, AFileThatCannotBeReadIsMadeAnew) {
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=550", "--log-level=error", kSim}).code, 0);
  const auto text = [] {
    std::ifstream file("data/source.json");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_EQ(text(), "{\"source\":\"this machine\"}\n");
  std::ofstream("data/source.json") << "{\"source\":";
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=551", "--log-level=error", kSim}).code, 0);
  EXPECT_EQ(text(), "{\"source\":\"this machine\"}\n");
}

}  // namespace
}  // namespace tmdbc
