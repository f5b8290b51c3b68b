// SPDX-License-Identifier: MIT
// `tables` into a bucket of Ceph's, which checks every signature, hash and condition: made, followed, checked, killed
// with SIGKILL at random instants (TMDBC_KILLS, TMDBC_SEED), read by deltalake where they lie, and the same as at home.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

#include "emulators.h"
#include "mirror.h"
#include "tables/bucket_tables.h"
#include "tables/publish_world_test.h"
#include "testing/duckdb_library.h"
#include "testing/seeds.h"

namespace tmdbc::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct TablesOverCeph : ::testing::Test {
  Environment On(const std::string& machine) const {
    Environment environment = client.set;
    for (const auto& [name, value] : world.Settings("1000")) environment[name] = value;
    environment["S3_BUCKET_NAME"] = bucket;
    environment["DATA_DIR"] = (folder.path() / machine).string();
    environment["DUCKDB_LIBRARY"] = DuckdbPath();
    return environment;
  }
  Finished Run(const std::string& machine, std::vector<std::string> words) const {
    words.insert(words.begin(), CollectorPath());
    return RunToEnd(words, On(machine), folder.path());
  }
  // Another text of a film, in the mirror.
  void Edit() {
    const std::string id = std::to_string(film_);
    world.Ask("/sim/edit?kind=movie&id=" + id + "&what=overview");
    const Finished asked = Run("laptop", {"harvest", "--mode=ids", "--types=movie", "--ids=" + id});
    ASSERT_EQ(asked.code, 0) << asked.err;
    const Finished collected = Run("laptop", {"collect"});
    ASSERT_EQ(collected.code, 0) << collected.out << collected.err;
  }
  std::int64_t NewestNumber() {
    tables::BucketTables in_bucket(objects);
    const auto newest = tables::NewestGeneration(in_bucket);
    EXPECT_TRUE(newest) << newest.error().message;
    return newest.value_or(0);
  }
  bool Exists(const std::string& path) {
    tables::BucketTables in_bucket(objects);
    return in_bucket.Exists(path).value_or(false);
  }
  tables::Manifest Newest() {
    tables::BucketTables in_bucket(objects);
    auto manifest = tables::ReadManifest(in_bucket, NewestNumber());
    EXPECT_TRUE(manifest) << manifest.error().message;
    return manifest.value_or(tables::Manifest{});
  }
  const World world{{"--movies=150", "--shows=15", "--people=90", "--gone=0", "--rate=0"}};
  EmulatorClient client{"ceph"};
  const std::string bucket = client.MakeBucket();
  aws::S3ObjectStore objects{
      client.client,
      {.bucket = bucket, .url = aws::BucketUrl(client.environment(), "", "us-east-1", bucket).value()}};
  TempDir folder;
  std::int64_t film_ = 0;

  void SetUp() override {
    const Finished made = Run("laptop", {"run", "--once"});
    ASSERT_EQ(made.code, 0) << made.out << made.err;
    for (const auto& [key, sha] : ReadTruth(world.truth_file, {"movie"})) film_ = key.second;
  }
  // The same as of a copy at home.
  void ExpectAsAtHome() {
    std::filesystem::remove_all(folder.path() / "copy");
    const Finished pulled = Run("copy", {"pull"});
    ASSERT_EQ(pulled.code, 0) << pulled.err;
    Environment home = On("copy");
    home.erase("S3_BUCKET_NAME");
    const Finished made = RunToEnd({CollectorPath(), "tables"}, home, folder.path());
    ASSERT_EQ(made.code, 0) << made.err;
    PosixFileSystem at_home((folder.path() / "copy" / "tables").string());
    EXPECT_EQ(PublishWorld::PartsOf(Newest()), PublishWorld::PartsOf(tables::ReadManifest(at_home, 1).value()));
  }
};

TEST_F(TablesOverCeph, AreMadeFollowedCheckedAndReadWhereTheyLie) {
  EXPECT_EQ(Run("laptop", {"tables", "--check"}).code, 1) << "there are none yet";
  const Finished first = Run("laptop", {"tables"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find("generation 1: "), std::string::npos) << first.out;
  ExpectAsAtHome();
  const Finished same = Run("laptop", {"tables"});
  EXPECT_EQ(same.out, "generation 1 is up to date\n") << same.err;
  Edit();
  // Of a machine that has made none so far.
  const Finished second = Run("server", {"tables"});
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_NE(second.out.find("generation 2: "), std::string::npos) << second.out;
  EXPECT_EQ(second.out.find("all made again"), std::string::npos) << second.out;
  ExpectAsAtHome();
  const Finished checked = Run("anywhere", {"tables", "--check"});
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  EXPECT_NE(checked.out.find("each as it was written"), std::string::npos) << checked.out;

  const char* const set = std::getenv("TMDBC_READERS");
  const std::string python = (set ? std::string(set) : TMDBC_BINARY_DIR "/readers") + "/python/bin/python";
  ASSERT_TRUE(std::filesystem::exists(python)) << "there are no readers in " << python
                                               << ": tools/readers/install brings them";
  const char* const source = std::getenv("TMDBC_SOURCE_DIR");
  const Finished read =
      RunToEnd({python, std::string(source ? source : ".") + "/tools/readers/bucket.py", bucket}, On("anywhere"),
               folder.path());
  EXPECT_EQ(read.code, 0) << read.out << read.err;
  EXPECT_NE(read.out.find("tables, "), std::string::npos) << read.out;

  // What somebody spoiled is named, and mended from the folder in which it was made.
  const std::string path = Newest().tables.at("movies").files.at(0).path;
  ASSERT_TRUE(objects.Put("tables/" + path, "not Parquet", PutCondition::None()));
  const Finished damaged = Run("anywhere", {"tables", "--check"});
  EXPECT_EQ(damaged.code, 1);
  EXPECT_NE(damaged.out.find("tables/" + path + ": it has 11 bytes"), std::string::npos) << damaged.out;
  EXPECT_EQ(Run("server", {"tables"}).code, 0);
  EXPECT_EQ(Run("anywhere", {"tables", "--check"}).code, 0);
}

// A bucket that is empty so far.
struct TablesOfARunOverCeph : TablesOverCeph {
  void SetUp() override {}
  std::int64_t Films(const tables::Manifest& manifest) const {
    std::int64_t films = 0;
    for (const auto& file : manifest.tables.at("movies").files) films += file.rows;
    return films;
  }
};

TEST_F(TablesOfARunOverCeph, AreMadeByItsScheduleOfWhatItHasCollected) {
  Environment environment = On("laptop");
  environment["TABLES"] = "after-every-collection";
  {
    Program daemon({CollectorPath(), "run"}, environment, folder.path());
    const auto deadline = std::chrono::steady_clock::now() + seconds(60);
    while (NewestNumber() == 0 || !Exists("manifest.json")) {
      ASSERT_FALSE(daemon.Finished()) << daemon.err();
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << daemon.err();
      std::this_thread::sleep_for(milliseconds(100));
    }
    daemon.Signal(SIGTERM);
    EXPECT_EQ(daemon.Wait(seconds(30)), 0) << daemon.err();
  }
  EXPECT_EQ(NewestNumber(), 1);
  const auto truth = ReadTruth(world.truth_file, {"movie"});
  EXPECT_EQ(Films(Newest()), std::int64_t(truth.size()));
  // The same of one collection.
  for (const auto& [key, sha] : truth) film_ = key.second;
  ASSERT_NO_FATAL_FAILURE(Edit());
  const Finished once = RunToEnd({CollectorPath(), "run", "--once"}, environment, folder.path());
  EXPECT_EQ(once.code, 0) << once.err;
  EXPECT_EQ(NewestNumber(), 2);
  ExpectAsAtHome();
  EXPECT_EQ(Run("anywhere", {"tables", "--check"}).code, 0);
}

TEST_F(TablesOverCeph, KilledAtAnyMomentTheyAreThoseOfABuild) {
  const int wanted = static_cast<int>(CountFromEnvironment("TMDBC_KILLS", 10));
  std::mt19937 random(static_cast<unsigned>(CountFromEnvironment("TMDBC_SEED", 1)));
  milliseconds whole(1500);  // how long one takes that nobody kills
  int kills = 0, ended = 0;
  for (int run = 0; kills < wanted && run < 4 * wanted; ++run) {
    if (run % 4 == 0) {
      ASSERT_NO_FATAL_FAILURE(Edit());
    }
    Program program({CollectorPath(), "tables"}, On(run % 3 == 0 ? "server" : "laptop"), folder.path());
    const auto life = std::uniform_int_distribution<std::int64_t>(1, whole.count() * 5 / 4)(random);
    const auto started = std::chrono::steady_clock::now();
    if (const auto code = program.Wait(milliseconds(life))) {
      ASSERT_EQ(*code, 0) << program.err();
      ++ended;
      whole = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
    } else {
      program.Signal(SIGKILL);
      program.Wait(seconds(10));
      ++kills;
      whole += whole / 4;
    }
    if (kills % 4 == 0 && NewestNumber() > 0) {
      EXPECT_EQ(Run("anywhere", {"tables", "--check"}).code, 0) << "kill " << kills;
    }
  }
  const Finished last = Run("laptop", {"tables"});
  EXPECT_EQ(last.code, 0) << last.err;
  ExpectAsAtHome();
  std::printf("%d kills, %d that ended\n", kills, ended);
}

}  // namespace
}  // namespace tmdbc::testing
