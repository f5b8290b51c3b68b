// SPDX-License-Identifier: MIT
#include "storage/record_writer.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "base/hash.h"
#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::kFightClub;
using testing::MakeDocument;
using testing::Movie;
using testing::Season;
using testing::Show;
using testing::StoreWorld;

constexpr MediaId kFilm{MediaType::kMovie, 550};
constexpr MediaId kShow{MediaType::kTv, 1399};

constexpr MediaId SeasonId(std::int64_t id) {
  return {MediaType::kSeason, id};
}

TEST(RecordWriter, GivesBackTheBytesAndTheEnvelope) {
  StoreWorld world;
  Document document =
      MakeDocument(kFilm, std::string(kFightClub), world.clock.Now() + std::chrono::microseconds(1999));
  document.etag = "W/\"1f\"";
  EXPECT_EQ(world.Put(document), Change::kInsert);
  world.Commit();
  const auto found = world.store->reader.Find(kFilm);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->id, kFilm);
  EXPECT_EQ(found->version, 1);
  EXPECT_EQ(found->change, Change::kInsert);
  EXPECT_EQ(found->status, 200);
  EXPECT_EQ(found->etag, "W/\"1f\"");
  EXPECT_EQ(found->data, kFightClub);
  EXPECT_EQ(found->sha256, Sha256Hex(kFightClub));
  EXPECT_EQ(FormatTime(found->fetched_at), "2026-11-22T00:00:00.001Z");
  EXPECT_EQ(
      found->envelope,
      fmt::format(
          R"({{"type":"movie","id":550,"version":1,"change":"insert","fetched_at":"2026-11-22T00:00:00.001Z",)"
          R"("status":200,"etag":"W/\"1f\"","sha256":"{}","data":{}}})",
          Sha256Hex(kFightClub), kFightClub));
}

TEST(RecordWriter, ShowsNothingBeforeTheCommit) {
  StoreWorld world;
  world.Put(Movie(550, "Fight Club", 1, world.clock.Now()));
  EXPECT_EQ(world.View(kFilm), "none");
  world.Reopen();
  EXPECT_EQ(world.View(kFilm), "none");
  EXPECT_EQ(world.Damage(), "");
}

TEST(RecordWriter, TellsAnIdNeverStoredFromATombstone) {
  StoreWorld world;
  EXPECT_EQ(world.store->reader.Find(kFilm).error().code, ErrorCode::kNotFound);
  world.Put(Movie(550, "Fight Club", 1, world.clock.Now()));
  EXPECT_EQ(world.store->writer->PutGone(kFilm, world.clock.Now()).value(), Change::kDelete);
  world.Commit();
  const auto found = world.store->reader.Find(kFilm);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, 404);
  EXPECT_EQ(found->version, 2);
  EXPECT_EQ(found->data, "");
  EXPECT_EQ(found->sha256, "");
  EXPECT_TRUE(found->envelope.ends_with(R"("status":404,"etag":null,"sha256":null,"data":null})"));
}

TEST(RecordWriter, KeepsTheMembersThatAnAnswerLacks) {
  StoreWorld world;
  const auto put = [&](std::string_view title, std::string_view more, std::vector<std::string> lacking) {
    Document document = MakeDocument(
        kFilm, fmt::format(R"({{"id":550,"title":"{}","overview":"{}"{}}})", title, testing::kOverview, more),
        world.clock.Now());
    document.lacking = std::move(lacking);
    const Change change = world.Put(document);
    world.Commit();
    world.clock.Advance(hours(1));
    return change;
  };
  const std::string reviews = R"(,"reviews":{"results":[ 1.0 ]})";
  EXPECT_EQ(put("A", "", {"reviews"}), Change::kInsert);
  EXPECT_EQ(put("A", reviews + R"(,"videos":{"vote_count":1})", {}), Change::kUpdate);
  EXPECT_EQ(put("A", R"(,"videos":{"vote_count":1})", {"reviews"}), Change::kUnchanged);
  EXPECT_EQ(put("A", R"(,"videos":{"vote_count":2})", {"reviews"}), Change::kStats);
  EXPECT_EQ(put("B", "", {"reviews", "videos", "credits"}), Change::kUpdate);
  EXPECT_TRUE(world.View(kFilm).ends_with('"' + reviews + R"(,"videos":{"vote_count":2}})")) << world.View(kFilm);
  EXPECT_EQ(world.Steps(kFilm), "1 insert, 2 update, 3 update");
  EXPECT_EQ(world.Damage(), "");
}

// Runs the same story with a commit after each step and with one at the end: the batch must see itself.
class RecordWriterHistory : public ::testing::TestWithParam<bool> {
 protected:
  void Tick() {
    if (GetParam()) world.Commit();
    world.clock.Advance(hours(1));
  }
  Time Now() { return world.clock.Now(); }
  StoreWorld world;
};

TEST_P(RecordWriterHistory, KeepsEveryVersionOnce) {
  EXPECT_EQ(world.Put(Movie(550, "Fight Club", 1, Now())), Change::kInsert);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "Fight Club", 1, Now())), Change::kUnchanged);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "Fight Club", 2, Now())), Change::kStats);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "Fight Club", 3, Now())), Change::kStats);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "Klub walki", 3, Now())), Change::kUpdate);
  Tick();
  EXPECT_EQ(world.store->writer->PutGone(kFilm, Now()).value(), Change::kDelete);
  Tick();
  EXPECT_EQ(world.store->writer->PutGone(kFilm, Now()).value(), Change::kUnchanged);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "Klub walki", 3, Now())), Change::kRestore);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "Klub walki", 4, Now())), Change::kStats);
  world.Commit();

  EXPECT_EQ(world.Steps(kFilm), "1 insert, 2 update, 3 delete, 4 restore");
  const auto history = world.store->reader.History(kFilm).value();
  EXPECT_EQ(history[0].data, Movie(550, "Fight Club", 1, {}).data);  // as the version began
  EXPECT_EQ(FormatTime(history[0].fetched_at), "2026-11-22T00:00:00.000Z");
  EXPECT_EQ(history[3].data, Movie(550, "Klub walki", 3, {}).data);
  const auto view = world.store->reader.Find(kFilm).value();
  EXPECT_EQ(view.data, Movie(550, "Klub walki", 4, {}).data);
  EXPECT_EQ(view.change, Change::kStats);
  EXPECT_EQ(view.version, 4);
  const auto counts = world.store->ledger.Counts().value();
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].second.live, 1);
  EXPECT_EQ(counts[0].second.versions, 4);
  EXPECT_EQ(world.Damage(), "");
}

// The machine's clock was a month ahead for one run, then right again; or NTP came late.
TEST_P(RecordWriterHistory, TakesTheLaterAnswerWhateverTheClockSays) {
  const Time right = Now();
  const Time ahead = right + hours(24 * 30);
  const auto ms = [](int count) { return std::chrono::milliseconds(count); };
  EXPECT_EQ(world.Put(Movie(550, "first", 1, ahead)), Change::kInsert);
  EXPECT_EQ(world.Put(Movie(551, "same", 1, ahead)), Change::kInsert);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "second", 1, right)), Change::kUpdate);
  EXPECT_EQ(world.Put(Movie(551, "same", 1, right)), Change::kUnchanged);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "second", 2, right)), Change::kStats);
  Tick();
  EXPECT_EQ(world.store->writer->PutGone(kFilm, right).value(), Change::kDelete);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "third", 2, right + hours(1))), Change::kRestore);
  world.Commit();
  EXPECT_EQ(world.View(kFilm), Movie(550, "third", 2, {}).data);
  EXPECT_EQ(world.Steps(kFilm), "1 insert, 2 update, 3 delete, 4 restore");
  // The history's times ascend, so that every moment has one version.
  const auto history = world.store->reader.History(kFilm).value();
  EXPECT_EQ(history[0].fetched_at, ahead);
  EXPECT_EQ(history[1].fetched_at, ahead + ms(1));
  EXPECT_EQ(history[2].fetched_at, ahead + ms(3));
  EXPECT_EQ(history[3].fetched_at, ahead + ms(4));
  EXPECT_EQ(world.store->reader.FindAsOf(kFilm, ahead).value().version, 1);
  // What counts as confirmed is when TMDB was asked.
  EXPECT_EQ(world.store->ledger.StateOf(kFilm).value().verified_at, right + hours(1));
  EXPECT_EQ(world.store->ledger.StateOf({MediaType::kMovie, 551}).value().verified_at, right);
  EXPECT_EQ(world.Damage(), "");
}

TEST_P(RecordWriterHistory, CountsIdsThatNeverWere) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(world.store->writer->PutGone(kFilm, Now()).value(), Change::kUnchanged);
    Tick();
  }
  world.store->writer->PutGone({MediaType::kMovie, 7}, Now()).value();
  world.Commit();
  EXPECT_EQ(world.View(kFilm), "none");
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.missing, 2);
  Tick();
  EXPECT_EQ(world.Put(Movie(550, "Fight Club", 1, Now())), Change::kInsert);
  world.Commit();
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.missing, 1);
  EXPECT_EQ(world.Steps(kFilm), "1 insert");
}

TEST_P(RecordWriterHistory, TakesTheSeasonsOfADeletedShowAlong) {
  world.Put(Show(1399, "Game of Thrones", Now()));
  world.Put(Season(3624, 1399, 1, 10, Now()));
  world.Put(Season(3625, 1399, 2, 10, Now()));
  world.Put(Season(9000, 60735, 1, 3, Now()));
  Tick();
  EXPECT_EQ(world.store->writer->PutGone(kShow, Now()).value(), Change::kDelete);
  world.Commit();
  for (const MediaId id : {kShow, SeasonId(3624), SeasonId(3625)})
    EXPECT_EQ(world.View(id), "404") << ToString(id);
  EXPECT_NE(world.View(SeasonId(9000)), "404");
  EXPECT_TRUE(world.store->ledger.SeasonNumbers(1399).value().empty());
  const auto tombstone = world.store->reader.FindSeason(1399, 2).value();
  EXPECT_EQ(tombstone.status, 404);
  EXPECT_EQ(tombstone.tv_id, 1399);
  EXPECT_EQ(tombstone.season_number, 2);
  Tick();
  EXPECT_EQ(world.Put(Show(1399, "Game of Thrones", Now())), Change::kRestore);
  EXPECT_EQ(world.Put(Season(3624, 1399, 1, 10, Now())), Change::kRestore);
  world.Commit();
  EXPECT_EQ(world.Steps(SeasonId(3624)), "1 insert, 2 delete, 3 restore");
  EXPECT_EQ(world.store->ledger.SeasonNumbers(1399).value(), std::vector<std::int64_t>{1});
  EXPECT_EQ(world.Damage(), "");
}

TEST_P(RecordWriterHistory, DeletesSeasonsThatAreNotListedAnyMore) {
  for (const int number : {0, 1, 2, 3}) world.Put(Season(3620 + number, 1399, number, 2, Now()));
  Tick();
  world.Put(Season(3621, 1399, 1, 2, Now()));
  ASSERT_TRUE(world.store->PutSeasonList(1399, {{1, 3}}, Now()));
  Tick();
  ASSERT_TRUE(world.store->PutSeasonList(1399, {{1, 3}}, Now()));  // nothing is left to do
  world.Commit();
  EXPECT_EQ(world.store->ledger.SeasonNumbers(1399).value(), (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(world.Steps(SeasonId(3620)), "1 insert, 2 delete");
  EXPECT_EQ(world.Steps(SeasonId(3621)), "1 insert");
  EXPECT_EQ(world.Steps(SeasonId(3622)), "1 insert, 2 delete");
}

TEST_P(RecordWriterHistory, LetsOneSeasonTakeTheNumberOfAnother) {
  world.Put(Season(3624, 1399, 1, 2, Now()));
  Tick();
  world.Put(Season(5000, 1399, 1, 3, Now()));
  ASSERT_TRUE(world.store->PutSeasonList(1399, {{1}}, Now()));
  world.Commit();
  EXPECT_EQ(world.store->reader.FindSeason(1399, 1).value().id, SeasonId(5000));
  EXPECT_EQ(world.View(SeasonId(3624)), "no longer listed");
  EXPECT_EQ(world.store->ledger.SeasonNumbers(1399).value(), std::vector<std::int64_t>{1});
}

TEST_P(RecordWriterHistory, LetsSeasonsSwapTheirNumbers) {
  world.Put(Season(3624, 1399, 1, 2, Now()));
  world.Put(Season(3625, 1399, 2, 3, Now()));
  Tick();
  world.Put(Season(3625, 1399, 1, 3, Now()));
  world.Put(Season(3624, 1399, 2, 2, Now()));
  ASSERT_TRUE(world.store->PutSeasonList(1399, {{1, 2}}, Now()));
  world.Commit();
  EXPECT_EQ(world.store->reader.FindSeason(1399, 1).value().id, SeasonId(3625));
  EXPECT_EQ(world.store->reader.FindSeason(1399, 2).value().id, SeasonId(3624));
  EXPECT_EQ(world.Steps(SeasonId(3624)), "1 insert, 2 update");
}

TEST_P(RecordWriterHistory, FindsTheSeasonOfAnEpisode) {
  world.Put(Season(3624, 1399, 1, 10, Now()));
  Tick();
  Document moved = Season(4000, 1399, 2, 1, Now());
  moved.data.replace(moved.data.find("400001"), 6, "362410");  // an episode that was the other season's
  moved.episodes = EpisodesOf(moved.data).value();
  moved.hash = HashContent(moved.data).value();
  world.Put(moved);
  world.Commit();
  EXPECT_EQ(world.store->reader.FindSeasonOfEpisode(362401).value().id, SeasonId(3624));
  EXPECT_EQ(world.store->reader.FindSeasonOfEpisode(362410).value().id, SeasonId(4000));
  EXPECT_EQ(world.store->reader.FindSeasonOfEpisode(400001).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(world.store->reader.FindSeason(1399, 1).value().id, SeasonId(3624));
  EXPECT_EQ(world.store->reader.FindSeason(1399, 7).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(world.store->reader.FindSeason(1, 1).error().code, ErrorCode::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(CommitEachStep, RecordWriterHistory, ::testing::Values(true));
INSTANTIATE_TEST_SUITE_P(CommitAtTheEnd, RecordWriterHistory, ::testing::Values(false));

TEST(RecordWriter, WritesOfAnUnchangedFetchOnlyThatThereWasOne) {
  StoreWorld world;
  world.Put(Movie(550, "Fight Club", 1, world.clock.Now()));
  world.Commit();
  const std::uint64_t bytes = world.files.bytes_used();
  world.clock.Advance(minutes(10));
  EXPECT_EQ(world.Put(Movie(550, "Fight Club", 1, world.clock.Now())), Change::kUnchanged);
  world.Commit();
  EXPECT_LT(world.files.bytes_used(), bytes + 150);
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.oldest_verified, world.clock.Now());
}

TEST(RecordWriter, StoresABodyWithLineBreaksAsOneLine) {
  StoreWorld world;
  world.Put(MakeDocument(kFilm, "{\"id\":550,\r\n  \"title\": \"a\\nb\"}\n", world.clock.Now()));
  world.Commit();
  EXPECT_EQ(world.View(kFilm), R"({"id":550,"title":"a\nb"})");
  EXPECT_EQ(world.Damage(), "");
}

TEST(RecordWriter, RefusesWhatCannotBeARecord) {
  StoreWorld world;
  for (const MediaId id : {MediaId{MediaType::kMovie, 0}, MediaId{MediaType::kMovie, -1},
                           MediaId{MediaType::kMovie, 1LL << 52}, MediaId{MediaType::kEpisode, 1}}) {
    EXPECT_EQ(world.store->writer->Put(MakeDocument(id, "{}", world.clock.Now())).error().code,
              ErrorCode::kInvalid);
    EXPECT_EQ(world.store->writer->PutGone(id, world.clock.Now()).error().code, ErrorCode::kInvalid);
  }
  Document huge = Movie(1, "x", 1, world.clock.Now());
  huge.data = "\"" + std::string((64 << 20) - 100, 'x') + "\"";
  EXPECT_EQ(world.store->writer->Put(std::move(huge)).error().code, ErrorCode::kInvalid);
  world.Put(Movie(550, "Fight Club", 1, world.clock.Now()));
  world.Commit();
  EXPECT_EQ(world.Damage(), "");
}

TEST(RecordWriter, KeepsAHugeRecordInAFrameOfItsOwn) {
  StoreWorld world;
  const std::string data = "\"" + std::string(20 << 20, 'x') + "\"";
  world.Put(Movie(1, "before", 1, world.clock.Now()));
  world.Put(MakeDocument(kFilm, data, world.clock.Now()));
  world.Put(Movie(2, "behind", 1, world.clock.Now()));
  world.Commit();
  EXPECT_EQ(world.View(kFilm), data);
  const auto report = world.store->Verify(true).value();
  EXPECT_EQ(report.frames, 3);
  EXPECT_EQ(report.records, 3);
}

TEST(RecordWriter, IsDueBySizeOrAge) {
  StoreWorld world(
      {.commit_interval = seconds(1), .first_commit_interval = seconds(1), .commit_bytes = 3000});
  EXPECT_FALSE(world.store->writer->CommitDue());
  EXPECT_EQ(world.store->writer->CommitDeadline(), std::nullopt);
  world.Put(Movie(550, "Fight Club", 1, world.clock.Now()));
  EXPECT_FALSE(world.store->writer->CommitDue());
  EXPECT_EQ(world.store->writer->CommitDeadline(), world.clock.Mono() + seconds(1));
  world.clock.Advance(seconds(1));
  EXPECT_TRUE(world.store->writer->CommitDue());
  world.Commit();
  EXPECT_FALSE(world.store->writer->CommitDue());
  world.Put(Movie(551, std::string(4000, 'x'), 1, world.clock.Now()));
  EXPECT_TRUE(world.store->writer->CommitDue());
  world.Commit();
  world.store->writer->PutGone({MediaType::kMovie, 9}, world.clock.Now()).value();
  EXPECT_NE(world.store->writer->CommitDeadline(), std::nullopt) << "a verdict alone has to be committed, too";
}

TEST(RecordWriter, CommitsSoonAtFirstSoThatAYoungProcessMakesProgress) {
  StoreWorld world({.commit_interval = seconds(1)});
  for (const int wanted : {100, 200, 400, 800, 1000, 1000}) {
    world.Put(Movie(550, "Fight Club", wanted, world.clock.Now()));
    EXPECT_EQ(world.store->writer->CommitDeadline(), world.clock.Mono() + std::chrono::milliseconds(wanted));
    world.clock.Advance(std::chrono::milliseconds(wanted));
    world.Commit();
  }
}

TEST(RecordWriter, CommitsWithWhatIsDoneWithin) {
  StoreWorld world;
  ASSERT_TRUE(world.catalog.Execute("CREATE TABLE acks(id INTEGER)"));
  world.Put(Movie(550, "Fight Club", 1, world.clock.Now()));
  const auto refused = world.store->writer->Commit([&]() -> Result<void> {
    TRY(world.catalog.Execute("INSERT INTO acks VALUES(1)"));
    return Fail(ErrorCode::kIo, "the queue failed");
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_EQ(world.View(kFilm), "none");
  EXPECT_TRUE(world.store->writer->CommitDue() || world.store->writer->CommitDeadline());

  world.Put(Movie(551, "Another", 1, world.clock.Now()));
  ASSERT_TRUE(
      world.store->writer->Commit([&] { return world.catalog.Execute("INSERT INTO acks VALUES(2)"); }));
  EXPECT_NE(world.View(kFilm), "none");
  EXPECT_NE(world.View({MediaType::kMovie, 551}), "none");
  auto acks = world.catalog.Prepare("SELECT group_concat(id) FROM acks").value();
  ASSERT_TRUE(acks.Step().value());
  EXPECT_EQ(acks.Text(0), "2");
  EXPECT_EQ(world.Damage(), "");
}

TEST(RecordWriter, RunsWhatIsWithinOfAnEmptyBatch) {
  StoreWorld world;
  bool ran = false;
  ASSERT_TRUE(world.store->writer->Commit([&]() -> Result<void> {
    ran = true;
    return {};
  }));
  EXPECT_TRUE(ran);
  EXPECT_EQ(world.files.changes(), 0);
}

TEST(RecordWriter, GoesOnWhenThereIsRoomAgain) {
  StoreWorld world;
  world.Put(Movie(1, "first", 1, world.clock.Now()));
  world.Commit();
  world.files.SetCapacity(world.files.bytes_used() + 20);
  world.Put(Movie(2, "second", 1, world.clock.Now()));
  for (int i = 0; i < 2; ++i) {
    const auto full = world.store->writer->Commit({});
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kNoSpace);
    EXPECT_NE(full.error().message.find("records/movie/000/000/001.jsonl.zst.open: No space left"),
              std::string::npos)
        << full.error().message;
    EXPECT_EQ(world.View({MediaType::kMovie, 2}), "none");
    EXPECT_EQ(world.Damage(), "");
  }
  world.Put(Movie(3, "third", 1, world.clock.Now()));
  world.files.SetCapacity(std::nullopt);
  world.Commit();
  EXPECT_EQ(world.View({MediaType::kMovie, 2}), Movie(2, "second", 1, {}).data);
  EXPECT_EQ(world.View({MediaType::kMovie, 3}), Movie(3, "third", 1, {}).data);
  EXPECT_EQ(world.Damage(), "");
}

TEST(RecordWriter, GoesOnWhenTheCatalogHasRoomAgain) {
  StoreWorld world;
  auto pages = world.catalog.Prepare("PRAGMA page_count").value();
  ASSERT_TRUE(pages.Step().value());
  const auto used = pages.Int(0);
  pages.Reset();
  auto limit = world.catalog.Prepare(fmt::format("PRAGMA max_page_count={}", used)).value();
  ASSERT_TRUE(limit.Step().value());
  limit.Reset();
  for (int id = 1; id <= 200; ++id) world.Put(Movie(id, "x", 1, world.clock.Now()));
  const auto full = world.store->writer->Commit({});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kNoSpace) << full.error().message;
  EXPECT_FALSE(world.catalog.InTransaction());
  auto unlimit = world.catalog.Prepare("PRAGMA max_page_count=1000000").value();
  ASSERT_TRUE(unlimit.Step().value());
  unlimit.Reset();
  world.Commit();
  EXPECT_EQ(world.Damage(), "");
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.live, 200);
}

TEST(RecordWriter, SealsBySizeAgeAndAtTheEnd) {
  StoreWorld world({.segment_bytes = 2000, .segment_age = hours(1)});
  const auto sealed = [&](std::uint32_t number) {
    return world.files.Exists(fmt::format("records/movie/000/000/{:03}.jsonl.zst", number)).value();
  };
  const auto state = [&] { return world.files.Read("records/movie/state.json", 0, 1000).value_or("none"); };
  world.Put(Movie(1, "small", 1, world.clock.Now()));
  world.Commit();
  EXPECT_FALSE(sealed(1));
  EXPECT_EQ(state(), "none");
  world.clock.Advance(hours(1));
  world.Put(Movie(2, "after an hour", 1, world.clock.Now()));
  world.Commit();
  EXPECT_TRUE(sealed(1));
  EXPECT_EQ(state(), "{\"sequence\":1,\"schema\":2,\"timestamp\":\"2026-11-22T01:00:00.000Z\"}\n");

  std::string noise;  // does not compress
  for (int i = 0; noise.size() < 6000; ++i) noise += Sha256Hex(fmt::format("{}", i));
  world.Put(Movie(3, noise, 1, world.clock.Now()));
  world.Commit();
  EXPECT_TRUE(sealed(2));
  EXPECT_TRUE(state().starts_with("{\"sequence\":2,"));

  world.Put(Movie(4, "the last", 1, world.clock.Now()));
  world.Seal();  // leaves the batch alone
  EXPECT_FALSE(sealed(3));
  EXPECT_EQ(world.View({MediaType::kMovie, 4}), "none");
  world.Commit();
  world.Seal();
  EXPECT_TRUE(sealed(3));
  world.Seal();
  world.Reopen();
  world.Seal();  // nothing is open: no empty segments
  EXPECT_FALSE(sealed(4));
  EXPECT_EQ(world.files.List("records/movie").value().size(), 4U);
  for (const int id : {1, 2, 3, 4}) EXPECT_NE(world.View({MediaType::kMovie, id}), "none");
  EXPECT_EQ(world.store->ledger.Counts().value()[0].second.segments, 3);
  EXPECT_EQ(world.Damage(), "");
}

TEST(RecordWriter, NumbersEachTypeByItself) {
  StoreWorld world;
  world.Put(Show(1399, "Game of Thrones", world.clock.Now()));
  world.Put(Season(3624, 1399, 1, 10, world.clock.Now()));
  world.Put(
      MakeDocument({MediaType::kKeyword, 9715}, R"({"id":9715,"name":"superhero"})", world.clock.Now()));
  world.Commit();
  world.Seal();
  EXPECT_EQ(world.files.List("records").value(),
            (std::vector<std::string>{"records/keyword/000/000/001.jsonl.zst", "records/keyword/state.json",
                                      "records/season/000/000/001.jsonl.zst", "records/season/state.json",
                                      "records/tv/000/000/001.jsonl.zst", "records/tv/state.json"}));
}

TEST(RecordWriter, VisitsStoredDeletedAndMissingIdsInOrder) {
  StoreWorld world;
  for (const int id : {30, 10, 50}) world.Put(Movie(id, "x", 1, world.clock.Now()));
  world.store->writer->PutGone({MediaType::kMovie, 50}, world.clock.Now()).value();
  world.store->writer->PutGone({MediaType::kMovie, 20}, world.clock.Now()).value();
  world.store->writer->PutGone({MediaType::kPerson, 5}, world.clock.Now()).value();
  world.Put(Show(15, "x", world.clock.Now()));
  world.Commit();
  std::vector<std::int64_t> ids;
  ASSERT_TRUE(
      world.store->ledger.VisitKnownIds(MediaType::kMovie, [&](std::int64_t id) { ids.push_back(id); }));
  EXPECT_EQ(ids, (std::vector<std::int64_t>{10, 20, 30, 50}));
}

TEST(RecordWriter, IsEmptyForAReaderWhereNothingWasStored) {
  testing::FaultFileSystem files;
  Database catalog = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  const auto store = testing::StorePieces::ForReading(files, catalog);
  const auto found = store->reader.Find(kFilm);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(found.error().message, "no records are stored here yet");
  EXPECT_EQ(store->ledger.Counts().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->popularity.Find(kFilm).error().code, ErrorCode::kNotFound);
}

TEST(RecordWriter, SaysWhichBytesCannotBeRead) {
  StoreWorld world;
  world.Put(Movie(550, "Fight Club", 1, world.clock.Now()));
  world.Commit();
  world.Seal();
  world.files.FlipBit("records/movie/000/000/001.jsonl.zst", 40, 3);
  const auto found = world.store->reader.Find(kFilm);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(
      found.error().message.find("movie:550 version 1 in records/movie/000/000/001.jsonl.zst at byte 0"),
      std::string::npos)
      << found.error().message;
}

// Bytes of the segment after each of two batches of text that takes a search to compress well.
std::pair<std::uint64_t, std::uint64_t> BytesOfTwoBatches(std::uint64_t commit_bytes) {
  StoreWorld world({.commit_bytes = commit_bytes, .zstd_level = 9, .fast_zstd_level = 1});
  std::mt19937 random(7);
  const auto batch = [&](std::int64_t first) {
    for (std::int64_t id = first; id < first + 40; ++id) {
      std::string text;
      while (text.size() < 4000) text += fmt::format("word{} ", random() % 500);
      world.Put(Movie(id, text, 1, world.clock.Now()));
    }
    world.Commit();
    return world.files.Size("records/movie/000/000/001.jsonl.zst.open").value();
  };
  const std::uint64_t first = batch(1), both = batch(1001);
  return {first, both - first};
}

TEST(RecordWriter, CompressesLessWhileBatchesAreEndedByTheirSize) {
  const auto [calm_first, calm_second] = BytesOfTwoBatches(1 << 30);
  const auto [hasty_first, hasty_second] = BytesOfTwoBatches(1000);
  EXPECT_EQ(hasty_first, calm_first);
  EXPECT_GT(hasty_second, calm_second);
}

}  // namespace
}  // namespace tmdbc
