// SPDX-License-Identifier: MIT
#include "cloud/bucket_home.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cloud/fetch_object.h"
#include "testing/fake_clock.h"
#include "testing/fault_file_system.h"
#include "testing/memory_object_store.h"

namespace tmdbc {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::FakeClock;
using testing::FaultFileSystem;
using testing::MemoryObjectStore;
using Fault = MemoryObjectStore::Fault;

// One process after the other, each as from another machine, on one bucket.
class BucketHomeTest : public ::testing::Test {
 protected:
  struct Process {
    Process(MemoryObjectStore::Bucket& bucket, const Clock& clock) : store(bucket), home(store, scratch, clock) {}
    MemoryObjectStore store;
    FaultFileSystem scratch;
    BucketHome home;

    std::string Catalog() { return scratch.Read("catalog.db", 0, 1 << 20).value_or("none"); }
    // What the owner of a whole cycle does, ending in the head.
    Result<void> Cycle(const std::string& holder, const std::string& catalog) {
      TRY_ASSIGN(const bool taken, home.Take(holder, minutes(16)));
      if (!taken) return Fail(ErrorCode::kBusy, "somebody has it");
      scratch.Put("catalog.db", catalog);
      TRY(home.Publish({}));
      return home.Sent();
    }
  };

  Process New() { return Process(bucket_, clock_); }
  HeadState Head() { return ParseHeadState(bucket_.objects.at(std::string(kHeadKey)).bytes).value(); }
  // What a new process finds when it takes the mirror.
  std::string Found(const std::string& holder) {
    clock_.Advance(minutes(20));
    Process process(bucket_, clock_);
    const auto taken = process.home.Take(holder, minutes(16));
    if (!taken) return taken.error().message;
    if (!*taken) return "held";
    const std::string catalog = process.Catalog();
    EXPECT_TRUE(process.home.Drop());
    return catalog;
  }

  FakeClock clock_;
  MemoryObjectStore::Bucket bucket_;
};

TEST_F(BucketHomeTest, BeginsInAnEmptyBucket) {
  Process process(bucket_, clock_);
  EXPECT_FALSE(process.home.PeekHead().value());
  ASSERT_TRUE(process.home.Take("a", minutes(16)).value());
  EXPECT_EQ(process.home.head().epoch, 1);
  EXPECT_EQ(process.Catalog(), "none");
  process.scratch.Put("catalog.db", "one");
  ASSERT_TRUE(process.home.Publish(
      {.sequences = {{MediaType::kMovie, 3}}, .waiting = 7, .out_batches = 1, .out_ids = 2}));
  const HeadState head = Head();
  EXPECT_EQ(head.catalog.key, "state/catalog/000000001.db");
  EXPECT_EQ(bucket_.objects.at(head.catalog.key).bytes, "one");
  EXPECT_FALSE(head.holder);
  EXPECT_EQ(head.sequences.at(MediaType::kMovie), 3);
  EXPECT_EQ(head.waiting, 7);
  EXPECT_EQ(head.out_ids, 2);
  EXPECT_EQ(head.sent, 0);
  ASSERT_TRUE(process.home.Sent());
  EXPECT_EQ(Head().sent, 1);
  EXPECT_EQ(Found("b"), "one");
}

TEST_F(BucketHomeTest, IsHeldUntilTheLeaseIsOver) {
  Process first(bucket_, clock_), second(bucket_, clock_);
  ASSERT_TRUE(first.home.Take("a", minutes(16)).value());
  clock_.Advance(minutes(16) - seconds(1));
  EXPECT_FALSE(second.home.Take("b", minutes(16)).value());
  clock_.Advance(seconds(1));
  EXPECT_TRUE(second.home.Take("b", minutes(16)).value());
  EXPECT_EQ(second.home.head().epoch, 2);
}

// Whoever it was died with a clock of another year; the others wait for nobody so long.
TEST_F(BucketHomeTest, ALeaseThatNoClockCouldGiveHoldsNobodyOff) {
  FakeClock ahead;
  ahead.Advance(std::chrono::days(400));
  Process first(bucket_, ahead), second(bucket_, clock_), third(bucket_, clock_);
  ASSERT_TRUE(first.home.Take("a", minutes(16)).value());
  EXPECT_TRUE(second.home.Take("b", minutes(16)).value());
  EXPECT_FALSE(third.home.Take("c", minutes(16)).value());
  EXPECT_EQ(first.home.Renew(minutes(16)).error().code, ErrorCode::kExists)
      << "it has lost the mirror, and is told";
}

TEST_F(BucketHomeTest, ARenewedLeaseCountsFromThen) {
  Process first(bucket_, clock_), second(bucket_, clock_);
  ASSERT_TRUE(first.home.Take("a", minutes(16)).value());
  clock_.Advance(minutes(10));
  ASSERT_TRUE(first.home.Renew(minutes(16)));
  clock_.Advance(minutes(10));
  EXPECT_FALSE(second.home.Take("b", minutes(16)).value());
}

TEST_F(BucketHomeTest, WhoLostItCanNeitherRenewNorPublish) {
  Process first(bucket_, clock_), second(bucket_, clock_);
  ASSERT_TRUE(first.home.Take("a", minutes(16)).value());
  first.scratch.Put("catalog.db", "of the first");
  clock_.Advance(minutes(17));
  ASSERT_TRUE(second.home.Take("b", minutes(16)).value());
  EXPECT_EQ(first.home.Renew(minutes(16)).error().code, ErrorCode::kExists);
  EXPECT_EQ(first.home.Publish({}).error().code, ErrorCode::kExists);
  second.scratch.Put("catalog.db", "of the second");
  ASSERT_TRUE(second.home.Publish({}));
  EXPECT_EQ(first.home.Publish({}).error().code, ErrorCode::kExists);
  EXPECT_EQ(Found("c"), "of the second");
}

TEST_F(BucketHomeTest, FetchesTheCatalogAgainOnlyWhenItIsNotTheOneItPublished) {
  Process warm(bucket_, clock_);
  ASSERT_TRUE(warm.Cycle("a", "one"));
  std::int64_t reads = 0;
  warm.store.choose_fault = [&](std::string_view act, const std::string&) {
    reads += act == "read";
    return std::nullopt;
  };
  ASSERT_TRUE(warm.home.Take("b", minutes(16)).value());
  EXPECT_EQ(reads, 0);
  EXPECT_EQ(warm.Catalog(), "one");
  // It was ours since, and may have been changed.
  ASSERT_TRUE(warm.home.Drop());
  warm.scratch.Put("catalog.db", "changed and not published");
  ASSERT_TRUE(warm.home.Take("c", minutes(16)).value());
  EXPECT_EQ(reads, 1);
  EXPECT_EQ(warm.Catalog(), "one");
  ASSERT_TRUE(warm.home.Drop());

  Process other(bucket_, clock_);
  ASSERT_TRUE(other.Cycle("d", "two"));
  ASSERT_TRUE(warm.home.Take("e", minutes(16)).value());
  EXPECT_EQ(warm.Catalog(), "two");
}

TEST_F(BucketHomeTest, FetchesACatalogInRanges) {
  Process process(bucket_, clock_);
  std::string large(kFetchRange + 5, 'x');
  large[7] = 'y';
  ASSERT_TRUE(process.Cycle("a", large));
  Process other(bucket_, clock_);
  ASSERT_TRUE(other.home.Take("b", minutes(16)).value());
  EXPECT_EQ(other.scratch.Size("catalog.db").value(), large.size());
  EXPECT_TRUE(other.scratch.Read("catalog.db", 0, large.size()).value() == large);
}

TEST_F(BucketHomeTest, TakesTheCatalogBeforeADamagedOneAndSaysSo) {
  Process process(bucket_, clock_);
  ASSERT_TRUE(process.Cycle("a", "one"));
  ASSERT_TRUE(process.Cycle("b", "two"));
  bucket_.objects.at("state/catalog/000000002.db").bytes = "tvo";
  Process next(bucket_, clock_);
  ASSERT_TRUE(next.home.Take("c", minutes(16)).value());
  EXPECT_EQ(next.Catalog(), "one");
  EXPECT_NE(next.home.fell_back().find("state/catalog/000000002.db"), std::string::npos) << next.home.fell_back();
  next.scratch.Put("catalog.db", "three");
  ASSERT_TRUE(next.home.Publish({}));
  EXPECT_EQ(Head().previous, "state/catalog/000000001.db");
}

TEST_F(BucketHomeTest, TakesTheCatalogBeforeALostOneToo) {
  Process process(bucket_, clock_);
  ASSERT_TRUE(process.Cycle("a", "one"));
  ASSERT_TRUE(process.Cycle("b", "two"));
  bucket_.objects.erase("state/catalog/000000002.db");
  EXPECT_EQ(Found("c"), "one");
}

TEST_F(BucketHomeTest, GivesTheMirrorFreeWhenItsCatalogCannotBeHad) {
  Process process(bucket_, clock_);
  ASSERT_TRUE(process.Cycle("a", "one"));
  bucket_.objects.erase("state/catalog/000000001.db");
  Process next(bucket_, clock_);
  EXPECT_EQ(next.home.Take("b", minutes(16)).error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(Head().holder);
}

TEST_F(BucketHomeTest, WipesWhatAnEarlierOwnerLeftInTheScratchFolder) {
  Process process(bucket_, clock_);
  process.scratch.Put("catalog.db", "never published");
  process.scratch.Put("catalog.db-wal", "nor this");
  process.scratch.Put("records/movie/000/000/001.jsonl.zst.open", "nor this");
  ASSERT_TRUE(process.home.Take("a", minutes(16)).value());
  EXPECT_EQ(process.Catalog(), "none");
  EXPECT_TRUE(process.scratch.List("records").value().empty());
  EXPECT_FALSE(process.scratch.Exists("catalog.db-wal").value());
}

TEST_F(BucketHomeTest, PublishesAgainAndAgainWhileItKeepsTheMirror) {
  Process process(bucket_, clock_);
  ASSERT_TRUE(process.home.Take("a", minutes(15)).value());
  for (const char* catalog : {"one", "two", "three"}) {
    clock_.Advance(minutes(10));
    process.scratch.Put("catalog.db", catalog);
    ASSERT_TRUE(process.home.Publish({}, minutes(15)));
    EXPECT_EQ(Head().holder, "a");
    EXPECT_EQ(bucket_.objects.at(Head().catalog.key).bytes, catalog);
  }
  EXPECT_EQ(bucket_.objects.at(Head().previous).bytes, "two");
  process.scratch.Put("catalog.db", "four");
  ASSERT_TRUE(process.home.Publish({}));
  EXPECT_FALSE(Head().holder);
  EXPECT_EQ(Found("b"), "four");
}

TEST_F(BucketHomeTest, RefusesToPublishWhatWasNotCheckpointed) {
  Process process(bucket_, clock_);
  ASSERT_TRUE(process.home.Take("a", minutes(16)).value());
  process.scratch.Put("catalog.db", "half");
  process.scratch.Put("catalog.db-wal", "the other half");
  EXPECT_EQ(process.home.Publish({}).error().code, ErrorCode::kInternal);
}

// Whatever happens to one call: the catalog that the head names is there, whole, the old or the new one; and when the
// owner was told that it published, it is the new one.
TEST_F(BucketHomeTest, OneFailedCallLeavesTheOldCatalogOrTheNewOne) {
  for (const Fault fault : {Fault::kFails, Fault::kDenied, Fault::kLosesAnswer, Fault::kArrivesLate, Fault::kDies}) {
    for (int nth = 1; nth <= 8; ++nth) {
      SCOPED_TRACE(::testing::Message() << "fault " << int(fault) << " at call " << nth);
      bucket_ = {};
      Process before(bucket_, clock_);
      ASSERT_TRUE(before.Cycle("before", "old"));
      Process process(bucket_, clock_);
      process.store.FailAt(nth, fault);
      const auto done = process.Cycle("a", "new");
      bucket_.DeliverAll();
      const std::string found = Found("b");
      if (done) {
        EXPECT_EQ(found, "new");
      } else {
        EXPECT_TRUE(found == "old" || found == "new") << found;
      }
      // One lost answer fails only an owner that died or that the bucket refused.
      EXPECT_TRUE(done || fault == Fault::kDenied || fault == Fault::kDies || nth == 1 || nth == 3)
          << done.error().message;
    }
  }
}

// A process that was thought dead goes on after another took the mirror: at no point does it bring its catalog back.
TEST_F(BucketHomeTest, APutThatArrivesAfterTheNextOwnerChangesNothing) {
  for (int nth = 1; nth <= 4; ++nth) {
    bucket_ = {};
    Process before(bucket_, clock_);
    ASSERT_TRUE(before.Cycle("before", "old"));
    Process late(bucket_, clock_);
    ASSERT_TRUE(late.home.Take("late", minutes(16)).value());
    late.scratch.Put("catalog.db", "late");
    for (int i = 0; i < 3; ++i) late.store.FailAt(nth + i, Fault::kArrivesLate);
    const auto published = late.home.Publish({});
    clock_.Advance(minutes(17));
    Process next(bucket_, clock_);
    const auto taken = next.home.Take("next", minutes(16));
    ASSERT_TRUE(taken) << taken.error().message;
    const std::string found = next.Catalog();
    next.scratch.Put("catalog.db", found + ", next");
    const auto done = next.home.Publish({});
    bucket_.DeliverAll();
    EXPECT_EQ(Found("c"), done ? found + ", next" : "late") << nth;
  }
}

TEST_F(BucketHomeTest, ACheckpointedDatabaseIsTheFileAlone) {
  const std::string path = ::testing::TempDir() + "bucket_home_checkpoint.db";
  for (const char* end : {"", "-wal", "-shm"}) std::remove((path + end).c_str());
  auto db = Database::Open(path, Database::Mode::kReadWrite).value();
  ASSERT_TRUE(db.Execute("CREATE TABLE t(x); INSERT INTO t VALUES (1)"));
  ASSERT_TRUE(CheckpointCatalog(db));
  PosixFileSystem files(::testing::TempDir());
  EXPECT_EQ(files.Size("bucket_home_checkpoint.db-wal").value_or(0), 0u);
}

}  // namespace
}  // namespace tmdbc
