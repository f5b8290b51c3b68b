// SPDX-License-Identifier: MIT
#include "titles/follower.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "storage/store_world_test.h"
#include "titles/search.h"
#include "titles/trending.h"

namespace tmdbc::titles {
namespace {

namespace fs = std::filesystem;
using testing::Movie;
using testing::StoreWorld;

struct FollowerWorld : StoreWorld {
  FollowerWorld() {
    std::string made = fs::temp_directory_path() / "tmdbc-titles-XXXXXX";
    folder = ::mkdtemp(made.data());
    Start();
  }
  ~FollowerWorld() { fs::remove_all(folder); }

  // As after a kill of the follower.
  void Start(FollowerOptions with = {}) {
    follower.reset();
    published = std::make_unique<PublishedTitles>();
    follower = std::make_unique<Follower>(files, catalog, clock, folder, *published,
                                          [this](LogLevel, const std::string& what) { said += what + "\n"; }, with,
                                          &changes);
  }
  bool Poll() {
    const auto polled = follower->Poll(no_stop);
    EXPECT_TRUE(polled) << polled.error().message;
    return polled.value_or(false);
  }
  void PutFilm(std::int64_t id, std::string_view title, double popularity = 1) {
    Put(Movie(id, title, popularity, clock.Now()));
    Commit();
  }
  // "551 550": the films found.
  std::string Find(std::string_view text) {
    const auto titles = published->Current();
    if (!titles) return "no index";
    constexpr std::array kFilms = {MediaType::kMovie};
    std::string ids;
    for (const Found& one : Search(*titles, kFilms, {.text = text}, 0, 20).rows)
      ids += fmt::format("{}{}", ids.empty() ? "" : " ", one.id.id);
    return ids;
  }
  void Damage(std::string_view extension) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() != extension || entry.path().filename().string().rfind("movie", 0) != 0) continue;
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(std::streamoff(fs::file_size(entry.path()) / 2));
      file.put('\x01');
    }
  }

  std::string folder, said;
  StopFlag no_stop;
  RecentChanges changes;
  std::unique_ptr<PublishedTitles> published;
  std::unique_ptr<Follower> follower;
};

TEST(TitleFollower, FindsARecordAsSoonAsItIsCommitted) {
  FollowerWorld world;
  world.Poll();
  EXPECT_EQ(world.Find("fight"), "");
  world.PutFilm(550, "Fight Club");
  EXPECT_TRUE(world.Poll());
  EXPECT_EQ(world.Find("fight"), "550");
  EXPECT_FALSE(world.Poll());
  world.PutFilm(551, "Fight Night", 2);
  world.Poll();
  EXPECT_EQ(world.Find("fight"), "551 550");
}

TEST(TitleFollower, KnowsWhatWasChangedAndWhatIsGone) {
  FollowerWorld world;
  world.PutFilm(550, "Fight Club");
  world.PutFilm(551, "Fight Night");
  world.Poll();
  const auto state = world.published->Current()->state();
  world.PutFilm(550, "Soap Club");
  ASSERT_TRUE(world.store->writer->PutGone({MediaType::kMovie, 551}, world.clock.Now()));
  world.clock.Advance(std::chrono::hours(24));
  (void)world.store->writer->PutGone({MediaType::kMovie, 551}, world.clock.Now());
  world.Commit();
  world.Poll();
  EXPECT_EQ(world.Find("fight"), "");
  EXPECT_EQ(world.Find("soap"), "550");
  EXPECT_NE(world.published->Current()->state(), state);
  world.Seal();
  world.Poll();
  EXPECT_EQ(world.Find("soap"), "550");
}

TEST(TitleFollower, SortsByNewNumbersThatCameAsAPatch) {
  FollowerWorld world;
  world.PutFilm(550, "Fight Club", 3);
  world.PutFilm(551, "Fight Night", 2);
  world.Seal();
  world.Poll();
  EXPECT_EQ(world.Find("fight"), "550 551");
  world.Start();
  world.PutFilm(551, "Fight Night", 9);
  EXPECT_TRUE(world.View({MediaType::kMovie, 551}).contains("9.000"));
  world.Poll();
  EXPECT_EQ(world.Find("fight"), "551 550");
}

TEST(TitleFollower, GoesOnWhereItWasAfterARestart) {
  FollowerWorld world;
  world.Start({.entries_in_memory = 2});
  for (int i = 1; i <= 5; ++i) world.PutFilm(i, "Fight Club", i);
  world.Seal();
  world.Poll();
  world.PutFilm(6, "Fight Club", 6);
  world.Start();
  world.Poll();
  EXPECT_EQ(world.Find("fight club"), "6 5 4 3 2 1");
  EXPECT_EQ(world.said, "");
}

TEST(TitleFollower, IsBuiltAnewWhenItsFilesAreDamagedOrTheFolderIsGone) {
  for (const std::string_view what : {".idx", ".json", "all"}) {
    FollowerWorld world;
    world.PutFilm(550, "Fight Club");
    world.Seal();
    world.Poll();
    world.Start();
    if (what == "all") {
      fs::remove_all(world.folder);
    } else {
      world.Damage(what);
    }
    world.Poll();
    EXPECT_EQ(world.Find("fight"), "550") << what;
    EXPECT_EQ(world.said.contains("built again"), what != "all") << what << world.said;
  }
}

TEST(TitleFollower, IsBuiltAnewForAStoreThatWasMadeAgain) {
  FollowerWorld world;
  world.PutFilm(550, "Fight Club");
  world.Seal();
  world.PutFilm(551, "Fight Night");
  world.Seal();
  world.Poll();
  // As many segments, and fewer.
  for (const int segments : {2, 1}) {
    FollowerWorld other;
    for (int i = 1; i <= segments; ++i) {
      other.PutFilm(i, "Soap");
      other.Seal();
    }
    fs::remove_all(other.folder);
    fs::copy(world.folder, other.folder);
    other.Start();
    other.Poll();
    EXPECT_EQ(other.Find("fight"), "") << segments;
    EXPECT_EQ(other.Find("soap"), segments == 2 ? "1 2" : "1");
    EXPECT_TRUE(other.said.contains("made again"));
  }
}

TEST(TitleFollower, SortsByTheLastExportAndKnowsWhatRises) {
  FollowerWorld world;
  world.PutFilm(550, "Fight Club", 1);
  world.PutFilm(551, "Fight Night", 2);
  PopularityTable table(world.catalog);
  ASSERT_TRUE(table.Create());
  const auto set = [&](float first, float second) {
    const std::array all = {Popularity{550, first}, Popularity{551, second}};
    ASSERT_TRUE(table.Set(MediaType::kMovie, all));
  };
  const auto trending = [&] {
    constexpr std::array kFilms = {MediaType::kMovie};
    std::string ids;
    for (const Found& one : Trending(*world.published->Current(), kFilms, Since::kDay, 0, 20).rows)
      ids += fmt::format("{} ", one.id.id);
    return ids;
  };
  set(20, 10);
  world.Poll();
  EXPECT_EQ(world.Find("fight"), "550 551");
  EXPECT_EQ(trending(), "550 551 ");
  world.clock.Advance(std::chrono::hours(24));
  set(19, 15);
  EXPECT_TRUE(world.Poll());
  EXPECT_EQ(world.Find("fight"), "550 551");
  EXPECT_EQ(trending(), "551 550 ");
  world.Start();
  world.Poll();
  EXPECT_EQ(trending(), "551 550 ");
}

TEST(TitleFollower, MakesNoFoldersAboveItsOwn) {
  FollowerWorld world;
  const std::string above = world.folder;
  world.folder += "/serve";
  world.Start({.entries_in_memory = 1});
  world.Poll();
  EXPECT_TRUE(fs::exists(world.folder));
  // While it works, and when it begins.
  for (const bool begins : {false, true}) {
    fs::remove_all(above);
    if (begins) world.Start();
    world.PutFilm(550, "Fight Club");
    EXPECT_FALSE(world.follower->Poll(world.no_stop));
    EXPECT_FALSE(fs::exists(above));
  }
}

TEST(TitleFollower, LeavesTheFolderToTheOneThatHasIt) {
  FollowerWorld world;
  world.Poll();
  PublishedTitles mine;
  Follower second(world.files, world.catalog, world.clock, world.folder, mine, [](LogLevel, const std::string&) {});
  const auto polled = second.Poll(world.no_stop);
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().code, ErrorCode::kBusy);
}

// What a view of one new record costs must not grow with what came before it.
TEST(TitleFollower, HasAHandfulOfFilesHoweverManyCommitsBringARecordEach) {
  FollowerWorld world;
  world.PutFilm(1, "Film 1");
  world.Seal();
  world.Poll();
  const auto before = world.published->Current();
  for (int id = 2; id <= 300; ++id) {
    world.PutFilm(id, fmt::format("Film {}", id));
    world.Poll();
    ASSERT_EQ(world.Find(fmt::format("film {}", id)), std::to_string(id));
  }
  EXPECT_LE(world.published->Current()->Of(MediaType::kMovie).layers.size(), 12u);
  world.PutFilm(1, "First");
  world.PutFilm(17, "Seventeenth");
  world.Poll();
  EXPECT_EQ(world.Find("first"), "1");
  EXPECT_EQ(world.Find("seventeenth"), "17");
  EXPECT_EQ(world.published->Current()->Of(MediaType::kMovie).Count(), 300u);
  EXPECT_EQ(before->Of(MediaType::kMovie).Count(), 1u) << "what is in use stays as it was";
  world.Start();
  world.Poll();
  EXPECT_EQ(world.published->Current()->Of(MediaType::kMovie).Count(), 300u);
  EXPECT_EQ(world.Find("first"), "1");
}

TEST(TitleFollower, TellsWhichRecordsACommitChanged) {
  FollowerWorld world;
  const MediaId first{MediaType::kMovie, 550}, second{MediaType::kMovie, 551};
  world.PutFilm(550, "Fight Club");
  world.PutFilm(551, "Fight Night");
  EXPECT_FALSE(world.changes.IsUnchanged(first, world.changes.Now())) << "before it has begun";
  world.Poll();
  const auto moment = world.changes.Now();
  const auto unchanged = [&](MediaId id) { return world.changes.IsUnchanged(id, moment); };
  EXPECT_TRUE(unchanged(first));
  world.PutFilm(550, "Soap Club");
  world.changes.Committed();
  EXPECT_FALSE(unchanged(second)) << "it has not been read";
  world.Poll();
  EXPECT_FALSE(unchanged(first));
  EXPECT_TRUE(unchanged(second));
  world.clock.Advance(std::chrono::hours(24));
  ASSERT_TRUE(world.store->writer->PutGone(second, world.clock.Now(), DeletionEvidence::kNotFound));
  world.Commit();
  world.Poll();
  EXPECT_FALSE(unchanged(second));
  const auto later = world.changes.Now();
  world.Start();  // another one, after a failure: it cannot know what the first would have read
  world.Poll();
  EXPECT_FALSE(world.changes.IsUnchanged(first, later));
  EXPECT_TRUE(world.changes.IsUnchanged(first, world.changes.Now()));
}

TEST(TitleFollower, SurvivesAFileThatIsCutOffInUse) {
  for (const std::uintmax_t left : {0, 100, 5000, 40'000}) {
    FollowerWorld world;
    for (int id = 1; id <= 400; ++id) world.PutFilm(id, fmt::format("Film {} of {}", id, id * 7919));
    world.PutFilm(62, "2001: A Space Odyssey");
    world.Seal();
    world.Poll();
    world.PutFilm(550, "Fight Club");
    world.Poll();
    ASSERT_EQ(world.Find("odyssey"), "62") << left;
    for (const auto& entry : fs::directory_iterator(world.folder)) {
      if (entry.path().extension() == ".idx" && fs::file_size(entry.path()) > left) fs::resize_file(entry.path(), left);
    }
    // Any answer, but one; then the one that is right.
    for (const std::string_view text : {"film", "fight", "film 3", "f", "7919"}) (void)world.Find(text);
    const auto titles = world.published->Current();
    (void)Suggest(*titles, "flim", 5);
    world.Poll();
    EXPECT_NE(world.said.find("the title index of movie is built again: a file of it was cut off"), std::string::npos)
        << left << world.said;
    EXPECT_EQ(world.Find("odyssey"), "62");
    EXPECT_EQ(world.Find("fight"), "550");
    EXPECT_FALSE(world.Poll());
  }
}

TEST(TitleFollower, MergesNoFileThatWasCutOff) {
  FollowerWorld world;
  world.Start({.entries_in_memory = 1});
  for (int id = 1; id <= 400; ++id) world.PutFilm(id, fmt::format("Film {}", id));
  world.PutFilm(62, "2001: A Space Odyssey");
  world.Poll();
  for (const auto& entry : fs::directory_iterator(world.folder)) {
    if (entry.path().extension() == ".idx") fs::resize_file(entry.path(), 0);
  }
  // Nobody has looked into it before it is merged.
  world.PutFilm(550, "Fight Club");
  world.Poll();
  EXPECT_EQ(world.Find("odyssey"), "62");
  EXPECT_EQ(world.Find("fight"), "550");
}

}  // namespace
}  // namespace tmdbc::titles
