// SPDX-License-Identifier: MIT
// The commands that care for a store, from the command line: compact and verify.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "app/program_world_test.h"
#include "base/compression.h"
#include "harvester/upstream_time.h"

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

using testing::Outcome;

class StoreCare : public testing::ProgramWorld {
 protected:
  // Three segments of movies and of people: insert, new statistics, update.
  static void Fill() {
    const SystemClock clock;
    const auto dir = DataDir::OpenForWriting("data").value();
    Database catalog = dir.OpenCatalog().value();
    PosixFileSystem files("data");
    const auto store = testing::StorePieces::Open(files, catalog, clock, {}).value();
    for (const char* body :
         {R"({"id":550,"title":"a","vote_count":1})", R"({"id":550,"title":"a","vote_count":2})",
          R"({"id":550,"title":"b","vote_count":2})"}) {
      for (const MediaType type : {MediaType::kMovie, MediaType::kPerson}) {
        Document document;
        document.id = {type, 550};
        document.data = body;
        document.hash = HashContent(body).value();
        document.fetched_at = clock.Now();
        ASSERT_TRUE(store->writer->Put(std::move(document)));
      }
      ASSERT_TRUE(store->writer->Commit({}));
      ASSERT_TRUE(store->writer->Seal());
    }
  }
  static bool Exists(const std::string& path) { return fs::exists("data/" + path); }
};

TEST_F(StoreCare, CompactMergesTheSegmentsOfTheTypesItIsTold) {
  Fill();
  const Outcome dry = Run({"compact", "--dry-run"});
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_NE(dry.out.find("movie         3 segments would become 1"), std::string::npos) << dry.out;
  EXPECT_TRUE(Exists("records/movie/000/000/001.jsonl.zst"));

  const Outcome movies = Run({"compact", "--types=movie", "--json"});
  EXPECT_EQ(movies.code, 0) << movies.err;
  EXPECT_TRUE(movies.out.starts_with(
      R"({"dry_run":false,"stopped":false,"types":{"movie":{"segments_before":3,"segments_after":1,)"))
      << movies.out;
  EXPECT_NE(movies.out.find(R"("records_kept":2,"stats_dropped":1,"versions_dropped":0,)"), std::string::npos)
      << movies.out;
  EXPECT_EQ(movies.out.find("person"), std::string::npos) << movies.out;
  EXPECT_FALSE(Exists("records/movie/000/000/001.jsonl.zst"));
  EXPECT_TRUE(Exists("records/movie/000/000/004.jsonl.zst"));
  EXPECT_TRUE(Exists("records/person/000/000/001.jsonl.zst"));

  EXPECT_NE(Run({"compact"}).out.find("person        3 segments are now 1"), std::string::npos);
  EXPECT_EQ(Run({"compact"}).out, "there is nothing to compact\n");
  EXPECT_EQ(Run({"verify", "--deep"}).code, 0);
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550"}).out,
            "{\"id\":550,\"title\":\"b\",\"vote_count\":2}\n");
}

TEST_F(StoreCare, VersionsAreDroppedByTheTimeThatTmdbHasReached) {
  Fill();
  const auto drop_after = [](Duration ahead) {
    const auto dir = DataDir::OpenForWriting("data").value();
    Database catalog = dir.OpenCatalog().value();
    ASSERT_TRUE(CreateUpstreamTime(catalog));
    ASSERT_TRUE(PutUpstreamTime(catalog, UpstreamDate(SystemClock().Now() + ahead)));
    // The version was replaced two days ago by the clock that this machine has now.
    ASSERT_TRUE(catalog.Execute("UPDATE store_steps SET fetched_at=fetched_at-172800000"));
    ASSERT_TRUE(catalog.Execute("UPDATE store_records SET fetched_at=fetched_at-172800000"));
  };
  drop_after(-std::chrono::days(2));
  const Outcome ahead = Run({"compact", "--types=movie", "--keep-versions-for=1", "--dry-run", "--json"});
  EXPECT_NE(ahead.out.find(R"("versions_dropped":0)"), std::string::npos) << ahead.out << ahead.err;
  drop_after({});
  const Outcome right = Run({"compact", "--types=movie", "--keep-versions-for=1", "--dry-run", "--json"});
  EXPECT_NE(right.out.find(R"("versions_dropped":1)"), std::string::npos) << right.out << right.err;
}

TEST_F(StoreCare, CompactRefusesWhatItCannotDo) {
  const Outcome absent = Run({"compact"});
  EXPECT_EQ(absent.code, 2);
  EXPECT_NE(absent.err.find("does not exist"), std::string::npos) << absent.err;
  EXPECT_FALSE(fs::exists("data"));
  Fill();
  for (const char* days : {"--keep-versions-for=0", "--keep-versions-for=-1", "--keep-versions-for=x"}) {
    const Outcome outcome = Run({"compact", days});
    EXPECT_EQ(outcome.code, 2) << days;
    EXPECT_NE(outcome.err.find("--keep-versions-for is"), std::string::npos) << outcome.err;
  }
  std::fstream segment("data/records/movie/000/000/002.jsonl.zst",
                       std::ios::in | std::ios::out | std::ios::binary);
  segment.seekp(30);
  segment.put('!');
  segment.close();
  const Outcome damaged = Run({"compact", "--types=movie"});
  EXPECT_EQ(damaged.code, 1);
  EXPECT_NE(damaged.out.find("1 damaged segment left as before"), std::string::npos) << damaged.out;
}

TEST_F(StoreCare, VerifyReadsTheChecksumsOfSegmentsAndExports) {
  Fill();
  fs::create_directories("data/exports");
  const std::string gzip = Gzip(R"({"id":550,"popularity":1})"
                                "\n");
  std::ofstream("data/exports/movie_ids_2026-11-22.json.gz", std::ios::binary) << gzip;
  const Outcome good = Run({"verify"});
  EXPECT_EQ(good.code, 0) << good.out;
  EXPECT_NE(good.out.find("every checksum and number is right"), std::string::npos) << good.out;

  std::ofstream("data/exports/movie_ids_2026-11-22.json.gz", std::ios::binary)
      << gzip.substr(0, gzip.size() - 5);
  const Outcome cut = Run({"verify"});
  EXPECT_EQ(cut.code, 1);
  EXPECT_NE(cut.out.find("damaged   exports/movie_ids_2026-11-22.json.gz"), std::string::npos) << cut.out;

  std::fstream segment("data/records/movie/000/000/003.jsonl.zst",
                       std::ios::in | std::ios::out | std::ios::binary);
  segment.seekp(30);
  segment.put('!');
  segment.close();
  const Outcome flipped = Run({"verify"});
  EXPECT_EQ(flipped.code, 1);
  EXPECT_NE(flipped.out.find("damaged   records/movie/000/000/003.jsonl.zst at 0"), std::string::npos)
      << flipped.out;
  EXPECT_NE(flipped.out.find("movie:550"), std::string::npos) << flipped.out;
}

TEST_F(StoreCare, VerifyFindsAFlippedBitInAnyPageOfTheCatalog) {
  Fill();
  const auto flip = [](std::int64_t at) {
    std::fstream file("data/catalog.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const int byte = file.get() ^ 1;
    file.seekp(at);
    file.put(char(byte));
  };
  ASSERT_EQ(Run({"verify"}).code, 0);
  const auto size = std::int64_t(fs::file_size("data/catalog.db"));
  for (std::int64_t at = 4095; at < size; at += 4096 - 7) {
    flip(at);
    const Outcome damaged = Run({"verify"});
    EXPECT_EQ(damaged.code, 1) << at << damaged.out << damaged.err;
    EXPECT_NE(damaged.out.find("damaged   catalog.db at "), std::string::npos) << at << damaged.out;
    EXPECT_NE(damaged.out.find("verify --rebuild"), std::string::npos) << damaged.out;
    flip(at);
  }
  flip(size / 2);
  EXPECT_EQ(Run({"verify", "--rebuild"}).code, 0);
  EXPECT_EQ(Run({"verify", "--deep"}).code, 0);
  EXPECT_EQ(Run({"query", "--type=movie", "--id=550"}).out,
            "{\"id\":550,\"title\":\"b\",\"vote_count\":2}\n");
}

// Such as SQLite's own shell, which knows nothing of our checksums.
TEST_F(StoreCare, WhatAnotherProgramWroteIsNoDamageAndRebuildKeepsTheCatalog) {
  Fill();
  ASSERT_EQ(Run({"harvest", "--types=movie", "--ids=7,8,9"}).code, 0);
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open("data/catalog.db", &shell), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(shell, "CREATE TABLE kept(what); INSERT INTO kept VALUES('queued')", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(shell);
  const Outcome warned = Run({"verify"});
  EXPECT_EQ(warned.code, 0) << warned.out << warned.err;
  EXPECT_NE(warned.out.find("warning: page"), std::string::npos) << warned.out;
  EXPECT_NE(warned.out.find("`verify --rebuild`"), std::string::npos) << warned.out;

  const Outcome rebuilt = Run({"verify", "--rebuild"});
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.out << rebuilt.err;
  EXPECT_NE(rebuilt.out.find("nothing in it is lost"), std::string::npos) << rebuilt.out;
  EXPECT_FALSE(Exists("catalog.db.broken"));
  const auto dir = DataDir::OpenForReading("data").value();
  Database catalog = dir.OpenCatalog().value();
  EXPECT_TRUE(catalog.Prepare("SELECT what FROM kept")) << "what only the catalog knew is still there";
  EXPECT_EQ(Run({"verify"}).out.find("warning"), std::string::npos);
  EXPECT_NE(Run({"queue", "list"}).out.find("movie:9"), std::string::npos);
}

TEST_F(StoreCare, RebuildMovesABrokenCatalogOutOfTheWay) {
  Fill();
  for (const bool no_database : {true, false}) {
    if (no_database) {
      std::ofstream("data/catalog.db") << std::string(8192, 'x');
    } else {
      // A page in the middle is garbage.
      std::fstream file("data/catalog.db", std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(3 * 4096);
      file << std::string(4096, 'x');
    }
    const Outcome rebuilt = Run({"verify", "--rebuild"});
    EXPECT_EQ(rebuilt.code, 0) << rebuilt.out << rebuilt.err;
    const char* const moved = no_database ? "catalog.db.broken" : "catalog.db.broken2";
    EXPECT_NE(rebuilt.out.find(fmt::format("note      catalog.db was damaged and is {} now.", moved)),
              std::string::npos)
        << rebuilt.out;
    EXPECT_NE(rebuilt.out.find("is lost: the queue. The next harvest"), std::string::npos) << rebuilt.out;
    EXPECT_TRUE(Exists(moved));
    EXPECT_EQ(Run({"query", "--type=movie", "--id=550"}).out,
              "{\"id\":550,\"title\":\"b\",\"vote_count\":2}\n");
    EXPECT_EQ(Run({"verify", "--deep"}).code, 0);
  }
}

}  // namespace
}  // namespace tmdbc
