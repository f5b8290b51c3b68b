// SPDX-License-Identifier: MIT
// A process that keeps a mirror in a bucket, over virtual time: what is published while it works, what a kill costs, a
// bucket that is away, calls that are lost or late, a process that slept while another one took the mirror, and what it
// costs to do nothing. The pipeline is that of `run` on a bucket in memory, TMDB is the simulated one
// (tests/mirror_life.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>

#include "app/command.h"
#include "app/daemon.h"
#include "cloud/mirror_keeper.h"
#include "mirror_life.h"
#include "program.h"
#include "queue/sqlite_queue.h"
#include "testing/seeds.h"

namespace tmdbc {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::MemoryObjectStore;
using testing::MirrorLife;
using Fault = MemoryObjectStore::Fault;

constexpr Time kBorn = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + hours(9);

class BucketLife : public ::testing::Test {
 protected:
  // 240 records at one request in two seconds: eight minutes at the default, an hour at the slow one.
  static MirrorLife::Options World(std::uint64_t seed, std::string rate) {
    MirrorLife::Options options;
    options.born = kBorn;
    options.seed = seed;
    options.catalogue.seed = seed;
    options.catalogue.counts = {150, 30, 80, 5, 5, 5, 5};
    options.catalogue.huge_show_episodes = 60;
    options.loud = testing::IsOneSeed();
    options.in_bucket = true;
    options.rate = std::move(rate);
    return options;
  }
  static HeadState HeadOf(const MirrorLife& life) {
    return ParseHeadState(life.bucket.objects.at(std::string(kHeadKey)).bytes).value();
  }
  // Whether any catalog is published.
  static bool IsPublished(const MirrorLife& life) {
    return life.bucket.objects.contains(std::string(kHeadKey)) && !HeadOf(life).catalog.key.empty();
  }
  // Segments never get a second body, and their numbers leave nothing out.
  struct Outsider {
    std::map<std::string, std::string> bodies;
    void Check(MirrorLife& life) {
      for (const auto& [key, object] : life.bucket.objects) {
        if (!key.starts_with("records/") || key.ends_with("state.json")) continue;
        const auto [at, fresh] = bodies.emplace(key, object.bytes);
        if (!fresh && at->second != object.bytes) life.Problem("{} has got a second body", key);
      }
    }
  };
};

TEST_F(BucketLife, WhatIsFetchedIsThereForOthersAfterTenMinutesOfWork) {
  MirrorLife life(World(1, "0.1"));
  std::string catalog;
  Time changed = life.clock.Now();
  Duration oldest{};
  int publications = 0;
  std::int64_t waiting = 1'000'000;
  life.transport.on_arrival = [&](std::string_view target) {
    if (target.starts_with("/p/exports/")) changed = life.clock.Now();
    if (!IsPublished(life)) return;
    const HeadState head = HeadOf(life);
    EXPECT_TRUE(head.holder);
    EXPECT_GT(head.until, life.clock.Now()) << "it works without a lease";
    if (head.catalog.key != std::exchange(catalog, head.catalog.key)) {
      ++publications;
      EXPECT_LT(head.waiting, waiting);
      waiting = head.waiting;
      oldest = std::max(oldest, life.clock.Now() - std::exchange(changed, life.clock.Now()));
    }
  };
  ASSERT_TRUE(life.RunOnce());
  EXPECT_GE(publications, 3);
  EXPECT_LE(oldest, kPublishEvery + minutes(1));
  EXPECT_FALSE(HeadOf(life).holder) << "it gives the mirror back";
  EXPECT_EQ(HeadOf(life).waiting, 0);
  life.EndTroubles();
  life.CheckWhole();
  // The last two catalogs stay.
  EXPECT_LE(std::ranges::count_if(life.bucket.objects,
                                  [](const auto& entry) { return entry.first.starts_with(kCatalogPrefix); }),
            2);
}

// Killed at random moments of an hour's work, again and again: what was published is never fetched again.
TEST_F(BucketLife, AKillCostsTheRequestsSinceTheLastPublication) {
  for (const std::uint64_t seed : testing::SeedsOf(0, 1, 6)) {
    SCOPED_TRACE(fmt::format("TMDBC_SEED={} bucket_life_test", seed));
    MirrorLife life(World(seed, "0.1"));
    Outsider outsider;
    std::mt19937_64 random(seed);
    std::int64_t requests = 0, lost = 0, since = 0, publications = 0;
    std::string catalog;
    life.transport.on_arrival = [&](std::string_view target) {
      if (target.starts_with("/p/exports/") || target.find("/changes") != target.npos) return;
      ++requests, ++since;
      if (IsPublished(life) && HeadOf(life).catalog.key != std::exchange(catalog, HeadOf(life).catalog.key))
        since = 1, ++publications;
      outsider.Check(life);
    };
    int kills = 0;
    for (int process = 0;; ++process) {
      since = 0;
      if (kills < 5) life.transport.KillAt(int(random() % 6000));
      const bool lived = life.RunOnce().has_value();
      outsider.Check(life);
      if (lived) break;
      ++kills;
      lost += since;
      ASSERT_LT(process, 20);
    }
    life.transport.KillAt(-1);
    life.CheckWhole();
    MirrorLife undisturbed(World(seed, "40"));
    std::int64_t floor = 0;
    undisturbed.transport.on_arrival = [&](std::string_view target) {
      floor += !target.starts_with("/p/exports/") && target.find("/changes") == target.npos;
    };
    ASSERT_TRUE(undisturbed.RunOnce());
    // A show that a publication interrupts between its requests begins again.
    EXPECT_LE(requests, floor + lost + publications);
    if (HasFailure()) return;
  }
}

TEST_F(BucketLife, ABucketThatIsAwayDelaysAndLosesNothing) {
  MirrorLife life(World(2, "0.1"));
  Time away{}, back{};
  life.transport.on_arrival = [&](std::string_view) {
    if (away == Time{} && IsPublished(life)) {
      away = life.clock.Now();
      back = away + minutes(20);  // longer than the lease
      life.bucket_fault = [&](std::string_view, const std::string&) -> std::optional<Fault> {
        if (life.clock.Now() >= back) return std::nullopt;
        return Fault::kFails;
      };
    }
  };
  const auto summary = life.RunOnce();
  ASSERT_TRUE(summary);
  EXPECT_EQ(OutcomeOf(*summary).exit_code, 0);
  EXPECT_GT(life.clock.Now(), back);
  life.CheckWhole();
}

// What was done is worth more than a few minutes.
TEST_F(BucketLife, WhoHarvestsOrEndsWhileTheBucketIsAwayWaitsForIt) {
  MirrorLife life(World(2, "40"));
  Time back{};
  // From the first export on, and once more from the last answer on.
  life.transport.on_arrival = [&](std::string_view target) {
    if (!target.starts_with("/p/exports/") || back == Time{}) back = life.clock.Now() + minutes(7);
  };
  life.bucket_fault = [&](std::string_view, const std::string&) -> std::optional<Fault> {
    if (life.clock.Now() >= back) return std::nullopt;
    return Fault::kFails;
  };
  ASSERT_TRUE(life.RunOnce());
  life.CheckWhole();
}

// One call in twenty is lost before or behind the bucket, or arrives when nobody waits for it any more.
TEST_F(BucketLife, LostAndLateCallsNeitherLoseNorDouble) {
  for (const std::uint64_t seed : testing::SeedsOf(0, 1, 10)) {
    SCOPED_TRACE(fmt::format("TMDBC_SEED={} bucket_life_test", seed));
    MirrorLife life(World(seed, "0.1"));
    Outsider outsider;
    std::mt19937_64 random(seed);
    bool over = false;
    life.bucket_fault = [&](std::string_view, const std::string&) -> std::optional<Fault> {
      if (over || random() % 20 != 0) return std::nullopt;
      constexpr Fault kFaults[] = {Fault::kFails, Fault::kLosesAnswer, Fault::kArrivesLate};
      return kFaults[random() % std::size(kFaults)];
    };
    life.transport.on_arrival = [&](std::string_view) { outsider.Check(life); };
    life.may_fail = true;
    for (int process = 0; process < 6; ++process) {
      if (process % 2 == 0) life.transport.KillAt(int(random() % 6000));
      (void)life.RunOnce();
      life.transport.Restart();
      outsider.Check(life);
      life.clock.Advance(minutes(20));
    }
    over = true;
    life.bucket.DeliverAll();
    life.may_fail = false;
    ASSERT_TRUE(life.RunOnce());
    outsider.Check(life);
    life.CheckWhole();
    if (HasFailure()) return;
  }
}

// The machine sleeps until the lease is over and another one has taken the mirror, worked, and given it back.
TEST_F(BucketLife, WhoSleptWhileAnotherTookTheMirrorStopsAndChangesNothing) {
  for (const bool holds_it : {true, false}) {
    SCOPED_TRACE(holds_it ? "the other still has it" : "the other has given it back");
    MirrorLife life(World(3, "0.1"));
    MemoryObjectStore store(life.bucket);
    testing::TempDir folder;
    PosixFileSystem scratch(folder.path().string());
    std::unique_ptr<MirrorKeeper> other;
    std::map<std::string, Object> then;
    int requests = 0, after = 0;
    life.transport.on_arrival = [&](std::string_view) {
      ++requests;
      if (other || !then.empty()) ++after;
      if (requests != 100) return;
      life.clock.Advance(hours(1));
      other = MirrorKeeper::Take(
                  {.objects = store, .scratch = scratch, .scratch_folder = folder.path().string(), .clock = life.clock},
                  {.holder = "another"})
                  .value();
      const auto queue = SqliteIdQueue::Open(other->catalog(), life.clock).value();
      ASSERT_TRUE(queue->Send({{{{MediaType::kMovie, 4'000'000}, 1}}}));
      ASSERT_TRUE(other->Publish(*queue, [] { return Result<void>(); }, !holds_it));
      then = life.bucket.objects;
    };
    life.may_fail = true;
    const auto summary = life.RunOnce();
    ASSERT_TRUE(summary);
    EXPECT_EQ(life.failed_to_close, 1);
    EXPECT_LE(after, 12) << "it stops soon";
    for (const auto& [key, object] : life.bucket.objects) {
      ASSERT_TRUE(then.contains(key)) << key << " was put by one who had lost the mirror";
      EXPECT_EQ(object.etag, then.at(key).etag) << key;
    }
    other.reset();
    life.may_fail = false;
    ASSERT_TRUE(life.RunOnce());
    life.CheckWhole();
  }
}

TEST_F(BucketLife, ADayWithoutWorkCostsItsRenewalsAndOnePublication) {
  MirrorLife life(World(4, "40"));
  std::map<std::string, int> calls;
  bool counting = false;
  int published = 0;
  life.bucket_fault = [&](std::string_view act, const std::string& key) -> std::optional<Fault> {
    if (!counting) return std::nullopt;
    ++calls[std::string(act)];
    published += key.starts_with(kCatalogPrefix) && act.starts_with("put");
    return std::nullopt;
  };
  const Time begin = life.clock.Now() + days(2), end = begin + days(1);
  life.on_sleep = [&](MonoTime until) {
    life.clock.AdvanceTo(std::max(until, life.clock.Mono() + minutes(1)));
    counting = life.clock.Now() >= begin && life.clock.Now() < end;
    if (life.clock.Now() >= end) ::raise(SIGTERM);
  };
  life.Process([](Settings& settings, Pipeline& pipeline) {
    const auto code = Daemon(settings, Arguments(), pipeline).Run();
    EXPECT_TRUE(code);
  });
  EXPECT_LE(published, 3) << "after the harvest, and behind a compaction";
  EXPECT_LE(calls["put"], 24 * 12 + 40);
  EXPECT_LE(calls["list"], 10);
  EXPECT_LE(calls["get"] + calls["read"] + calls["head"], 40);
}

}  // namespace
}  // namespace tmdbc
