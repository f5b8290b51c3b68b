// SPDX-License-Identifier: MIT
#include "cloud/owner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "cloud/cloud_world_test.h"

namespace tmdbc {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::CloudWorld;
using testing::MemoryChannel;
using testing::MemoryObjectStore;

class OwnerTest : public ::testing::Test {
 protected:
  OwnerTest() {
    for (std::int64_t id = 1; id <= 30; ++id) {
      world_.tmdb.Edit({MediaType::kMovie, id});
      world_.tmdb.Edit({MediaType::kPerson, id});
    }
    for (std::int64_t id = 1; id <= 5; ++id)
      for (std::int64_t i = 0; i < id; ++i) world_.tmdb.Edit({MediaType::kTv, id});
    world_.tmdb.PublishExports();
  }
  OwnerReport Ask(std::string_view what) { return Good(world_.Ask(*machine_, what)); }
  OwnerReport Heartbeat() { return Good(world_.Heartbeat(*machine_)); }
  OwnerReport Good(Result<OwnerReport> report) {
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : OwnerReport();
  }
  // Heartbeats and collectors until nothing is left to do.
  void Work(int beats = 12) {
    for (int i = 0; i < beats; ++i) {
      world_.clock.Advance(minutes(5));
      Heartbeat();
      world_.CollectAll();
    }
  }

  CloudWorld world_;
  std::unique_ptr<CloudWorld::Machine> machine_ = world_.NewMachine();
};

TEST_F(OwnerTest, MirrorsAllThereIs) {
  const OwnerReport asked = Ask("auto");
  EXPECT_EQ(asked.end, OwnerEnd::kPublished);
  ASSERT_EQ(asked.harvests.size(), 1u);
  EXPECT_EQ(asked.out.ids, 65);
  EXPECT_EQ(asked.sent_batches, 1);
  EXPECT_EQ(world_.Keys("inbox/").size(), 0u);
  Work();
  EXPECT_EQ(world_.Difference(), "");
  for (const auto& [id, fetches] : world_.fetches) EXPECT_EQ(fetches, 1) << ToString(id);
  const HeadState head = world_.Head();
  EXPECT_EQ(head.waiting, 0);
  EXPECT_EQ(head.out_ids, 0);
  EXPECT_FALSE(head.holder);
  EXPECT_EQ(head.sequences.at(MediaType::kMovie), 1);
  EXPECT_LE(world_.Keys("state/catalog/").size(), 2u);
  EXPECT_EQ(world_.Keys("inbox/").size(), 0u);
}

TEST_F(OwnerTest, CountsWhatItsCollectorsHaveCost) {
  Ask("auto");
  Work();
  const std::string& status = world_.bucket.objects.at(std::string(kStatusKey)).bytes;
  // One bundle of 65 ids: looked for, and put.
  EXPECT_NE(status.find(R"("puts":1,"gets":1,"messages":0,"invocations":1,"gb_seconds":0}})"), std::string::npos) << status;
}

TEST_F(OwnerTest, SaysWhatItMayAskASecondAndWhatItsCollectorsDid) {
  Ask("auto");
  const std::string& status = world_.bucket.objects.at(std::string(kStatusKey)).bytes;
  EXPECT_NE(status.find(R"("rate":{"allowed":40,"seen":null})"), std::string::npos) << status;
  world_.CollectAll();
  world_.clock.Advance(minutes(10));
  Heartbeat();
  EXPECT_NE(status.find(R"("rate":{"allowed":40,"seen":0.11})"), std::string::npos)
      << "65 in 600 s: " << status;
}

TEST_F(OwnerTest, BeginsOnAMachineWhereItNeverWas) {
  std::filesystem::remove_all(machine_->folder.path());
  EXPECT_EQ(Ask("auto").end, OwnerEnd::kPublished);
  Work();
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(OwnerTest, AHeartbeatWithNothingToDoTakesNothing) {
  EXPECT_EQ(Heartbeat().end, OwnerEnd::kNothingToDo);
  EXPECT_TRUE(world_.bucket.objects.empty());
  Ask("auto");
  Work();
  const std::int64_t epoch = world_.Head().epoch;
  const std::int64_t puts = world_.bucket.puts, calls = machine_->store.calls();
  for (int i = 0; i < 10; ++i) {
    world_.clock.Advance(minutes(5));
    EXPECT_EQ(Heartbeat().end, OwnerEnd::kNothingToDo);
  }
  EXPECT_EQ(world_.Head().epoch, epoch);
  EXPECT_EQ(world_.bucket.puts, puts);
  EXPECT_EQ(machine_->store.calls() - calls, 20) << "one look at the head, one at the inbox";
}

TEST_F(OwnerTest, AnEventThatComesTwiceHarvestsOnce) {
  const OwnerEvent event{"8f3c", "auto"};
  BucketHome other(machine_->store, machine_->scratch, world_.clock);
  ASSERT_TRUE(other.Take("somebody", minutes(16)).value());
  EXPECT_EQ(Good(machine_->owner->Call(world_.NewCall(event))).end, OwnerEnd::kHeld);
  ASSERT_TRUE(other.Drop());
  machine_->host.Refresh();
  EXPECT_EQ(Good(machine_->owner->Call(world_.NewCall(event))).harvests.size(), 1u);
}

TEST_F(OwnerTest, AnEventWhileSomebodyHasTheMirrorIsDoneByTheNextCall) {
  BucketHome other(machine_->store, machine_->scratch, world_.clock);
  ASSERT_TRUE(other.Take("somebody", minutes(16)).value());
  EXPECT_EQ(Ask("auto").end, OwnerEnd::kHeld);
  EXPECT_EQ(Heartbeat().end, OwnerEnd::kHeld);
  EXPECT_EQ(world_.Keys("inbox/request/").size(), 1u);
  world_.clock.Advance(minutes(17));
  EXPECT_EQ(Heartbeat().harvests.size(), 1u);
  EXPECT_EQ(world_.Keys("inbox/request/").size(), 0u);
}

TEST_F(OwnerTest, AnEventThatAsksForWhatCannotBeDoneIsPutAside) {
  EXPECT_EQ(Ask("a cup of tea").end, OwnerEnd::kPublished);
  EXPECT_EQ(world_.Keys("inbox/request/").size(), 0u);
  EXPECT_EQ(Heartbeat().end, OwnerEnd::kNothingToDo);
}

TEST_F(OwnerTest, PagesOfFeedsAreReadOnlyWhileNothingIsOut) {
  Ask("auto");
  EXPECT_EQ(world_.Head().out_ids, 65);
  const OwnerReport waits = Ask("auto");
  EXPECT_TRUE(waits.harvests.empty());
  EXPECT_EQ(world_.Keys("inbox/request/").size(), 1u);
  // The exports are of another host.
  EXPECT_EQ(Ask("export").harvests.size(), 1u);
  EXPECT_EQ(world_.Keys("inbox/request/").size(), 1u);
  world_.CollectAll();
  world_.clock.Advance(minutes(11));
  EXPECT_EQ(Heartbeat().harvests.size(), 1u);
  EXPECT_EQ(world_.Keys("inbox/request/").size(), 0u);
}

TEST_F(OwnerTest, NothingMoreIsHandedOutWhileAHarvestWaits) {
  world_.dispatch.rate = 0.1;
  machine_ = world_.NewMachine();
  Ask("auto");
  ASSERT_GT(world_.Head().out_ids, 60);
  Ask("auto");
  world_.most_ids = 1;  // the rest of a batch is left, and waits
  for (int i = 0; i < 5; ++i) world_.End(*world_.Begin());
  world_.clock.Advance(minutes(31));
  const OwnerReport report = Heartbeat();
  EXPECT_EQ(report.waiting, 5 * 4);
  EXPECT_EQ(report.sent_batches, 0);
  world_.most_ids = 1'000'000;
  world_.CollectAll();
  world_.clock.Advance(minutes(31));
  EXPECT_EQ(Heartbeat().harvests.size(), 1u);
  Work(40);
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(OwnerTest, IdsThatSomebodyAsksForAreFetched) {
  Ask("auto");
  Work();
  world_.tmdb.Edit({MediaType::kMovie, 7});
  Ask("movies 7");
  Work();
  EXPECT_EQ(world_.Difference(), "");
  EXPECT_EQ((world_.fetches[{MediaType::kMovie, 7}]), 2);
  EXPECT_EQ((world_.fetches[{MediaType::kMovie, 8}]), 1);
}

TEST_F(OwnerTest, DeadLettersWaitAgainWhenSomebodyAsks) {
  world_.failing = {{MediaType::kMovie, 3}};
  Ask("auto");
  Work();
  EXPECT_EQ(world_.Difference(), "movie:3 is not stored");
  world_.failing.clear();
  const OwnerReport report = Ask("redrive");
  EXPECT_EQ(report.out.ids, 1);
  Work();
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(OwnerTest, ARefusedKeyStopsTheHandingOutUntilSomebodyAsks) {
  world_.key_is_refused = true;
  Ask("auto");
  world_.CollectAll();
  world_.clock.Advance(minutes(11));
  const OwnerReport refused = Heartbeat();
  EXPECT_TRUE(refused.denied);
  EXPECT_EQ(world_.Head().stopped, "TMDB refuses the key");
  EXPECT_EQ(world_.Head().out_ids, 0);
  EXPECT_EQ(world_.Head().waiting, 65);
  world_.clock.Advance(minutes(11));
  EXPECT_EQ(Heartbeat().end, OwnerEnd::kNothingToDo);
  world_.key_is_refused = false;
  EXPECT_EQ(Ask("movies 1").out.ids, 10) << "a few ids ask whether it is taken now";
  Work();
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(OwnerTest, AnOutageIsProbedWithTenIdsACycle) {
  world_.tmdb_is_down = true;
  Ask("auto");
  for (int i = 0; i < 4; ++i) {
    world_.CollectAll();
    world_.clock.Advance(minutes(11));
    const OwnerReport report = Heartbeat();
    EXPECT_EQ(report.out.ids, 10);
    EXPECT_EQ(report.waiting, 55);
  }
  world_.tmdb_is_down = false;
  Work();
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(OwnerTest, ABundleThatCannotBeReadIsFetchedAgain) {
  Ask("auto");
  const auto collector = world_.Begin();
  world_.End(*collector);
  std::string& bytes = world_.bucket.objects.at(BundleKey(collector->batch.name)).bytes;
  bytes[bytes.size() / 2] ^= 1;
  world_.clock.Advance(minutes(11));
  const OwnerReport report = Heartbeat();
  EXPECT_EQ(report.corrupt_bundles, 1);
  EXPECT_EQ(world_.Keys("inbox/").size(), 0u);
  Work();
  EXPECT_EQ(world_.Difference(), "");
}

// Whatever of it the owner cannot read, it costs its own record and no more than a few rounds.
TEST_F(OwnerTest, AnIdThatSpoilsEveryBundleIsADeadLetterInTheEnd) {
  const MediaId poison{MediaType::kMovie, 7};
  Ask("auto");
  int bundles = 0;
  for (int beat = 0; beat < 20; ++beat) {
    while (const auto collector = world_.Begin()) {
      world_.End(*collector);
      ++bundles;
      const auto& items = collector->batch.items;
      if (std::ranges::none_of(items, [&](const auto& item) { return item.id == poison; })) continue;
      std::string& bytes = world_.bucket.objects.at(BundleKey(collector->batch.name)).bytes;
      bytes[bytes.size() / 2] ^= 1;
    }
    world_.clock.Advance(minutes(11));
    Heartbeat();
  }
  EXPECT_EQ(world_.Head().waiting + world_.Head().out_ids, 0);
  EXPECT_LE(bundles, 1 + 8 + 8 + 3)
      << "65 ids in one, eight of nine at most, nine alone, and twice more the one";
  const std::string& status = world_.bucket.objects.at(std::string(kStatusKey)).bytes;
  EXPECT_NE(status.find(R"("dead":1,)"), std::string::npos) << status;
  const std::string difference = world_.Difference();
  EXPECT_NE(difference.find("movie:7"), std::string::npos) << difference;
}

TEST_F(OwnerTest, MessagesThatWereLostGoOutAgain) {
  Ask("auto");
  world_.messages.Purge();
  Work();
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(OwnerTest, MessagesThatCouldNotBeSentGoOutWithTheNextCycle) {
  // Its first call counts, the second sends.
  machine_->channel.FailAt(2, MemoryChannel::Fault::kFails);
  EXPECT_EQ(Ask("auto").sent_batches, 0);
  EXPECT_EQ(world_.Head().sent, 0);
  world_.clock.Advance(minutes(5));
  EXPECT_EQ(Heartbeat().sent_batches, 1);
  EXPECT_EQ(world_.Head().sent, world_.Head().epoch);
  Work();
  EXPECT_EQ(world_.Difference(), "");
  for (const auto& [id, fetches] : world_.fetches) EXPECT_EQ(fetches, 1) << ToString(id);
}

TEST_F(OwnerTest, ADamagedCatalogCostsWhatWasSettledSinceTheOneBefore) {
  Ask("auto");
  Work(3);
  const HeadState head = world_.Head();
  ASSERT_FALSE(head.previous.empty());
  world_.bucket.objects.at(head.catalog.key).bytes[100] ^= 1;
  machine_ = world_.NewMachine();
  EXPECT_EQ(Ask("auto").end, OwnerEnd::kPublished);
  Work(20);
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(OwnerTest, SegmentsOfAnOwnerThatDiedAreAdopted) {
  Ask("auto");
  world_.CollectAll();
  world_.clock.Advance(minutes(11));
  // It dies at the head that would have told of them.
  int heads = 0;
  machine_->store.choose_fault = [&](std::string_view act, const std::string& key) {
    const bool publishes = act == "put" && key == kHeadKey && ++heads == 2;
    return publishes ? std::optional(MemoryObjectStore::Fault::kDies) : std::nullopt;
  };
  EXPECT_FALSE(world_.Heartbeat(*machine_));
  EXPECT_EQ(world_.Fault(), "");
  EXPECT_EQ(world_.Keys("records/movie/0").size(), 1u);
  EXPECT_FALSE(world_.Head().sequences.contains(MediaType::kMovie));
  machine_ = world_.NewMachine();
  world_.clock.Advance(minutes(16));
  const OwnerReport report = Heartbeat();
  EXPECT_EQ(report.adopted_segments, 4);  // of movies, shows, seasons, people
  EXPECT_GT(report.late_answers, 0);
  Work();
  EXPECT_EQ(world_.Difference(), "");
  EXPECT_LE(world_.Keys("state/catalog/").size(), 2u) << "the one that was never in force is gone";
}

// The first owner ever, killed at each of its calls; the next one makes up for it.
TEST_F(OwnerTest, ADeathAtAnyCallLeavesNothingToMend) {
  for (std::int64_t nth = 1;; ++nth) {
    CloudWorld world(std::uint64_t(nth), {});
    for (std::int64_t id = 1; id <= 4; ++id) world.tmdb.Edit({MediaType::kMovie, id});
    for (int i = 0; i < 4; ++i) world.tmdb.Edit({MediaType::kTv, 1});
    world.tmdb.PublishExports();
    auto machine = world.NewMachine();
    machine->store.FailAt(nth, MemoryObjectStore::Fault::kDies);
    bool died = false;
    for (int beat = 0; beat < 5 && !died; ++beat) {
      died = !(beat == 0 ? world.Ask(*machine, "export") : world.Heartbeat(*machine));
      world.CollectAll();
      world.clock.Advance(minutes(11));
    }
    died = died || machine->store.calls() >= nth;  // behind the publication nothing is told
    machine = world.NewMachine();
    ASSERT_TRUE(world.Ask(*machine, "export"));
    for (int beat = 0; beat < 8; ++beat) {
      world.clock.Advance(minutes(17));
      const auto report = world.Heartbeat(*machine);
      ASSERT_TRUE(report) << report.error().message << " after a death at call " << nth;
      world.CollectAll();
    }
    ASSERT_EQ(world.Difference(), "") << "after a death at call " << nth;
    ASSERT_TRUE(world.Keys("inbox/").empty()) << "after a death at call " << nth;
    if (!died) break;
    ASSERT_LT(nth, 400);
  }
}

TEST_F(OwnerTest, AHarvestThatReachesNobodyIsTriedAgainWithEachHeartbeat) {
  world_.host.PlanAll(testing::FakeExportHost::Fault::kConnect);
  const OwnerReport asked = Ask("auto");
  ASSERT_EQ(asked.harvests.size(), 1u);
  EXPECT_EQ(asked.harvests[0].exit_code(), 3);
  for (int i = 0; i < 5; ++i) {
    world_.clock.Advance(minutes(5));
    EXPECT_EQ(Heartbeat().waiting, 0);
    EXPECT_EQ(world_.Keys("inbox/request/").size(), 1u);
  }
  world_.host.PlanAll(std::nullopt);
  Work();
  EXPECT_EQ(world_.Keys("inbox/").size(), 0u);
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(OwnerTest, TheFirstHeartbeatOfABucketMayAskForAHarvest) {
  world_.first_request = "auto";
  machine_ = world_.NewMachine();
  Work();
  EXPECT_EQ(world_.Difference(), "");
  const std::int64_t epoch = world_.Head().epoch;
  Work(3);
  EXPECT_EQ(world_.Head().epoch, epoch) << "once";
}

TEST_F(OwnerTest, ManyDeletionsWaitForAPersonsWordWhichHoldsForTheAnswersToCome) {
  Ask("auto");
  Work();
  for (std::int64_t id = 1; id <= 25; ++id) world_.tmdb.Remove({MediaType::kMovie, id});
  world_.clock.Advance(hours(24));
  world_.tmdb.PublishExports();
  Ask("auto");
  Work();
  EXPECT_NE(world_.Difference().find("is stored and is gone at TMDB"), std::string::npos);
  Ask("accept");
  Work();
  EXPECT_EQ(world_.Difference(), "");
}

TEST_F(OwnerTest, SegmentsAreMergedOnceADayAndReplacedOnesStayForADay) {
  Ask("auto");
  Work();
  for (int day = 0; day < 12; ++day) {
    world_.tmdb.Edit({MediaType::kMovie, 1 + day});
    world_.clock.Advance(hours(24) - minutes(60));
    world_.tmdb.PublishExports();
    Ask("auto");
    Work();
    EXPECT_EQ(world_.Difference(), "") << day;
  }
  const auto movies = [&] {
    auto keys = world_.Keys("records/movie/");
    std::erase_if(keys, [](const std::string& key) { return key.ends_with("state.json"); });
    return keys.size();
  };
  EXPECT_LE(movies(), 10u) << "13 were written";
}

}  // namespace
}  // namespace tmdbc
