// SPDX-License-Identifier: MIT
// Two writers over one bucket, with catalogs of different age: the later one learns from the segments what the catalog
// does not know.
#include "storage/adopt.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <set>

#include "storage/bucket_world_test.h"

namespace tmdbc {
namespace {

using testing::BucketDisk;
using testing::BucketWorld;
using testing::FakeClock;
using testing::Life;
using testing::MemoryObjectStore;
using testing::Movie;
using testing::Show;
using testing::StorePieces;

// A copy of a catalog as it was published at some time.
class Published {
 public:
  explicit Published(Database& catalog) {
    std::filesystem::create_directories(folder_);
    const auto copied = catalog.Execute(fmt::format("VACUUM INTO '{}/published.db'", folder_));
    EXPECT_TRUE(copied) << copied.error().message;
  }
  ~Published() { std::filesystem::remove_all(folder_); }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;
  // Each call makes a copy of its own.
  Database Fetch() const {
    const std::string copy = fmt::format("{}/{}.db", folder_, ++copies_);
    std::filesystem::copy_file(folder_ + "/published.db", copy);
    return Database::Open(copy, Database::Mode::kReadWrite).value();
  }

 private:
  inline static int number_ = 0;
  const std::string folder_ = fmt::format("{}adopt_{}_{}", ::testing::TempDir(), ::getpid(), ++number_);
  mutable int copies_ = 0;
};

// Another machine, which begins from that catalog and the bucket.
struct Owner {
  Owner(MemoryObjectStore::Bucket& shared, const Published& published, FakeClock& its_clock)
      : disk(shared), catalog(published.Fetch()), clock(its_clock) {}

  AdoptReport Adopt() {
    const auto report = AdoptSegments(*disk.files, catalog);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(AdoptReport());
  }
  void Open() {
    auto opened = StorePieces::Open(*disk.files, catalog, clock);
    ASSERT_TRUE(opened) << opened.error().message;
    store = *std::move(opened);
  }
  // As BucketWorld, for Life.
  Change Put(const Document& document) { return store->writer->Put(document).value(); }
  void Commit() { ASSERT_TRUE(store->writer->Commit({})); }
  void Seal() {
    const auto sealed = store->writer->Seal();
    ASSERT_TRUE(sealed) << sealed.error().message;
  }
  std::string Damage() {
    const auto report = store->Verify(true);
    if (!report) return report.error().message;
    std::string text;
    for (const auto& damage : report->damage) text += fmt::format("{}: {}\n", damage.file, damage.what);
    return text;
  }

  BucketDisk disk;
  Database catalog;
  FakeClock& clock;
  std::unique_ptr<StorePieces> store;
};

std::string Table(Database& catalog, const std::string& sql) {
  auto query = catalog.Prepare(sql).value();
  std::string text;
  while (query.Step().value()) text += std::string(query.Text(0)) + "\n";
  return text;
}

// Everything that a reader, the harvester or a compaction goes by, a line a row.
std::string IndexOf(Database& catalog) {
  return Table(catalog, R"(SELECT 'record '||key||' '||version||' '||change||' '||fetched_at||' '||verified_at||' '||
                             content||' '||stats||' '||segment||' '||frame_at||' '||frame_length||' '||line_at||' '||
                             line_length||' '||ifnull(tv_id,'-')||' '||ifnull(season_number,'-')||' '||first_at||' '||changes
                           FROM store_records ORDER BY key)") +
         Table(catalog, R"(SELECT 'step '||key||' '||version||' '||change||' '||fetched_at||' '||segment||' '||frame_at||
                             ' '||frame_length||' '||line_at||' '||line_length FROM store_steps ORDER BY key, version)") +
         Table(catalog, "SELECT 'episode '||id||' '||season_id FROM store_episodes ORDER BY id") +
         Table(catalog, "SELECT 'missing '||key||' '||attempts||' '||last_checked FROM store_missing ORDER BY key") +
         Table(catalog, R"(SELECT 'segment '||type||' '||number||' '||bytes||' '||records||' '||crc||' '||ifnull(origin,'-')||
                             ' '||place||' '||frames||' '||content||' '||(sealed_at IS NOT NULL) FROM store_segments
                             ORDER BY type, number)");
}
// A purge of the catalog's own that every body of is gone from the segments is of no use, and no harm.
std::string HeldOf(Database& catalog) {
  return Table(catalog, "SELECT 'held '||key FROM store_held ORDER BY key");
}

std::string FirstDifference(const std::string& a, const std::string& b) {
  std::size_t from = 0;
  for (std::size_t at = 0; at < std::min(a.size(), b.size()) && a[at] == b[at]; ++at) {
    if (a[at] == '\n') from = at + 1;
  }
  return a == b ? "" : fmt::format("\n{}\n{}", a.substr(from, a.find('\n', from) - from), b.substr(from, b.find('\n', from) - from));
}

std::string Rebuilt(MemoryObjectStore::Bucket& bucket) {
  BucketDisk disk(bucket);
  auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  const auto report = Rebuild(*disk.files, catalog);
  EXPECT_TRUE(report) << report.error().message;
  if (report) {
    EXPECT_TRUE(report->damage.empty()) << report->damage.front().what;
  }
  return IndexOf(catalog) + HeldOf(catalog);
}

TEST(AdoptSegments, MakesOfAnyEarlierCatalogTheOneThatRebuildMakes) {
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    BucketWorld first;
    Life life(seed);
    const int days = 2 + int(seed % 5);
    for (int day = 0; day < days; ++day) life.Day(first);
    if (seed % 3 == 0) life.Compact(first);
    const Published published(first.catalog);
    // What the first owner does from here on it never publishes.
    for (int day = 0; day < days; ++day) {
      life.Day(first);
      if (seed % 2 == 0 && day % 2 == 1) life.Compact(first);
    }
    auto& bucket = first.files.bucket.bucket();
    if (seed % 4 == 0) {  // a day later
      MemoryObjectStore sweeper(bucket);
      ASSERT_TRUE(sweeper.Delete(first.files.files->RemovedObjects()));
    }
    SCOPED_TRACE(seed);
    Owner second(bucket, published, first.clock);
    const AdoptReport report = second.Adopt();
    EXPECT_TRUE(report.damage.empty());
    EXPECT_GT(report.segments, 0);
    EXPECT_GT(report.records, 0);
    second.Open();
    const std::string adopted = IndexOf(second.catalog) + HeldOf(second.catalog);
    EXPECT_EQ(FirstDifference(adopted, IndexOf(first.catalog) + HeldOf(first.catalog)), "") << "the index of who wrote it";
    EXPECT_EQ(FirstDifference(adopted, Rebuilt(bucket)), "") << "the index made again";
    EXPECT_EQ(second.Damage(), "");

    // Adopting twice changes nothing, and the second owner goes on where the first one was.
    EXPECT_EQ(second.Adopt().segments, 0);
    EXPECT_EQ(FirstDifference(IndexOf(second.catalog) + HeldOf(second.catalog), adopted), "");
    life.Day(second);
    if (seed % 2 == 1) life.Compact(second);
    EXPECT_EQ(second.Damage(), "");
    EXPECT_EQ(FirstDifference(IndexOf(second.catalog) + HeldOf(second.catalog), Rebuilt(bucket)), "");
  }
}

TEST(AdoptSegments, TwoOwnersTakeTurnsAndNoVersionComesTwice) {
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    SCOPED_TRACE(seed);
    BucketWorld first;
    Life life(seed);
    life.Day(first);
    auto& bucket = first.files.bucket.bucket();
    std::optional<Published> published;
    published.emplace(first.catalog);
    for (int turn = 0; turn < 6; ++turn) {
      Owner owner(bucket, *published, first.clock);
      owner.Adopt();
      owner.Open();
      life.Day(owner);
      if (turn % 2 == 0) published.emplace(owner.catalog);  // the others die before they publish
    }
    std::set<std::string> versions;
    BucketDisk disk(bucket);
    auto catalog = Database::Open(":memory:", Database::Mode::kReadWrite).value();
    ASSERT_TRUE(Rebuild(*disk.files, catalog));
    const auto pieces = StorePieces::ForReading(*disk.files, catalog);
    for (const MediaType type : kRecordTypes) {
      ASSERT_TRUE(pieces->feed.Read(type, 0, [&](std::int64_t, std::string_view text) -> Result<bool> {
        const auto line = ParseRecordLine(text);
        if (line && line->is_record() && line->change != Change::kStats && line->change != Change::kPurge) {
          EXPECT_TRUE(versions.insert(fmt::format("{} {}", ToString(line->id), line->version)).second)
              << ToString(line->id) << " version " << line->version << " twice";
        }
        return true;
      }));
    }
    EXPECT_GT(versions.size(), 10u);
  }
}

// An owner dies at any call, its calls arriving late or not at all; the next one begins from the catalog published
// last.
TEST(AdoptSegments, WhateverCallAnOwnerDiesAtTheNextOneGoesOn) {
  using Fault = MemoryObjectStore::Fault;
  for (const Fault fault : {Fault::kDies, Fault::kLosesAnswer, Fault::kArrivesLate}) {
    for (std::int64_t nth = 1;; ++nth) {
      SCOPED_TRACE(fmt::format("fault {} at call {}", int(fault), nth));
      BucketWorld first;
      first.Put(Movie(550, "One", 1, first.clock.Now()));
      first.Put(Show(1399, "Show", first.clock.Now()));
      first.Commit();
      first.Seal();
      const Published published(first.catalog);
      first.clock.Advance(std::chrono::hours(1));
      first.files.Restart();
      first.Reopen();
      first.files.bucket.FailAt(nth, fault);
      if (fault != Fault::kDies) first.files.bucket.FailAt(nth + 1, Fault::kDies);
      const auto lived = [&]() -> Result<void> {
        TRY(first.store->writer->Put(Movie(550, "Two", 2, first.clock.Now())));
        TRY(first.store->writer->Put(Show(1399, "Show two", first.clock.Now())));
        TRY(first.store->writer->Commit({}));
        TRY(first.store->writer->Seal());
        TRY(first.store->Compact(MediaType::kMovie, {.versions_before = {}}));
        TRY(first.store->writer->Put(Movie(550, "Three", 3, first.clock.Now())));
        TRY(first.store->writer->Commit({}));
        return first.store->writer->Seal();
      }();
      if (lived) {
        EXPECT_GT(nth, 8);
        break;
      }
      auto& bucket = first.files.bucket.bucket();
      const bool delivered = nth % 2 == 0;
      if (delivered) bucket.DeliverAll();
      Owner second(bucket, published, first.clock);
      const auto adopted = AdoptSegments(*second.disk.files, second.catalog);
      ASSERT_TRUE(adopted) << adopted.error().message;
      second.Open();
      if (delivered) {
        EXPECT_EQ(FirstDifference(IndexOf(second.catalog) + HeldOf(second.catalog), Rebuilt(bucket)), "");
      }
      second.Put(Movie(550, "Four", 4, second.clock.Now()));
      second.Commit();
      const auto sealed = second.store->writer->Seal();
      if (!sealed) {  // a call of the dead one arrived meanwhile: begin again
        EXPECT_EQ(sealed.error().code, ErrorCode::kExists);
        Owner third(bucket, published, first.clock);
        third.Adopt();
        third.Open();
        third.Put(Movie(550, "Four", 4, third.clock.Now()));
        third.Commit();
        third.Seal();
      }
      bucket.DeliverAll();
      Owner last(bucket, published, first.clock);
      last.Adopt();
      last.Open();
      EXPECT_EQ(last.Damage(), "");
      const auto found = last.store->reader.Find({MediaType::kMovie, 550});
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_NE(found->data.find("Four"), std::string::npos) << found->data;
    }
  }
}

TEST(AdoptSegments, LeavesACatalogWithoutAnIndexToWhoOpensTheStore) {
  BucketWorld world;
  world.Put(Movie(550, "One", 1, world.clock.Now()));
  world.Commit();
  world.Seal();
  auto empty = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  EXPECT_EQ(AdoptSegments(*world.files.files, empty).value().segments, 0);
  const auto opened = StorePieces::Open(*world.files.files, empty, world.clock);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().hint, Hint::kRebuild);
}

TEST(AdoptSegments, AdoptsWhatIsSoundOfADamagedSegmentAndNamesTheRest) {
  BucketWorld world({.frame_bytes = 100});
  world.Put(Movie(550, "One", 1, world.clock.Now()));
  world.Commit();
  world.Seal();
  const Published published(world.catalog);
  world.Put(Movie(551, "Two", 1, world.clock.Now()));
  world.Put(Movie(552, "Three", 1, world.clock.Now()));
  world.Commit();
  world.Seal();
  auto& bucket = world.files.bucket.bucket();
  std::string& bytes = bucket.objects.at("records/movie/000/000/002.jsonl.zst").bytes;
  bytes[bytes.size() / 4] = char(bytes[bytes.size() / 4] ^ 1);
  Owner second(bucket, published, world.clock);
  const AdoptReport report = second.Adopt();
  ASSERT_EQ(report.damage.size(), 1u);
  EXPECT_EQ(report.damage.front().file, "records/movie/000/000/002.jsonl.zst");
  second.Open();
  EXPECT_EQ(second.store->reader.Find({MediaType::kMovie, 551}).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(second.store->reader.Find({MediaType::kMovie, 552}));
}

}  // namespace
}  // namespace tmdbc
