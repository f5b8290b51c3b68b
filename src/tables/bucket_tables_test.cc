// SPDX-License-Identifier: MIT
#include "tables/bucket_tables.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tables/check.h"
#include "tables/derived_files.h"
#include "tables/publish_world_test.h"
#include "testing/memory_object_store.h"

namespace tmdbc::tables {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using testing::MemoryObjectStore;
using testing::Movie;
using testing::PublishWorld;
using Fault = MemoryObjectStore::Fault;

// A machine of its own: a work folder, and a writer to the bucket.
struct Machine {
  explicit Machine(PublishWorld& of, MemoryObjectStore::Bucket& bucket, const std::string& name)
      : world(of), objects(bucket), folder(of.root.string() + "_" + name) {
    fs::remove_all(folder);
  }
  ~Machine() { fs::remove_all(folder); }

  Result<PublishReport> TryPublish(bool rebuild = false) {
    PublishOptions options = world.options;
    options.root = folder;
    options.rebuild = rebuild;
    return PublishToBucket({world.store.store->feed, world.store.store->reader, testing::Duckdb(), world.store.clock,
                            world.stop, world.store.files, world.exports, {}},
                           options, objects);
  }
  PublishReport Publish(bool rebuild = false) {
    auto report = TryPublish(rebuild);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(PublishReport{});
  }

  PublishWorld& world;
  MemoryObjectStore objects;
  const fs::path folder;
};

struct BucketWorld : PublishWorld {
  MemoryObjectStore::Bucket bucket;

  void PutFilm(std::int64_t id, const std::string& title) {
    Put(Movie(id, title, 1, store.clock.Now()));
    Seal();
  }
  Manifest NewestInBucket() {
    MemoryObjectStore objects(bucket);
    BucketTables tables(objects);
    const auto newest = NewestGeneration(tables);
    EXPECT_TRUE(newest && *newest > 0);
    auto manifest = ReadManifest(tables, newest.value_or(0));
    EXPECT_TRUE(manifest) << manifest.error().message;
    return manifest.value_or(Manifest{});
  }
  std::string Get(const std::string& path) {
    const auto found = bucket.objects.find("tables/" + path);
    return found == bucket.objects.end() ? "" : found->second.bytes;
  }
  // The files of a table that its log in the bucket leads to.
  std::set<std::string> ByLogThere(const std::string& table) const {
    const std::string prefix = "tables/" + table + "/_delta_log/";
    std::map<std::string, std::string> log;
    for (const auto& [key, object] : bucket.objects) {
      if (key.starts_with(prefix)) log[key.substr(prefix.size())] = object.bytes;
    }
    return ByLog(table, log);
  }
  // A reader that comes by the hint or the highest number finds every byte, and the logs lead to files that are there.
  void ExpectReadable() {
    MemoryObjectStore objects(bucket);
    BucketTables tables(objects);
    std::set<std::int64_t> seen;
    if (const auto hint = ParseHint(Get("manifest.json"))) seen.insert(*hint);
    if (const auto newest = NewestGeneration(tables); newest && *newest > 0) seen.insert(*newest);
    for (const std::int64_t generation : seen) {
      const auto manifest = ReadManifest(tables, generation);
      ASSERT_TRUE(manifest) << manifest.error().message;
      for (const auto& [name, table] : manifest->tables) {
        for (const DataFile& file : table.files)
          EXPECT_EQ(FaultOf(tables, file).value_or("unread"), "") << file.path;
      }
    }
    for (const Table& table : Tables()) {
      for (const std::string& path : ByLogThere(table.name)) EXPECT_NE(Get(path), "") << path;
    }
  }
  // All that is there is of the generations that are kept, and the hint and the logs are those of the newest.
  void ExpectFinished() {
    ExpectReadable();
    const Manifest newest = NewestInBucket();
    EXPECT_EQ(ParseHint(Get("manifest.json")), newest.generation);
    for (const auto& [name, table] : newest.tables) {
      std::set<std::string> paths;
      for (const DataFile& file : table.files) paths.insert(file.path);
      EXPECT_EQ(ByLogThere(name), paths) << name;
    }
    std::set<std::string> named;
    for (const auto& [key, object] : bucket.objects) {
      if (!key.starts_with("tables/manifests/")) continue;
      const auto manifest = ParseManifest(object.bytes);
      ASSERT_TRUE(manifest);
      for (const auto& [name, table] : manifest->tables) {
        for (const DataFile& file : table.files) named.insert("tables/" + file.path);
      }
    }
    for (const auto& [key, object] : bucket.objects) {
      if (key.ends_with(".parquet") && !key.contains("_delta_log")) {
        EXPECT_TRUE(named.contains(key)) << key << " is nobody's";
      }
      EXPECT_FALSE(key.contains("/snapshots/0") || key.contains("/latest/") || key.contains("/tmp/")) << key;
    }
  }
};

TEST(PublishToBucket, PutsTheFilesOfAFolderUnderTheSameNames) {
  BucketWorld world;
  world.PutFilm(1, "A");
  world.PutFilm(5000, "B");
  Machine machine(world, world.bucket, "one");
  EXPECT_EQ(machine.Publish().generation, 1);
  world.ExpectFinished();
  world.Publish();  // at home
  EXPECT_EQ(world.PartsOf(world.NewestInBucket()), world.PartsOf(world.Newest()));
  for (const char* name : {"README.md", "views.sql", "dictionary.json", "datapackage.json", "croissant.json",
                           "manifest.json", "manifests/000000001.json",
                           "movies/0000004096-0000005119.000000001.parquet"})
    EXPECT_NE(world.Get(name), "") << name;

  world.store.clock.Advance(hours(20));
  world.PutFilm(1, "A again");
  machine.Publish();
  world.ExpectFinished();
  EXPECT_EQ(world.PartsOf(world.NewestInBucket()), world.PartsOfABuild());
  // Nothing new: nothing is put.
  const auto puts = world.bucket.puts;
  EXPECT_FALSE(machine.Publish().published);
  EXPECT_EQ(world.bucket.puts, puts);
}

TEST(PublishToBucket, GoesOnFromAnyMachine) {
  BucketWorld world;
  world.PutFilm(1, "A");
  Machine one(world, world.bucket, "one"), other(world, world.bucket, "other");
  one.Publish();
  world.PutFilm(2, "B");
  const PublishReport second = other.Publish();
  EXPECT_EQ(second.generation, 2);
  EXPECT_EQ(second.mended, std::vector<std::string>()) << "it takes over what is whole";
  world.PutFilm(3, "C");
  const PublishReport third = one.Publish();
  EXPECT_EQ(third.generation, 3);
  EXPECT_EQ(third.mended, std::vector<std::string>());
  EXPECT_FALSE(third.built);
  world.ExpectFinished();
  EXPECT_EQ(world.PartsOf(world.NewestInBucket()), world.PartsOfABuild());
  EXPECT_EQ(world.NewestInBucket().tables.at("snapshots").files.size(), 1u);
}

TEST(PublishToBucket, DeletesWhatIsOldByTheRuleOfHome) {
  BucketWorld world;
  Machine machine(world, world.bucket, "one");
  for (int day = 0; day < 4; ++day) {
    world.PutFilm(1, "Day " + std::to_string(day));
    machine.Publish();
    world.store.clock.Advance(hours(30));
  }
  machine.Publish();
  world.ExpectFinished();
  EXPECT_EQ(world.Get("manifests/000000002.json"), "");
  EXPECT_NE(world.Get("manifests/000000003.json"), "");
  EXPECT_EQ(world.Get("movies/0000000000-0000001023.000000001.parquet"), "");
}

TEST(PublishToBucket, MendsWhatSomebodyTookAwayOrCut) {
  BucketWorld world;
  world.PutFilm(1, "A");
  Machine machine(world, world.bucket, "one");
  machine.Publish();
  const auto before = world.PartsOf(world.NewestInBucket());
  world.bucket.objects.erase("tables/movies/0000000000-0000001023.000000001.parquet");
  world.bucket.objects.at("tables/data_dictionary/all.000000001.parquet").bytes.resize(10);
  machine.Publish();
  world.ExpectFinished();
  EXPECT_EQ(world.PartsOf(world.NewestInBucket()), before);
  // Where no work folder has it, it is made again.
  world.bucket.objects.erase("tables/movies/0000000000-0000001023.000000001.parquet");
  Machine other(world, world.bucket, "other");
  const PublishReport report = other.Publish();
  EXPECT_TRUE(report.built);
  EXPECT_EQ(report.lost, std::vector<std::string>{"movies/0000000000-0000001023.000000001.parquet"});
  world.ExpectFinished();
}

TEST(PublishToBucket, MendsLogsAndDocumentsThatSomebodyTookAwayOrCut) {
  BucketWorld world;
  world.PutFilm(1, "A");
  Machine machine(world, world.bucket, "one");
  machine.Publish();
  world.PutFilm(1, "B");
  machine.Publish();
  const auto whole = world.bucket.objects;
  const auto bytes = [](const auto& objects) {
    std::map<std::string, std::string> all;
    for (const auto& [key, object] : objects) all[key] = object.bytes;
    return all;
  };
  for (const bool elsewhere : {false, true}) {
    for (const std::string path : {"movies/_delta_log/00000000000000000001.json", "README.md", "manifest.json",
                                   "derived.json"}) {
      for (const bool cut : {false, true}) {
        SCOPED_TRACE(fmt::format("{} cut: {} elsewhere: {}", path, cut, elsewhere));
        world.bucket.objects = whole;
        if (cut) {
          world.bucket.objects.at("tables/" + path).bytes.resize(5);
        } else {
          world.bucket.objects.erase("tables/" + path);
        }
        Machine other(world, world.bucket, "other");
        EXPECT_FALSE((elsewhere ? other : machine).Publish().published);
        world.ExpectFinished();
        EXPECT_EQ(bytes(world.bucket.objects), bytes(whole));
        MemoryObjectStore objects(world.bucket);
        BucketTables tables(objects);
        EXPECT_EQ(CheckTables(tables, "", world.stop)->faults, std::vector<std::string>());
      }
    }
  }
}

TEST(PublishToBucket, ABuildPutsWhatHasOtherBytes) {
  BucketWorld world;
  world.PutFilm(1, "A");
  Machine machine(world, world.bucket, "one");
  machine.Publish();
  for (const char* path :
       {"movies/0000000000-0000001023.000000001.parquet", "movies/_delta_log/00000000000000000000.json"})
    world.bucket.objects.at(std::string("tables/") + path).bytes[20] ^= 1;
  machine.Publish(true);
  world.ExpectFinished();
  MemoryObjectStore objects(world.bucket);
  BucketTables tables(objects);
  EXPECT_EQ(CheckTables(tables, "", world.stop)->faults, std::vector<std::string>());
}

TEST(PublishToBucket, ADamagedNewestManifestIsToldAndABuildGoesOnBehindIt) {
  BucketWorld world;
  Machine machine(world, world.bucket, "one");
  world.PutFilm(1, "A");
  machine.Publish();
  world.PutFilm(1, "B");
  machine.Publish();
  world.bucket.objects.at("tables/manifests/000000002.json").bytes = R"({"format":1,"gene)";
  world.PutFilm(1, "C");
  const auto refused = machine.TryPublish();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt) << refused.error().message;
  EXPECT_EQ(machine.Publish(true).generation, 3);
  world.ExpectFinished();
  EXPECT_EQ(world.PartsOf(world.NewestInBucket()), world.PartsOfABuild());
}

TEST(PublishToBucket, OneOfTwoThatPublishAtOnceBeginsAgain) {
  for (const bool dies : {false, true}) {
    BucketWorld world;
    world.PutFilm(1, "A");
    Machine one(world, world.bucket, "one"), other(world, world.bucket, "other");
    one.Publish();
    world.PutFilm(1, "B");
    // The other one takes in less, and comes between the first file and the manifest of the first: then it goes on, or
    // is dead.
    int puts = 0;
    one.objects.choose_fault = [&](std::string_view act, const std::string&) -> std::optional<Fault> {
      if (act != "put" || ++puts != 3) return std::nullopt;
      if (dies) return Fault::kDies;
      world.PutFilm(1, "C");
      EXPECT_EQ(other.Publish().generation, 3);
      return std::nullopt;
    };
    const auto report = one.TryPublish();
    EXPECT_EQ(report.has_value(), !dies);
    if (dies) {
      world.PutFilm(1, "C");
      EXPECT_EQ(other.Publish().generation, 3) << "behind the number that is shut";
    }
    world.ExpectFinished();
    EXPECT_EQ(world.PartsOf(world.NewestInBucket()), world.PartsOfABuild());
    // Nothing is lost of what was published when.
    Machine third(world, world.bucket, "third");
    EXPECT_FALSE(third.Publish().published);
    world.ExpectFinished();
  }
}

TEST(PublishToBucket, KilledAtAnyCallLeavesOneGenerationWholeAndTheNextOneMakesUpForIt) {
  BucketWorld world;
  const Time now = world.store.clock.Now();
  world.PutFilm(1, "A");
  world.PutFilm(2000, "B");
  MemoryObjectStore::Bucket first;
  Machine made(world, first, "made");
  made.Publish();
  world.store.clock.Advance(hours(48));
  world.Put(Movie(1, "A again", 1, now + hours(48)));
  world.Put(Movie(3000, "C", 1, now + hours(48)));
  world.Seal();
  const auto expected = world.PartsOfABuild();
  int calls = 0;
  for (const Fault fault : {Fault::kDies, Fault::kLosesAnswer, Fault::kArrivesLate}) {
    bool ended = false;
    for (int at = 1; !ended; ++at) {
      SCOPED_TRACE(fmt::format("fault {} at call {}", int(fault), at));
      for (const bool elsewhere : {false, true}) {
        // What is killed is asked of both heirs, what is lost on the way of one.
        if (fault != Fault::kDies && (at % 2 == 0) != elsewhere) continue;
        world.bucket.objects = first.objects;
        Machine machine(world, world.bucket, "machine");
        fs::copy(made.folder, machine.folder, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
        machine.objects.FailAt(at, fault);
        ended = machine.TryPublish().has_value();
        world.ExpectReadable();
        Machine heir(world, world.bucket, "heir");
        if (!elsewhere) fs::rename(machine.folder, heir.folder);
        heir.Publish();
        world.ExpectFinished();
        ASSERT_EQ(world.PartsOf(world.NewestInBucket()), expected);
        world.bucket.DeliverAll();
        world.ExpectFinished();
        if (HasFailure()) return;
      }
      calls = std::max(calls, at);
    }
  }
  EXPECT_GT(calls, 15);
}

}  // namespace
}  // namespace tmdbc::tables
