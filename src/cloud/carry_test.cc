// SPDX-License-Identifier: MIT
// A store carried into a bucket, looked at there from afar, and carried back.
#include "cloud/carry.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "cloud/bucket_home.h"
#include "cloud/bucket_view.h"
#include "cloud/cloud_world_test.h"
#include "queue/sqlite_queue.h"
#include "storage/catalog_id.h"
#include "storage/change_feed.h"
#include "storage/compaction.h"
#include "storage/ledger.h"
#include "storage/record_reader.h"
#include "storage/record_writer.h"
#include "storage/verify.h"

namespace tmdbc {
namespace {

using testing::FakeClock;
using testing::MemoryObjectStore;
using testing::ScratchFolder;
using Fault = MemoryObjectStore::Fault;

Document Movie(std::int64_t id, int content, Time at) {
  Document document;
  document.id = {MediaType::kMovie, id};
  document.fetched_at = at;
  document.data = fmt::format(R"({{"id":{},"title":"Title {}"}})", id, content);
  document.hash = HashContent(document.data).value();
  return document;
}

// A DATA_DIR.
struct Home {
  explicit Home(FakeClock& its_clock) : clock(its_clock) {}

  Database Open() { return Database::Open(folder.path() + "/catalog.db", Database::Mode::kReadWrite).value(); }
  void Fill(std::int64_t from, std::int64_t to, int content = 1) {
    Database catalog = Open();
    auto writer = RecordWriter::Open(files, catalog, clock, {}).value();
    for (std::int64_t id = from; id <= to; ++id) {
      clock.Advance(std::chrono::seconds(1));
      ASSERT_TRUE(writer->Put(Movie(id, content, clock.Now())));
      ASSERT_TRUE(writer->Commit({}));
      if (id % 10 == 0) {
        ASSERT_TRUE(writer->Seal());
      }
    }
    ASSERT_TRUE(WriteWhole(files, "exports/movie_ids_2026-11-22.json.gz", "an export"));
    ASSERT_TRUE(WriteWhole(files, "progress.json", "{}"));
  }
  Result<CarryReport> Push(MemoryObjectStore& bucket, const CarryOptions& options = {}) {
    Database catalog = Open();
    return PushStore(files, catalog, clock, bucket, "mark-of-" + std::to_string(number), options);
  }
  Result<CarryReport> PullFrom(MemoryObjectStore& bucket, const CarryOptions& options = {}) {
    return PullStore(bucket, files, folder.path(), options);
  }
  // What is wrong with it; empty: nothing.
  std::string Damage() {
    Database catalog = Database::Open(folder.path() + "/catalog.db", Database::Mode::kReadOnly).value();
    const auto report = Verify(files, catalog, true);
    if (!report) return report.error().message;
    return report->damage.empty() ? "" : report->damage.front().file + ": " + report->damage.front().what;
  }
  std::map<std::string, std::string> Contents() {
    std::map<std::string, std::string> contents;
    for (const char* of : {"records", "exports"}) {
      const auto paths = files.List(of).value();
      for (const std::string& path : paths) contents[path] = files.Read(path, 0, 1 << 20).value();
    }
    return contents;
  }

  FakeClock& clock;
  ScratchFolder folder;
  PosixFileSystem files{folder.path()};
  inline static int made = 0;
  const int number = ++made;
};

std::map<std::string, std::string> Carried(const MemoryObjectStore::Bucket& bucket) {
  std::map<std::string, std::string> contents;
  for (const auto& [key, object] : bucket.objects) {
    if (key.starts_with("records/") || key.starts_with("exports/")) contents[key] = object.bytes;
  }
  return contents;
}

TEST(Carry, ThereAndBackIsTheSameStore) {
  FakeClock clock;
  Home home(clock), other(clock);
  home.Fill(1, 35);
  MemoryObjectStore bucket;
  std::int64_t told = 0, of = 0;
  const auto pushed = home.Push(bucket, {.progress = [&](const CarryReport& report, std::int64_t files) {
                                  told = report.files + report.there;
                                  of = files;
                                }});
  ASSERT_TRUE(pushed) << pushed.error().message;
  EXPECT_EQ(pushed->files, 4 + 1 + 1 + 1 + 1) << "segments, an export, progress.json, state.json, the catalog";
  EXPECT_EQ(told, pushed->files);
  EXPECT_EQ(of, pushed->files);
  EXPECT_TRUE(Carried(bucket.bucket()) == home.Contents());
  EXPECT_FALSE(bucket.bucket().objects.contains(std::string(kPushKey)));

  const auto pulled = other.PullFrom(bucket);
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_TRUE(other.Contents() == home.Contents());
  EXPECT_EQ(other.Damage(), "");
  Database catalog = other.Open();
  EXPECT_TRUE(RecordWriter::Open(other.files, catalog, clock, {})) << "and it is written on";
  // Of a mirror that no machine ever had: a DATA_DIR takes no other program's database.
  Statement id = catalog.Prepare("PRAGMA application_id").value();
  ASSERT_TRUE(id.Step().value());
  EXPECT_EQ(id.Int(0), kCatalogId);
  EXPECT_EQ(other.files.Read("progress.json", 0, 10).value(), "{}");
  EXPECT_EQ(other.PullFrom(bucket).error().code, ErrorCode::kExists) << "never over a store";
}

TEST(Carry, WhatWasPushedIsAMirrorThatAnOwnerTakes) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 20);
  MemoryObjectStore bucket;
  ASSERT_TRUE(home.Push(bucket));
  ScratchFolder folder;
  PosixFileSystem scratch(folder.path());
  BucketHome owner(bucket, scratch, clock);
  ASSERT_TRUE(owner.Take("owner", std::chrono::minutes(15)).value());
  EXPECT_EQ(owner.head().sequences.at(MediaType::kMovie), 2);
  Database catalog = Database::Open(folder.path() + "/catalog.db", Database::Mode::kReadWrite).value();
  BucketFileSystem files(bucket, scratch);
  const auto writer = RecordWriter::Open(files, catalog, clock, {.trust_segments = true});
  ASSERT_TRUE(writer) << writer.error().message;
  ASSERT_TRUE((*writer)->Put(Movie(5, 2, clock.Now())));
  ASSERT_TRUE((*writer)->Commit({}));
  ASSERT_TRUE((*writer)->Seal());
  EXPECT_TRUE(bucket.bucket().objects.contains("records/movie/000/000/003.jsonl.zst"));
}

// The next owner of the mirror fetches what was out with collectors, and once.
TEST(Carry, WhatIsPulledKnowsNothingOfItsBucketAndHasItsIdsWaiting) {
  testing::CloudWorld world;
  for (std::int64_t id = 1; id <= 5; ++id) world.tmdb.Edit({MediaType::kMovie, id});
  world.tmdb.PublishExports();
  const auto machine = world.NewMachine();
  ASSERT_TRUE(world.Ask(*machine, "auto"));
  ASSERT_EQ(world.Head().out_ids, 5);
  ScratchFolder folder;
  PosixFileSystem files(folder.path());
  ASSERT_TRUE(PullStore(machine->store, files, folder.path(), {}));
  Database catalog = Database::Open(folder.path() + "/catalog.db", Database::Mode::kReadWrite).value();
  EXPECT_FALSE(catalog.Prepare("SELECT * FROM sent_batches"));
  EXPECT_FALSE(catalog.Prepare("SELECT * FROM taken_objects"));
  const auto queue = SqliteIdQueue::Open(catalog, world.clock).value();
  EXPECT_EQ(queue->Counts().value().at(MediaType::kMovie), (QueueCounts{.waiting = 5}));
}

TEST(Carry, WhateverCallAPushDiesAtItGoesOnWhenItIsStartedAgain) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 25);
  MemoryObjectStore sound;
  ASSERT_TRUE(home.Push(sound));
  for (const Fault fault : {Fault::kFails, Fault::kLosesAnswer, Fault::kDies}) {
    for (std::int64_t nth = 1;; ++nth) {
      SCOPED_TRACE(fmt::format("fault {} at call {}", int(fault), nth));
      MemoryObjectStore::Bucket bucket;
      MemoryObjectStore first(bucket);
      first.FailAt(nth, fault);
      if (home.Push(first)) {
        EXPECT_GT(nth, 8);
        break;
      }
      MemoryObjectStore second(bucket);
      const auto pushed = home.Push(second);
      ASSERT_TRUE(pushed) << pushed.error().message;
      EXPECT_TRUE(Carried(bucket) == Carried(sound.bucket()));
      Home back(clock);
      const auto pulled = back.PullFrom(second);
      ASSERT_TRUE(pulled) << pulled.error().message;
      EXPECT_EQ(back.Damage(), "");
    }
  }
}

TEST(Carry, APushThatWasStoppedCarriesNothingTwiceAndTakesWhatCameSince) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 30);
  MemoryObjectStore bucket;
  int asked = 0;
  const auto stopped = home.Push(bucket, {.stopping = [&] { return ++asked > 2; }});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(bucket.bucket().objects.contains(std::string(kHeadKey))) << "nothing is in force";
  home.Fill(31, 40);
  {  // what was carried is in another segment by now
    Database catalog = home.Open();
    auto writer = RecordWriter::Open(home.files, catalog, clock, {}).value();
    ASSERT_TRUE(Compact(home.files, catalog, *writer, MediaType::kMovie, {.versions_before = {}}));
  }
  const auto pushed = home.Push(bucket);
  ASSERT_TRUE(pushed) << pushed.error().message;
  EXPECT_TRUE(Carried(bucket.bucket()) == home.Contents());
}

TEST(Carry, ABucketThatHoldsSomethingElseIsLeftAlone) {
  FakeClock clock;
  Home home(clock), other(clock);
  home.Fill(1, 12);
  other.Fill(1, 12, 2);
  const auto refused = [&](MemoryObjectStore& bucket) {
    const auto before = bucket.bucket().puts;
    const auto pushed = home.Push(bucket);
    EXPECT_FALSE(pushed);
    EXPECT_EQ(bucket.bucket().puts, before);
    return pushed ? "" : pushed.error().code == ErrorCode::kExists ? pushed.error().message : "another error";
  };
  MemoryObjectStore photos;
  ASSERT_TRUE(photos.Put("photos/cat.jpg", "x", PutCondition::None()));
  EXPECT_NE(refused(photos).find("photos/cat.jpg"), std::string::npos);
  MemoryObjectStore full;
  ASSERT_TRUE(other.Push(full));
  EXPECT_NE(refused(full).find("not empty"), std::string::npos);
  MemoryObjectStore begun;
  EXPECT_FALSE(other.Push(begun, {.stopping = [] { return true; }}));
  EXPECT_NE(refused(begun).find("another store"), std::string::npos);
  // Deployed already: an owner has looked, and nothing is stored yet.
  MemoryObjectStore bare;
  HeadState head;
  head.epoch = 3;
  head.holder = "a function";
  head.until = clock.Now() + std::chrono::minutes(10);
  ASSERT_TRUE(bare.Put(std::string(kHeadKey), FormatHeadState(head), PutCondition::Absent()));
  EXPECT_NE(refused(bare).find("until"), std::string::npos);
  clock.Advance(std::chrono::minutes(11));
  EXPECT_TRUE(home.Push(bare));
  EXPECT_EQ(BucketView::ReadHead(bare).value().epoch, 4);
}

// The mark of a push has stayed, and an owner has worked on since.
TEST(Carry, AMirrorThatGoesOnByItselfIsNeverPushedOver) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 20);
  MemoryObjectStore bucket;
  bucket.choose_fault = [](std::string_view act, const std::string&) {
    return act == "delete" ? std::optional(Fault::kFails) : std::nullopt;
  };
  ASSERT_TRUE(home.Push(bucket));
  ASSERT_TRUE(bucket.bucket().objects.contains(std::string(kPushKey)));
  ScratchFolder folder;
  PosixFileSystem scratch(folder.path());
  BucketHome owner(bucket, scratch, clock);
  ASSERT_TRUE(owner.Take("owner", std::chrono::minutes(15)).value());
  HeadState next = owner.head();
  ASSERT_TRUE(owner.Publish(next));
  bucket.choose_fault = {};
  ASSERT_TRUE(bucket.Put("records/movie/000/000/003.jsonl.zst", "of the owner", PutCondition::Absent()));
  const auto pushed = home.Push(bucket);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, ErrorCode::kExists);
  EXPECT_TRUE(bucket.bucket().objects.contains("records/movie/000/000/003.jsonl.zst"));
}

TEST(Carry, APullThatWasCutOffGoesOnAndIsNoStoreBefore) {
  FakeClock clock;
  Home home(clock), back(clock);
  home.Fill(1, 30);
  MemoryObjectStore bucket;
  ASSERT_TRUE(home.Push(bucket));
  int asked = 0;
  EXPECT_EQ(back.PullFrom(bucket, {.stopping = [&] { return ++asked > 2; }}).error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(back.files.Exists("catalog.db").value());
  // One of those that came is damaged since.
  ASSERT_TRUE(WriteWhole(back.files, "records/movie/000/000/001.jsonl.zst", "x"));
  const auto pulled = back.PullFrom(bucket);
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_EQ(pulled->there, 1);
  EXPECT_EQ(back.Damage(), "");
}

TEST(Carry, APullBelievesChecksumsAlone) {
  FakeClock clock;
  Home home(clock), back(clock);
  home.Fill(1, 12);
  MemoryObjectStore bucket;
  EXPECT_EQ(back.PullFrom(bucket).error().code, ErrorCode::kNotFound) << "there is no mirror";
  ASSERT_TRUE(home.Push(bucket));
  bucket.bucket().objects.at("records/movie/000/000/001.jsonl.zst").bytes[20] ^= 1;
  const auto pulled = back.PullFrom(bucket);
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(pulled.error().message.find("001.jsonl.zst"), std::string::npos) << pulled.error().message;
  EXPECT_FALSE(back.files.Exists("catalog.db").value());
}

// --- from afar ---

TEST(BucketView, FindsARecordWithAtMostSevenRequests) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 300);
  MemoryObjectStore bucket;
  ASSERT_TRUE(home.Push(bucket));
  MemoryObjectStore reader(bucket.bucket());
  const auto view = BucketView::Open(reader).value();
  RecordReader records(view->files(), view->catalog());
  const auto found = records.Find({MediaType::kMovie, 123});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->data, R"({"id":123,"title":"Title 1"})");
  EXPECT_LE(reader.calls(), 7);
}

// The trees of its index are as deep as those of all TMDB but for one level: a look-up reads a block for each.
TEST(BucketView, FindsARecordOfALargeMirrorWithAtMostSevenRequests) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 300);
  {
    Database catalog = home.Open();
    auto writer = RecordWriter::Open(home.files, catalog, clock, {}).value();
    Document season = Movie(1, 1, clock.Now());
    season.id = {MediaType::kSeason, 3624};
    season.tv_id = 1399;
    season.season_number = 1;
    season.episodes = {{.id = 63056}};
    ASSERT_TRUE(writer->Put(season));
    ASSERT_TRUE(writer->Commit({}));
    ASSERT_TRUE(writer->Seal());
    writer.reset();
    ASSERT_TRUE(catalog.Execute(R"sql(
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
INSERT INTO store_records SELECT r.key + 1000000 + n.i, r.version, r.change, r.fetched_at, r.verified_at, r.content, r.stats,
  r.segment, r.frame_at, r.frame_length, r.line_at, r.line_length, r.tv_id + n.i, r.season_number, r.first_at, r.changes
  FROM n JOIN store_records r ON r.key IN ((SELECT min(key) FROM store_records WHERE tv_id IS NULL),
                                           (SELECT key FROM store_records WHERE tv_id IS NOT NULL));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
INSERT INTO store_episodes SELECT 1000000 + i, 3624 FROM n;
)sql"));
  }
  MemoryObjectStore bucket;
  ASSERT_TRUE(home.Push(bucket));
  const auto requests = [&](const auto& look) {
    MemoryObjectStore reader(bucket.bucket());
    const auto view = BucketView::Open(reader).value();
    RecordReader records(view->files(), view->catalog());
    const auto found = look(records);
    EXPECT_TRUE(found) << found.error().message;
    return reader.calls();
  };
  EXPECT_LE(requests([](RecordReader& records) { return records.Find({MediaType::kMovie, 123}); }), 7);
  EXPECT_LE(requests([](RecordReader& records) { return records.FindSeason(1399, 1); }), 7);
  EXPECT_LE(requests([](RecordReader& records) { return records.FindSeasonOfEpisode(63056); }), 7);
}

TEST(BucketView, ReadsTheFeedAndVerifiesAndWritesNothing) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 40);
  MemoryObjectStore bucket;
  EXPECT_EQ(BucketView::Open(bucket).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(home.Push(bucket));
  const auto puts = bucket.bucket().puts;
  const auto view = BucketView::Open(bucket).value();
  ChangeFeed feed(view->files(), view->catalog());
  std::int64_t lines = 0;
  EXPECT_EQ(feed.Read(MediaType::kMovie, 1,
                      [&](std::int64_t, std::string_view) -> Result<bool> {
                        ++lines;
                        return true;
                      })
                .value(),
            4);
  EXPECT_EQ(lines, 30);
  const auto report = Verify(view->files(), view->catalog(), true);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->damage.empty());
  EXPECT_EQ(report->records, 40);
  ScratchFolder folder;
  const auto whole = BucketView::OpenWhole(bucket, folder.path(), "catalog.db");
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(RecordLedger((*whole)->catalog()).CountLive(MediaType::kMovie).value(), 40);
  EXPECT_EQ(bucket.bucket().puts, puts);
}

TEST(BucketView, TellsWhatIsDamagedFromWhatIsNewerThanItsCatalog) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 20);
  MemoryObjectStore bucket;
  ASSERT_TRUE(home.Push(bucket));
  auto& objects = bucket.bucket().objects;
  // An owner has sealed a third one, and not published yet.
  home.Fill(21, 30);
  for (const char* path : {"records/movie/000/000/003.jsonl.zst", "records/movie/state.json"}) {
    objects[path] = {home.files.Read(path, 0, 1 << 20).value(), "\"new\""};
  }
  for (const bool deep : {false, true}) {
    SCOPED_TRACE(deep);
    const auto view = BucketView::Open(bucket).value();
    const auto calls = bucket.calls();
    const auto report = VerifyView(*view, deep);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->damage.empty()) << report->damage.front().file << ": " << report->damage.front().what;
    EXPECT_GE(report->notes.size(), 1u);
    if (!deep) {
      EXPECT_LE(bucket.calls() - calls, 8) << "no segment is read";
    }
  }
  objects.erase("records/movie/000/000/001.jsonl.zst");
  objects.at("records/movie/000/000/002.jsonl.zst").bytes += "x";
  for (const bool deep : {false, true}) {
    SCOPED_TRACE(deep);
    const auto view = BucketView::Open(bucket).value();
    const auto report = VerifyView(*view, deep);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GE(report->damage.size(), 2u);
  }
}

TEST(BucketView, TellsALostCatalogFromABucketWithoutAMirror) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 10);
  MemoryObjectStore bucket;
  ASSERT_TRUE(home.Push(bucket));
  bucket.bucket().objects.erase(CatalogKey(1));
  ScratchFolder folder;
  for (const bool whole : {false, true}) {
    const auto view = whole ? BucketView::OpenWhole(bucket, folder.path(), "catalog.db") : BucketView::Open(bucket);
    ASSERT_FALSE(view);
    EXPECT_EQ(view.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(view.error().hint, Hint::kRebuild);
  }
}

// The owner publishes again and again while somebody looks.
TEST(BucketView, BeginsAgainWhenItsCatalogIsGone) {
  FakeClock clock;
  Home home(clock);
  home.Fill(1, 10);
  MemoryObjectStore bucket;
  ASSERT_TRUE(home.Push(bucket));
  bool once = true;
  bucket.choose_fault = [&](std::string_view act, const std::string& key) -> std::optional<Fault> {
    if (act == "read" && key == CatalogKey(1) && std::exchange(once, false)) {
      auto& objects = bucket.bucket().objects;
      HeadState head = ParseHeadState(objects.at(std::string(kHeadKey)).bytes).value();
      objects[CatalogKey(9)] = objects.at(CatalogKey(1));
      objects.erase(CatalogKey(1));
      head.catalog.key = CatalogKey(9);
      objects.at(std::string(kHeadKey)).bytes = FormatHeadState(head);
    }
    return std::nullopt;
  };
  const auto view = BucketView::Open(bucket);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ((*view)->head().catalog.key, CatalogKey(9));
}

}  // namespace
}  // namespace tmdbc
