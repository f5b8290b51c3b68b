// SPDX-License-Identifier: MIT
#include "storage/object_vfs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "storage/ledger.h"
#include "storage/record_index.h"
#include "storage/record_reader.h"
#include "testing/memory_object_store.h"

namespace tmdbc {
namespace {

using testing::MemoryObjectStore;

constexpr const char* kKey = "state/catalog/000000007.db";

struct CatalogSize {
  std::int64_t movies, people, seasons;
};
constexpr CatalogSize kSmallCatalog = {20'000, 7'000, 6'000};
constexpr CatalogSize kLarge = {200'000, 70'000, 60'000};

IndexRow Row(MediaId id) {
  IndexRow row;
  row.id = id;
  row.version = id.id % 3 == 0 ? 2 : 1;
  row.fetched_at = row.verified_at = row.first_at = ParseTime("2026-11-22T10:00:00Z").value();
  row.hash = {std::uint64_t(id.id) * 7919, std::uint64_t(id.id) * 104729};
  row.place = {std::uint32_t(1 + id.id % 400), std::uint64_t(id.id) * 977, 100'000, 12345, 6789};
  return row;
}

// The bytes of a catalog as a first mirror writes it: movies and people in the order of their popularity, which is no
// order of ids; seasons of some 8 episodes.
std::string MakeCatalog(const CatalogSize& size) {
  const std::string path = fmt::format("{}object_vfs_{}.db", ::testing::TempDir(), ::getpid());
  {
    auto catalog = Database::Open(path, Database::Mode::kReadWrite).value();
    RecordIndex index(catalog);
    std::mt19937_64 random(7);
    const auto done = catalog.Transact([&]() -> Result<void> {
      TRY(index.Create());
      for (const auto& [type, count] : {std::pair(MediaType::kMovie, size.movies), {MediaType::kPerson, size.people}}) {
        std::vector<std::int64_t> ids;
        for (std::int64_t id = 1; id <= count; ++id) ids.push_back(id);
        std::ranges::shuffle(ids, random);
        for (const std::int64_t id : ids) {
          TRY(index.Put(Row({type, id})));
          if (id % 3 == 0) TRY(index.PutStep({{type, id}, 1, Change::kInsert, Time{}, {1, 1, 1, 1, 1}}));
        }
      }
      for (std::int64_t id = 1; id <= size.seasons; ++id) {
        IndexRow row = Row({MediaType::kSeason, id * 7});
        row.tv_id = id / 6 + 1;
        row.season_number = id % 6;
        TRY(index.Put(row));
        for (std::int64_t episode = 0; episode < 8; ++episode) TRY(index.PutEpisode(id * 70 + episode, id * 7));
      }
      return {};
    });
    EXPECT_TRUE(done) << done.error().message;
    EXPECT_TRUE(catalog.Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  std::filesystem::remove(path);
  return bytes.str();
}

struct ObjectVfsTest : ::testing::Test {
  explicit ObjectVfsTest(const CatalogSize& size = kSmallCatalog) {
    const std::string catalog = MakeCatalog(size);
    EXPECT_TRUE(bucket.Put(kKey, catalog, PutCondition::Absent()));
    bytes = catalog.size();
  }
  std::unique_ptr<ObjectDatabase> Open() {
    auto opened = ObjectDatabase::Open(bucket, kKey, bytes);
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  // How many requests it takes from a cold start.
  template <class Act>
  std::int64_t Requests(const Act& act) {
    const auto before = bucket.calls();
    const auto opened = Open();
    RecordIndex index(opened->database());
    act(index);
    return bucket.calls() - before;
  }

  MemoryObjectStore bucket;
  std::uint64_t bytes = 0;
};

struct LargeObjectVfsTest : ObjectVfsTest {
  LargeObjectVfsTest() : ObjectVfsTest(kLarge) {}
};

// state/head.json before it and the frame of the record behind it make two more.
TEST_F(LargeObjectVfsTest, ALookUpTakesAtMostFiveRequestsOfTheIndex) {
  ASSERT_GT(bytes, 30u << 20);
  std::int64_t most = 0;
  for (const std::int64_t id : {1, 550, 99'999, 200'000}) {
    most = std::max(most, Requests([&](RecordIndex& index) {
      EXPECT_EQ(index.Find({MediaType::kMovie, id}).value().value().place.frame_at, std::uint64_t(id) * 977);
    }));
  }
  EXPECT_LE(most, 4) << "a movie";
  most = Requests([&](RecordIndex& index) {
    EXPECT_EQ(index.SeasonsOf(1000).value().size(), 6u);
  });
  EXPECT_LE(most, 5) << "the seasons of a show";
  most = Requests([&](RecordIndex& index) {
    EXPECT_EQ(index.FindSeason(1000, 3).value().value().tv_id, 1000);
  });
  EXPECT_LE(most, 5) << "a season by its number";
  most = Requests([&](RecordIndex& index) {
    const auto season = index.FindSeasonOfEpisode(30'000 * 70 + 3).value();
    EXPECT_EQ(season.value().id.id, 30'000 * 7);
  });
  EXPECT_LE(most, 5) << "an episode";
  EXPECT_LE(Requests([&](RecordIndex& index) { EXPECT_FALSE(index.Find({MediaType::kMovie, 200'001}).value()); }), 4)
      << "what is not there";
}

TEST_F(LargeObjectVfsTest, AWalkOverEverythingIsReadInLongRuns) {
  std::int64_t seen = 0;
  const auto requests = Requests([&](RecordIndex& index) {
    ASSERT_TRUE(index.VisitRows(MediaType::kSeason, [&](const IndexRow&) { ++seen; }));
  });
  EXPECT_EQ(seen, kLarge.seasons);
  EXPECT_LT(requests, 40) << "of " << bytes / kObjectBlock << " blocks";
}

TEST_F(ObjectVfsTest, WhatIsReadTwiceIsFetchedOnce) {
  const auto opened = Open();
  RecordIndex index(opened->database());
  ASSERT_TRUE(index.Find({MediaType::kMovie, 550}).value());
  const auto before = bucket.calls();
  ASSERT_TRUE(opened->database().Execute("PRAGMA shrink_memory"));
  ASSERT_TRUE(index.Find({MediaType::kMovie, 550}).value());
  EXPECT_EQ(bucket.calls(), before);
}

TEST_F(ObjectVfsTest, SaysWhatTheBucketSaid) {
  const auto opened = Open();
  RecordIndex index(opened->database());
  bucket.FailAt(1, MemoryObjectStore::Fault::kDenied);
  const auto denied = index.Find({MediaType::kMovie, 550});
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, ErrorCode::kDenied);
  EXPECT_NE(denied.error().message.find("AccessDenied"), std::string::npos) << denied.error().message;
  EXPECT_TRUE(index.Find({MediaType::kMovie, 550}).value()) << "and goes on";
  const std::string key = kKey;
  ASSERT_TRUE(bucket.Delete(std::span(&key, 1)));
  const auto gone = index.Find({MediaType::kPerson, 7});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
  EXPECT_NE(gone.error().message.find(kKey), std::string::npos) << gone.error().message;
  const auto never = ObjectDatabase::Open(bucket, kKey, bytes);
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, ErrorCode::kNotFound);
}

TEST_F(ObjectVfsTest, RefusesWhatIsNoDatabaseAndWhatIsCut) {
  ASSERT_TRUE(bucket.Put("other", std::string(100'000, 'x'), PutCondition::Absent()));
  const auto other = ObjectDatabase::Open(bucket, "other", 100'000);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kCorrupt) << other.error().message;
  const auto cut = ObjectDatabase::Open(bucket, kKey, 4 * bytes);
  if (cut) {
    std::int64_t seen = 0;
    RecordIndex index((*cut)->database());
    (void)index.VisitRows(MediaType::kMovie, [&](const IndexRow&) { ++seen; });
  }
}

TEST_F(ObjectVfsTest, IsReadAsItIsAndNeverWritten) {
  const auto opened = Open();
  EXPECT_TRUE(opened->database().frozen());
  EXPECT_FALSE(opened->database().Execute("DELETE FROM store_records"));
  EXPECT_EQ(opened->database().FirstFault().value(), "");
  const auto sorted = opened->database().Prepare("SELECT key FROM store_records ORDER BY content DESC LIMIT 1");
  ASSERT_TRUE(sorted);
  RecordLedger ledger(opened->database());
  EXPECT_EQ(ledger.CountLive(MediaType::kMovie).value(), kSmallCatalog.movies);
}

}  // namespace
}  // namespace tmdbc
