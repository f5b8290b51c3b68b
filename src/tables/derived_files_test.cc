// SPDX-License-Identifier: MIT
#include "tables/derived_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>

#include "tables/check.h"
#include "tables/delta_log.h"
#include "tables/publish_world_test.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using testing::Movie;
using testing::PublishWorld;

struct DerivedWorld : PublishWorld {
  PublishReport PublishFilm(const std::string& title) {
    Put(Movie(1, title, 1, store.clock.Now()));
    Seal();
    return Publish();
  }
  std::vector<std::string> Faults() {
    PosixFileSystem files(root);
    const auto report = CheckTables(files, root, stop);
    EXPECT_TRUE(report) << report.error().message;
    return report ? report->faults : std::vector<std::string>{"unread"};
  }
  std::string Text(const std::string& path) {
    std::ifstream file(root / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Write(const std::string& path, const std::string& text) { std::ofstream(root / path, std::ios::binary) << text; }
  void Cut(const std::string& path) { fs::resize_file(root / path, fs::file_size(root / path) / 2); }
  // One byte is another, nothing longer or shorter.
  void Flip(const std::string& path) {
    std::string text = Text(path);
    text[text.size() / 2] ^= 1;
    Write(path, text);
  }
  // Everything is as a publish leaves it, and the next one finds nothing to do.
  void ExpectWhole() {
    EXPECT_EQ(Faults(), std::vector<std::string>());
    ExpectLogsOfTheManifest();
    int acts = 0;
    PublishOptions counting = options;
    counting.before = [&](std::string_view, const std::string&) -> Result<void> {
      ++acts;
      return {};
    };
    EXPECT_FALSE(Publish(counting).published);
    EXPECT_EQ(acts, 0);
  }
};

const std::string kLog = "movies/_delta_log/";
const std::string kEntry = kLog + "00000000000000000001.json";
const std::string kFilm = "movies/0000000000-0000001023.000000002.parquet";

struct Damage {
  std::string name;
  std::function<void(DerivedWorld&)> act;
  std::vector<std::string> mended;
};

const Damage kDamages[] = {
    {"AWholeLog", [](DerivedWorld& w) { fs::remove_all(w.root / kLog); }, {"movies/_delta_log"}},
    {"AnEntryOfALog", [](DerivedWorld& w) { fs::remove(w.root / kEntry); }, {"movies/_delta_log"}},
    {"TheFirstEntry", [](DerivedWorld& w) { fs::remove(w.root / (kLog + "00000000000000000000.json")); },
     {"movies/_delta_log"}},
    {"AnEntryThatIsCut", [](DerivedWorld& w) { w.Cut(kEntry); }, {"movies/_delta_log"}},
    {"AnEntryOfAnotherWriter",
     [](DerivedWorld& w) { w.Write(kLog + "00000000000000000002.json", "{\"remove\":{\"path\":\"a\"}}\n"); },
     {"movies/_delta_log"}},
    {"LogsOfAllTables",
     [](DerivedWorld& w) {
       fs::remove_all(w.root / kLog);
       fs::remove_all(w.root / "movie_cast/_delta_log");
     },
     {"movies/_delta_log", "movie_cast/_delta_log"}},
    {"ADocument", [](DerivedWorld& w) { fs::remove(w.root / "README.md"); }, {"README.md"}},
    {"ADocumentOfOtherWords", [](DerivedWorld& w) { w.Flip("views.sql"); }, {"views.sql"}},
    {"Latest", [](DerivedWorld& w) { fs::remove(w.root / "latest"); }, {"latest"}},
    {"LatestAsAFolder",
     [](DerivedWorld& w) {
       fs::remove(w.root / "latest");
       fs::create_directories(w.root / "latest/movies");
     },
     {"latest"}},
    {"LatestThatPointsElsewhere",
     [](DerivedWorld& w) {
       fs::remove(w.root / "latest");
       fs::create_symlink("snapshots/000000001", w.root / "latest");
     },
     {"latest"}},
    {"Snapshots", [](DerivedWorld& w) { fs::remove_all(w.root / SnapshotPath(2)); }, {"latest"}},
    {"ALink", [](DerivedWorld& w) { fs::remove(w.root / "latest" / kFilm); }, {"latest"}},
    {"ALinkThatIsACopy",
     [](DerivedWorld& w) {
       const std::string text = w.Text(kFilm);
       fs::remove(w.root / "latest" / kFilm);
       w.Write("latest/" + kFilm, text);
     },
     {"latest"}},
    {"TheHint", [](DerivedWorld& w) { fs::remove(w.root / "manifest.json"); }, {"manifest.json"}},
    {"TheList", [](DerivedWorld& w) { fs::remove(w.root / "derived.json"); }, {}},
    {"AListThatIsCut", [](DerivedWorld& w) { w.Cut("derived.json"); }, {}},
};

TEST(DerivedFiles, WhatIsTakenAwayOrDamagedIsToldAndMadeAgainByTheNextPublish) {
  DerivedWorld world;
  world.PublishFilm("A");
  world.PublishFilm("B");
  ASSERT_EQ(world.Faults(), std::vector<std::string>());
  for (const Damage& damage : kDamages) {
    SCOPED_TRACE(damage.name);
    damage.act(world);
    EXPECT_NE(world.Faults(), std::vector<std::string>());
    const PublishReport report = world.Publish();
    EXPECT_FALSE(report.published);
    EXPECT_EQ(std::set(report.mended.begin(), report.mended.end()),
              std::set(damage.mended.begin(), damage.mended.end()));
    world.ExpectWhole();
  }
  // And it goes on from there.
  EXPECT_EQ(world.PublishFilm("C").mended, std::vector<std::string>());
  world.ExpectWhole();
}

TEST(DerivedFiles, ALogThatIsMadeAgainHasTheGenerationsThatAreKept) {
  DerivedWorld world;
  for (const char* title : {"A", "B", "C"}) {
    world.PublishFilm(title);
    world.store.clock.Advance(hours(30));
  }
  world.Publish();  // the first generation goes
  fs::remove_all(world.root / kLog);
  world.Publish();
  EXPECT_TRUE(fs::exists(world.root / DeltaCheckpointPath("movies", 1)));
  EXPECT_NE(world.Text(kEntry).find("000000002.parquet"), std::string::npos);
  EXPECT_NE(world.Text(DeltaEntryPath("movies", 2)).find("000000003.parquet"), std::string::npos);
  EXPECT_EQ(world.Text(kLog + "_last_checkpoint"), "{\"version\":1,\"size\":4}\n");
  world.ExpectWhole();
}

TEST(DerivedFiles, ABuildMakesWhatHasOtherBytesAgain) {
  DerivedWorld world;
  world.PublishFilm("A");
  world.PublishFilm("B");
  world.Flip(kEntry);
  world.Flip(kFilm);
  world.Flip("movie_genres/_delta_log/00000000000000000000.json");
  EXPECT_EQ(world.Faults().size(), 3u);
  EXPECT_FALSE(world.Publish().published) << "sizes tell nothing";
  PublishOptions rebuild = world.options;
  rebuild.rebuild = true;
  const PublishReport report = world.Publish(rebuild);
  EXPECT_TRUE(report.built);
  EXPECT_EQ(report.mended, std::vector<std::string>());
  world.ExpectWhole();
}

TEST(DerivedFiles, ADataFileWithASecondNameIsNotLost) {
  DerivedWorld world;
  world.PublishFilm("A");
  const std::string snapshots = world.Newest().tables.at("snapshots").files.at(0).path;
  fs::remove(world.root / snapshots);
  fs::remove_all(world.root / "movies");
  const PublishReport report = world.Publish();
  EXPECT_FALSE(report.published);
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(world.Ask("SELECT title FROM {movies}"), "A");
  world.ExpectWhole();
}

TEST(DerivedFiles, OfALogStaysWhatTheKeptGenerationsNeed) {
  DerivedWorld world;
  for (int day = 0; day < kCheckpointEvery + 3; ++day) {
    world.PublishFilm("Day " + std::to_string(day));
    world.store.clock.Advance(hours(30));
  }
  EXPECT_FALSE(fs::exists(world.root / DeltaEntryPath("movies", kCheckpointEvery - 1)));
  EXPECT_TRUE(fs::exists(world.root / DeltaCheckpointPath("movies", kCheckpointEvery)));
  world.ExpectWhole();
}

TEST(DerivedFiles, WhileTheHintNamesTheGenerationBeforeNothingIsFinishedAndNothingDamaged) {
  DerivedWorld world;
  world.PublishFilm("A");
  world.PublishFilm("B");
  world.Write("manifest.json", FormatHint(1));
  EXPECT_EQ(world.Faults(), std::vector<std::string>());
  EXPECT_EQ(world.Publish().mended, std::vector<std::string>());
  world.ExpectWhole();
}

TEST(DerivedFiles, WhatAKillLeftUndoneIsNotToldAsDamage) {
  DerivedWorld world;
  for (int day = 0; day < kCheckpointEvery + 2; ++day) {
    world.PublishFilm("Day " + std::to_string(day));
    world.store.clock.Advance(hours(30));
  }
  PublishOptions dying = world.options;
  dying.before = [](std::string_view act, const std::string& path) -> Result<void> {
    if (act == "replace" && path == kDerivedList) return Fail(ErrorCode::kInternal, "killed");
    return {};
  };
  world.Put(Movie(1, "last", 1, world.store.clock.Now()));
  world.Seal();
  ASSERT_FALSE(world.TryPublish(dying));
  EXPECT_EQ(world.Publish().mended, std::vector<std::string>());
  world.ExpectWhole();
}

TEST(DerivedFiles, TablesFromBeforeThereWasAListAreTakenUpInSilence) {
  DerivedWorld world;
  world.PublishFilm("A");
  fs::remove(world.root / "derived.json");
  const PublishReport report = world.PublishFilm("B");
  EXPECT_TRUE(report.published);
  EXPECT_EQ(report.mended, std::vector<std::string>());
  world.ExpectWhole();
}

TEST(DerivedList, IsReadAsItWasWritten) {
  const DerivedList list{.generation = 7, .files = {{"README.md", 12, "ab"}, {"movies/_delta_log/1.json", 0, "cd"}}};
  const auto read = ParseDerivedList(FormatDerivedList(list));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->generation, 7);
  EXPECT_EQ(read->files, list.files);
  for (const char* bad : {"", "{}", R"({"generation":1,"files":[{"path":"../a","bytes":1,"sha256":""}]})",
                          R"({"generation":1,"files":[{"path":"/a","bytes":1,"sha256":""}]})",
                          R"({"generation":1,"files":[{"path":"a","sha256":""}]})"})
    EXPECT_FALSE(ParseDerivedList(bad)) << bad;
}

}  // namespace
}  // namespace tmdbc::tables
