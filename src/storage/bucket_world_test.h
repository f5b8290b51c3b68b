// SPDX-License-Identifier: MIT
// BucketWorld: a StoreWorld whose files are in a bucket in memory, and lives to be led in any world.
// For the tests of this folder only.
#pragma once

#include <map>
#include <random>
#include <string>

#include "storage/bucket_files.h"
#include "storage/segment_path.h"
#include "storage/store_world_test.h"
#include "testing/memory_object_store.h"

namespace tmdbc::testing {

// One machine's view of a bucket.
struct BucketDisk {
  BucketDisk() = default;
  explicit BucketDisk(MemoryObjectStore::Bucket& shared) : bucket(shared) {}
  operator FileSystem&() { return *files; }  // NOLINT(google-explicit-constructor)
  // As the next process of this machine finds it: what was learned is forgotten, the scratch folder stays.
  void Restart() { files = std::make_unique<BucketFileSystem>(bucket, scratch); }

  MemoryObjectStore bucket;
  FaultFileSystem scratch;
  std::unique_ptr<BucketFileSystem> files = std::make_unique<BucketFileSystem>(bucket, scratch);
};

using BucketWorld = StoreWorldOn<BucketDisk>;

// Days in the life of a store: inserts, updates, new numbers, 404s, restores, shows with seasons, what was only
// verified; commits, now and then a seal, a purge, a compaction. The same seed does the same in any world.
class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {}

  template <class World>
  void Day(World& world, bool seal = true) {
    for (int batch = Up(3); batch >= 0; --batch) {
      for (int i = Up(6); i >= 0; --i) Answer(world);
      world.Commit();
      world.clock.Advance(std::chrono::minutes(5));
    }
    if (seal) world.Seal();
    world.clock.Advance(std::chrono::hours(7));
  }
  template <class World>
  void Compact(World& world) {
    for (const MediaType type : {MediaType::kMovie, MediaType::kTv, MediaType::kSeason}) {
      const auto report = world.store->Compact(type, {.versions_before = {}});
      ASSERT_TRUE(report) << report.error().message;
    }
  }

 private:
  int Up(int most) { return int(random_() % std::uint64_t(most + 1)); }

  template <class World>
  void Answer(World& world) {
    const Time now = world.clock.Now();
    world.clock.Advance(std::chrono::milliseconds(20));
    const std::int64_t id = 1 + Up(11);
    switch (Up(9)) {
      case 0:
        (void)world.store->writer->PutGone({MediaType::kMovie, id}, now).value();
        break;
      case 1:
        ASSERT_TRUE(world.store->writer->PutPurge({MediaType::kMovie, id}, now));
        break;
      case 2:
        ASSERT_TRUE(world.store->writer->HoldDeletion({MediaType::kMovie, id}, now));
        break;
      case 3:
      case 4:
        world.Put(Show(id, "Show " + std::to_string(Up(2)), now));
        for (int number = 1 + Up(1); number <= 2; ++number) {
          world.Put(Season(id * 10 + number, id, number, 1 + Up(3), now));
        }
        break;
      default:
        world.Put(Movie(id, "Title " + std::to_string(Up(2)), 1.0 + Up(3), now));
    }
  }

  std::mt19937_64 random_;
};

}  // namespace tmdbc::testing
