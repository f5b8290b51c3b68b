// SPDX-License-Identifier: MIT
// What is lost, damaged, restored from an older copy or cannot be written to: nothing more may be lost by it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>

#include "base/compression.h"
#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using testing::Film;
using testing::kFirst;
using testing::Movie;
using testing::StoreWorld;

// A folder of the machine's, gone with the test.
struct Folder {
  Folder() { EXPECT_NE(mkdtemp(path.data()), nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path = (std::filesystem::temp_directory_path() / "tmdbc_damage_XXXXXX").string();
};

// A copy of the catalog as it is now, to be restored later.
Database CopyOf(Database& catalog, const Folder& folder) {
  const std::string file = folder.path + "/catalog.db";
  EXPECT_TRUE(catalog.Execute(fmt::format("VACUUM INTO '{}'", file)));
  return Database::Open(file, Database::Mode::kReadWrite).value();
}

TEST(Opening, RefusesAStoreWhoseSealedSegmentsAreNotWhatTheIndexSays) {
  const std::function<void(StoreWorld&)> harms[] = {
      [](StoreWorld& w) { ASSERT_TRUE(w.files.Remove(kFirst)); },
      [](StoreWorld& w) { w.files.Put(kFirst, w.files.Read(kFirst, 0, 40).value()); },
      [](StoreWorld& w) { w.files.Put(kFirst, w.files.Read(kFirst, 0, 4000).value() + "x"); },
  };
  for (const auto& harm : harms) {
    StoreWorld world;
    world.Put(Movie(1, "one", 1, world.clock.Now()));
    world.Commit();
    world.Seal();
    world.Put(Movie(2, "two", 1, world.clock.Now()));
    world.Commit();
    world.Seal();
    world.store.reset();
    harm(world);
    const auto opened = testing::StorePieces::Open(world.files, world.catalog, world.clock, world.options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(opened.error().message.find(kFirst), std::string::npos) << opened.error().message;
    EXPECT_EQ(opened.error().hint, Hint::kRebuild);
    // And that mends it, without what is lost.
    ASSERT_TRUE(testing::StorePieces::ForReading(world.files, world.catalog)->Rebuild());
    world.Reopen();
    ASSERT_NE(world.store, nullptr);
    EXPECT_NE(world.View(Film(2)), "none");
  }
}

TEST(AnOlderCatalog, LosesNoneOfTheBytesThatItDoesNotKnow) {
  for (const bool another_segment : {false, true}) {
    Folder folder;
    StoreWorld world;
    world.Put(Movie(1, "one", 1, world.clock.Now()));
    world.Commit();
    if (another_segment) world.Seal();
    Database older = CopyOf(world.catalog, folder);
    // Acknowledged after the copy was made.
    world.clock.Advance(std::chrono::minutes(5));
    world.Put(Movie(1, "uno", 1, world.clock.Now()));
    world.Put(Movie(2, "two", 1, world.clock.Now()));
    world.Commit();
    world.store.reset();

    auto opened = testing::StorePieces::Open(world.files, older, world.clock, world.options);
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_EQ((*opened)->writer->notices().size(), 1U);
    EXPECT_NE((*opened)->writer->notices()[0].find(".open.aside-"), std::string::npos)
        << (*opened)->writer->notices()[0];
    const auto report = (*opened)->Verify(true).value();
    EXPECT_TRUE(report.damage.empty()) << report.damage[0].what;
    EXPECT_EQ(report.asides.size(), 1U);
    opened->reset();

    const auto rebuilt = testing::StorePieces::ForReading(world.files, older)->Rebuild();
    ASSERT_TRUE(rebuilt) << rebuilt.error().message;
    EXPECT_TRUE(rebuilt->damage.empty());
    world.store = testing::StorePieces::Open(world.files, older, world.clock, world.options).value();
    EXPECT_TRUE(world.store->writer->notices().empty());
    EXPECT_EQ(world.Steps(Film(1)), "1 insert, 2 update");
    EXPECT_EQ(world.View(Film(2)), Movie(2, "two", 1, {}).data);
    EXPECT_EQ(world.Damage(), "");
    world.store.reset();
  }
}

TEST(AnOlderCatalog, KeepsTheBytesWhenOthersHaveTakenTheirPlace) {
  Folder folder;
  StoreWorld world;
  world.Put(Movie(1, "one", 1, world.clock.Now()));
  world.Commit();
  Database older = CopyOf(world.catalog, folder);
  world.Put(Movie(2, "two", 1, world.clock.Now()));
  world.Commit();
  world.store.reset();
  world.store = testing::StorePieces::Open(world.files, older, world.clock, world.options).value();
  world.Put(Movie(3, "three", 1, world.clock.Now()));
  world.Commit();
  world.Seal();
  const auto report = world.store->Rebuild().value();
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].find("cannot be put back"), std::string::npos) << report.notes[0];
  EXPECT_NE(world.View(Film(3)), "none");
  EXPECT_EQ(world.Damage(), "");
  // Once all that is in it has been fetched again, nothing is kept any more.
  const auto aside = [&] { return world.store->Verify(false).value().asides.size(); };
  EXPECT_EQ(aside(), 1U);
  world.Put(Movie(2, "two", 9, world.clock.Now()));
  world.Commit();
  world.Seal();
  EXPECT_EQ(aside(), 0U);
  world.store.reset();
}

TEST(AKill, LeavesNothingAsideOnceTheSameWasFetchedAgain) {
  StoreWorld world;
  world.Put(Movie(1, "one", 1, world.clock.Now()));
  const auto killed =
      world.store->writer->Commit([]() -> Result<void> { return Fail(ErrorCode::kIo, "killed"); });
  ASSERT_FALSE(killed);
  // As if the batch had not been cut off: whole frames that no transaction knows.
  const std::string line =
      R"({"type":"movie","id":1,"version":1,"change":"delete","fetched_at":"2026-11-22T00:00:00.000Z","status":404,)"
      R"("etag":null,"sha256":null,"data":null})"
      "\n";
  world.files.Put(std::string(kFirst) + ".open", ZstdFrame(line) + "torn");
  world.Reopen();
  ASSERT_NE(world.store, nullptr);
  EXPECT_EQ(world.store->writer->notices().size(), 1U);
  EXPECT_EQ(world.View(Film(1)), "none");
  world.Put(Movie(1, "one", 1, world.clock.Now()));
  world.store->writer->PutGone(Film(1), world.clock.Now()).value();
  world.Commit();
  world.Seal();
  EXPECT_TRUE(world.store->Verify(true).value().notes.empty());
  const auto paths = world.files.List("records").value();
  EXPECT_EQ(paths.size(), 2U);  // the segment and state.json
}

constexpr const char* kSecond = "records/movie/000/000/002.jsonl.zst";
constexpr const char* kThird = "records/movie/000/000/003.jsonl.zst";
constexpr const char* kFilmsState = "records/movie/state.json";

// Three segments with a film in each; the last two are lost.
struct WorldWithoutItsNewestSegments : StoreWorld {
  WorldWithoutItsNewestSegments() {
    for (const int id : {1, 2, 3}) PutSealed(id);
    for (const char* lost : {kSecond, kThird}) EXPECT_TRUE(files.Remove(lost));
  }
  void PutSealed(int id) {
    Put(Movie(id, "x", 1, clock.Now()));
    Commit();
    Seal();
    clock.Advance(days(1));
  }
  void LoseTheCatalog() {
    store.reset();
    std::vector<std::string> tables;
    {
      auto query = catalog.Prepare("SELECT name FROM sqlite_schema WHERE type='table'").value();
      while (query.Step().value()) tables.emplace_back(query.Text(0));
    }
    for (const std::string& table : tables) ASSERT_TRUE(catalog.Execute("DROP TABLE " + table));
  }
  // The files that a rebuild misses.
  std::set<std::string> Rebuild() {
    store.reset();
    return Files(testing::StorePieces::ForReading(files, catalog)->Rebuild().value());
  }
  std::set<std::string> Verify() { return Files(store->Verify(true).value()); }

 private:
  static std::set<std::string> Files(const VerifyReport& report) {
    std::set<std::string> files;
    for (const auto& damage : report.damage) {
      files.insert(damage.file);
      const auto up_to = damage.what.find("up to ");
      if (up_to != std::string::npos) files.insert(damage.what.substr(up_to + 6, damage.file.size()));
    }
    return files;
  }
};

TEST(TheNewestSegments, AreMissedByARebuildAndTheirNumbersAreNotGivenAgain) {
  const std::set<std::string> lost = {kSecond, kThird};
  const std::function<void(WorldWithoutItsNewestSegments&)> losses[] = {
      [](WorldWithoutItsNewestSegments& w) { w.LoseTheCatalog(); },  // state.json remembers them
      [](WorldWithoutItsNewestSegments& w) { ASSERT_TRUE(w.files.Remove(kFilmsState)); },
      [](WorldWithoutItsNewestSegments& w) { w.files.Put(kFilmsState, "x"); },
      [](WorldWithoutItsNewestSegments& w) { ASSERT_TRUE(w.catalog.Execute("ALTER TABLE store_segments DROP COLUMN dead")); },
      [](WorldWithoutItsNewestSegments& w) {
        EXPECT_EQ(w.Rebuild().size(), 2U);
        w.LoseTheCatalog();
      },
      [](WorldWithoutItsNewestSegments& w) {
        ASSERT_TRUE(w.files.Remove(kFilmsState));
        EXPECT_EQ(w.Rebuild().size(), 2U);
        w.LoseTheCatalog();
      },
  };
  for (const auto& lose : losses) {
    WorldWithoutItsNewestSegments world;
    lose(world);
    EXPECT_EQ(world.Rebuild(), lost);
    EXPECT_EQ(world.files.Read(kFilmsState, 0, 4096).value().substr(0, 13), R"({"sequence":3)");
    world.Reopen();
    EXPECT_EQ(world.Verify(), lost);
    EXPECT_NE(world.View(Film(1)), "none");
    EXPECT_EQ(world.View(Film(2)), "none");
    // A follower that has had all three meets what is fetched now behind them.
    world.PutSealed(2);
    EXPECT_TRUE(world.files.Exists("records/movie/000/000/004.jsonl.zst").value());
    EXPECT_EQ(world.files.Read(kFilmsState, 0, 4096).value().substr(0, 13), R"({"sequence":4)");
    EXPECT_EQ(world.Verify(), lost);
    world.Reopen();
    EXPECT_EQ(world.Rebuild(), lost);
  }
}

TEST(TheNewestSegments, AreMissedWhereNoneIsLeft) {
  WorldWithoutItsNewestSegments world;
  ASSERT_TRUE(world.files.Remove(kFirst));
  world.LoseTheCatalog();
  EXPECT_EQ(world.Rebuild(), (std::set<std::string>{kFirst, kThird}));
  world.Reopen();
  world.PutSealed(1);
  EXPECT_TRUE(world.files.Exists("records/movie/000/000/004.jsonl.zst").value());
}

TEST(TheNewestSegments, AreOneDamageHoweverManyAreMissing) {
  WorldWithoutItsNewestSegments world;
  const std::string state = world.files.Read(kFilmsState, 0, 4096).value();
  world.files.Put(kFilmsState, R"({"sequence":900000000)" + state.substr(state.find(',')));
  world.LoseTheCatalog();
  EXPECT_EQ(world.Rebuild(), (std::set<std::string>{kSecond, "records/movie/900/000/000.jsonl.zst"}));
  world.Reopen();
  EXPECT_EQ(world.Verify(), (std::set<std::string>{kSecond, "records/movie/900/000/000.jsonl.zst"}));
  // There are no such numbers.
  world.files.Put(kFilmsState, R"({"sequence":4000000000)" + state.substr(state.find(',')));
  world.LoseTheCatalog();
  EXPECT_EQ(world.Rebuild(), (std::set<std::string>{}));
}

TEST(TheNewestSegments, WhenAKillLeftOneOpenBehindThemItIsCutOff) {
  WorldWithoutItsNewestSegments world;
  world.LoseTheCatalog();
  world.Rebuild();
  world.Reopen();
  world.files.Put("records/movie/000/000/004.jsonl.zst.open", "torn");
  world.Reopen();
  ASSERT_NE(world.store, nullptr);
  world.PutSealed(2);
  EXPECT_EQ(world.Verify(), (std::set<std::string>{kSecond, kThird}));
}

TEST(ADamagedRecord, IsStoredAnewWhenItIsFetchedThoughNothingChanged) {
  StoreWorld world({.frame_bytes = 200});
  for (const int id : {1, 2, 3}) world.Put(Movie(id, "x", 1, world.clock.Now()));
  world.Commit();
  world.Seal();
  world.files.FlipBit(kFirst, 40, 3);
  const auto named = [&] {
    std::string text;
    const auto report = world.store->Verify(true).value();
    for (const auto& damage : report.damage) {
      for (const MediaId id : damage.records) text += ToString(id) + " ";
    }
    return text;
  };
  ASSERT_EQ(named(), "movie:1 ");
  world.clock.Advance(days(1));
  EXPECT_EQ(world.Put(Movie(2, "x", 1, world.clock.Now())), Change::kUnchanged);  // it can be read
  EXPECT_EQ(world.Put(Movie(1, "x", 1, world.clock.Now())), Change::kUpdate);
  EXPECT_EQ(world.Put(Movie(1, "x", 1, world.clock.Now())), Change::kUnchanged);
  world.Commit();
  EXPECT_EQ(world.View(Film(1)), Movie(1, "x", 1, {}).data);
  EXPECT_EQ(world.Steps(Film(1)), "2 update");  // its first version is lost
  EXPECT_EQ(named(), "");
  const auto report = world.store->Verify(true).value();
  ASSERT_EQ(report.damage.size(), 1U);  // the place is still named
  EXPECT_EQ(report.damage[0].file, kFirst);
  world.Seal();
  world.Reopen();
  EXPECT_EQ(named(), "");
}

TEST(ADamagedRecord, MakesNoLossOfAnUpdateOrADeletion) {
  StoreWorld world({.frame_bytes = 200});
  for (const int id : {1, 2, 3}) world.Put(Movie(id, "x", 1, world.clock.Now()));
  world.Commit();
  world.Seal();
  for (const std::uint64_t byte : {40, 240, 440}) {
    if (byte < world.files.Size(kFirst).value()) world.files.FlipBit(kFirst, byte, 3);
  }
  world.clock.Advance(days(1));
  EXPECT_EQ(world.Put(Movie(1, "x", 2, world.clock.Now())),
            Change::kUpdate);  // statistics alone would be no base
  EXPECT_EQ(world.Put(Movie(2, "y", 1, world.clock.Now())), Change::kUpdate);
  EXPECT_EQ(world.store->writer->PutGone(Film(3), world.clock.Now()).value(), Change::kDelete);
  world.Commit();
  for (const int id : {1, 2, 3}) {
    EXPECT_EQ(world.Steps(Film(id)).find("damaged"), std::string::npos) << id;
    EXPECT_TRUE(world.store->reader.Find(Film(id))) << id;
  }
}

TEST(PlainVerify, FindsAChangedByteAndNamesTheRecords) {
  StoreWorld world;
  for (const int id : {1, 2}) world.Put(Movie(id, "x", 1, world.clock.Now()));
  world.Commit();
  EXPECT_TRUE(world.store->Verify(false).value().damage.empty());
  const std::string open = std::string(kFirst) + ".open";
  for (const bool sealed : {false, true}) {
    if (sealed) world.Seal();
    const std::string path = sealed ? kFirst : open;
    world.files.FlipBit(path, 40, 3);
    const auto report = world.store->Verify(false).value();
    ASSERT_EQ(report.damage.size(), 1U);
    EXPECT_EQ(report.damage[0].file, path);
    EXPECT_EQ(report.damage[0].records, (std::vector{Film(1), Film(2)}));
    world.files.FlipBit(path, 40, 3);
    EXPECT_TRUE(world.store->Verify(false).value().damage.empty());
  }
}

TEST(Verify, NamesTheSameDamageHoweverFewLinesItHoldsAtOnce) {
  StoreWorld world;
  for (int id = 1; id <= 6; ++id) {
    world.Put(Movie(id, fmt::format("film {}", id), 1, world.clock.Now()));
    world.Put(Movie(100 + id, "another", 1, world.clock.Now()));
    world.Commit();
    world.Seal();
  }
  // Two are cut, one is gone, one has a changed byte; of one the index has lost the row.
  const auto path = [](int number) { return fmt::format("records/movie/000/000/00{}.jsonl.zst", number); };
  world.files.Put(path(1), world.files.Read(path(1), 0, 40).value());
  world.files.Put(path(2), world.files.Read(path(2), 0, 41).value());
  ASSERT_TRUE(world.files.Remove(path(4)));
  std::string bytes = world.files.Read(path(5), 0, 10'000).value();
  bytes[bytes.size() / 2] ^= 1;
  world.files.Put(path(5), bytes);
  ASSERT_TRUE(world.catalog.Execute("DELETE FROM store_segments WHERE number=6"));
  for (const bool deep : {false, true}) {
    const auto text = [&](std::int64_t lines_at_once) {
      const VerifyReport report = Verify(world.files, world.catalog, deep, {}, lines_at_once).value();
      std::string all = fmt::format("{} segments, {} records\n", report.segments, report.records);
      for (const Damage& damage : report.damage) {
        all += fmt::format("{} {} {}", damage.file, damage.offset, damage.what);
        for (const MediaId id : damage.records) all += " " + ToString(id);
        all += "\n";
      }
      return all;
    };
    const std::string at_once = text(kLinesAtOnce);
    for (const char* id : {"movie:4 ", "movie:104\n", "movie:5 ", "movie:105\n", "movie:6\n", "movie:106\n"})
      EXPECT_NE(at_once.find(id), std::string::npos) << id << "\n" << at_once;
    EXPECT_EQ(at_once.find("movie:3"), std::string::npos) << at_once;
    for (const std::int64_t lines : {1, 2, 3, 5}) EXPECT_EQ(text(lines), at_once) << lines;
  }
}

TEST(AFullDisk, LetsTheRunEndWithItsBatchUncommitted) {
  StoreWorld world;
  world.Put(Movie(1, "first", 1, world.clock.Now()));
  world.Commit();
  world.files.SetCapacity(world.files.bytes_used() + 20);
  world.Put(Movie(2, "second", 1, world.clock.Now()));
  ASSERT_FALSE(world.store->writer->Commit({}));
  const auto sealed = world.store->writer->Seal();
  EXPECT_TRUE(sealed || sealed.error().code == ErrorCode::kNoSpace) << sealed.error().message;
  world.files.SetCapacity(std::nullopt);
  world.Commit();
  world.Seal();
  EXPECT_NE(world.View(Film(1)), "none");
  EXPECT_NE(world.View(Film(2)), "none");
  EXPECT_EQ(world.Damage(), "");
}

// A process that may read the folder and not write to it: of another user, where we are the superuser.
class ReadOnlyFolder : public ::testing::Test {
 protected:
  void Make(bool leave_log) {
    ::chmod(folder.path.c_str(), 0755);
    PosixFileSystem files(folder.path);
    Database catalog = Database::Open(folder.path + "/catalog.db", Database::Mode::kReadWrite).value();
    const auto store = testing::StorePieces::Open(files, catalog, clock, {}).value();
    ASSERT_TRUE(store->writer->Put(Movie(1, "one", 1, clock.Now())));
    ASSERT_TRUE(store->writer->Commit({}));
    if (leave_log) {
      std::filesystem::copy(folder.path + "/catalog.db-wal", folder.path + "/log");
    } else {
      ASSERT_TRUE(store->writer->Seal());
    }
  }
  template <class Act>
  void AsReader(const Act& act) {
    const bool root = ::geteuid() == 0;
    ::chmod(folder.path.c_str(), 0555);
    ASSERT_EQ(root ? ::seteuid(65534) : 0, 0);
    act();
    ASSERT_EQ(root ? ::seteuid(0) : 0, 0);
    ::chmod(folder.path.c_str(), 0755);
  }

  testing::FakeClock clock;
  Folder folder;
};

TEST_F(ReadOnlyFolder, IsReadAsItIs) {
  Make(false);
  AsReader([&] {
    PosixFileSystem files(folder.path);
    auto catalog = Database::Open(folder.path + "/catalog.db", Database::Mode::kReadOnly);
    ASSERT_TRUE(catalog) << catalog.error().message;
    const auto store = testing::StorePieces::ForReading(files, *catalog);
    const auto found = store->reader.Find(Film(1));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->data, Movie(1, "one", 1, {}).data);
    EXPECT_EQ(store->ledger.Counts().value()[0].second.live, 1);
    EXPECT_TRUE(store->Verify(true).value().damage.empty());
    EXPECT_FALSE(std::filesystem::exists(folder.path + "/catalog.db-shm"));
  });
}

TEST_F(ReadOnlyFolder, IsNotReadPastALogThatHoldsMore) {
  Make(true);
  std::filesystem::rename(folder.path + "/log", folder.path + "/catalog.db-wal");
  AsReader([&] {
    auto catalog = Database::Open(folder.path + "/catalog.db", Database::Mode::kReadOnly);
    EXPECT_FALSE(catalog);  // rather than an answer from before
  });
}

}  // namespace
}  // namespace tmdbc
