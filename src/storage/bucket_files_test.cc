// SPDX-License-Identifier: MIT
#include "storage/bucket_files.h"

#include <gtest/gtest.h>

#include <optional>

#include "storage/bucket_world_test.h"

namespace tmdbc {
namespace {

using testing::BucketDisk;
using testing::BucketWorld;
using testing::FaultFileSystem;
using testing::kFirst;
using testing::Life;
using testing::MemoryObjectStore;
using testing::Movie;
using testing::StoreWorld;
using Fault = MemoryObjectStore::Fault;

constexpr const char* kState = "records/movie/state.json";

// Everything below records/ that a follower or a backup would take: all but what is still written.
template <class Files>
std::map<std::string, std::string> Finished(Files& disk) {
  FileSystem& files = disk;
  std::map<std::string, std::string> contents;
  const auto paths = files.List("records").value();
  for (const std::string& path : paths) {
    if (!IsScratchPath(path)) contents[path] = files.Read(path, 0, 1 << 30).value();
  }
  return contents;
}

template <class World>
std::vector<std::string> Feed(World& world) {
  std::vector<std::string> lines;
  for (const MediaType type : kRecordTypes) {
    const auto read = world.store->feed.Read(type, 0, [&](std::int64_t sequence, std::string_view line) -> Result<bool> {
      lines.push_back(fmt::format("{} {}", sequence, line));
      return true;
    });
    EXPECT_TRUE(read) << read.error().message;
  }
  return lines;
}

TEST(BucketFiles, KeepAStoreThatIsByteForByteTheOneInAFolder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    StoreWorld folder;
    BucketWorld bucket;
    Life here(seed), there(seed);
    for (int day = 0; day < 6; ++day) {
      here.Day(folder);
      there.Day(bucket);
      if (day == 3) {
        here.Compact(folder);
        there.Compact(bucket);
      }
      folder.Reopen();
      bucket.files.Restart();
      bucket.Reopen();
    }
    auto kept = Finished(bucket.files);
    // What compactions replaced stays for a day, and no recovery minds.
    for (const std::string& key : bucket.files.files->RemovedObjects()) kept.erase(key);
    EXPECT_TRUE(Finished(folder.files) == kept) << "not the same bytes";
    EXPECT_TRUE(Feed(folder) == Feed(bucket));
    EXPECT_EQ(bucket.Damage(), "");
    for (std::int64_t id = 1; id <= 12; ++id) {
      EXPECT_EQ(folder.View({MediaType::kMovie, id}), bucket.View({MediaType::kMovie, id}));
      EXPECT_EQ(folder.Steps({MediaType::kMovie, id}), bucket.Steps({MediaType::kMovie, id}));
    }
  }
}

TEST(BucketFiles, NothingIsInTheBucketBeforeItIsSealed) {
  BucketWorld world;
  world.Put(Movie(550, "Fight Club", 61, world.clock.Now()));
  world.Commit();
  EXPECT_TRUE(world.files.bucket.bucket().objects.empty());
  world.Seal();
  EXPECT_EQ(world.files.bucket.bucket().objects.size(), 2u) << "the segment and state.json";
  EXPECT_TRUE(world.files.scratch.List("records").value().empty()) << "nothing is left of it on this machine";
}

// Money: an S3 request is $0.4 to $5 a million.
TEST(BucketFiles, ACycleTakesAListAndThreeRequestsAType) {
  BucketWorld world;
  world.Put(Movie(550, "Fight Club", 61, world.clock.Now()));
  world.Commit();
  world.Seal();
  world.files.Restart();
  std::map<std::string, int> acts;
  world.files.bucket.choose_fault = [&](std::string_view act, const std::string&) -> std::optional<Fault> {
    ++acts[std::string(act)];
    return std::nullopt;
  };
  world.Reopen();
  world.Put(Movie(551, "Another", 61, world.clock.Now()));
  world.Commit();
  world.Seal();
  EXPECT_EQ(acts, (std::map<std::string, int>{{"list", 1}, {"get", 1}, {"put", 2}}))
      << "all segments by one list; state.json is read once; then the segment and state.json";
}

TEST(BucketFiles, ReadASegmentThatIsReadThroughWithOneRequestAndARangeWithOne) {
  MemoryObjectStore bucket;
  std::string bytes;
  while (bytes.size() < (3 << 20)) bytes += std::to_string(bytes.size());
  ASSERT_TRUE(bucket.Put(kFirst, bytes, PutCondition::Absent()));
  BucketReader reader(bucket);
  const auto before = bucket.calls();
  EXPECT_EQ(reader.Read(kFirst, 1000, 500).value(), bytes.substr(1000, 500));
  EXPECT_EQ(reader.Read(kFirst, 0, 4096).value(), bytes.substr(0, 4096));
  EXPECT_EQ(bucket.calls(), before + 2) << "a record, and the look at a segment's origin";
  std::string through;
  while (true) {
    const std::string step = reader.Read(kFirst, through.size(), 1 << 20).value();
    if (step.empty()) break;
    through += step;
  }
  EXPECT_TRUE(through == bytes);
  EXPECT_EQ(bucket.calls(), before + 3);
  EXPECT_EQ(reader.Read(kFirst, bytes.size() - 3, 10).value(), bytes.substr(bytes.size() - 3));
  EXPECT_EQ(reader.Read("records/movie/000/000/002.jsonl.zst", 0, 10).error().code, ErrorCode::kNotFound);
}

TEST(BucketFiles, ReadAFileThatIsLargerThanWhatIsReadAhead) {
  MemoryObjectStore bucket;
  std::string bytes(kReadAheadBytes + (5 << 20), 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 4096) bytes[i] = char('a' + i / 4096 % 26);
  ASSERT_TRUE(bucket.Put("exports/movie_ids_2026-11-22.json.gz", bytes, PutCondition::Absent()));
  BucketReader reader(bucket);
  std::string through;
  for (std::string step = "-"; !step.empty();) {
    step = reader.Read("exports/movie_ids_2026-11-22.json.gz", through.size(), 1 << 20).value();
    through += step;
  }
  EXPECT_TRUE(through == bytes);
  EXPECT_LE(bucket.calls(), 4);
}

TEST(BucketFiles, AnotherWritersSegmentIsNeverReplacedNorPassedBy) {
  BucketWorld world;
  world.Put(Movie(550, "Fight Club", 61, world.clock.Now()));
  world.Commit();
  MemoryObjectStore other(world.files.bucket.bucket());
  ASSERT_TRUE(other.Put(kFirst, "another writer's", PutCondition::Absent()));
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto sealed = world.store->writer->Seal();
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error().code, ErrorCode::kExists) << sealed.error().message;
  }
  EXPECT_EQ(other.Get(kFirst).value().bytes, "another writer's");
  EXPECT_EQ(other.List("records").value(), std::vector<std::string>{kFirst});
}

// The answer is lost, and before it is asked again another writer takes the number: what is there is not ours.
TEST(BucketFiles, AnotherWritersSegmentIsNotTakenForTheOneWhoseAnswerWasLost) {
  BucketWorld world;
  world.Put(Movie(550, "Fight Club", 61, world.clock.Now()));
  world.Commit();
  world.files.bucket.choose_fault = [](std::string_view act, const std::string&) {
    return act == "put" ? std::optional(Fault::kFails) : std::nullopt;
  };
  EXPECT_EQ(world.store->writer->Seal().error().code, ErrorCode::kIo);
  world.files.bucket.choose_fault = {};
  MemoryObjectStore other(world.files.bucket.bucket());
  ASSERT_TRUE(other.Put(kFirst, "another writer's", PutCondition::Absent()));
  EXPECT_EQ(world.store->writer->Seal().error().code, ErrorCode::kExists);
}

TEST(BucketFiles, StateThatSomebodyElseWroteIsNotOverwritten) {
  BucketWorld world;
  world.Put(Movie(550, "Fight Club", 61, world.clock.Now()));
  world.Commit();
  world.Seal();
  MemoryObjectStore other(world.files.bucket.bucket());
  ASSERT_TRUE(other.Put(kState, "another writer's", PutCondition::None()));
  world.Put(Movie(551, "Another", 61, world.clock.Now()));
  world.Commit();
  EXPECT_EQ(world.store->writer->Seal().error().code, ErrorCode::kExists);
  EXPECT_EQ(other.Get(kState).value().bytes, "another writer's");
}

TEST(BucketFiles, WhatIsRemovedStaysInTheBucketAndIsNamed) {
  MemoryObjectStore bucket;
  FaultFileSystem scratch;
  BucketFileSystem files(bucket, scratch);
  ASSERT_TRUE(WriteWhole(files, "exports/movie_ids_2026-11-21.json.gz", "old"));
  ASSERT_TRUE(WriteWhole(files, "exports/movie_ids_2026-11-22.json.gz", "new"));
  ASSERT_TRUE(files.Remove("exports/movie_ids_2026-11-21.json.gz"));
  EXPECT_EQ(files.List("exports").value(), std::vector<std::string>{"exports/movie_ids_2026-11-22.json.gz"});
  EXPECT_FALSE(files.Exists("exports/movie_ids_2026-11-21.json.gz").value());
  EXPECT_EQ(files.Read("exports/movie_ids_2026-11-21.json.gz", 0, 9).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files.Remove("exports/movie_ids_2026-11-21.json.gz").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files.RemovedObjects(), std::vector<std::string>{"exports/movie_ids_2026-11-21.json.gz"});
  EXPECT_TRUE(bucket.bucket().objects.contains("exports/movie_ids_2026-11-21.json.gz"));
  ASSERT_TRUE(WriteWhole(files, "exports/movie_ids_2026-11-21.json.gz", "again"));
  EXPECT_TRUE(files.RemovedObjects().empty());
  EXPECT_EQ(files.Read("exports/movie_ids_2026-11-21.json.gz", 0, 9).value(), "again");
  EXPECT_EQ(files.WrittenObjects().size(), 2u);
}

TEST(BucketFiles, WhatIsNotFinishedStaysOnThisMachine) {
  MemoryObjectStore bucket;
  FaultFileSystem scratch;
  BucketFileSystem files(bucket, scratch);
  for (const char* path : {"records/tv/000/000/002.jsonl.zst.open", "records/tv/state.json.tmp", "catalog.db-wal",
                           "exports/movie_ids_2026-11-22.json.gz.part", "records/tv/000/000/002.jsonl.zst.open.aside-7"}) {
    const auto file = files.OpenAppend(path);
    ASSERT_TRUE(file) << path;
    ASSERT_TRUE((*file)->Append("x"));
    EXPECT_EQ(files.Size(path).value(), 1u) << path;
    EXPECT_EQ(scratch.Read(path, 0, 9).value(), "x") << path;
  }
  EXPECT_TRUE(bucket.bucket().objects.empty());
  EXPECT_EQ(files.List("records/tv").value().size(), 3u);
  EXPECT_EQ(files.OpenAppend(kFirst).error().code, ErrorCode::kInternal) << "an object is never appended to";
}

// Whatever a call comes to, the same writer goes on, and in the end everything is there, once.
TEST(BucketFiles, AFailedCallLosesNothingAndIsMadeUpForByTheNextSeal) {
  const auto live = [](BucketWorld& world, std::vector<ErrorCode>* refused) {
    const auto tried = [&](const Result<void>& done) {
      if (!done && refused) refused->push_back(done.error().code);
      return done.has_value();
    };
    for (int day = 1; day <= 3; ++day) {
      // Which reads what is stored of it.
      for (int attempt = 0; attempt < 4; ++attempt) {
        const auto put =
            world.store->writer->Put(Movie(550, "Title " + std::to_string(day), day, world.clock.Now()));
        if (tried(put ? Result<void>() : std::unexpected(put.error()))) break;
      }
      world.Put(testing::Show(day, "Show", world.clock.Now()));
      world.Commit();
      for (int attempt = 0; attempt < 4 && !tried(world.store->writer->Seal()); ++attempt) {
      }
      world.clock.Advance(std::chrono::hours(24));
    }
    for (int attempt = 0; attempt < 4; ++attempt) {
      if (tried(world.store->writer->Seal())) break;
    }
  };
  BucketWorld sound;
  const auto opened_at = sound.files.bucket.calls();
  live(sound, nullptr);
  const auto calls = sound.files.bucket.calls() - opened_at;
  ASSERT_GT(calls, 12);
  for (const Fault fault : {Fault::kFails, Fault::kLosesAnswer, Fault::kArrivesLate, Fault::kDenied}) {
    for (std::int64_t nth = 1; nth <= calls; ++nth) {
      SCOPED_TRACE(fmt::format("fault {} at call {}", int(fault), nth));
      BucketWorld world;
      world.files.bucket.FailAt(nth, fault);
      std::vector<ErrorCode> refused;
      live(world, &refused);
      for (const ErrorCode code : refused) EXPECT_NE(code, ErrorCode::kExists) << "there is no other writer";
      world.files.bucket.bucket().DeliverAll();
      EXPECT_TRUE(Finished(world.files) == Finished(sound.files)) << "not the same bytes";
      world.files.Restart();
      world.Reopen();
      EXPECT_EQ(world.Damage(), "");
      EXPECT_EQ(world.Steps({MediaType::kMovie, 550}), "1 insert, 2 update, 3 update");
      EXPECT_TRUE(Finished(world.files) == Finished(sound.files)) << "not the same bytes";
    }
  }
}

// --- RecordWriterOptions::trust_segments ---

struct TrustedBucket : ::testing::Test {
  static constexpr std::int64_t kMovies = 3000;

  TrustedBucket() {
    for (std::int64_t id = 1; id <= kMovies; ++id) world.Put(Movie(id, "Title", 1, world.clock.Now()));
    world.Commit();
    world.Seal();
    world.clock.Advance(std::chrono::hours(24 * 30));
    world.files.Restart();
    world.Reopen();
  }
  std::int64_t Calls() { return world.files.bucket.calls(); }
  std::int64_t Frames() {
    auto query = world.catalog.Prepare("SELECT sum(frames) FROM store_segments WHERE sealed_at IS NOT NULL").value();
    return query.Step().value() ? query.Int(0) : 0;
  }

  // Frames of some 30 records.
  BucketWorld world{{.frame_bytes = 16 << 10, .trust_segments = true}};
};

TEST_F(TrustedBucket, WhatIsUnchangedAndWhatIsNewContentReadsNothing) {
  const auto before = Calls();
  for (std::int64_t id = 1; id <= kMovies; ++id) {
    EXPECT_EQ(world.Put(Movie(id, "Title", 1, world.clock.Now())), Change::kUnchanged);
  }
  world.Commit();
  for (std::int64_t id = 1; id <= 50; ++id) {
    EXPECT_EQ(world.Put(Movie(id, "Another", 1, world.clock.Now())), Change::kUpdate);
    ASSERT_TRUE(world.store->writer->PutGone({MediaType::kMovie, 100 + id}, world.clock.Now()));
  }
  world.Commit();
  EXPECT_EQ(Calls(), before);
}

// A refresh asks in the order in which was stored.
TEST_F(TrustedBucket, NewNumbersInOrderReadEachFrameOnceAndAreStoredAsPatches) {
  const auto before = Calls();
  for (std::int64_t id = 1; id <= kMovies; ++id) {
    ASSERT_EQ(world.Put(Movie(id, "Title", 2, world.clock.Now())), Change::kStats);
    if (id % 500 == 0) world.Commit();
  }
  const auto frames = Frames();
  EXPECT_GE(frames, 60);
  EXPECT_LE(Calls() - before, frames) << "never a request a record";
  std::int64_t patches = 0;
  world.Commit();
  world.Seal();
  ASSERT_TRUE(world.store->feed.Read(MediaType::kMovie, 1, [&](std::int64_t, std::string_view line) -> Result<bool> {
    patches += line.find("\"patch\":[") != std::string_view::npos;
    return true;
  }));
  EXPECT_EQ(patches, kMovies - frames) << "all but the first of each frame";
  EXPECT_EQ(world.Damage(), "");
}

// What TMDB lists as changed comes in no order: then a request a record would cost more than the bytes do.
TEST_F(TrustedBucket, NewNumbersOfRecordsFarApartReadNothing) {
  const auto before = Calls();
  int put = 0;
  for (std::int64_t id = 1; id <= kMovies; id += 100) {
    ASSERT_EQ(world.Put(Movie(id, "Title", 2, world.clock.Now())), Change::kStats);
    ++put;
  }
  EXPECT_EQ(put, 30);
  EXPECT_EQ(Calls(), before);
  world.Commit();
  world.Seal();
  EXPECT_NE(world.View({MediaType::kMovie, 1}).find("\"popularity\":2.000"), std::string::npos);
  EXPECT_EQ(world.Steps({MediaType::kMovie, 1}), "1 insert");
  EXPECT_EQ(world.Damage(), "");
}

}  // namespace
}  // namespace tmdbc
