// SPDX-License-Identifier: MIT
// Readers while generations are published: what they join is of one generation, by whatever way they come.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <thread>

#include "tables/delta_log.h"
#include "tables/publish_world_test.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;
using testing::PublishWorld;

constexpr std::int64_t kFilms[] = {5, 1500, 3000};  // in three ranges

// TMDBC_PUBLISHES=N; a publish takes half a second beside busy readers.
int Publishes() {
  const char* text = std::getenv("TMDBC_PUBLISHES");
  return text ? std::atoi(text) : 8;
}

// Round n: every film has n as its votes and n in its title, and n members of its cast.
Document FilmOfRound(std::int64_t id, int round, Time at) {
  std::string cast;
  for (int i = 0; i < round; ++i)
    cast += fmt::format(R"({}{{"id":{},"name":"P","order":{}}})", i ? "," : "", i + 1, i);
  return testing::MakeDocument(
      {MediaType::kMovie, id},
      fmt::format(R"({{"id":{},"title":"round {}","vote_count":{},"credits":{{"cast":[{}]}}}})", id, round,
                  round, cast),
      at);
}

using Lists = std::map<std::string, std::string>;  // by table: its files as SQL has them

std::string Listed(const std::set<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) list += (list.empty() ? "" : ", ") + duckdb::Quoted(path);
  return list;
}

// The way of `sql`: manifest.json, then one manifest.
Result<Lists> ByManifest(const fs::path& root) {
  PosixFileSystem files(root.string());
  TRY_ASSIGN(const std::string hint, files.Read("manifest.json", 0, 1000));
  TRY_ASSIGN(const Manifest manifest, ReadManifest(files, ParseHint(hint).value()));
  Lists lists;
  for (const char* table : {"movies", "movie_cast", "record_versions"}) {
    std::set<std::string> paths;
    for (const DataFile& file : manifest.tables.at(table).files) paths.insert(root / file.path);
    lists[table] = Listed(paths);
  }
  return lists;
}

// Of a reader that globs: the link is followed once.
Result<Lists> ByLatest(const fs::path& root) {
  const fs::path snapshot = fs::canonical(root / "latest");
  Lists lists;
  for (const char* table : {"movies", "movie_cast", "record_versions"}) {
    std::set<std::string> paths;
    for (const auto& entry : fs::directory_iterator(snapshot / table)) paths.insert(entry.path());
    lists[table] = Listed(paths);
  }
  return lists;
}

// The Delta logs, played up to the versions that the manifest names.
Result<Lists> ByDeltaLog(const fs::path& root) {
  PosixFileSystem files(root.string());
  TRY_ASSIGN(const std::string hint, files.Read("manifest.json", 0, 1000));
  TRY_ASSIGN(const Manifest manifest, ReadManifest(files, ParseHint(hint).value()));
  Lists lists;
  const std::regex action(R"re(\{"(add|remove)":\{"path":"([^"]+)")re");
  for (const char* table : {"movies", "movie_cast", "record_versions"}) {
    std::set<std::string> paths;
    for (std::int64_t version = 0; version <= manifest.tables.at(table).delta_version; ++version) {
      TRY_ASSIGN(const std::string entry, files.Read(DeltaEntryPath(table, version), 0, 1 << 20));
      for (std::sregex_iterator it(entry.begin(), entry.end(), action), end; it != end; ++it) {
        const std::string path = root / table / (*it)[2].str();
        (*it)[1] == "add" ? void(paths.insert(path)) : void(paths.erase(path));
      }
    }
    lists[table] = Listed(paths);
  }
  return lists;
}

struct Reader {
  const char* name;
  Result<Lists> (*list)(const fs::path& root);
  std::atomic<int> looks = 0;
  std::string fault = {};  // the first; read when the thread has ended
};

// Every film is of the same round, and so are the casts and the versions. The fault, or nothing.
std::string FaultOf(duckdb::Connection& connection, const Lists& lists) {
  const auto rows = connection.QueryNumber(fmt::format(
      "SELECT count(*) FROM (SELECT m.movie_id, m.vote_count, m.title, count(c.position) AS members "
      "FROM read_parquet([{}]) m LEFT JOIN read_parquet([{}]) c USING (movie_id) GROUP BY ALL) "
      "JOIN (SELECT max(version) AS round FROM read_parquet([{}]) WHERE record_type = 'movie') "
      "ON vote_count = round AND members = round AND title = 'round ' || round",
      lists.at("movies"), lists.at("movie_cast"), lists.at("record_versions")));
  if (!rows) return rows.error().message;
  return *rows == std::ssize(kFilms) ? "" : fmt::format("{} of {} films agree", *rows, std::ssize(kFilms));
}

TEST(ReadersBeside, SeeOneGenerationWhileOthersArePublished) {
  PublishWorld world;
  const auto publish = [&](int round) {
    for (const std::int64_t id : kFilms) world.Put(FilmOfRound(id, round, world.store.clock.Now()));
    world.Seal();
    ASSERT_TRUE(world.Publish().published);
    world.store.clock.Advance(std::chrono::minutes(10));
  };
  publish(1);

  Reader readers[] = {{"by manifest", ByManifest},
                      {"by latest", ByLatest},
                      {"by Delta log", ByDeltaLog},
                      {"by manifest, too", ByManifest}};
  std::atomic<bool> done = false;
  {
    std::vector<std::jthread> threads;
    for (Reader& reader : readers) {
      threads.emplace_back([&reader, &done, &world] {
        auto database = duckdb::Database::Open(testing::Duckdb(), {}).value();
        auto asks = database.Connect().value();
        while (!done || reader.looks == 0) {
          const auto lists = reader.list(world.root);
          const std::string fault = lists ? FaultOf(asks, *lists) : lists.error().message;
          if (!fault.empty() && reader.fault.empty()) reader.fault = fault;
          ++reader.looks;
        }
      });
    }
    for (int round = 2; round <= Publishes(); ++round) publish(round);
    done = true;
  }
  for (const Reader& reader : readers) {
    EXPECT_EQ(reader.fault, "") << reader.name;
    EXPECT_GT(reader.looks, 0) << reader.name;
  }
  EXPECT_EQ(world.Newest().generation, Publishes());
}

// The files of each table that has a log, by the log and by the manifest.
void ExpectLogsAsManifest(const fs::path& root) {
  PosixFileSystem files(root.string());
  const Manifest manifest = PublishWorld::NewestIn(root.string());
  const std::regex action(R"re(\{"(add|remove)":\{"path":"([^"]+)")re");
  for (const auto& [table, state] : manifest.tables) {
    std::set<std::string> named, played;
    for (const DataFile& file : state.files) named.insert(file.path);
    for (std::int64_t version = 0; version <= state.delta_version; ++version) {
      const auto entry = files.Read(DeltaEntryPath(table, version), 0, 1 << 20);
      ASSERT_TRUE(entry) << entry.error().message;
      for (std::sregex_iterator it(entry->begin(), entry->end(), action), end; it != end; ++it) {
        const std::string path = fmt::format("{}/{}", table, (*it)[2].str());
        (*it)[1] == "add" ? void(played.insert(path)) : void(played.erase(path));
      }
    }
    EXPECT_EQ(played, named) << table;
    EXPECT_FALSE(fs::exists(root / DeltaEntryPath(table, state.delta_version + 1))) << table;
  }
  const auto readme = files.Read("README.md", 0, 1 << 20);
  ASSERT_TRUE(readme) << readme.error().message;
  EXPECT_NE(readme->find(fmt::format("Generation {} ", manifest.generation)), std::string::npos);
}

TEST(ReadersBeside, AKillAmidLogsAndDocumentsIsMadeUpForByTheNextStart) {
  bool died = true;
  int deaths = 0;
  for (int dies_at = 1; died; dies_at += 11) {
    PublishWorld world;
    for (const int round : {1, 2}) {
      for (const std::int64_t id : kFilms) world.Put(FilmOfRound(id, round, world.store.clock.Now()));
      world.Seal();
      PublishOptions options = world.options;
      int acts = 0;
      if (round == 2) {
        options.before = [&](std::string_view, const std::string&) -> Result<void> {
          if (++acts >= dies_at) return Fail(ErrorCode::kInternal, "killed");
          return {};
        };
      }
      died = !world.TryPublish(options);
    }
    deaths += died;
    world.Publish();
    ASSERT_NO_FATAL_FAILURE(ExpectLogsAsManifest(world.root)) << "at step " << dies_at;
  }
  EXPECT_GT(deaths, 5);
}

// That the comparison can fail: tables of two generations.
TEST(ReadersBeside, AMixIsNoticed) {
  PublishWorld world;
  for (const int round : {1, 2}) {
    for (const std::int64_t id : kFilms) world.Put(FilmOfRound(id, round, world.store.clock.Now()));
    world.Seal();
    world.Publish();
  }
  auto database = duckdb::Database::Open(testing::Duckdb(), {}).value();
  auto connection = database.Connect().value();
  PosixFileSystem files(world.root.string());
  Lists now = ByManifest(world.root).value();
  EXPECT_EQ(FaultOf(connection, now), "");
  std::set<std::string> old;
  const Manifest first = ReadManifest(files, 1).value();
  for (const DataFile& file : first.tables.at("movie_cast").files) old.insert(world.root / file.path);
  now["movie_cast"] = Listed(old);
  EXPECT_EQ(FaultOf(connection, now), "0 of 3 films agree");
}

}  // namespace
}  // namespace tmdbc::tables
