// SPDX-License-Identifier: MIT
#include "cloud/mirror_keeper.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloud/cloud_world_test.h"
#include "queue/sqlite_queue.h"
#include "storage/store_intake.h"

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::CloudWorld;
using testing::MemoryObjectStore;
using Fault = MemoryObjectStore::Fault;

// A machine on which processes keep the mirror one after the other.
struct Place {
  explicit Place(CloudWorld& in, std::string called = "process") : world(in), name(std::move(called)), store(in.bucket) {}

  Result<void> Begin(KeeperOptions options = {}) {
    End();
    if (options.holder.empty()) options.holder = fmt::format("{}-{}", name, ++processes);
    TRY_ASSIGN(keeper, MirrorKeeper::Take({.objects = store,
                                           .scratch = scratch,
                                           .scratch_folder = folder.path(),
                                           .clock = world.clock,
                                           .spent = [this] { return caused; }},
                                          options));
    TRY_ASSIGN(writer, RecordWriter::Open(keeper->files(), keeper->catalog(), world.clock, {.trust_segments = true}));
    TRY_ASSIGN(queue, SqliteIdQueue::Open(keeper->catalog(), world.clock, {}));
    return {};
  }
  void End() {
    queue.reset();
    writer.reset();
    keeper.reset();
  }
  // All that TMDB has is queued, but for what is out already.
  Result<void> Harvest() {
    std::vector<QueueItem> items;
    for (const auto& [id, thing] : world.tmdb.things()) items.push_back({id, 1});
    TRY(queue->Send(items));
    return {};
  }
  // Fetches so many ids at most; how many.
  Result<int> Fetch(int most) {
    RecordLedger ledger(keeper->catalog());
    StoreIntake intake(world.clock, *writer, ledger, {});
    int fetched = 0;
    for (; fetched < most; ++fetched) {
      TRY_ASSIGN(const auto messages, queue->Receive(1, seconds(60)));
      if (messages.empty()) break;
      const Message& message = messages.front();
      world.clock.Advance(std::chrono::milliseconds(25));
      ++world.fetches[message.id];
      TRY(world.HandIn(intake, message.id));
      TRY(intake.Commit([&](const IntakeReport&) { return queue->Settle(std::vector{message.receipt}); }));
    }
    return fetched;
  }
  Result<void> Publish(bool last = false) {
    return keeper->Publish(*queue, [this] { return writer->Seal(); }, last);
  }

  CloudWorld& world;
  const std::string name;
  MemoryObjectStore store;
  testing::ScratchFolder folder;
  PosixFileSystem scratch{folder.path()};
  int processes = 0;
  Spent caused;
  std::unique_ptr<MirrorKeeper> keeper;
  std::unique_ptr<RecordWriter> writer;
  std::unique_ptr<SqliteIdQueue> queue;
};

class MirrorKeeperTest : public ::testing::Test {
 protected:
  MirrorKeeperTest() { Fill(world_); }
  static void Fill(CloudWorld& world) {
    for (std::int64_t id = 1; id <= 30; ++id) {
      world.tmdb.Edit({MediaType::kMovie, id});
      world.tmdb.Edit({MediaType::kPerson, id});
    }
    for (std::int64_t id = 1; id <= 5; ++id)
      for (std::int64_t i = 0; i < id; ++i) world.tmdb.Edit({MediaType::kTv, id});
    world.tmdb.PublishExports();
  }
  // One process from beginning to end, which publishes in the middle.
  static Result<void> Live(Place& place, KeeperOptions options = {}) {
    TRY(place.Begin(std::move(options)));
    TRY(place.Harvest());
    TRY(place.Fetch(20));
    TRY(place.Publish());
    TRY(place.Fetch(1'000));
    return place.Publish(true);
  }

  CloudWorld world_;
};

TEST_F(MirrorKeeperTest, PublishesAndGivesBack) {
  Place place(world_);
  ASSERT_TRUE(place.Begin());
  EXPECT_EQ(world_.Head().holder, "process-1");
  ASSERT_TRUE(place.Harvest());
  EXPECT_EQ(place.Fetch(20).value(), 20);
  EXPECT_TRUE(world_.Head().catalog.key.empty());
  EXPECT_TRUE(place.keeper->Changed().value());
  ASSERT_TRUE(place.Publish());
  EXPECT_FALSE(place.keeper->Changed().value());
  EXPECT_EQ(world_.Head().holder, "process-1");
  EXPECT_EQ(world_.Head().waiting, 45);
  EXPECT_EQ(place.Fetch(1'000).value(), 45);
  EXPECT_TRUE(place.keeper->Changed().value());
  ASSERT_TRUE(place.Publish(true));
  place.End();
  EXPECT_FALSE(world_.Head().holder);
  EXPECT_EQ(world_.Head().waiting, 0);
  EXPECT_EQ(world_.Difference(), "");
  for (const auto& [id, fetches] : world_.fetches) EXPECT_EQ(fetches, 1) << ToString(id);
  EXPECT_NE(world_.bucket.objects.at(std::string(kStatusKey)).bytes.find("\"waiting\":0"), std::string::npos);
}

TEST_F(MirrorKeeperTest, ALeaseIsRenewedEveryFiveMinutesAndAtNoOtherTime) {
  Place place(world_);
  ASSERT_TRUE(place.Begin());
  const std::int64_t calls = place.store.calls();
  for (int minute = 0; minute < 60; ++minute) {
    world_.clock.Advance(minutes(1));
    ASSERT_TRUE(place.keeper->Keep());
    EXPECT_GT(world_.Head().until, world_.clock.Now() + minutes(9));
  }
  EXPECT_EQ(place.store.calls() - calls, 12);
}

TEST_F(MirrorKeeperTest, OneAtATime) {
  Place one(world_, "process"), other(world_, "other");
  ASSERT_TRUE(one.Begin());
  EXPECT_EQ(other.Begin().error().code, ErrorCode::kExists);
  // An owner that knows that it is dead need not wait.
  ASSERT_TRUE(other.Begin({.holder = "heir", .dead = "process-1"}));
  EXPECT_EQ(one.Publish().error().code, ErrorCode::kExists);
  one.End();
  EXPECT_EQ(world_.Head().holder, "heir") << "who lost it gives nothing back";
  other.End();
  EXPECT_FALSE(world_.Head().holder);
  ASSERT_TRUE(one.Begin());
}

TEST_F(MirrorKeeperTest, WhoHasSleptAsksBeforeItPutsAnything) {
  Place one(world_, "process"), other(world_, "other");
  ASSERT_TRUE(one.Begin());
  ASSERT_TRUE(one.Harvest());
  ASSERT_TRUE(one.Fetch(20));
  world_.clock.Advance(minutes(16));
  ASSERT_TRUE(other.Begin());
  const std::int64_t puts = world_.bucket.puts;
  EXPECT_EQ(one.writer->Seal().error().code, ErrorCode::kExists);
  EXPECT_EQ(world_.bucket.puts, puts);
  ASSERT_TRUE(other.Harvest());
  ASSERT_TRUE(other.Fetch(1'000));
  ASSERT_TRUE(other.Publish(true));
  EXPECT_EQ(world_.Difference(), "");
  // Nobody was there: it goes on.
  other.End();
  one.End();
  ASSERT_TRUE(one.Begin());
  world_.tmdb.Edit({MediaType::kMovie, 7});
  ASSERT_TRUE(one.Harvest());
  ASSERT_TRUE(one.Fetch(1'000));
  world_.clock.Advance(hours(5));
  ASSERT_TRUE(one.Publish(true));
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(MirrorKeeperTest, WhatIsOutWithCollectorsIsRefusedAndTakenBackWhenSomebodySaysSo) {
  const auto function = world_.NewMachine();
  ASSERT_TRUE(world_.Ask(*function, "auto"));
  ASSERT_EQ(world_.Head().out_ids, 65);
  Place place(world_);
  const std::int64_t epoch = world_.Head().epoch;
  EXPECT_EQ(place.Begin().error().code, ErrorCode::kExists);
  EXPECT_FALSE(world_.Head().holder) << "it is left as it was";
  EXPECT_EQ(world_.Head().out_ids, 65);
  EXPECT_EQ(world_.Head().catalog.key, CatalogKey(epoch));
  // Collectors may have answered some of it.
  world_.CollectAll();
  ASSERT_TRUE(place.Begin({.holder = "taker", .take_back = true}));
  EXPECT_EQ(place.Fetch(1'000).value(), 65);
  ASSERT_TRUE(place.Publish(true));
  place.End();
  EXPECT_EQ(world_.Head().out_ids, 0);
  EXPECT_EQ(world_.Difference(), "");
  // The function has the mirror again, and what the collectors left is late.
  world_.clock.Advance(minutes(40));
  const auto report = world_.Ask(*function, "auto");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->end, OwnerEnd::kPublished);
  EXPECT_EQ(report->bundles, 1);
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(MirrorKeeperTest, FunctionsAndAProcessHaveTheMirrorInTurn) {
  const auto function = world_.NewMachine();
  Place place(world_);
  for (int turn = 0; turn < 4; ++turn) {
    world_.clock.Advance(hours(25));
    world_.tmdb.Edit({MediaType::kMovie, 1 + turn});
    world_.tmdb.Remove({MediaType::kPerson, 1 + turn});
    world_.tmdb.PublishExports();
    ASSERT_TRUE(world_.Ask(*function, "auto"));
    for (int beat = 0; beat < 4; ++beat) {
      world_.clock.Advance(minutes(15));
      ASSERT_TRUE(world_.Heartbeat(*function));
      world_.CollectAll();
    }
    ASSERT_EQ(world_.Head().out_ids, 0);
    world_.tmdb.Edit({MediaType::kTv, 1 + turn});
    ASSERT_TRUE(Live(place));
    place.End();
    EXPECT_EQ(world_.Difference(), "") << "turn " << turn;
  }
}

// At each of its calls in turn the process dies; the next one, on another machine, ends what it began.
TEST_F(MirrorKeeperTest, ADeathAtAnyCallLeavesNothingToMend) {
  std::int64_t calls = 0;
  {
    Place place(world_);
    ASSERT_TRUE(Live(place));
    calls = place.store.calls();
  }
  ASSERT_GT(calls, 15);
  for (std::int64_t n = 1; n <= calls; ++n) {
    SCOPED_TRACE(fmt::format("dies at call {} of {}", n, calls));
    CloudWorld world;
    Fill(world);
    Place dying(world, "dying"), next(world, "next");
    dying.store.FailAt(n, Fault::kDies);
    (void)Live(dying);
    ASSERT_EQ(world.Fault(), "");
    world.clock.Advance(minutes(40));
    const auto lived = Live(next);
    ASSERT_TRUE(lived) << lived.error().message;
    ASSERT_EQ(world.Difference(), "");
  }
}

// At each of its calls in turn the answer is lost, or the call arrives late: the process goes on with the same.
TEST_F(MirrorKeeperTest, ACallWhoseAnswerIsLostIsMadeGood) {
  std::int64_t calls = 0;
  {
    Place place(world_);
    ASSERT_TRUE(Live(place));
    calls = place.store.calls();
  }
  for (const Fault fault : {Fault::kFails, Fault::kLosesAnswer, Fault::kArrivesLate}) {
    for (std::int64_t n = 1; n <= calls; ++n) {
      SCOPED_TRACE(fmt::format("fault {} at call {} of {}", int(fault), n, calls));
      CloudWorld world;
      Fill(world);
      Place place(world);
      place.store.FailAt(n, fault);
      Result<void> lived = Live(place);
      if (!lived && place.keeper) {
        // It is not over: what it has it publishes a minute later.
        ASSERT_NE(lived.error().code, ErrorCode::kExists) << lived.error().message;
        world.clock.Advance(kPublishAgain);
        ASSERT_TRUE(place.Fetch(1'000));
        lived = place.Publish(true);
        ASSERT_TRUE(lived) << lived.error().message;
      } else if (!lived) {
        // It did not come to have the mirror, and may hold it all the same.
        ASSERT_TRUE(Live(place, {.holder = "again", .dead = "process-1"}));
      }
      world.bucket.DeliverAll();
      ASSERT_EQ(world.Difference(), "");
      place.End();
      EXPECT_FALSE(world.Head().holder);
    }
  }
}

TEST_F(MirrorKeeperTest, ACatalogThatIsAtHandIsNotFetchedAgain) {
  Place place(world_, "process"), other(world_, "other");
  ASSERT_TRUE(Live(place));
  place.End();
  int fetched = 0;
  place.store.choose_fault = [&](std::string_view act, const std::string& key) -> std::optional<Fault> {
    fetched += act == "read" && key.starts_with(kCatalogPrefix);
    return std::nullopt;
  };
  ASSERT_TRUE(Live(place));
  place.End();
  EXPECT_EQ(fetched, 0);
  ASSERT_TRUE(Live(other));
  other.End();
  ASSERT_TRUE(Live(place));
  EXPECT_GT(fetched, 0) << "another process was there meanwhile";
  EXPECT_EQ(world_.Difference(), "");
}

// Two processes, and one that was killed: what was published is counted once.
TEST_F(MirrorKeeperTest, CountsWhatTheMirrorHasCost) {
  const auto told = [&] {
    const auto status = ParsedJson::Parse(world_.bucket.objects.at(std::string(kStatusKey)).bytes).value();
    return std::int64_t(status.root()["spent"]["puts"]);
  };
  Place place(world_, "process"), other(world_, "other");
  ASSERT_TRUE(place.Begin());
  place.caused.puts = 5;
  ASSERT_TRUE(place.Publish());
  place.caused.puts = 7;
  ASSERT_TRUE(place.Publish());
  EXPECT_EQ(told(), 7);
  ASSERT_TRUE(place.Publish(true));
  EXPECT_EQ(told(), 7);
  ASSERT_TRUE(other.Begin());
  other.caused.puts = 10;
  ASSERT_TRUE(other.Publish(true));
  EXPECT_EQ(told(), 17);
}

// A process of years remembers no more than what waits for something.
TEST_F(MirrorKeeperTest, WhatWasReplacedIsDeletedADayLaterAndForgotten) {
  Place place(world_);
  ASSERT_TRUE(place.Begin());
  ASSERT_TRUE(place.Harvest());
  ASSERT_TRUE(place.Fetch(1'000));
  ASSERT_TRUE(place.Publish());
  EXPECT_TRUE(place.keeper->files().WrittenObjects().empty());
  const std::string old = "records/movie/000/000/001.jsonl.zst";
  ASSERT_TRUE(world_.bucket.objects.contains(old));
  for (int day = 0; day < 3; ++day) {
    world_.tmdb.Edit({MediaType::kMovie, 3});
    world_.clock.Advance(hours(1));
    ASSERT_TRUE(place.Harvest());
    ASSERT_TRUE(place.Fetch(1'000));
    ASSERT_TRUE(place.Publish());
  }
  ASSERT_TRUE(Compact(place.keeper->files(), place.keeper->catalog(), *place.writer, MediaType::kMovie,
                      {.least_segments = 2}));
  ASSERT_TRUE(place.Publish());
  EXPECT_FALSE(place.keeper->files().RemovedObjects().empty());
  EXPECT_TRUE(world_.bucket.objects.contains(old)) << "a call may still be on its way";
  world_.clock.Advance(hours(23));
  ASSERT_TRUE(place.Publish());
  EXPECT_TRUE(world_.bucket.objects.contains(old));
  world_.clock.Advance(hours(2));
  ASSERT_TRUE(place.Publish());
  EXPECT_FALSE(world_.bucket.objects.contains(old));
  EXPECT_TRUE(place.keeper->files().RemovedObjects().empty());
  EXPECT_TRUE(place.keeper->files().WrittenObjects().empty());
  ASSERT_TRUE(place.Publish(true));
  EXPECT_EQ(world_.Difference(), "");
}

}  // namespace
}  // namespace tmdbc
