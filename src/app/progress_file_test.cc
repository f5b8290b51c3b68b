// SPDX-License-Identifier: MIT
#include "app/progress_file.h"

#include <gtest/gtest.h>

#include "app/program_world_test.h"
#include "harvester/upstream_time.h"
#include "harvester/watermarks.h"
#include "queue/sqlite_queue.h"

namespace tmdbc {
namespace {

using testing::DataStore;
using testing::Outcome;

std::chrono::sys_days Day(std::string_view text) {
  return ParseDate(text).value();
}

// A store in ./data with a film, and the file beside it.
class ProgressFileTest : public testing::ProgramWorld {
 protected:
  struct Open {
    Open() : queue(SqliteIdQueue::Open(store.catalog(), store.clock()).value()) {
      EXPECT_TRUE(CreateWatermarks(store.catalog()));
      EXPECT_TRUE(file.Open());
    }
    void Reach(std::string_view day) { ASSERT_TRUE(SetWatermark(store.catalog(), MediaType::kMovie, Day(day))); }
    void Queue(std::int64_t id) { ASSERT_TRUE(queue->Send(std::vector<QueueItem>{{{MediaType::kMovie, id}, 1}})); }
    void Bury() {
      const auto messages = queue->Receive(1, std::chrono::seconds(60)).value();
      ASSERT_EQ(messages.size(), 1u);
      ASSERT_TRUE(queue->Bury(messages[0].receipt, "HTTP 500"));
    }
    void Fetch() {
      const auto messages = queue->Receive(1, std::chrono::seconds(60)).value();
      ASSERT_EQ(messages.size(), 1u);
      ASSERT_TRUE(queue->Settle(std::vector<Receipt>{messages[0].receipt}));
    }

    DataStore store;
    std::unique_ptr<SqliteIdQueue> queue;
    ProgressFile file{store.files(), store.catalog(), *queue};
  };

  static std::string Text() { return PosixFileSystem("data").Read("progress.json", 0, 1 << 20).value_or(""); }
  static void Spoil(std::size_t at) {
    std::string text = Text();
    text[at] ^= 1;
    ASSERT_TRUE(PosixFileSystem("data").Remove("progress.json"));
    ASSERT_TRUE(WriteWhole(*std::make_unique<PosixFileSystem>("data"), "progress.json", text));
  }
  static void LoseTheCatalog() {
    for (const char* name : {"catalog.db", "catalog.db-wal", "catalog.db-shm"})
      std::filesystem::remove(std::filesystem::path("data") / name);
  }
  static std::optional<std::chrono::sys_days> Watermark() {
    const auto dir = DataDir::OpenForReading("data").value();
    Database catalog = dir.OpenCatalog().value();
    const auto watermarks = ReadWatermarks(catalog).value();
    const auto found = watermarks.find(MediaType::kMovie);
    return found == watermarks.end() ? std::nullopt : std::optional(found->second);
  }
  static void StoreAFilm(Open& open) {
    open.store.Put({MediaType::kMovie, 550}, R"({"id":550})", "2026-11-01T00:00:00Z");
    open.store.Seal();
  }
};

TEST_F(ProgressFileTest, SaysTheSameOnceItIsReadAgain) {
  SavedProgress progress;
  progress.feeds[MediaType::kMovie] = {.watermark = Day("2026-11-21"), .sequence = 12, .given_up = {5, 550}};
  progress.upstream_date = ParseTime("2026-11-22T10:00:00.123Z").value();
  progress.exports = {{.name = "movie_ids",
                       .date = Day("2026-11-22"),
                       .lines = 7,
                       .ids = 6,
                       .bytes = 90,
                       .accepted_at = ParseTime("2026-11-22T10:00:01Z").value()}};
  const Time at = ParseTime("2026-11-22T09:00:00Z").value();
  progress.schedules["a \"b\"\n"] = {.planned = at, .started = at, .ended = at, .exit_code = 1};
  progress.schedules["under way"] = {.planned = at, .started = at};
  progress.deletions_accepted_at = at;
  const std::string text = FormatProgress(progress);
  const auto again = ParseProgress(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(FormatProgress(*again), text);
  EXPECT_EQ(again->feeds, progress.feeds);
  EXPECT_EQ(again->schedules, progress.schedules);
  EXPECT_EQ(again->deletions_accepted_at, at);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string flipped = text;
    flipped[i] ^= 1;
    EXPECT_FALSE(ParseProgress(flipped)) << "byte " << i;
    EXPECT_FALSE(ParseProgress(text.substr(0, i)));
  }
  EXPECT_TRUE(ParseProgress(FormatProgress({})));
}

TEST_F(ProgressFileTest, TheWatermarkOfTheFileWaitsForWhatIsQueued) {
  {
    Open open;
    open.Queue(1);
    open.Reach("2026-11-10");  // the first: nothing was stored before it
    ASSERT_TRUE(open.file.Save());
    open.Reach("2026-11-12");
    ASSERT_TRUE(open.file.Save());
    EXPECT_EQ(ParseProgress(Text())->feeds.at(MediaType::kMovie).watermark, Day("2026-11-10"));
    open.Fetch();
    ASSERT_TRUE(open.file.Save());
    EXPECT_EQ(ParseProgress(Text())->feeds.at(MediaType::kMovie).watermark, Day("2026-11-12"));
    open.Queue(2);
    open.Reach("2026-11-13");
    StoreAFilm(open);
    ASSERT_TRUE(open.file.Save());
  }
  LoseTheCatalog();
  ASSERT_EQ(Run({"verify", "--rebuild"}).code, 0);
  EXPECT_EQ(Watermark(), Day("2026-11-12")) << "film 2, which was queued with the 12th, is listed again";
}

TEST_F(ProgressFileTest, WithoutAFileToGoByAnEarlierWatermarkIsNotTakenForFetched) {
  {
    Open open;
    open.Reach("2026-11-10");
    open.Queue(1);
    StoreAFilm(open);
  }
  Open open;  // a later process, and the file was never written
  ASSERT_TRUE(open.file.Save());
  EXPECT_TRUE(ParseProgress(Text())->feeds.empty());
}

TEST_F(ProgressFileTest, WhatWasGivenUpIsTriedAgainAfterTheLoss) {
  {
    Open open;
    open.Reach("2026-11-10");
    open.Queue(7);
    open.Bury();
    StoreAFilm(open);
    ASSERT_TRUE(open.file.Save());
  }
  LoseTheCatalog();
  ASSERT_EQ(Run({"verify", "--rebuild"}).code, 0);
  Open open;
  const auto waiting = open.queue->Peek(MediaType::kMovie, 10).value();
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].id.id, 7);
}

TEST_F(ProgressFileTest, TheCatalogIsTheMasterWhileItIsThere) {
  {
    Open open;
    StoreAFilm(open);
    open.Reach("2026-11-10");
    ASSERT_TRUE(open.file.Save());
    open.Reach("2026-11-05");  // as after a clock that was wrong
  }
  ASSERT_EQ(Run({"verify", "--rebuild"}).code, 0);
  EXPECT_EQ(Watermark(), Day("2026-11-05"));
}

TEST_F(ProgressFileTest, ADamagedFileIsNamedAndPassedOver) {
  {
    Open open;
    StoreAFilm(open);
    open.Reach("2026-11-10");
    ASSERT_TRUE(open.file.Save());
  }
  Spoil(Text().find("2026-11-10") + 9);
  LoseTheCatalog();
  const Outcome rebuilt = Run({"verify", "--rebuild"});
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_NE(rebuilt.out.find("progress.json does not match its checksum"), std::string::npos) << rebuilt.out;
  EXPECT_EQ(Watermark(), std::nullopt) << "the harvester goes back to the oldest verification";
}

TEST_F(ProgressFileTest, AMissingFileIsNamedWhereNothingElseKnows) {
  {
    Open open;
    StoreAFilm(open);
    open.Reach("2026-11-10");
  }
  EXPECT_EQ(Run({"verify", "--rebuild"}).out.find("progress.json"), std::string::npos) << "the catalog knows";
  LoseTheCatalog();
  const Outcome rebuilt = Run({"verify", "--rebuild"});
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_NE(rebuilt.out.find("progress.json is not there: the next harvest reads"), std::string::npos) << rebuilt.out;
}

TEST_F(ProgressFileTest, OfDaysToComeItIsNotBelieved) {
  {
    Open open;
    StoreAFilm(open);
    open.Reach("2150-01-01");
    ASSERT_TRUE(open.file.Save());
  }
  LoseTheCatalog();
  const Outcome rebuilt = Run({"verify", "--rebuild"});
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_NE(rebuilt.out.find("progress.json speaks of days that have not come yet"), std::string::npos) << rebuilt.out;
  EXPECT_EQ(Watermark(), std::nullopt);
}

// Else `status --coverage` would look for a file that is not there.
TEST_F(ProgressFileTest, AnExportWhoseFileIsGoneIsNotInForce) {
  {
    Open open;
    StoreAFilm(open);
    ASSERT_TRUE(CreateAcceptedExports(open.store.catalog()));
    ASSERT_TRUE(RecordAcceptedExport(open.store.catalog(),
                                     {.name = "movie_ids", .date = Day("2026-11-01"), .lines = 1, .ids = 1}));
    ASSERT_TRUE(open.file.Save());
  }
  LoseTheCatalog();
  ASSERT_EQ(Run({"verify", "--rebuild"}).code, 0);
  EXPECT_EQ(Run({"status", "--coverage"}).code, 0);
}

TEST_F(ProgressFileTest, OfLaterRecordsThanThereAreItIsNotBelieved) {
  {
    Open open;
    StoreAFilm(open);
  }
  std::filesystem::copy("data", "copy", std::filesystem::copy_options::recursive);
  {
    Open open;
    open.store.Put({MediaType::kMovie, 551}, R"({"id":551})", "2026-11-09T00:00:00Z");
    open.store.Seal();
    open.Reach("2026-11-10");
    ASSERT_TRUE(open.file.Save());
  }
  // The records go back to the copy, the file does not.
  LoseTheCatalog();
  std::filesystem::remove_all("data/records");
  std::filesystem::rename("copy/records", "data/records");
  const Outcome rebuilt = Run({"verify", "--rebuild"});
  EXPECT_EQ(rebuilt.code, 1) << rebuilt.err;
  EXPECT_NE(rebuilt.out.find("records/movie/000/000/002.jsonl.zst at 0: missing"), std::string::npos) << rebuilt.out;
  EXPECT_NE(rebuilt.out.find("progress.json: the records of type movie end at 1"), std::string::npos) << rebuilt.out;
  EXPECT_EQ(Watermark(), std::nullopt);
  // Who has read the second segment is not given another one under its number.
  Open open;
  open.store.Put({MediaType::kMovie, 552}, R"({"id":552})", "2026-11-10T00:00:00Z");
  open.store.Seal();
  EXPECT_TRUE(std::filesystem::exists("data/records/movie/000/000/003.jsonl.zst"));
}

TEST_F(ProgressFileTest, WhatAPersonAgreedToIsNotAskedAgain) {
  const Time at = ParseTime("2026-11-02T00:00:00Z").value();
  {
    Open open;
    StoreAFilm(open);
    ASSERT_TRUE(open.store.store().ledger.AcceptDeletions(at));
    ASSERT_TRUE(open.file.Save());
  }
  LoseTheCatalog();
  ASSERT_EQ(Run({"verify", "--rebuild"}).code, 0);
  Open open;
  EXPECT_EQ(open.store.store().ledger.DeletionsAcceptedAt().value(), at);
}

}  // namespace
}  // namespace tmdbc
